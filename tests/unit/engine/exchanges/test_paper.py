"""The paper venue's own file: what is in it, what survives, and that its money adds up."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.book_batches import stored
from engine.data.book_files import RecordedBook
from engine.data.feeds import FileFeed
from engine.data.recorded_books import RecordedBooks
from engine.domain.errors import StoreError, VenueError
from engine.domain.market import Market, Timeframe, from_millis
from engine.domain.orders import (
    Ack,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    Unknown,
    client_id,
)
from engine.exchanges.paper import PaperExchange
from engine.exchanges.paper_file import VenueFile
from engine.ports import MarketFeed
from engine.simulation.fills import FillModel
from engine.simulation.intrabar import Intrabar
from engine.simulation.latency import Latency
from tests.auditor import check_conservation, equity_series
from tests.fakes.data import real_file
from tests.fakes.examples import examples
from tests.fakes.feed import BTC, HandClock, Row, hand_candles, hand_feed

QUIET: Row = (100, 101, 99, 100, 1000)
CASH = {"USDT": Decimal(10_000)}
ETH = Market(symbol="ETH/USDT", lot=Decimal("0.01"), tick=Decimal("0.1"))


def opened(file: Path, feed: MarketFeed | None = None, clock: HandClock | None = None) -> PaperExchange:
    feed = feed or hand_feed([QUIET] * 24)
    return PaperExchange(file=file, feed=feed, clock=clock or HandClock(60), model=FillModel(), balances=CASH)


def buy(name: str, quantity: str = "1", market: str = BTC.symbol) -> OrderRequest:
    return OrderRequest(
        venue="paper",
        client_id=client_id(name),
        symbol=market,
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal(quantity),
    )


def oco(name: str, stop: str, target: str, quantity: str = "1", market: str = BTC.symbol) -> OrderRequest:
    return OrderRequest(
        venue="paper",
        client_id=client_id(name),
        symbol=market,
        side=Side.SELL,
        type=OrderType.OCO,
        quantity=Decimal(quantity),
        trigger_price=Decimal(stop),
        limit_price=Decimal(target),
    )


def dump(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def run_sql(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement)
    connection.close()


async def test_opening_balances_count_only_for_a_new_file(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "venue.db"
    opened(file).close()
    feed, clock = hand_feed([QUIET]), HandClock(60)
    venue = PaperExchange(file=file, feed=feed, clock=clock, model=FillModel(), balances={"USDT": Decimal(5)})
    assert await venue.balances() == CASH
    assert venue.name == "paper"


async def test_a_venue_that_is_not_asked_for_a_trade_writes_nothing(tmp_path: Path) -> None:
    clock = HandClock(60)
    venue = opened(tmp_path / "venue.db", clock=clock)
    wal = (tmp_path / "venue.db-wal").read_bytes()
    for minutes in range(60, 300, 10):
        clock.to(minutes)
        await venue.book(BTC.symbol)
    assert venue.advanced_to == clock.now()
    assert (tmp_path / "venue.db-wal").read_bytes() == wal


async def test_with_an_open_order_the_time_is_written_once_a_candle(tmp_path: Path) -> None:
    clock = HandClock(60)
    venue = opened(tmp_path / "venue.db", clock=clock)
    await venue.submit(buy("a"))
    await venue.submit(oco("b", "50", "150"))
    sizes = set()
    for minutes in range(120, 240):
        clock.to(minutes)
        await venue.balances()
        sizes.add((tmp_path / "venue.db-wal").stat().st_size)
    assert len(sizes) == 2
    again = opened(tmp_path / "venue.db", clock=clock)
    assert again.advanced_to == clock.at - timedelta(minutes=59)


class LazyClient:
    """A client that holds something back; it notes what the venue's file had by the time it was asked for it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.waiting = False
        self.found: list[int] = []

    async def flush(self) -> None:
        with closing(sqlite3.connect(self.file)) as connection:
            ((orders,),) = connection.execute("SELECT count(*) FROM orders")
            ((fills,),) = connection.execute("SELECT count(*) FROM fills")
        self.found.append(orders + fills)
        self.waiting = False


