"""Fees in the quote currency, in the coin and in a third currency: what is held is what there is, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.events import OrderFilled, PositionClosed
from engine.domain.inventory import Rule
from engine.domain.market import Market
from engine.domain.money import Money
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.execution.reconcile import agree
from engine.execution.venue_events import apply_venue_events
from engine.ports import EventBatch, VenueEvent
from engine.simulation.fills import FillModel
from tests.auditor import check_conservation
from tests.fakes.engine import DAY, QUIET, Room, engine_room
from tests.fakes.feed import BTC
from tests.fakes.program import Files

BNB = Market(symbol="BNB/USDT", lot=Decimal("0.001"), tick=Decimal("0.01"))
FALL = (100, 100, 80, 85, 10_000)
"""A candle that falls through the stop at 90."""
IN_COINS = FillModel(fee_in="received", fee=Decimal("0.00123"))
IN_BNB = FillModel(fee_in="BNB")

ONE_BNB = OrderRequest(
    venue="paper",
    client_id="by-hand",
    symbol=BNB.symbol,
    side=Side.BUY,
    type=OrderType.MARKET,
    quantity=Decimal(1),
)


async def agreed(room: Room, folder: Path) -> None:
    """Books and venue have the same of every currency, and nothing came or went but by fills and fees."""
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
    owned = await room.store.read(lambda uow: uow.ledger.owned("paper"))
    assert _some(owned) == _some(await room.venue.balances())
    assert check_conservation(Files(folder=folder).venue_file) == []


def _some(owned: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {currency: amount for currency, amount in owned.items() if amount}


async def test_a_fee_in_coins_leaves_fewer_to_protect_and_to_sell(tmp_path: Path):
    async with engine_room(tmp_path, (*(QUIET,) * 24, FALL, QUIET), model=IN_COINS) as room:
        await room.enter(stop=10.0)
        (held,) = await room.held()
        (bought,) = await room.events(OrderFilled)
        assert bought.fee_paid == Money(amount=bought.quantity - held.quantity, currency="BTC")
        assert held.quantity < bought.quantity
        assert held.fees == bought.fee == bought.fee_paid.amount * bought.price
        _, protected = await room.orders()
        whole = held.quantity - held.quantity % BTC.lot
        assert protected == ("protection", "open", whole), "whole lots of what there is"
        await agreed(room, tmp_path)
        room.clock.to(DAY + 60)
        await room.orchestrator.sync_venue_events()
        assert await room.held() == ()
        closed = await room.store.read(lambda uow: uow.positions.get("T1"))
        balances = await room.venue.balances()
        assert balances["BTC"] == held.quantity - whole < BTC.lot, "what no order can sell is left beside"
        assert closed.net == balances["USDT"] - 10_000
        assert (await room.views.status()).equity == balances["USDT"]
        assert [event.net for event in await room.events(PositionClosed)] == [closed.net]
        await agreed(room, tmp_path)


@pytest.mark.parametrize("bought", [False, True], ids=["that was there before", "that somebody bought"])
async def test_a_fee_in_a_third_currency_touches_neither_coins_nor_cash(tmp_path: Path, *, bought: bool):
    rows = {BTC.symbol: (*(QUIET,) * 24, FALL, QUIET), BNB.symbol: ((500, 510, 490, 500, 1000),) * 60}
    balances = {"USDT": Decimal(10_000), "BNB": Decimal(0) if bought else Decimal(1)}
    async with engine_room(
        tmp_path, rows, markets=(BTC, BNB), model=IN_BNB, balances=balances, holdings=Rule.IGNORE
    ) as room:
        await room.books.mark_to_market(room.clock.now())
        if bought:
            await room.venue.submit(ONE_BNB)
        cash = (await room.venue.balances())["USDT"]
        room.context = replace(room.context, markets=(BTC.symbol,))
        await room.enter(stop=10.0)
        held = (await room.held())[-1]
        fills = [event for event in await room.events(OrderFilled) if event.symbol == BTC.symbol]
        assert held.quantity == sum(event.quantity for event in fills)
        assert {event.fee_paid.currency for event in fills if event.fee_paid} == {"BNB"}
        assert all(event.fee == event.fee_paid.amount * 500 for event in fills if event.fee_paid)
        assert held.fees == sum(event.fee for event in fills)
        assert (await room.venue.balances())["USDT"] == cash - held.cost
        await agreed(room, tmp_path)
        room.clock.to(DAY + 60)
        await room.orchestrator.sync_venue_events()
        assert [position.is_external for position in await room.held()] == ([True] if bought else [])
        await agreed(room, tmp_path)


async def test_where_there_is_too_little_of_it_the_fee_is_taken_of_what_comes(tmp_path: Path):
    balances = {"USDT": Decimal(10_000), "BNB": Decimal("0.000001")}
    model = replace(IN_BNB, fee_price=Decimal(500))
    async with engine_room(tmp_path, model=model, balances=balances) as room:
        await room.enter()
        (bought,) = await room.events(OrderFilled)
        assert bought.fee_paid is not None
        assert bought.fee_paid.currency == "BTC"
        await agreed(room, tmp_path)


async def test_a_fee_in_the_quote_currency_by_its_name_is_taken_of_the_cash(tmp_path: Path):
    """Seen: it had no price in itself, so purchases paid in coins."""
    async with engine_room(tmp_path, model=replace(IN_COINS, fee_in="USDT")) as room:
        await room.enter()
        (bought,) = await room.events(OrderFilled)
        assert bought.fee_paid == Money(amount=bought.fee, currency="USDT")
        await agreed(room, tmp_path)


async def test_one_trade_id_on_two_symbols_is_two_fills(tmp_path: Path):
    """Seen: the second was lost, and there was too much cash."""
    rows = {BTC.symbol: (QUIET,) * 60, BNB.symbol: (QUIET,) * 60}
    async with engine_room(tmp_path, rows, markets=(BTC, BNB)) as room:
        heard = room.venue.events
        room.venue.events = lambda after: _all_with_id_7(heard, after)
        await room.enter()
        await room.orchestrator.sync_venue_events()
        fills = await room.store.read(lambda uow: uow.orders.newest_fills(9))
        assert [(each.fill.trade_id, each.fill.symbol) for each in fills] == [("7", "BNB/USDT"), ("7", "BTC/USDT")]
        await agreed(room, tmp_path)


async def _all_with_id_7(heard, after) -> EventBatch:
    """What the venue tells, as one does that counts the trades of each market by itself."""
    batch = await heard(after)
    return replace(
        batch,
        events=tuple(replace(event, fill=event.fill and replace(event.fill, trade_id="7")) for event in batch.events),
    )


@pytest.mark.parametrize(
    ("model", "sold"), [(FillModel(), False), (FillModel(), True), (IN_COINS, False)], ids=["held", "sold", "in coins"]
)
async def test_a_fee_that_the_venue_tells_of_later_is_taken_in_later_and_once(
    tmp_path: Path, model: FillModel, *, sold: bool
):
    async with engine_room(tmp_path, (*(QUIET,) * 24, FALL, QUIET), model=model) as room:
        heard, told = room.venue.events, list[VenueEvent]()
        room.venue.events = lambda after: _without_fees(heard, after, told)
        await room.enter(stop=10.0)
        room.venue.events = heard
        if sold:
            room.clock.to(DAY + 60)
            await room.orchestrator.sync_venue_events()
        before = await room.store.read(lambda uow: uow.positions.get("T1"))
        batch = EventBatch(events=tuple(told), cursor=(await heard(None)).cursor)
        for _ in range(2):
            await room.store.transact(lambda uow: apply_venue_events(uow, "paper", batch, lambda _: BTC.lot))
        after = await room.store.read(lambda uow: uow.positions.get("T1"))
        assert after.fees - before.fees == sum(fee_of(event) for event in told)
        assert after.is_open is not sold
        owned = await room.store.read(lambda uow: uow.ledger.owned("paper"))
        assert _some(owned) == _some(await room.venue.balances())


def fee_of(event: VenueEvent) -> Decimal:
    """What the fee of a purchase was worth in the quote currency."""
    if event.fill is None or event.fill.side is Side.SELL:
        return Decimal(0)
    return event.fill.fee_in("USDT") + event.fill.fee_in("BTC") * event.fill.price


async def _without_fees(heard, after, told: list[VenueEvent]) -> EventBatch:
    batch = await heard(after)
    told += batch.events
    return replace(
        batch,
        events=tuple(replace(event, fill=event.fill and replace(event.fill, fee=None)) for event in batch.events),
    )
