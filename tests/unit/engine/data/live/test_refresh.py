"""The loops that keep a live feed up to date, with ccxt itself, against a venue on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from engine.analysis.quality import DataQualityMonitor
from engine.data.live.candles import ASKED_AGAIN, LOOK_EVERY
from engine.data.live.feed import LiveFeed
from engine.data.live.pauses import Pauses
from engine.data.live.plausible import BookLimits
from engine.data.live.refresh import HALTED_LIST_EVERY, LIST_EVERY, Refresher
from engine.domain.errors import NoData
from engine.domain.market import Timeframe, to_millis
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.venue_time import ClockCheck
from engine.ports import Clock
from engine.simulation.path import Crossing, first_crossing
from engine.timing.clocks import WallClock
from tests.fakes import exchange
from tests.fakes.exchange import DEPTH, INFO, KLINES, TRADES, FakeExchange, Fault, Symbol, listening
from tests.fakes.feed import HandClock
from tests.fakes.patience import until

BTC, ETH = "BTC/USDT", "ETH/USDT"
MINUTES = (Timeframe.M1,)
OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def fake() -> AsyncIterator[FakeExchange]:
    async with listening() as fake:
        yield fake


@asynccontextmanager
async def following(
    fake: FakeExchange,
    *symbols: str,
    since: datetime | None = None,
    timeframes: tuple[Timeframe, ...] = MINUTES,
    clock: Clock | None = None,
    history: int = 100,
) -> AsyncIterator[tuple[LiveFeed, Refresher]]:
    clock, poll = clock or WallClock(), timedelta(seconds=0.2)
    client = VenueClient(exchange="binance", api_url=fake.url, answer_within=timedelta(seconds=1), clock=clock)
    feed = LiveFeed(symbols, fresh_for=4 * poll)
    wanted = dict.fromkeys(symbols, timeframes)
    limits = BookLimits(max_spread=Decimal("0.005"), max_price_gap=Decimal("0.02"))
    made = Refresher(
        client=client,
        feed=feed,
        clock=clock,
        timeframes=wanted,
        history=history,
        quality=DataQualityMonitor(),
        clocks=ClockCheck(venue=client.name, time=lambda: client.time, fraction=Decimal("0.01"), timeframes=timeframes),
        poll=poll,
        limits=limits,
    )
    made.start({} if since is None else dict.fromkeys(symbols, since))
    try:
        yield feed, made
    finally:
        await made.stop()


async def test_prices_books_and_closed_candles_come_in(fake: FakeExchange) -> None:
    async with following(fake, BTC, ETH, timeframes=(Timeframe.M1, Timeframe.H4)) as (feed, refresher):
        assert await refresher.first(10) == "ok"
        now = datetime.now(UTC)
        assert feed.price(BTC, now) == (await _book(feed, BTC)).mid
        minutes = feed.candles(BTC, Timeframe.M1, now, 100)
        assert len(minutes) == 100
        assert minutes.closed_at == Timeframe.M1.floor(now)
        assert feed.candles(ETH, Timeframe.H4, now, 100).closed_at == Timeframe.H4.floor(now)
        assert feed.markets[ETH].lot == Decimal("0.0001")
        assert all(feed.reach(symbol, now) == feed.seen_at(symbol) is not None for symbol in (BTC, ETH))


async def test_a_long_history_comes_in_pages_and_is_asked_for_once(fake: FakeExchange) -> None:
    clock = SteppingClock()
    async with following(fake, BTC, timeframes=(Timeframe.H1,), clock=clock, history=2300) as (feed, refresher):
        assert await refresher.first(20) == "ok"
        hours = feed.candles(BTC, Timeframe.H1, clock.now(), 2300)
        assert len(hours) == 2300
        assert set(np.diff(hours.open_ms)) == {Timeframe.H1.millis}
        asked = [query for _, query in fake.calls if query.get("interval") == "1h"]
        assert [("startTime" in query, query["limit"]) for query in asked] == [
            (False, "1000"), (True, "1000"), (True, "1000")
        ]  # fmt: skip
        clock.ahead = fake.ahead = timedelta(hours=1)
        at = Timeframe.H1.floor(clock.now())
        await until(lambda: feed.closed_at(BTC, Timeframe.H1) == at)
        assert len(feed.candles(BTC, Timeframe.H1, clock.now(), 2300)) == 2300
        later = [query for _, query in fake.calls if query.get("interval") == "1h"][3:]
        assert [("startTime" in query, query["limit"]) for query in later] == [(False, "1000")]


async def test_a_market_that_is_younger_than_that_is_not_asked_for_what_it_does_not_have(fake: FakeExchange) -> None:
    clock = SteppingClock()
    listed = to_millis(Timeframe.H1.floor(clock.now()) - timedelta(hours=60))
    fake.fail(KLINES, Fault(change=lambda rows: [row for row in rows if row[0] >= listed]), times=1000)
    async with following(fake, BTC, timeframes=(Timeframe.H1,), clock=clock) as (feed, refresher):
        assert await refresher.first(10) == "ok"
        clock.ahead = fake.ahead = timedelta(hours=1)
        at = Timeframe.H1.floor(clock.now())
        await until(lambda: feed.closed_at(BTC, Timeframe.H1) == at)
        assert len(feed.candles(BTC, Timeframe.H1, clock.now(), 100)) == 61
        asked = [query for _, query in fake.calls if query.get("interval") == "1h"]
        assert ["startTime" in query for query in asked] == [False, True, False]


class SteppingClock(WallClock):
    """The wall's clock, as far ahead as a test moves it."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


