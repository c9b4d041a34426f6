"""Taking in what the venue did: every event counts once, and money is conserved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from engine.domain.events import Halted, OrderChanged, OrderFilled, PositionClosed, PositionOpened
from engine.domain.halts import Halt, HaltKind
from engine.domain.money import Money
from engine.domain.orders import Fill, OrderStatus, Unsent
from engine.execution.venue_events import apply_venue_events
from engine.ports import Cursor, EventBatch, VenueEvent
from engine.store.connections import connect
from engine.store.database import Database, nowhere
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.database import new_database, new_file
from tests.fakes.engine import events_of
from tests.fakes.venue import fill, leaving, oco, order, told

CASH = Decimal(10_000)
ENTRY, EXIT = order(1), leaving(2)
FILLED = OrderStatus.FILLED


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with an account and one entry that was written down."""
    opened = new_database(tmp_path)
    await opened.transact(_begin)
    yield opened
    await opened.close()


def _begin(uow: UnitOfWork) -> None:
    uow.account.open("paper", "USDT", CASH)
    uow.orders.add(ENTRY)


LOT = Decimal("0.00001")


async def take(store: Database, *events: VenueEvent) -> tuple[str, ...]:
    batch = EventBatch(events=events, cursor=Cursor(str(len(events))))
    return await store.transact(lambda uow: apply_venue_events(uow, "paper", batch, lambda _: LOT))


async def test_the_first_fill_of_an_entry_opens_a_position_with_its_stop_and_target(store: Database):
    touched = await take(store, told(1, ENTRY, fill(ENTRY, 1, Decimal(2), Decimal(101), Decimal("0.2")), FILLED))
    assert touched == ("T1",)
    held = (await store.read(lambda uow: uow.positions.open()))[0]
    assert (held.context, held.quantity, held.entry_price) == ("hand", Decimal(2), Decimal(101))
    assert (held.stop, held.target, held.fees) == (Decimal(90), Decimal(120), Decimal("0.2"))
    view = await store.read(lambda uow: uow.orders.get("O1"))
    assert (view.position_id, view.status, view.filled, view.average) == ("T1", FILLED, Decimal(2), Decimal(101))
    assert await store.read(lambda uow: uow.positions.decision_of("T1")) == "D1"
    assert await store.read(lambda uow: uow.ledger.cursor("paper")) == "1"
    assert len(await events_of(store, PositionOpened)) == len(await events_of(store, OrderFilled)) == 1


async def test_further_fills_make_it_grow_and_open_no_other(store: Database):
    await take(store, told(1, ENTRY, fill(ENTRY, 1, Decimal(1))))
    await take(store, told(2, ENTRY, fill(ENTRY, 2, Decimal(1), Decimal(102)), FILLED))
    held = await store.read(lambda uow: uow.positions.open())
    assert [(position.id, position.quantity, position.entry_price) for position in held] == [
        ("T1", Decimal(2), Decimal(101))
    ]
    assert len(await events_of(store, PositionOpened)) == 1


async def test_what_was_taken_in_already_is_left_out(store: Database):
    first = told(1, ENTRY, fill(ENTRY, 1, Decimal(1)))
    await take(store, first)
    assert await take(store, first, first) == ()
    assert (await store.read(lambda uow: uow.account.portfolio())).free_cash == CASH - 200  # one bought, one on order


async def test_a_fill_that_is_told_again_under_another_number_counts_once(store: Database):
    once = fill(ENTRY, 1, Decimal(1))
    await take(store, told(1, ENTRY, once), told(2, ENTRY, once))
    assert [p.quantity for p in await store.read(lambda uow: uow.positions.open())] == [Decimal(1)]


async def test_an_order_of_somebody_else_of_which_nothing_traded_is_passed_over(store: Database):
    assert await take(store, told(1, order(77), status=OrderStatus.CANCELLED)) == ()
    assert await store.read(lambda uow: uow.ledger.cursor("paper")) == "1"
    assert await store.read(lambda uow: uow.orders.by_client_id(order(77).request.client_id)) is None