async def test_before_anything_is_written_the_client_writes_what_it_holds_back(tmp_path: Path) -> None:
    file, clock = tmp_path / "venue.db", HandClock(60)
    client, feed = LazyClient(file), hand_feed([QUIET, QUIET, QUIET, (100, 101, 80, 85, 1000), QUIET, QUIET])
    venue = PaperExchange(file=file, feed=feed, clock=clock, model=FillModel(), balances=CASH, client=client)
    client.waiting = True
    await venue.submit(buy("a"))
    client.waiting = True
    await venue.submit(oco("b", "90", "150"))
    assert client.found == [0, 2]
    client.waiting = True
    clock.to(180)
    wal = (tmp_path / "venue.db-wal").read_bytes()
    await venue.balances()
    assert (client.waiting, (tmp_path / "venue.db-wal").read_bytes()) == (True, wal), "there was nothing to write"
    clock.to(240)
    await venue.balances()
    assert (client.waiting, client.found) == (False, [0, 2, 3]), "the stop was reached"
    assert len((await venue.events(None)).events) == 4


async def test_the_venue_never_goes_back(tmp_path: Path) -> None:
    clock = HandClock(120)
    venue = opened(tmp_path / "venue.db", clock=clock)
    await venue.submit(buy("a"))
    before = clock.now()
    clock.to(60)
    sent = await venue.submit(buy("b"))
    assert isinstance(sent, Ack)
    assert sent.at == before == venue.advanced_to


async def test_waiting_orders_of_a_market_that_the_feed_lost_go_on_waiting(tmp_path: Path) -> None:
    clock = HandClock(60)
    await opened(tmp_path / "venue.db", clock=clock).submit(buy("a", "50"))
    clock.to(300)
    other = opened(tmp_path / "venue.db", hand_feed({"ETH/USDT": [QUIET] * 24}, [ETH]), clock)
    waiting = await other.find(BTC.symbol, client_id("a"))
    assert isinstance(waiting, OrderState)
    assert waiting.status is OrderStatus.OPEN
    assert isinstance(await other.submit(buy("b", "0.5", "ETH/USDT")), Ack)


async def test_events_of_two_markets_are_in_the_order_of_time(tmp_path: Path) -> None:
    falls = {"BTC/USDT": (100, 101, 90, 91, 9000), "ETH/USDT": (100, 100, 80, 81, 9000)}
    rows = {symbol: [QUIET, fall, QUIET] for symbol, fall in falls.items()}
    clock = HandClock(60)
    venue = opened(tmp_path / "venue.db", hand_feed(rows, [BTC, ETH]), clock)
    for symbol in rows:
        await venue.submit(buy(f"buy {symbol}", "1", symbol))
        await venue.submit(oco(f"protect {symbol}", "95", "120", "1", symbol))
    clock.to(180)
    closed = [event for event in (await venue.events(None)).events if event.fill and event.fill.side is Side.SELL]
    assert [event.fill.symbol for event in closed if event.fill] == ["ETH/USDT", "BTC/USDT"]
    assert [event.at for event in closed] == sorted(event.at for event in closed)


@pytest.mark.parametrize(("rule", "sold_by"), [(Intrabar.PATH, "target"), (Intrabar.WORST, "stop")])
async def test_a_candle_that_touches_stop_and_target_goes_to_the_one_that_the_rule_says(
    tmp_path: Path, rule: Intrabar, sold_by: str
) -> None:
    rows: list[Row | None] = [QUIET, QUIET, (100, 125, 90, 95, 9000), QUIET]
    feed = FileFeed([hand_candles(rows)], {BTC.symbol: BTC}, rule)
    clock = HandClock(60)
    venue = opened(tmp_path / "venue.db", feed, clock)
    await venue.submit(buy("a"))
    await venue.submit(oco("b", "95", "120"))
    clock.to(240)
    sold = await venue.find(BTC.symbol, client_id("b"))
    assert isinstance(sold, OrderState)
    assert (sold.status, sold.closed_by) == (OrderStatus.FILLED, sold_by)