async def _book(feed: LiveFeed, symbol: str):
    book = feed.book(symbol, datetime.now(UTC))
    assert book is not None
    return book


async def test_candles_that_have_not_changed_are_not_asked_for_again(fake: FakeExchange) -> None:
    async with following(fake, BTC, timeframes=(Timeframe.D1,)) as (_, refresher):
        await refresher.first(10)
        looks = fake.asked()[DEPTH]
        await until(lambda: fake.asked()[DEPTH] > looks + 5)
        asked = Counter(query["interval"] for path, query in fake.calls if path == KLINES)
        assert (asked, fake.asked()[INFO]) == ({"1d": 1, "1m": 1}, 1), "minutes confirm the first book"


async def test_a_candle_that_has_closed_but_is_not_there_yet_is_asked_for_until_it_is(fake: FakeExchange) -> None:
    fake.fail(KLINES, exchange.LATE, times=2)
    async with following(fake, BTC, timeframes=(Timeframe.H1,)) as (feed, refresher):
        at = Timeframe.H1.floor(datetime.now(UTC))
        await until(lambda: feed.closed_at(BTC, Timeframe.H1) is not None)
        assert feed.closed_at(BTC, Timeframe.H1) == at - timedelta(hours=1)
        await refresher.closed(at)
        assert feed.closed_at(BTC, Timeframe.H1) == at
        assert 2 <= sum(query.get("interval") == "1h" for _, query in fake.calls) <= 3


async def test_the_open_candle_is_never_held(fake: FakeExchange) -> None:
    async with following(fake, BTC, timeframes=(Timeframe.D1,)) as (feed, refresher):
        await refresher.first(10)
        now = datetime.now(UTC)
        assert feed.closed_at(BTC, Timeframe.D1) == Timeframe.D1.floor(now)
        assert feed.candles(BTC, Timeframe.D1, now + timedelta(days=1), 5).closed_at == Timeframe.D1.floor(now)


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [(exchange.NAN, {"not a number"}), (exchange.REVERSED, set()), (exchange.DUPLICATE, {"duplicate"})],
    ids=["no number", "reversed", "twice"],
)
async def test_bad_candles_go_to_the_quality_gate_as_they_came(
    fake: FakeExchange, fault: exchange.Fault, kinds: set[str]
) -> None:
    fake.fail(KLINES, fault)
    async with following(fake, BTC, timeframes=(Timeframe.H4,)) as (feed, refresher):
        await refresher.first(10)
        at = Timeframe.H4.floor(datetime.now(UTC))
        _, report = DataQualityMonitor().check(feed.candles(BTC, Timeframe.H4, at, 100), at)
        assert {issue.kind for issue in (*report.refused, *report.repaired)} == kinds
        assert report.usable == (fault is not exchange.NAN)


async def test_a_market_that_is_halted_or_unknown_is_paused_and_the_others_go_on(fake: FakeExchange) -> None:
    fake.symbols["ETHUSDT"].status = "BREAK"
    async with following(fake, BTC, ETH, "BTCC/USDT") as (feed, refresher):
        told = await refresher.first(3)
        assert "ETH/USDT: binance has halted it" in told
        assert "BTCC/USDT: binance has no market of this name, did you mean BTC/USDT?" in told
        now = datetime.now(UTC)
        assert feed.price(BTC, now) > 0
        with pytest.raises(NoData, match="halted"):
            feed.candles(ETH, Timeframe.M1, now, 5)
        assert {query["symbol"] for path, query in fake.calls if path == DEPTH} == {"BTCUSDT"}