@pytest.mark.parametrize("closed_by", ["stop", "target"])
async def test_an_oco_that_filled_closes_the_position_and_says_which_side(store: Database, closed_by: str):
    guard = oco(2)
    await take(store, told(1, ENTRY, fill(ENTRY, 1, Decimal(2), fee=Decimal(1)), FILLED))
    await store.transact(lambda uow: uow.orders.add(guard))
    await take(store, told(2, guard, fill(guard, 2, Decimal(2), Decimal(110), Decimal(1)), FILLED, closed_by))
    closed = await store.read(lambda uow: uow.positions.get("T1"))
    assert (closed.is_open, closed.closed_by, closed.net) == (False, closed_by, Decimal(18))
    assert await events_of(store, PositionClosed) == [
        PositionClosed(at=closed.closed_at, position_id="T1", closed_by=closed_by, net=Decimal(18))
    ]
    assert (await store.read(lambda uow: uow.account.portfolio())).equity == CASH + 18


async def test_a_cancelled_order_is_told_of_and_frees_its_cash(store: Database):
    assert (await store.read(lambda uow: uow.account.portfolio())).free_cash == CASH - 200
    await take(store, told(1, ENTRY, status=OrderStatus.CANCELLED))
    assert (await store.read(lambda uow: uow.account.portfolio())).free_cash == CASH
    assert [(event.order_id, event.status) for event in await events_of(store, OrderChanged)] == [("O1", "cancelled")]


async def test_a_final_order_stays_as_it_is(store: Database):
    await take(store, told(1, ENTRY, status=OrderStatus.CANCELLED))
    await take(store, told(2, ENTRY, status=OrderStatus.OPEN))
    assert (await store.read(lambda uow: uow.orders.get("O1"))).status is OrderStatus.CANCELLED


async def test_the_rest_of_an_entry_that_fills_after_the_stop_is_held_again(store: Database):
    guard = oco(2, quantity=Decimal(1))
    await take(store, told(1, ENTRY, fill(ENTRY, 1, Decimal(1))))
    await store.transact(lambda uow: uow.orders.add(guard))
    await take(store, told(2, guard, fill(guard, 2, Decimal(1), Decimal(90)), FILLED, "stop"))
    await take(store, told(3, ENTRY, fill(ENTRY, 3, Decimal(1), Decimal(91)), FILLED))
    account = await store.read(lambda uow: uow.account.portfolio())
    assert [position.quantity for position in account.positions] == [Decimal(1)]
    assert account.equity == CASH - 10


async def _two_hold(store: Database) -> None:
    """T1 of two bitcoins, T2 of three; the exit of T1 that sells more than T1 holds."""
    second = order(3, context="other", quantity=Decimal(3))
    await store.transact(lambda uow: (uow.orders.add(second), uow.orders.add(EXIT)))
    await take(store, told(1, ENTRY, fill(ENTRY, 1, Decimal(2)), FILLED))
    await take(store, told(2, second, fill(second, 2, Decimal(3)), FILLED))


async def test_a_sale_of_more_than_is_held_halts_and_says_whose_coins_they_were(store: Database):
    """Seen: the position was cut to nothing, the coins of another were gone, and the equity too high."""
    await _two_hold(store)
    before = (await store.read(lambda uow: uow.account.portfolio())).equity
    assert await take(store, told(3, EXIT, fill(EXIT, 3, Decimal("2.5"), fee=Decimal(1)), FILLED)) == ("T1", "T2")
    account = await store.read(lambda uow: uow.account.portfolio())
    assert [(held.id, held.quantity) for held in account.positions] == [("T2", Decimal("2.5"))]
    assert account.equity == before - 1
    (view,) = await store.read(lambda uow: uow.halts.open())
    assert (view.halt.kind, view.halt.symbol, view.halt.until) == (HaltKind.LEDGER, "", None)
    assert view.halt.reason == "O2 sold 0.5 BTC more than T1 held: coins of T2"
    assert [halted.halt_id for halted in await events_of(store, Halted)] == [view.id]


@pytest.mark.parametrize(("after", "person"), [(timedelta(0), "Ada"), (timedelta(hours=1), "")])
async def test_a_sale_that_an_emergency_stop_made_is_by_whoever_called_it(
    store: Database, after: timedelta, person: str
):
    await take(store, told(1, ENTRY, fill(ENTRY, 1, Decimal(2), Decimal(101)), FILLED))
    sale = leaving(2, decision_id="")
    called = Halt(kind=HaltKind.EMERGENCY, reason="Ada called", since=sale.created_at + after, by="Ada")
    await store.transact(lambda uow: (uow.halts.add(called), uow.orders.add(sale)))
    await take(store, told(2, sale, fill(sale, 2, Decimal(2), Decimal(99)), FILLED))
    closed = await store.read(lambda uow: uow.positions.get("T1"))
    assert (closed.closed_by, closed.closed_by_person) == ("emergency", person)


