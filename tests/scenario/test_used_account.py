"""A new database on an account that is not empty: what is there counts as somebody else's, is left, or is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.errors import NoData, StoreError
from engine.domain.events import InventoryFound
from engine.domain.inventory import Rule
from engine.domain.market import Market
from engine.domain.messages import CardKind, Destination
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.execution.reconcile import agree
from handlers.notifications import Notifications
from handlers.topics import routes
from tests.fakes.engine import CASH, DAY, QUIET, Room, engine_room, settled
from tests.fakes.feed import BTC

ROUTE = routes({Destination(platform="web", address="room"): tuple(CardKind)})
ETH = Market(symbol="ETH/USDT", lot=Decimal("0.001"), tick=Decimal("0.01"))
ROWS = {BTC.symbol: (*(QUIET,) * 25, (100, 130, 99, 125, 10_000), QUIET), ETH.symbol: (QUIET,) * 60}


def room_on(folder: Path, rule: Rule = Rule.ADOPT, minutes: float = DAY, **options):
    return engine_room(folder, ROWS, markets=(BTC, ETH), minutes=minutes, holdings=rule, route=ROUTE, **options)


async def used(folder: Path) -> dict[str, Decimal]:
    """A venue on which a bot holds bitcoins with their stop, and three of a coin that has no market; no database."""
    async with room_on(folder, balances={"USDT": Decimal(10_000), "XYZ": Decimal(3)}) as room:
        asked = await room.ask(quantity=Decimal(10))
        await settled(room.approvals, asked.id, Press(person="Ada", verb=Verb.APPROVE))
        assert [held.symbol for held in await room.held()] == [BTC.symbol]
        balances = dict(await room.venue.balances())
    forget(folder)
    return balances


def forget(folder: Path) -> None:
    """Delete the bot's database."""
    for leftover in folder.glob("greenlight.sqlite*"):
        leftover.unlink()


async def agreed(room: Room) -> None:
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}


async def test_what_is_there_counts_as_somebody_elses_and_people_are_told(tmp_path: Path):
    """Seen: equity was the cash alone, and nobody was told."""
    balances = await used(tmp_path)
    async with room_on(tmp_path, minutes=DAY + 30) as room:
        (held,) = await room.held()
        assert (held.context, held.quantity, held.entry_price) == ("external", balances["BTC"], 100)
        status = await room.views.status()
        assert status.equity == balances["USDT"] + balances["BTC"] * 100
        assert (status.net, status.drawdown) == (0, 0)
        assert await room.orders() == [("external", "open", Decimal(10))], "the stop that the bot before had placed"
        assert len(await room.events(InventoryFound)) == 1
        card = await Notifications(room.views).card("inventory:paper")
        assert card is not None
        assert [item.title for item in card.items] == ["T1: 10 BTC", "3 XYZ"]
        assert "counts 1,000.00 USDT" in card.items[0].text
        assert "nothing says its price" in card.items[1].text
        assert "1 order of somebody else" in card.text
        await agreed(room)
        room.clock.to(DAY + 120)
        await room.orchestrator.sync_venue_events()
        assert await room.held() == (), "its target was reached"
        assert (await room.orders())[0][:2] == ("external", "filled")
        await agreed(room)
    async with room_on(tmp_path, minutes=DAY + 130) as room:
        assert len(await room.events(InventoryFound)) == 1, "told once"


async def test_an_open_order_that_was_there_is_kept_as_what_it_is_and_reserves_its_cash(tmp_path: Path):
    """Seen: it was kept as an order at market without a price, and its cash was free to spend."""
    waiting = OrderRequest(
        venue="paper",
        client_id="by-hand",
        symbol=BTC.symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal(2),
        limit_price=Decimal(50),
    )
    async with room_on(tmp_path) as room:
        await room.venue.submit(waiting)
    forget(tmp_path)
    async with room_on(tmp_path, minutes=DAY + 30) as room:
        (kept,) = await room.views.orders(9)
        assert (kept.request.type, kept.request.limit_price, kept.rest) == (OrderType.LIMIT, Decimal(50), Decimal(2))
        account = await room.store.read(lambda uow: uow.account.portfolio())
        assert (account.reserved, account.free_cash) == (Decimal(100), CASH - 100)
        await room.venue.cancel(BTC.symbol, "by-hand")
        await room.orchestrator.sync_venue_events()
        assert (await room.store.read(lambda uow: uow.account.portfolio())).free_cash == CASH


async def test_what_had_no_price_at_the_start_is_adopted_once_it_has_one(tmp_path: Path):
    """As with real prices: they come in after the books were opened."""
    balances = await used(tmp_path)
    async with room_on(tmp_path, deaf=NoData("No price has come in yet.")) as room:
        room.venue.deaf = None
        assert await room.held() == ()
        card = await Notifications(room.views).card("inventory:paper")
        assert card is not None
        assert [item.text for item in card.items] == ["does not count: nothing says its price"] * 2
        await room.books.mark_to_market(room.clock.now())
        for _ in range(2):
            await room.orchestrator.adopt_rest(room.clock.now())
        (held,) = await room.held()
        assert (held.context, held.quantity) == ("external", balances["BTC"])
        status = await room.views.status()
        assert status.equity == balances["USDT"] + balances["BTC"] * held.entry_price
        assert (status.net, status.paid_in) == (0, balances["BTC"] * held.entry_price)
        card = await Notifications(room.views).card("inventory:paper")
        assert card is not None
        assert [item.title for item in card.items] == [f"{held.id}: 10 BTC", "3 XYZ"]
        await agreed(room)


async def test_what_was_sold_before_it_had_a_price_is_not_adopted(tmp_path: Path):
    await used(tmp_path)
    async with room_on(tmp_path, deaf=NoData("No price has come in yet.")) as room:
        room.venue.deaf = None
        sale = OrderRequest(
            venue="paper",
            client_id="by-hand",
            symbol=BTC.symbol,
            side=Side.SELL,
            type=OrderType.MARKET,
            quantity=Decimal(4),
        )
        await room.venue.submit(sale)
        await room.orchestrator.sync_venue_events()
        await room.books.mark_to_market(room.clock.now())
        await room.orchestrator.adopt_rest(room.clock.now())
        assert [held.quantity for held in await room.held()] == [6]
        await agreed(room)


async def test_what_is_to_be_ignored_counts_nothing_and_is_named(tmp_path: Path):
    balances = await used(tmp_path)
    async with room_on(tmp_path, Rule.IGNORE) as room:
        assert await room.held() == ()
        assert (await room.views.status()).equity == balances["USDT"]
        card = await Notifications(room.views).card("inventory:paper")
        assert card is not None
        assert [item.text for item in card.items] == [
            "does not count: it was to be ignored",
            "does not count: nothing says its price",
        ]
        await agreed(room)


async def test_an_account_that_must_be_empty_stops_the_start(tmp_path: Path):
    await used(tmp_path)
    with pytest.raises(StoreError, match=r"10 BTC, 3 XYZ, 1 open order.*BOT_ACCOUNT__HOLDINGS"):
        async with room_on(tmp_path, Rule.REFUSE):
            pass


async def test_an_empty_account_is_nothing_to_tell_of(tmp_path: Path):
    async with room_on(tmp_path, Rule.REFUSE) as room:
        assert await room.events(InventoryFound) == []
        assert await Notifications(room.views).card("inventory:paper") is None