class LeapingClock(WallClock):
    """A clock whose seconds can be skipped."""

    skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped


@pytest.mark.parametrize(
    "how", ["halted", "delisted", pytest.param("delisted before the start", marks=pytest.mark.slow)]
)
async def test_a_market_that_the_list_stopped_is_looked_for_soon(fake: FakeExchange, how: str) -> None:
    clock, bitcoin, since = LeapingClock(), fake.symbols["BTCUSDT"], None

    def stop() -> None:
        if how == "halted":
            bitcoin.status = "BREAK"
        else:
            del fake.symbols["BTCUSDT"]

    if how == "delisted before the start":
        stop()
        since = datetime.now(UTC) - timedelta(minutes=2)
    async with following(fake, BTC, ETH, clock=clock, since=since) as (feed, refresher):
        await refresher.first(3)
        if since is None:
            stop()
            clock.skipped += LIST_EVERY
        why = "has halted it" if how == "halted" else "lists it no longer"
        await until(lambda: refresher.health == f"BTC/USDT: binance {why}")
        asked = fake.asked()[INFO]
        await asyncio.sleep(2 * LOOK_EVERY)
        assert fake.asked()[INFO] == asked
        fake.symbols["BTCUSDT"], bitcoin.status = bitcoin, "TRADING"
        clock.skipped += HALTED_LIST_EVERY
        await until(lambda: not feed.paused(BTC) and refresher.health == "ok", seconds=5)
        clock.skipped += HALTED_LIST_EVERY
        await asyncio.sleep(2 * LOOK_EVERY)
        assert fake.asked()[INFO] == asked + 1, "nothing is stopped any more"


async def test_a_name_the_venue_has_never_had_is_not_looked_for_soon(fake: FakeExchange) -> None:
    clock = LeapingClock()
    async with following(fake, BTC, "BTCC/USDT", clock=clock) as (_, refresher):
        assert "no market of this name" in await refresher.first(3)
        clock.skipped += HALTED_LIST_EVERY
        await asyncio.sleep(2 * LOOK_EVERY)
        assert fake.asked()[INFO] == 1


@pytest.mark.parametrize("fault", [exchange.DELISTED, exchange.EMPTY], ids=["delisted", "nobody trades"])
async def test_a_market_without_a_book_is_paused_until_it_has_one(fake: FakeExchange, fault: exchange.Fault) -> None:
    async with following(fake, BTC, ETH) as (feed, refresher):
        await refresher.first(10)
        fake.fail(DEPTH, fault, symbol="ETHUSDT", times=1000)
        await until(lambda: bool(feed.paused(ETH)))
        assert not feed.paused(BTC)
        assert not feed.paused(ETH).endswith("."), "what says it ends the sentence"
        await until(lambda: refresher.health.startswith("ETH/USDT: "))
        fake.heal()
        await until(lambda: not feed.paused(ETH))
        await until(lambda: refresher.health == "ok")


async def test_a_time_that_nobody_observed_is_bridged_along_candles(fake: FakeExchange) -> None:
    since = datetime.now(UTC) - timedelta(hours=2)
    async with following(fake, BTC, since=since) as (feed, refresher):
        await refresher.first(10)
        now = datetime.now(UTC)
        path = feed.path(BTC, since, now)
        assert len(path) > 3 * 118
        gaps = [after[0] - before[0] for before, after in pairwise(path)]
        assert max(gaps) <= timedelta(minutes=1)
        assert path[0][0] - since <= timedelta(minutes=1)
        asked = next(query for sent, query in fake.calls if sent == KLINES and "startTime" in query)
        assert asked["interval"] == "1m"


async def test_a_long_absence_is_bridged_with_longer_candles(fake: FakeExchange) -> None:
    since = datetime.now(UTC) - timedelta(days=4)
    async with following(fake, BTC, since=since) as (feed, refresher):
        await refresher.first(10)
        asked = [query["interval"] for sent, query in fake.calls if sent == KLINES and "startTime" in query]
        assert asked == ["30m", "1m"], "minutes up to where the first half hour opens"
        assert feed.path(BTC, since, datetime.now(UTC))[0][0] - since <= timedelta(minutes=30)