async def test_a_sale_of_what_is_closed_closes_it_no_second_time(store: Database):
    await _two_hold(store)
    for seq in (3, 4, 5):
        await take(store, told(seq, EXIT, fill(EXIT, seq, Decimal(2))))
    assert [closed.position_id for closed in await events_of(store, PositionClosed)] == ["T1", "T2"]
    assert await store.read(lambda uow: uow.ledger.balances()["paper", "BTC"]) == -1
    reasons = [view.halt.reason.rpartition(": ")[2] for view in await store.read(lambda uow: uow.halts.open())]
    assert reasons == ["coins of T2"], "one alarm for one order"


LOTS = st.integers(1, 1000).map(lambda lots: Decimal(lots) / 1000)
PARTS = st.lists(
    st.tuples(LOTS, st.decimals("50", "150", places=2), st.decimals("0", "2", places=8)), min_size=1, max_size=5
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """One transaction that is never kept."""
    with TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{new_file(Path(folder))}", writer=True)
        with engine.connect() as connection:
            yield connection
        engine.dispose()


@contextmanager
def forgotten(connection: Connection) -> Iterator[UnitOfWork]:
    """What is done within is taken back."""
    savepoint = connection.begin_nested()
    try:
        yield UnitOfWork(connection, nowhere)
    finally:
        savepoint.rollback()


@settings(max_examples=40)
@given(bought=PARTS, sold=st.lists(LOTS, max_size=4), data=st.data())
def test_whatever_the_order_and_however_often_it_is_told_money_is_conserved(
    connection: Connection, bought: list[tuple[Decimal, Decimal, Decimal]], sold: list[Decimal], data: st.DataObject
):
    entries = [fill(ENTRY, number, *part) for number, part in enumerate(bought, start=1)]
    held, exits = sum((each.quantity for each in entries), Decimal(0)), []
    for wanted in sold:
        if quantity := min(wanted, held):
            exits.append(fill(EXIT, 10 + len(exits), quantity, Decimal(100), Decimal("0.01")))
            held -= quantity
    events = _told_somehow(data, entries, exits)
    with forgotten(connection) as uow:
        _begin(uow)
        uow.orders.add(EXIT)
        for some in _batches(data, events):
            batch = EventBatch(events=tuple(some), cursor=Cursor("1"))
            apply_venue_events(uow, "paper", batch, lambda _: LOT)
        account, position = uow.account.portfolio(), uow.positions.get("T1")
    assert position.quantity == held
    assert position.is_open is (held > 0)
    spent = sum((each.value + each.fee.amount for each in entries), Decimal(0))
    got = sum((each.value - each.fee.amount for each in exits), Decimal(0))
    assert account.free_cash + account.reserved == CASH - spent + got
    assert position.fees == sum((each.fee.amount for each in (*entries, *exits)), Decimal(0))


def _told_somehow(data: st.DataObject, entries: list[Fill], exits: list[Fill]) -> list[VenueEvent]:
    """The fills in another order than they happened in, some of them twice; what was bought comes before the sales."""
    fills = [*data.draw(st.permutations(entries)), *data.draw(st.permutations(exits))]
    fills += data.draw(st.lists(st.sampled_from(fills), max_size=3))
    owners = {each.request.client_id: each for each in (ENTRY, EXIT)}
    return [told(seq, owners[each.client_id], each) for seq, each in enumerate(fills, start=1)]


def _batches(data: st.DataObject, events: list[VenueEvent]) -> Iterator[list[VenueEvent]]:
    """All events in order, in batches that may begin with what was told before."""
    seen = 0
    while seen < len(events):
        begin, seen = data.draw(st.integers(0, seen)), data.draw(st.integers(seen + 1, len(events)))
        yield events[begin:seen]


@pytest.mark.parametrize("late", [False, True], ids=["at once", "told later"])
async def test_a_position_that_a_fee_in_its_coin_has_used_up_is_over(store: Database, *, late: bool):
    """It would stay open at nothing, which cannot be sold; of one with something left the OCO is made anew."""
    coin = order(7, symbol="BNB/USDT")
    first, paid = fill(coin, 1, Decimal(2)), fill(ENTRY, 2, Decimal(2))
    in_coins = replace(paid, fee=Money(amount=Decimal(2), currency="BNB"))
    await store.transact(lambda uow: uow.orders.add(coin))
    await take(store, told(1, coin, first, FILLED))
    if late:
        await take(store, told(2, ENTRY, replace(paid, fee=None), FILLED))
    touched = await take(store, told(2, ENTRY, in_coins, FILLED))
    assert "T1" in touched
    used_up = await store.read(lambda uow: uow.positions.get("T1"))
    assert (used_up.is_open, used_up.quantity, used_up.closed_by, used_up.closed_at) == (False, 0, "fees", paid.at)
    assert [closed.position_id for closed in await events_of(store, PositionClosed)] == ["T1"]
    assert [held.id for held in await store.read(lambda uow: uow.positions.open())] == ["T2"]
    assert await store.read(lambda uow: uow.ledger.owned("paper")) == {"USDT": CASH - 400, "BTC": 2, "BNB": 0}


@pytest.mark.parametrize(
    ("left", "closed_by"),
    [(LOT, ""), (LOT - Decimal("0.00000001"), "fees"), (Decimal("0.00000001"), "fees")],
    ids=["a lot", "less than a lot", "next to nothing"],
)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "told later"])
async def test_a_position_of_which_a_fee_leaves_less_than_a_lot_is_over(
    store: Database, left: Decimal, closed_by: str, *, late: bool
):
    """It could never be sold. What is left is the account's, beside its positions."""
    coin = order(7, symbol="BNB/USDT")
    paid = fill(ENTRY, 2, Decimal(2))
    in_coins = replace(paid, fee=Money(amount=2 - left, currency="BNB"))
    await store.transact(lambda uow: uow.orders.add(coin))
    await take(store, told(1, coin, fill(coin, 1, Decimal(2)), FILLED))
    if late:
        await take(store, told(2, ENTRY, replace(paid, fee=None), FILLED))
    await take(store, told(2, ENTRY, in_coins, FILLED))
    charged = await store.read(lambda uow: uow.positions.get("T1"))
    assert (charged.is_open, charged.closed_by) == (not closed_by, closed_by)
    assert charged.quantity == (0 if closed_by else left)
    assert (await store.read(lambda uow: uow.ledger.owned("paper")))["BNB"] == left