async def test_a_stop_that_an_earlier_version_left_half_sold_is_sold_whole_where_the_path_goes_on(
    tmp_path: Path,
) -> None:
    rows: list[Row | None] = [(100, 101, 99, 100, 10_000), *[(100, 101, 99, 100, 1)] * 5]
    file, clock, feed = tmp_path / "venue.db", HandClock(60), hand_feed(rows)
    venue = opened(file, feed, clock)
    await venue.submit(buy("a", "20"))
    clock.to(125)
    await venue.submit(oco("b", "90", "150", "20"))
    venue.close()
    run_sql(file, "UPDATE orders SET closed_by = 'stop' WHERE kind = 'oco'")
    clock.to(141)
    sold = await opened(file, feed, clock).find(BTC.symbol, client_id("b"))
    assert isinstance(sold, OrderState)
    assert (sold.status, sold.filled, sold.closed_by) == (OrderStatus.FILLED, Decimal(20), "stop")
    assert {fill.at for fill in sold.fills} == {clock.at - timedelta(minutes=1)}
    assert check_conservation(file) == []


async def test_a_file_of_an_earlier_version_goes_on_as_if_this_one_had_made_it(tmp_path: Path) -> None:
    old, new, clock = tmp_path / "old.db", tmp_path / "new.db", HandClock(60)
    rows: list[Row | None] = [QUIET, QUIET, (100, 101, 80, 85, 1000), QUIET]
    for file in (old, new):
        venue = opened(file, hand_feed(rows), clock)
        await venue.submit(buy("a"))
        await venue.submit(oco("b", "90", "150"))
        venue.close()
    for column in ("trailing", "time_in_force", "post_only", "reduce_only", "best"):
        run_sql(old, f"ALTER TABLE orders DROP COLUMN {column}")
    for before, now in (("stop", "trigger_price"), ("target", "limit_price")):
        run_sql(old, f"ALTER TABLE orders RENAME COLUMN {now} TO {before}")
    run_sql(old, "ALTER TABLE fills DROP COLUMN fee_currency")
    run_sql(old, "UPDATE orders SET kind = 'bracket' WHERE kind = 'oco'")
    clock.to(240)
    told = [(await opened(file, hand_feed(rows), clock).events(None)).events for file in (old, new)]
    assert told[0] == told[1]
    assert (told[0][-1].order.status, told[0][-1].order.closed_by) == (OrderStatus.FILLED, "stop")
    for table in ("orders", "fills"):
        assert columns(old, table) == columns(new, table)


def columns(file: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"PRAGMA table_info({table})").fetchall()


async def test_the_best_price_of_a_trailing_stop_is_in_the_file_when_it_is_told(tmp_path: Path) -> None:
    file, clock, rise = tmp_path / "venue.db", HandClock(60), (100, 110, 99, 109, 1000)
    venue = opened(file, hand_feed([QUIET, rise, QUIET]), clock)
    await venue.submit(buy("a"))
    await venue.submit(replace(oco("b", "90", "150"), type=OrderType.TRAILING_STOP, trigger_price=None,
                               limit_price=None, trailing=Decimal(7)))  # fmt: skip
    for minutes, best in ((75, "100.0"), (90, "104.50"), (100, "110.00"), (119, "110.00")):
        clock.to(minutes)
        await venue.balances()
        with closing(sqlite3.connect(file)) as connection:
            ((told,),) = connection.execute("SELECT best FROM orders WHERE best IS NOT NULL")
        assert Decimal(told) == Decimal(best)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 100, None])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "venue.db"
    if content is None:
        run_sql(file, "CREATE TABLE meta (key, value)")
    else:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"venue.db: .*Move venue.db away"):
        opened(file)


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "venue.db"
    venue = opened(file)
    for number in range(60):
        await venue.submit(buy(str(number), "0.2"))
    venue.close()
    damaged = bytearray(file.read_bytes())
    damaged[4096:12_288] = b"\xff" * 8192
    file.write_bytes(damaged)
    with pytest.raises(StoreError, match="or name another file"):
        opened(file)


def test_a_path_that_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        opened(tmp_path)