DIP = 90.0
NO_TRADES = {
    "not told": exchange.MAINTENANCE,
    "none": exchange.Fault(change=lambda _: []),
    "the newest alone": exchange.Fault(change=lambda rows: rows[-40:]),
}


def dipping(at: datetime) -> Callable[[int], float]:
    """A price of 100 that falls by ten for two seconds."""
    begins = to_millis(at)
    return lambda ms: DIP if begins <= ms < begins + 2000 else 100.0


@pytest.mark.parametrize(
    ("second", "fault", "told"),
    [
        pytest.param(4, [], [], id="before it"),
        pytest.param(40, [], [40, 41], id="in its first minute"),
        pytest.param(200, [], [200], id="later"),
        *(pytest.param(4, [fault], [38], id=name) for name, fault in NO_TRADES.items()),
    ],
)
async def test_a_low_counts_where_it_was_traded_and_where_that_is_not_told_in_the_middle_of_its_minute(
    fake: FakeExchange, second: int, fault: list[exchange.Fault], told: list[int]
) -> None:
    minute = Timeframe.M1.floor(datetime.now(UTC)) - timedelta(minutes=6)
    since = minute + timedelta(seconds=16)
    fake.symbols["BTCUSDT"].price = dipping(minute + timedelta(seconds=second))
    fake.fail(TRADES, *fault, times=20)
    async with following(fake, BTC, since=since) as (feed, refresher):
        await refresher.first(10)
        lows = [at for at, price in feed.path(BTC, since, datetime.now(UTC)) if price == DIP]
    assert [at - minute for at in lows] == [timedelta(seconds=at) for at in told]


async def test_a_gap_as_the_second_minute_opens_is_met_where_it_landed(fake: FakeExchange) -> None:
    """Its first trade is made at the very close of the minute before, to which it does not belong."""
    minute = Timeframe.M1.floor(datetime.now(UTC)) - timedelta(minutes=6)
    since, falls = minute + timedelta(seconds=16), minute + timedelta(minutes=1)
    fake.symbols["BTCUSDT"].price = lambda ms: DIP if ms >= to_millis(falls) else 100.0
    async with following(fake, BTC, since=since) as (feed, refresher):
        await refresher.first(10)
        met = first_crossing(feed.path(BTC, since, datetime.now(UTC)), Decimal(95), Decimal(200))
    assert met == Crossing(at=falls, price=Decimal(DIP), fell=True)


async def test_a_price_is_not_taken_in_before_the_time_before_it_is_known(fake: FakeExchange) -> None:
    fake.fail(KLINES, exchange.MAINTENANCE, times=1000)
    since = datetime.now(UTC) - timedelta(hours=2)
    async with following(fake, BTC, since=since) as (feed, refresher):
        await until(lambda: fake.asked()[DEPTH] >= 2)
        assert feed.seen_at(BTC) is None
        fake.heal()
        await until(lambda: feed.seen_at(BTC) is not None)
        assert feed.path(BTC, since, datetime.now(UTC))[0][0] - since <= timedelta(minutes=1)
        await until(lambda: refresher.health == "ok")


def looks(fake: FakeExchange, name: str) -> int:
    return sum(path == DEPTH and query["symbol"] == name for path, query in fake.calls)


async def test_a_market_whose_book_hangs_holds_up_no_other(fake: FakeExchange) -> None:
    async with following(fake, BTC, ETH) as (feed, refresher):
        await refresher.first(10)
        fake.fail(DEPTH, exchange.slow(60), symbol="ETHUSDT", times=1000)
        await until(lambda: refresher.health == "ETH/USDT: binance does not answer within 1 s.")
        before, seen = (looks(fake, "BTCUSDT"), looks(fake, "ETHUSDT")), feed.seen_at(ETH)
        await until(lambda: looks(fake, "BTCUSDT") >= before[0] + 9)
        assert looks(fake, "ETHUSDT") <= before[1] + 3, "each of its looks waits for a second"
        assert (feed.seen_at(ETH), refresher.health.count("does not answer")) == (seen, 1)
        assert feed.price(BTC, datetime.now(UTC)) > 0


