"""Somebody trades on the same account by hand, and the database comes late (fault 8).

What others do is adopted, told of, and paid for: the books and the venue have the same money and coins at every step.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.app import App
from engine.domain.decision_views import Why
from engine.domain.errors import StoreError, UnknownId
from engine.domain.events import BalanceAdopted, ExternalCancelled, ExternalTraded, PositionClosed
from engine.domain.inventory import Rule
from engine.domain.messages import CardKind, Destination
from engine.domain.orders import OrderRequest, OrderStatus, OrderType, Purpose, Side, client_id
from engine.domain.trade_views import TradeView
from engine.execution.reconcile import agree, reconcile, refuse_another_venue
from handlers.cards import why
from handlers.notifications import Notifications
from handlers.topics import routes
from tests.auditor import check_conservation
from tests.fakes.database import execute, new_file, url_of
from tests.fakes.engine import CASH, DAY, Room, engine_room
from tests.fakes.feed import BTC
from tests.fakes.program import Files, settings_of, write_config

LOUNGE = Destination(platform="web", address="room")
ROUTE = routes({LOUNGE: tuple(CardKind)})


async def by_hand(room: Room, name: str, side: Side, quantity: str) -> None:
    """Somebody else's market order on this account."""
    intent = OrderRequest(
        venue="paper",
        client_id=f"hand-{name}",
        symbol=BTC.symbol,
        side=side,
        type=OrderType.MARKET,
        quantity=Decimal(quantity),
    )
    await room.venue.submit(intent)


async def same_money(room: Room) -> None:
    """The books have what the venue has, to the last digit."""
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}


async def card(room: Room, topic: str):
    shown = await Notifications(room.views).card(topic)
    assert shown is not None
    return shown


async def topics(room: Room) -> list[str]:
    return [showing.topic for showing in await room.store.read(lambda uow: uow.outbox.due())]


async def test_what_somebody_else_bought_is_a_position_of_theirs_and_people_are_told(tmp_path: Path):
    async with engine_room(tmp_path, route=ROUTE) as room:
        await by_hand(room, "1", Side.BUY, "2")
        await room.orchestrator.sync_venue_events()
        await same_money(room)
        (held,) = await room.held()
        assert (held.context, held.quantity, held.stop) == ("external", Decimal(2), None)
        assert await room.orders() == [("external", "filled", Decimal(2))], "and no oco is placed for it"
        assert len(await room.events(ExternalTraded)) == 1
        assert "external:O1" in await topics(room)
        shown = await card(room, "external:O1")
        assert (shown.title, shown.lane) == ("Somebody else bought 2 BTC/USDT on this account (O1)", "urgent")
        assert (await room.views.balance()).equity == (await room.views.status()).equity < CASH