async def test_an_order_that_could_not_be_written_is_unknown_and_can_be_sent_again(tmp_path: Path) -> None:
    file, clock = tmp_path / "venue.db", HandClock(60)
    venue = opened(file, clock=clock)
    await venue.submit(buy("a", "50"))
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    assert isinstance(await venue.submit(buy("b")), Unknown)
    clock.to(200)
    with pytest.raises(VenueError, match="does not work"):
        await venue.balances()
    blocker.execute("ROLLBACK")
    blocker.close()
    assert isinstance(await venue.submit(buy("b")), Ack)
    assert check_conservation(file) == []


async def test_the_auditor_sees_money_that_came_from_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "venue.db"
    await opened(file).submit(buy("a"))
    assert check_conservation(file) == []
    run_sql(file, "UPDATE balances SET current = '10000.01' WHERE currency = 'USDT'")
    assert "USDT" in check_conservation(file)[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE orders SET filled = '2'", "2 written"),
        ("DELETE FROM events WHERE seq = 1", "gaps"),
        ("UPDATE events SET fill = NULL", "without their event"),
        ("UPDATE orders SET status = 'open'", "final states"),
        ("UPDATE fills SET quantity = '1000'", "below zero"),
    ],
)
async def test_the_auditor_sees_rows_that_contradict_one_another(tmp_path: Path, change: str, words: str) -> None:
    file = tmp_path / "venue.db"
    await opened(file).submit(buy("a"))
    run_sql(file, change)
    assert words in " ".join(check_conservation(file))


prices = st.integers(80, 125)
candles = st.tuples(prices, prices, prices, prices, st.sampled_from([0, 40, 500]))


@dataclass(frozen=True)
class Act:
    """One thing a client does, after some minutes."""

    minutes: int
    kind: str
    lots: int
    stop: int
    target: int
    of: int
    asked: OrderRequest

    async def do(self, venue: PaperExchange, clock: HandClock, number: int) -> None:
        clock.at += timedelta(minutes=self.minutes)
        name, quantity = str(number), str(self.lots * Decimal("0.5"))
        match self.kind:
            case "buy":
                await venue.submit(buy(name, quantity))
            case "sell":
                held = (await venue.balances()).get("BTC", Decimal(0))
                share = BTC.quantity(BTC.lots(held * self.lots / 20))
                intent = buy(name, str(share))
                await venue.submit(
                    OrderRequest(
                        venue="paper",
                        client_id=intent.client_id,
                        symbol=intent.symbol,
                        side=Side.SELL,
                        type=OrderType.MARKET,
                        quantity=share,
                    )
                )
            case "oco":
                await venue.submit(oco(name, str(self.stop), str(self.target), quantity))
            case "other":
                await venue.submit(replace(self.asked, client_id=client_id(name), quantity=Decimal(quantity)))
            case _:
                await venue.cancel(BTC.symbol, client_id(str(self.of)))


@st.composite
def requests(draw: st.DrawFn) -> OrderRequest:
    """An order of any type with the prices that it needs, at whatever terms; some are refused."""
    kind, price = draw(st.sampled_from(OrderType)), st.integers(85, 118).map(Decimal)
    has_trigger = kind not in (OrderType.MARKET, OrderType.LIMIT, OrderType.TRAILING_STOP)
    has_limit = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.OCO)
    return replace(
        buy(""),
        type=kind,
        side=draw(st.sampled_from(Side)),
        trigger_price=draw(price) if has_trigger else None,
        limit_price=draw(price) if has_limit else None,
        trailing=draw(st.integers(1, 12).map(Decimal)) if kind is OrderType.TRAILING_STOP else None,
        time_in_force=draw(st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, *TimeInForce])),
        post_only=draw(st.sampled_from([False, False, False, True])),
        reduce_only=draw(st.sampled_from([False, False, False, True])),
    )


acts = st.builds(
    Act,
    st.integers(0, 150),
    st.sampled_from(["buy", "buy", "sell", "oco", "oco", "cancel", *["other"] * 6]),
    st.integers(1, 40),
    st.integers(75, 99),
    st.integers(101, 130),
    st.integers(0, 8),
    requests(),
)
scripts = st.lists(acts, min_size=1, max_size=9)
histories = st.lists(st.none() | candles, min_size=6, max_size=20).map(
    lambda drawn: [QUIET, *((c[0], max(c[:4]), min(c[:4]), c[3], c[4]) if c else None for c in drawn)]
)