WRONG = {
    "bids low": exchange.scaled(bids=0.9),
    "bids a little low": exchange.scaled(bids=0.97),
    "asks high": exchange.scaled(asks=1.1),
    "all low": exchange.scaled(bids=0.9, asks=0.9),
    "all high": exchange.scaled(bids=1.1, asks=1.1),
    "crossed": exchange.CROSSED,
}


@pytest.mark.parametrize(("wrong", "first"), [*((each, False) for each in WRONG), ("bids low", True)])
async def test_one_wrong_book_is_no_price(fake: FakeExchange, wrong: str, *, first: bool) -> None:
    fault = WRONG[wrong]
    since = datetime.now(UTC) - timedelta(minutes=3)
    if first:
        fake.fail(DEPTH, fault, symbol="BTCUSDT")
    async with following(fake, BTC, since=since) as (feed, refresher):
        assert await refresher.first(10) == "ok"
        if not first:
            fake.fail(DEPTH, fault, symbol="BTCUSDT")
        before = looks(fake, "BTCUSDT")
        await until(lambda: looks(fake, "BTCUSDT") > before + 2 and refresher.health == "ok")
        path = feed.path(BTC, since, datetime.now(UTC))
        truth = Decimal(str(fake.symbols["BTCUSDT"].price(exchange.now_ms())))
        assert all(abs(price / truth - 1) < Decimal("0.01") for _, price in path)


@pytest.mark.parametrize("falls", [0.9, 1.1])
@pytest.mark.parametrize("candles", [True, False], ids=["the candle shows it", "a second look shows it"])
async def test_a_real_jump_is_believed_within_two_looks(*, falls: float, candles: bool) -> None:
    jumped_at = [float("inf")]
    async with (
        listening([Symbol(base="BTC", price=lambda at: 20_000.0 * (falls if at >= jumped_at[0] else 1))]) as fake,
        following(fake, BTC) as (feed, refresher),
    ):
        assert await refresher.first(10) == "ok"
        if not candles:
            fake.fail(KLINES, exchange.MAINTENANCE, times=1000)
        before, jumped_at[0] = looks(fake, "BTCUSDT"), exchange.now_ms()
        target = Decimal(20_000) * Decimal(str(falls))
        await until(lambda: abs((feed.path(BTC, OLD, datetime.now(UTC))[-1][1]) / target - 1) < Decimal("0.001"))
        assert looks(fake, "BTCUSDT") - before <= (2 if candles else 3), "one may have been on its way"


async def test_a_decision_waits_until_a_book_in_doubt_is_believed_or_corrected(fake: FakeExchange) -> None:
    async with following(fake, BTC) as (feed, refresher):
        await refresher.first(10)
        fake.fail(DEPTH, exchange.scaled(bids=0.9))
        await until(lambda: feed.doubted(BTC))
        with pytest.raises(NoData, match="not believed yet"):
            feed.price(BTC, datetime.now(UTC))
        await refresher.closed(Timeframe.M1.floor(datetime.now(UTC)))
        assert feed.price(BTC, datetime.now(UTC)) > 0


async def test_a_clock_that_is_wrong_is_told_of(fake: FakeExchange) -> None:
    async with following(fake, BTC) as (_, refresher):
        await refresher.first(10)
        assert (refresher.clock_health, refresher.no_entry(Timeframe.M1)) == ("ok", "")
        fake.ahead = -timedelta(minutes=10)
        await until(lambda: refresher.clock_health != "ok")
        ahead = "this machine's clock is 10 min ahead of binance's"
        assert refresher.clock_health == f"{ahead}: nothing is entered on 1m candles"
        assert refresher.no_entry(Timeframe.M1).startswith(f"{ahead}; 5 s are allowed on 1m candles. Set this machine")
        assert refresher.health == "ok", "the data is there, and the clock is told of by itself"
        fake.ahead = timedelta(0)
        await until(lambda: refresher.clock_health == "ok")
        assert refresher.no_entry(Timeframe.M1) == ""


@pytest.mark.parametrize("date", ["", "tomorrow"], ids=["none", "nonsense"])
async def test_answers_that_tell_no_time_let_nothing_be_entered_and_are_told_of(fake: FakeExchange, date: str) -> None:
    fake.date = date
    async with following(fake, BTC) as (_, refresher):
        assert "has not said yet what time it is" in refresher.no_entry(Timeframe.M1)
        await refresher.first(10)
        assert refresher.clock_health == "binance's answers tell no time (no Date): nothing is entered"
        fake.date = None
        await until(lambda: refresher.no_entry(Timeframe.M1) == "")
        assert refresher.clock_health == "ok"