async def test_what_is_still_being_bought_is_not_over_for_a_fee_that_leaves_less_than_a_lot(store: Database):
    first = replace(fill(ENTRY, 1, LOT), fee=None)
    charged = replace(first, fee=Money(amount=LOT / 1000, currency="BTC"))
    for part in (first, charged):
        await take(store, told(1, ENTRY, part, OrderStatus.PARTLY_FILLED))
    held = await store.read(lambda uow: uow.positions.get("T1"))
    assert (held.is_open, held.quantity) == (True, LOT - LOT / 1000)


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.FILLED])
async def test_an_order_that_was_held_to_be_lost_has_ended_as_the_venue_says(store: Database, status: OrderStatus):
    now = order(1).created_at
    await store.transact(lambda uow: uow.orders.mark("O1", OrderStatus.REJECTED, now, unsent=Unsent.LOST))
    there = told(1, ENTRY, None, OrderStatus.OPEN)
    await take(store, there)
    lost = await store.read(lambda uow: uow.orders.get("O1"))
    assert (lost.status, lost.unsent) == (OrderStatus.REJECTED, Unsent.LOST), "it is still to be cancelled"
    await take(store, there, told(2, ENTRY, None, status))
    ended = await store.read(lambda uow: uow.orders.get("O1"))
    assert (ended.status, ended.unsent) == (status, Unsent.NO)


async def test_an_order_that_the_venue_refused_stays_refused(store: Database):
    await store.transact(lambda uow: uow.orders.mark("O1", OrderStatus.REJECTED, order(1).created_at))
    await take(store, told(1, ENTRY, None, OrderStatus.CANCELLED))
    assert (await store.read(lambda uow: uow.orders.get("O1"))).status is OrderStatus.REJECTED
