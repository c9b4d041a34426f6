"""The loops that keep a live feed up to date, with ccxt itself, against a venue on loopback."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from engine.analysis.quality import DataQualityMonitor
from engine.clocks import WallClock
from engine.domain.errors import NoData
from engine.domain.market import Timeframe
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.feed import LiveFeed
from engine.exchanges.ccxt.plausible import BookLimits
from engine.exchanges.ccxt.refresh import Pauses, Refresher
from tests.fakes import exchange
from tests.fakes.exchange import DEPTH, INFO, KLINES, FakeExchange, Symbol, listening
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
    fake: FakeExchange, *symbols: str, since: datetime | None = None, timeframes: tuple[Timeframe, ...] = MINUTES
) -> AsyncIterator[tuple[LiveFeed, Refresher]]:
    clock, poll = WallClock(), timedelta(seconds=0.2)
    client = VenueClient(exchange="binance", api_url=fake.url, answer_within=timedelta(seconds=1), clock=clock)
    feed = LiveFeed(symbols, fresh_for=4 * poll)
    wanted = dict.fromkeys(symbols, timeframes)
    limits = BookLimits(max_spread=Decimal("0.005"), max_price_gap=Decimal("0.02"))
    made = Refresher(client=client, feed=feed, clock=clock, timeframes=wanted, history=100, poll=poll, limits=limits)
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


@pytest.mark.parametrize("fault", [exchange.DELISTED, exchange.EMPTY], ids=["delisted", "nobody trades"])
async def test_a_market_without_a_book_is_paused_until_it_has_one(fake: FakeExchange, fault: exchange.Fault) -> None:
    async with following(fake, BTC, ETH) as (feed, refresher):
        await refresher.first(10)
        fake.fail(DEPTH, fault, symbol="ETHUSDT", times=1000)
        await until(lambda: bool(feed.paused(ETH)))
        assert not feed.paused(BTC)
        assert refresher.health != "ok"
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
        await until(lambda: "does not answer" in refresher.health)
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
        late = datetime.now(UTC) - timedelta(seconds=90)
        fake.fail(DEPTH, exchange.Fault(headers={"Date": f"{late:%a, %d %b %Y %H:%M:%S GMT}"}), times=1000)
        await until(lambda: "the clock of binance is 9" in refresher.health)
        assert refresher.health.endswith("s behind")


def test_a_failed_question_waits_longer_each_time_and_begins_anew_once_it_is_answered() -> None:
    clock = HandClock()
    pauses = Pauses(clock)
    assert [pauses.next("x") for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert (pauses.over("x"), pauses.over("y")) == (False, True)
    clock.to(1)
    assert pauses.over("x")
    pauses.end("x")
    assert pauses.next("x") == 0.5