class ShiftedClock(WallClock):
    """The time of a machine whose clock is wrong."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return super().now() + self.by


@pytest.mark.parametrize("minutes", [-10, 10], ids=["slow", "fast"])
async def test_with_a_wrong_clock_candles_come_in_that_have_closed_on_both_and_nothing_is_entered(
    fake: FakeExchange, minutes: int
) -> None:
    clock = ShiftedClock(timedelta(minutes=minutes))
    async with following(fake, BTC, clock=clock) as (feed, refresher):
        assert await refresher.first(10) == "ok"
        closed = feed.closed_at(BTC, Timeframe.M1)
        assert closed is not None
        assert closed <= min(clock.now(), datetime.now(UTC))
        assert f"10 min {'behind' if minutes < 0 else 'ahead of'} binance's" in refresher.no_entry(Timeframe.M1)
        asked = fake.asked()[KLINES]
        looks = fake.asked()[DEPTH]
        await until(lambda: fake.asked()[DEPTH] > looks + 8)
        assert fake.asked()[KLINES] <= asked + 2, "what has not closed there is not asked for"


BAD = {
    "no number": exchange.NAN,
    "a spike": exchange.SPIKE,
    "a hole": exchange.SHORT,
    "the newest missing": exchange.LATE,
    "html": exchange.HTML,
    "cut": exchange.CUT,
    "error": exchange.MAINTENANCE,
    "slow": exchange.slow(3),
    "nothing": exchange.Fault(body="[]"),
}


@pytest.mark.parametrize("fault", BAD.values(), ids=BAD.keys())
async def test_one_bad_answer_is_asked_again_before_anything_is_decided_on_it(
    fake: FakeExchange, fault: exchange.Fault
) -> None:
    # One more than is to be bad: the newest minutes are asked for as well, to believe the first book.
    fake.fail(KLINES, fault, symbol="ETHUSDT", times=2 if fault is not exchange.CUT else 3)
    async with following(fake, BTC, ETH, timeframes=(Timeframe.H1, Timeframe.D1)) as (feed, refresher):
        at = datetime.now(UTC)
        await refresher.closed(at)
        for symbol in (BTC, ETH):
            for each in (Timeframe.H1, Timeframe.D1):
                candles, report = DataQualityMonitor().check(feed.candles(symbol, each, at, 100), at)
                assert report.usable, report
                assert candles.closed_at == each.floor(at)
        assert fake.asked()[KLINES] <= 9


@pytest.mark.slow
async def test_what_stays_bad_is_waited_for_once_and_asked_for_ever_less_often_until_it_is_good(
    fake: FakeExchange,
) -> None:
    fake.fail(KLINES, exchange.SHORT, symbol="ETHUSDT", times=1000)
    async with following(fake, BTC, ETH, timeframes=(Timeframe.D1,)) as (feed, refresher):
        at = datetime.now(UTC)
        await refresher.closed(at)
        asked = fake.asked()[KLINES] - len((BTC, ETH))  # the newest minutes, to believe the first books
        assert asked == 1 + 1 + ASKED_AGAIN
        before = asyncio.get_running_loop().time()
        await refresher.closed(at)
        assert asyncio.get_running_loop().time() - before < 1, "it was waited for already"
        assert (refresher.health, refresher.outage) == ("ok", ""), "the market's own halt tells it"
        assert not DataQualityMonitor().check(feed.candles(ETH, Timeframe.D1, at, 100), at)[1].usable
        fake.heal()
        await until(lambda: DataQualityMonitor().check(feed.candles(ETH, Timeframe.D1, at, 100), at)[1].usable)


async def test_bad_candles_of_every_market_are_one_trouble(fake: FakeExchange) -> None:
    fake.fail(KLINES, exchange.NAN, times=1000)
    async with following(fake, BTC, ETH, timeframes=(Timeframe.D1, Timeframe.H4)) as (_, refresher):
        await until(lambda: "binance's candles cannot be trusted" in refresher.health)
        assert refresher.health.endswith("(all 2 markets)")
        assert refresher.no_entry(Timeframe.D1) == refresher.outage
        fake.heal()
        await until(lambda: refresher.health == "ok")


async def test_one_bad_book_pauses_a_market_and_a_decision_waits_for_the_next_look(fake: FakeExchange) -> None:
    async with following(fake, BTC, ETH) as (feed, refresher):
        await refresher.first(10)
        fake.fail(DEPTH, exchange.EMPTY, symbol="ETHUSDT", times=2)
        await until(lambda: bool(feed.paused(ETH)))
        await refresher.closed(Timeframe.M1.floor(datetime.now(UTC)))
        assert not feed.paused(ETH)
        assert feed.book(ETH, datetime.now(UTC)) is not None


async def test_a_decision_right_after_the_start_waits_for_the_first_answers(fake: FakeExchange) -> None:
    fake.fail(INFO, exchange.slow(0.5))
    async with following(fake, BTC, ETH) as (feed, refresher):
        at = Timeframe.M1.floor(datetime.now(UTC))
        await refresher.closed(at)
        assert {feed.closed_at(symbol, Timeframe.M1) for symbol in (BTC, ETH)} >= {at}


AWAY = {"error": exchange.MAINTENANCE, "slow": exchange.slow(30)}


@pytest.mark.parametrize(
    "fault",
    [AWAY["error"], pytest.param(AWAY["slow"], marks=pytest.mark.slow), None],
    ids=["error", "slow", "refused"],
)
async def test_an_outage_is_one_trouble_in_the_same_words_from_its_beginning_to_its_end(
    fake: FakeExchange, fault: exchange.Fault | None
) -> None:
    async with following(fake, BTC, ETH, "SOL/USDT", timeframes=(Timeframe.M1, Timeframe.H1)) as (_, refresher):
        assert await refresher.first(10) == "ok"
        if fault is None:
            await fake.stop()
        else:
            for path in (DEPTH, KLINES, INFO):
                fake.fail(path, fault, times=10_000)
        await until(lambda: refresher.outage != "")
        told = refresher.outage
        assert told.startswith("binance ")
        assert told.endswith("(all 3 markets)")
        assert refresher.no_entry(Timeframe.H1) == told
        assert refresher.health == told
        with suppress(TimeoutError):
            await until(lambda: refresher.health != told, seconds=1.5)
        assert refresher.health == told
        fake.heal()
        if fault is None:
            await fake.start()
        await until(lambda: refresher.health == "ok", seconds=8)
        assert refresher.no_entry(Timeframe.H1) == ""


async def test_a_market_in_trouble_among_others_is_no_outage(fake: FakeExchange) -> None:
    async with following(fake, BTC, ETH) as (_, refresher):
        await refresher.first(10)
        fake.fail(DEPTH, exchange.MAINTENANCE, symbol="ETHUSDT", times=1000)
        fake.fail(KLINES, exchange.MAINTENANCE, symbol="ETHUSDT", times=1000)
        await until(lambda: refresher.health != "ok")
        assert "Internal error" in refresher.health
        assert "all" not in refresher.health
        assert (refresher.outage, refresher.no_entry(Timeframe.M1)) == ("", "")


def test_a_failed_question_waits_longer_each_time_and_begins_anew_once_it_is_answered() -> None:
    clock = HandClock()
    pauses = Pauses(clock)
    assert [pauses.next("x") for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert (pauses.over("x"), pauses.over("y")) == (False, True)
    clock.to(1)
    assert pauses.over("x")
    pauses.end("x")
    assert pauses.next("x") == 0.5


WATCHLIST = 60


async def test_a_long_watchlist_is_followed_within_the_limits_and_its_closes_come_before_its_books() -> None:
    symbols = [Symbol(base=f"C{number:02}", price=lambda _: 10.0) for number in range(WATCHLIST)]
    async with listening(symbols) as fake:
        clock = SteppingClock()
        names = [f"{each.base}/USDT" for each in symbols]
        async with following(fake, *names, timeframes=(Timeframe.D1,), clock=clock) as (feed, refresher):
            assert await refresher.first(30) == "ok"
            assert feed.fresh_for > timedelta(seconds=8)  # three rounds of sixty books, where four polls are 0.8 s
            fake.calls.clear()
            clock.ahead = fake.ahead = timedelta(days=1)
            at = Timeframe.D1.floor(clock.now())
            await refresher.closed(at)
            assert all(feed.closed_at(name, Timeframe.D1) == at for name in names)
            order = [path for path, query in fake.calls if path == DEPTH or query.get("interval") == "1d"]
            assert order.index(KLINES) + WATCHLIST + 10 >= len(order) - order[::-1].index(KLINES)