async def test_what_they_buy_and_sell_again_is_theirs_and_ours_is_left_alone(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        ours = (await room.held())[0]
        await by_hand(room, "1", Side.BUY, "2")
        await by_hand(room, "2", Side.SELL, "2")
        await room.orchestrator.sync_venue_events()
        await same_money(room)
        assert await room.held() == (ours,)
        assert [closed.closed_by for closed in await room.events(PositionClosed)] == ["somebody else"]
        assert check_conservation(tmp_path / "venue.sqlite") == []


async def test_what_they_buy_on_top_belongs_to_the_position_that_they_have(tmp_path: Path):
    async with engine_room(tmp_path, route=ROUTE) as room:
        await by_hand(room, "1", Side.BUY, "2")
        await by_hand(room, "2", Side.BUY, "3")
        await room.orchestrator.sync_venue_events()
        (held,) = await room.held()
        assert held.quantity == Decimal(5)
        assert [order.position_id for order in await room.views.orders(9)] == [held.id, held.id]
        assert ("Position", held.id) in (await card(room, "external:O2")).fields


async def test_what_they_wait_to_sell_is_theirs_and_the_audit_counts_only_what_is_ours(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        (held,) = await room.held()
        resting = OrderRequest(
            venue="paper",
            client_id="hand-1",
            symbol=BTC.symbol,
            side=Side.SELL,
            type=OrderType.OCO,
            quantity=Decimal(1),
            trigger_price=Decimal(10),
            limit_price=Decimal(500),
        )
        await room.venue.submit(resting)
        await room.orchestrator.sync_venue_events()
        assert Files(folder=tmp_path).complaints() == []
        await room.venue.submit(replace(resting, client_id=client_id(f"oco|{held.id}|2|{held.opened_at.isoformat()}")))
        (unknown, doubled) = Files(folder=tmp_path).complaints()
        assert (unknown.partition(":")[0], doubled.partition(",")[0]) == ("only at the venue", "1 positions")


async def test_of_what_the_bot_has_not_decided_the_trade_alone_is_told(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        await by_hand(room, "1", Side.BUY, "2")
        await by_hand(room, "2", Side.SELL, "1")
        await room.orchestrator.sync_venue_events()
        (theirs,) = [held for held in await room.held() if held.context == "external"]
        for traded in (theirs.id, "O3", "O4", theirs.id.lower()):
            story = await room.views.why(traded)
            assert isinstance(story, TradeView)
            assert (story.position, story.decision) == (theirs, None)
            told = why.card(story)
            assert told.title == f"Why {theirs.id}: somebody else bought BTC/USDT"
            assert "1 of 2 at 100" in dict(told.fields)["Traded"]
        await by_hand(room, "3", Side.SELL, "1")
        await by_hand(room, "4", Side.SELL, "1")
        await room.orchestrator.sync_venue_events()
        story = await room.views.why("O6")
        assert isinstance(story, Why), "they sold of what the bot had bought"
        assert story.judged.decision.id == "D1"
        with pytest.raises(UnknownId, match="There is no trade T99"):
            await room.views.why("T99")


async def test_what_somebody_else_traded_is_no_win_and_no_loss_of_the_bots(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.store.transact(lambda uow: uow.settings.set("account.began", room.clock.now().isoformat()))
        room.clock.to(DAY + 60)
        await room.books.mark_to_market(room.clock.now())
        await room.books.record_equity(room.clock.now())
        room.clock.to(DAY + 70)
        await by_hand(room, "1", Side.BUY, "2")
        await by_hand(room, "2", Side.SELL, "2")
        await room.orchestrator.sync_venue_events()
        (theirs,) = await room.views.trades(9)
        performance, stats = await room.results.performance(), await room.results.stats()
        profit, day = await room.views.profit(1), await room.views.latest_digest()
    assert (theirs.context, theirs.net < 0) == ("external", True)
    for counted in (performance.external, stats.external, profit.external):
        assert (counted.trades, counted.won, counted.net) == (1, 0, theirs.net)
    assert (performance.total.trades, performance.markets, performance.contexts) == (0, (), ())
    assert (stats.total.trades, stats.endings, stats.worst, stats.losing_streak) == (0, (), None, 0)
    assert (profit.closed, profit.won, profit.days[-1].closed) == (0, 0, 0)
    assert (day.opened, day.closed, day.won, day.realised) == (0, 0, 0, 0)
    assert (day.external, day.external_net, day.net) == (1, theirs.net, theirs.net)
    assert day.external_cost == profit.external.cost == theirs.cost > 0


async def test_who_sells_a_part_of_our_position_leaves_the_rest_protected(tmp_path: Path):
    async with engine_room(tmp_path, route=ROUTE) as room:
        await room.enter()
        before = (await room.held())[0].quantity
        await by_hand(room, "1", Side.SELL, "1")
        await room.orchestrator.sync_venue_events()
        await same_money(room)
        assert [held.quantity for held in await room.held()] == [before - 1]
        assert (await room.orders())[-1] == ("protection", "open", before - 1)
        assert [view.protected for view in await room.views.positions()] == [True]
        assert "sold 1 BTC/USDT" in (await card(room, "external:O3")).title


async def test_who_sells_all_of_it_leaves_no_stop_behind(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        quantity = (await room.held())[0].quantity
        await by_hand(room, "1", Side.SELL, str(quantity))
        await room.orchestrator.sync_venue_events()
        await same_money(room)
        assert await room.held() == ()
        standing = [view for view in await room.views.orders(9) if not view.status.final]
        assert standing == [], "a stop without a position would sell what is bought next"
        assert await room.events(ExternalCancelled) == [], "that was us"


async def test_a_stop_cancelled_by_hand_is_noticed_and_placed_again(tmp_path: Path):
    async with engine_room(tmp_path, route=ROUTE) as room:
        await room.enter()
        oco = (await room.views.orders(1))[0]
        assert oco.purpose is Purpose.PROTECTION
        await room.venue.cancel(BTC.symbol, oco.request.client_id)
        await room.orchestrator.sync_venue_events()
        assert [view.protected for view in await room.views.positions()] == [True]
        assert await room.events(ExternalCancelled) == [ExternalCancelled(at=room.clock.now(), order_id=oco.id)]
        shown = await card(room, f"external:{oco.id}")
        assert shown.title == f"{oco.id} was cancelled at the venue, and not by the bot"
        assert "protected again" in shown.text


async def test_what_the_bot_cancels_itself_is_nobody_elses(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        room.clock.to(DAY + 60)
        room.script.exits[room.clock.now()] = "enough"
        await room.cycle()
        assert await room.held() == ()
        assert [status for purpose, status, _ in await room.orders() if purpose == "protection"] == ["cancelled"]
        assert await room.events(ExternalCancelled) == []


async def test_coins_from_before_the_books_began_may_be_sold_too(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await by_hand(room, "1", Side.BUY, "2")
        await room.orchestrator.sync_venue_events()
    new_file(tmp_path / "new")
    execute(url_of(tmp_path / "new"), "DELETE FROM account")
    shutil.copy(tmp_path / "venue.sqlite", tmp_path / "new" / "venue.sqlite")
    async with engine_room(tmp_path / "new", holdings=Rule.IGNORE) as room:
        balances = await room.venue.balances()
        assert (await room.views.status()).equity == balances["USDT"]
        await same_money(room)
        await by_hand(room, "2", Side.SELL, "1.5")
        await room.orchestrator.sync_venue_events()
        await same_money(room)
        assert await room.held() == ()
        assert await room.store.read(lambda uow: uow.ledger.balances()["paper", "BTC"]) == Decimal("0.5")
        status = await room.views.status()
        assert status.equity > balances["USDT"] + 100
        assert (status.net, status.day_net, status.drawdown) == (0, 0, 0), "the coins were there before"
        assert status.paid_in == status.equity - balances["USDT"]


async def test_a_database_from_yesterday_takes_in_what_happened_since(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
    shutil.copy(tmp_path / "greenlight.sqlite", tmp_path / "yesterday")
    async with engine_room(tmp_path, minutes=DAY + 60) as room:
        room.script.exits[room.clock.now()] = "enough"
        await room.cycle()
        room.clock.to(DAY + 120)
        await room.enter()
    go_back(tmp_path)
    async with engine_room(tmp_path, minutes=DAY + 180) as room:
        await refuse_another_venue(room.store, room.venue)
        await reconcile(room.store, room.orchestrator)
        await same_money(room)
        assert [held.context for held in await room.held()] == ["external"]


def go_back(folder: Path) -> None:
    """Put yesterday's database in the place of today's."""
    for leftover in folder.glob("greenlight.sqlite*"):
        leftover.unlink()
    shutil.copy(folder / "yesterday", folder / "greenlight.sqlite")


async def test_an_older_copy_of_the_venue_stops_the_start(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await by_hand(room, "1", Side.BUY, "1")
        await room.orchestrator.sync_venue_events()
    (tmp_path / "venue.sqlite").unlink()
    async with engine_room(tmp_path) as room:
        with pytest.raises(StoreError, match=r"does not know what the database has taken in.*bot db restore"):
            await refuse_another_venue(room.store, room.venue)


async def test_money_that_no_order_explains_stops_the_start_until_an_admin_says_where_it_came_from(tmp_path: Path):
    settings = settings_of(tmp_path, replay={"until_end": True, "end": "2024-01-06T00:30"})
    await ended(settings)
    write_config(tmp_path)
    files = Files(folder=tmp_path)
    execute(f"sqlite:///{files.venue_file}", "UPDATE balances SET current = current + 500 WHERE currency = 'USDT'")
    with pytest.raises(StoreError, match=r"do not agree.*10,000 USDT here and 10,500 there.*--accept-balances"):
        await ended(settings)
    assert files.rows("SELECT * FROM orders") == []
    assert any("paid in or out: USDT" in line for line in await ended(settings, accept_balances=True))
    assert [(row["before"], row["after"]) for row in files.events("BalanceAdopted")] == [("10000", "10500")]
    (account,) = files.rows("SELECT * FROM account")
    assert [Decimal(account[name]) for name in ("opening", "peak")] == [10000, 10500]
    assert [Decimal(row["amount"]) for row in files.rows("SELECT amount FROM balances")] == [10500]
    assert [Decimal(row["amount"]) for row in files.rows("SELECT amount FROM payments")] == [500]
    await ended(settings)


async def test_coins_that_a_position_needs_are_not_written_off(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        now = room.clock.now()
        await asyncio.to_thread(
            execute, f"sqlite:///{tmp_path}/venue.sqlite", "UPDATE balances SET current = '0.5' WHERE currency = 'BTC'"
        )
        with pytest.raises(StoreError, match=r"BTC here and 0\.5 there"):
            await agree(room.store, room.venue, room.orchestrator, now, accept=True)
        assert await room.events(BalanceAdopted) == []


async def test_an_empty_answer_is_no_account_without_money(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await asyncio.to_thread(execute, f"sqlite:///{tmp_path}/venue.sqlite", "DELETE FROM balances")
        with pytest.raises(StoreError, match="owns nothing at all"):
            await agree(room.store, room.venue, room.orchestrator, room.clock.now(), accept=True)


async def ended(settings, **options) -> list[str]:
    """Run the program to the end of its data; what it told the terminal."""
    lines: list[str] = []
    await App(settings, announce=lines.append, **options).run()
    return lines


async def test_an_order_of_theirs_in_parts_is_one_order_with_all_its_fills(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await by_hand(room, "1", Side.BUY, "60")  # more than the book has at once
        await room.orchestrator.sync_venue_events()
        room.clock.to(DAY + 60)
        await room.orchestrator.sync_venue_events()
        await same_money(room)
        (order,) = await room.views.orders(9)
        assert (order.purpose, order.status, order.filled) == (Purpose.EXTERNAL, OrderStatus.FILLED, Decimal(60))
        assert [held.quantity for held in await room.held()] == [Decimal(60)]