def played(
    file: Path, rows: list[Row | None], script: list[Act], *, crashing: bool = False, looks: int = 0
) -> PaperExchange:
    """Let a client act, and the market run on to its end; perhaps with a crash before every act, and looks between."""

    async def look(venue: PaperExchange, clock: HandClock, until: datetime) -> None:
        for _ in range(looks):
            clock.at = min(clock.at + timedelta(minutes=11), until)
            await venue.balances()

    async def play() -> PaperExchange:
        feed, clock = hand_feed(rows), HandClock(60)
        venue = opened(file, feed, clock)
        for number, act in enumerate(script):
            venue = opened(file, feed, clock) if crashing else venue
            begun = clock.at
            await look(venue, clock, begun + timedelta(minutes=act.minutes))
            clock.at = begun
            await act.do(venue, clock, number)
        await look(venue, clock, HandClock(60 * len(rows)).at)
        clock.to(60 * len(rows))
        await venue.balances()
        return venue

    return asyncio.run(play())


@examples(40)
@given(histories, scripts)
def test_money_is_conserved_whatever_is_traded(rows: list[Row | None], script: list[Act]) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "venue.db"
        played(file, rows, script)
        assert check_conservation(file) == []


@examples(60)
@given(histories, scripts)
def test_nothing_is_filled_beyond_its_limit_or_its_terms_and_what_is_reserved_is_there(
    rows: list[Row | None], script: list[Act]
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "venue.db"
        played(file, rows, script).close()
        kept = VenueFile(file, "paper", {})
        orders = [order for order in map(kept.order, _client_ids(file)) if order is not None]
        for order in orders:
            asked, filled = order.request, kept.fills(order.request.client_id)
            limit = asked.limit_price if asked.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None
            if limit is not None and order.closed_by != "payout":
                assert all(f.price <= limit if f.side is Side.BUY else f.price >= limit for f in filled)
            assert all(fill.at >= order.at for fill in filled)
            if asked.time_in_force is TimeInForce.FOK:
                assert order.filled in (0, asked.quantity)
            if asked.time_in_force is not TimeInForce.GTC:
                assert order.waits_for_price or order.status.final
            assert not (asked.post_only and any(fill.at == order.at for fill in filled))
            assert asked.type is not OrderType.TRAILING_STOP or order.best is not None
        waiting = [order for order in orders if not order.status.final]
        cash = sum((each.rest * each.reserve_price * Decimal("1.001") for each in waiting), Decimal(0))
        at_limits = all(each.rests or each.request.side is Side.SELL for each in waiting)
        assert not at_limits or cash <= kept.balance("USDT")
        resting = [each.rest for each in waiting if each.rests and each.request.side is Side.SELL]
        assert sum(resting, Decimal(0)) <= kept.balance("BTC")
        kept.close()


def _client_ids(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT client_id FROM orders ORDER BY venue_id")]


COINS = {
    "BTC/USDT": (Market(symbol="BTC/USDT", lot=Decimal("0.00001"), tick=Decimal("0.01")), Decimal("612.5")),
    "SHIB/USDT": (Market(symbol="SHIB/USDT", lot=Decimal(1), tick=Decimal("0.00000001")), Decimal("0.0000002")),
    "PEPE/USDT": (Market(symbol="PEPE/USDT", lot=Decimal(100), tick=Decimal("0.0000000001")), Decimal("0.00000008")),
}
"""Markets, and what one of a hundred of their price is worth: from 61,250 down to 0.000008."""


@examples(60)
@given(histories, st.sampled_from(sorted(COINS)), st.integers(75, 99), st.sampled_from([1, 30, 5_000]))
def test_whatever_the_path_and_the_volume_a_stop_sells_whole_where_the_path_reaches_it(
    rows: list[Row | None], symbol: str, at: int, times: int
) -> None:
    market, unit = COINS[symbol]
    scaled = [row and (*(float(market.price(p * unit)) for p in row[:4]), row[4]) for row in rows]
    quantity, stop = market.quantity(market.lots(times * 500 / unit / 100)), market.price(at * unit)
    feed = hand_feed({symbol: [(*(float(100 * unit),) * 4, 1e15), *scaled]}, [market])

    async def play(file: Path) -> OrderState:
        clock = HandClock(60)
        cash = {"USDT": Decimal(10_000_000_000)}
        venue = PaperExchange(file=file, feed=feed, clock=clock, model=FillModel(), balances=cash)
        assert isinstance(await venue.submit(buy("a", str(quantity), symbol)), Ack)
        assert isinstance(await venue.submit(oco("b", str(stop), str(1000 * unit), str(quantity), symbol)), Ack)
        clock.to(60 * (len(rows) + 1))
        found = await venue.find(symbol, client_id("b"))
        assert isinstance(found, OrderState)
        assert check_conservation(file) == []
        return found

    with TemporaryDirectory() as folder:
        sold = asyncio.run(play(Path(folder) / "venue.db"))
    lowest = min((p for row in rows if row for p in row[1:4]), default=100)
    assert (sold.status is OrderStatus.FILLED) == (lowest <= at)
    if sold.fills:
        prices = [fill.price for fill in sold.fills]
        assert (sold.filled, sold.closed_by, len({fill.at for fill in sold.fills})) == (quantity, "stop", 1)
        assert all(lowest * unit * Decimal("0.99") <= price <= stop and price % market.tick == 0 for price in prices)


@examples(15)
@given(histories, scripts)
def test_the_same_calls_write_the_same_rows(rows: list[Row | None], script: list[Act]) -> None:
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("a.db", "b.db")]
        for file in files:
            played(file, rows, script).close()
        assert dump(files[0]) == dump(files[1])


@examples(25)
@given(histories, scripts)
def test_crashes_change_nothing_that_is_traded(rows: list[Row | None], script: list[Act]) -> None:
    def traded(file: Path) -> list[tuple[object, ...]]:
        events = asyncio.run(played(file, rows, script, crashing=file.stem == "crashing").events(None)).events
        fills = [(e.fill.price, e.fill.quantity, e.fill.fee) if e.fill else () for e in events]
        return [(e.order.client_id, e.order.status, e.order.filled, *f) for e, f in zip(events, fills, strict=True)]

    with TemporaryDirectory() as folder:
        assert traded(Path(folder) / "crashing.db") == traded(Path(folder) / "straight.db")


@examples(25)
@given(histories, scripts)
def test_looks_change_nothing_that_is_traded(rows: list[Row | None], script: list[Act]) -> None:
    with TemporaryDirectory() as folder:
        told = []
        for looks in (0, 30):
            events = asyncio.run(played(Path(folder) / f"{looks}.db", rows, script, looks=looks).events(None)).events
            fills = [(e.fill.price, e.fill.quantity, e.fill.fee) if e.fill else () for e in events]
            told.append([(e.order.client_id, e.order.status, *f) for e, f in zip(events, fills, strict=True)])
        assert told[0] == told[1]


async def test_an_auditor_agrees_with_the_venue_at_every_candle_of_a_real_crash(tmp_path: Path) -> None:
    files = [real_file(f"candles/{name}USDT-1h.parquet") for name in ("BTC", "ETH")]
    feed, clock, file = FileFeed.load(files), HandClock(), tmp_path / "venue.db"
    begin, hours = datetime(2022, 5, 5, tzinfo=UTC), 24 * 10
    clock.at = begin
    venue = opened(file, feed, clock)
    equity: dict[datetime, Decimal] = {}
    for number in range(hours):
        clock.at = begin + timedelta(hours=number)
        equity[clock.at] = await _equity(venue, feed)
        symbol = list(feed.markets)[number % 2]
        if number % 6 < 2:
            mid, market = (await venue.book(symbol)).mid, feed.markets[symbol]
            quantity = market.quantity(market.lots(500 / mid))
            stop, target = market.price(mid * Decimal("0.97")), market.price(mid * Decimal("1.02"))
            await venue.submit(buy(f"{number}", str(quantity), symbol))
            await venue.submit(oco(f"{number} guard", str(stop), str(target), str(quantity), symbol))
    closes = {symbol: _closes(feed, symbol, clock.at) for symbol in feed.markets}
    assert equity == equity_series(file, closes, sorted(equity), inclusive=False)
    assert check_conservation(file) == []
    closed_by = {event.order.closed_by for event in (await venue.events(None)).events}
    assert {"stop", "target"} <= closed_by


async def _equity(venue: PaperExchange, feed: FileFeed) -> Decimal:
    owned = await venue.balances()
    held = [
        owned.get(market.base, Decimal(0)) * _closes(feed, symbol, venue.advanced_to)[-1][1]
        for symbol, market in feed.markets.items()
    ]
    return owned["USDT"] + sum(held, Decimal(0))


def _closes(feed: FileFeed, symbol: str, now: datetime | None) -> list[tuple[datetime, Decimal]]:
    assert now is not None
    candles = feed.candles(symbol, Timeframe.H1, now, 24 * 12)
    return [
        (from_millis(int(ms)) + timedelta(hours=1), Decimal(repr(float(close))))
        for ms, close in zip(candles.open_ms, candles.close, strict=True)
    ]


RISE: Row = (100, 130, 100, 130, 1000)
"""A third up in its first third, as its low comes first: 100, 100, 130, 130."""


def distant(file: Path, feed: MarketFeed, clock: HandClock, minutes: float = 30, **other: Any) -> PaperExchange:
    latency = Latency(least=timedelta(minutes=minutes), most=timedelta(minutes=minutes))
    return PaperExchange(
        file=file, feed=feed, clock=clock, model=FillModel(), balances=CASH, **{"latency": latency, **other}
    )


async def test_an_order_under_way_meets_the_market_where_the_price_is_by_then(tmp_path: Path) -> None:
    clock, feed = HandClock(60), hand_feed([QUIET, RISE, QUIET])
    venue = distant(tmp_path / "venue.db", feed, clock)
    sent = await venue.submit(buy("a"))
    assert isinstance(sent, Ack)
    assert sent.at == clock.now() + timedelta(minutes=30) == venue.next_arrival()
    assert venue.still_until(clock.now() + timedelta(hours=1)) == sent.at
    clock.to(89)
    assert (await venue.balances())["USDT"] == CASH["USDT"], "it is under way"
    venue.close()
    venue = distant(tmp_path / "venue.db", feed, clock)  # a crash loses nothing that is under way
    clock.to(120)
    (*_, filled) = (await venue.events(None)).events
    assert filled.order.status is OrderStatus.FILLED
    assert filled.order.fills[0].at == sent.at
    assert filled.order.fills[0].price == Decimal("115.03"), "halfway from 100 to 130, and half the spread"
    assert venue.next_arrival() is None


async def test_a_stop_under_way_sells_where_the_price_is_when_it_arrives_below_it(tmp_path: Path) -> None:
    clock, fall = HandClock(60), (100, 100, 70, 70, 1000)
    venue = distant(tmp_path / "venue.db", hand_feed([QUIET, QUIET, fall, QUIET]), clock)
    await venue.submit(buy("a"))
    clock.to(120)
    await venue.submit(oco("b", "95", "150"))
    clock.to(180)
    state = await venue.find(BTC.symbol, client_id("b"))
    assert isinstance(state, OrderState)
    assert state.closed_by == "stop"
    assert state.fills[0].at == clock.now() - timedelta(minutes=30)
    assert state.fills[0].price == Decimal("84.98"), "the way down from 100 to 70 is half gone by then"


async def test_a_post_only_order_that_would_be_filled_on_arrival_is_cancelled(tmp_path: Path) -> None:
    clock = HandClock(60)
    venue = distant(tmp_path / "venue.db", hand_feed([QUIET, (100, 100, 70, 70, 1000), QUIET]), clock)
    asked = replace(buy("a"), type=OrderType.LIMIT, limit_price=Decimal(90), post_only=True)
    assert isinstance(await venue.submit(asked), Ack)
    clock.to(120)
    state = await venue.find(BTC.symbol, asked.client_id)
    assert isinstance(state, OrderState)
    assert (state.status, state.fills) == (OrderStatus.CANCELLED, ())


async def test_what_is_cancelled_under_way_never_arrives(tmp_path: Path) -> None:
    clock = HandClock(60)
    venue = distant(tmp_path / "venue.db", hand_feed([QUIET] * 4), clock)
    await venue.submit(buy("a"))
    await venue.cancel(BTC.symbol, client_id("a"))
    clock.to(180)
    assert await venue.balances() == CASH


async def test_orders_that_take_longer_arrive_later_whatever_their_order(tmp_path: Path) -> None:
    latency = Latency(least=timedelta(0), most=timedelta(minutes=50))
    clock = HandClock(60)
    venue = distant(tmp_path / "venue.db", hand_feed([QUIET] * 4), clock, latency=latency)
    names = [f"order {number}" for number in range(6)]
    for name in names:
        await venue.submit(buy(name))
    clock.to(120)
    fills = [event.fill for event in (await venue.events(None)).events if event.fill]
    assert [each.at for each in fills] == sorted(
        clock.now() - timedelta(hours=1) + latency.of(client_id(each)) for each in names
    )
    assert len({each.at for each in fills}) == len(names)


async def test_inside_a_candle_shorter_ones_say_whether_the_stop_or_the_target_came_first(tmp_path: Path) -> None:
    hour = (100, 120, 80, 110, 1000)
    quarters = [(100, 120, 100, 118, 250), (118, 118, 80, 85, 250), (85, 90, 85, 90, 250), (90, 110, 90, 110, 250)]
    rows, quiet = [QUIET, hour, QUIET], [QUIET] * 4
    shorter = hand_candles([*quiet, *quarters, *quiet], timeframe=Timeframe.M15)
    for known, closed_by in (({}, "stop"), ({BTC.symbol: shorter}, "target")):
        clock = HandClock(60)
        feed = FileFeed([hand_candles(rows)], {BTC.symbol: BTC}, shorter=known)
        venue = opened(tmp_path / f"{closed_by}.db", feed, clock)
        await venue.submit(buy("a"))
        await venue.submit(oco("b", "90", "115"))
        clock.to(150)
        state = await venue.find(BTC.symbol, client_id("b"))
        assert isinstance(state, OrderState)
        assert (state.closed_by, state.status) == (closed_by, OrderStatus.FILLED)
    at = feed.span[0] + timedelta(hours=1, minutes=8, seconds=45)
    assert state.fills[0].at == at, "on the way from 100 to 120 in the middle of the first quarter"


async def test_orders_take_from_the_newest_recorded_book_moved_along_with_the_price(tmp_path: Path) -> None:
    """At 1:00 the price is 100, and a book around 200 was recorded; half an hour later that is too old."""
    start = hand_feed([QUIET]).span[0]
    recorded = RecordedBook(
        BTC.symbol,
        int(start.timestamp() * 1e6) + 3_599_000_000,
        [(199.9, 1.0), (199.0, 5.0)],
        [(200.1, 1.0004), (201.503, 5.0)],
    )
    known = stored(BTC.symbol, [recorded])
    books = {BTC.symbol: RecordedBooks(symbol=BTC.symbol, max_age=timedelta(minutes=5), books=known)}
    feed, clock = FileFeed([hand_candles([QUIET] * 24)], {BTC.symbol: BTC}, books=books), HandClock(60)
    venue = opened(tmp_path / "venue.db", feed, clock)
    shown = await venue.book(BTC.symbol)
    assert (shown.bid, shown.ask, shown.at) == (Decimal("99.9"), Decimal("100.1"), start + timedelta(seconds=3_599))
    await venue.submit(buy("a", "3"))
    await venue.submit(oco("b", "99.95", "150", "3"))
    state = await venue.find(BTC.symbol, client_id("a"))
    assert isinstance(state, OrderState)
    assert [(each.price, each.quantity) for each in state.fills] == [
        (Decimal("100.10"), Decimal(1)),
        (Decimal("101.51"), Decimal(2)),
    ]
    clock.to(90)
    stopped = await venue.find(BTC.symbol, client_id("b"))
    assert isinstance(stopped, OrderState)
    assert [each.price for each in stopped.fills] == [Decimal("99.85"), Decimal("98.95")], "around the stop, not 100"
    await venue.submit(buy("c", "3"))
    modelled = await venue.find(BTC.symbol, client_id("c"))
    assert isinstance(modelled, OrderState)
    assert [each.quantity for each in modelled.fills] == [Decimal(3)]
