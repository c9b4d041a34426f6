"""How the account stands and what it made, as people may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.errors import UnknownId, VenueError
from engine.domain.events import HaltEnded
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Book, Listing
from engine.domain.positions import fall
from handlers.cards import account, alerts
from handlers.web.account_rows import StatusRow
from tests.fakes.engine import CASH, DAY, QUIET, Room, at, engine_room, settled

UP = (100, 111, 100, 110, 10_000)
RISING = (*(QUIET,) * 25, UP, *((110, 110.5, 109.5, 110, 10_000),) * 60)


async def buy(room: Room):
    """Ten BTC, by way of a question that was answered."""
    approval = await room.ask()
    await settled(room.approvals, approval.id, Press(person="Ann", verb=Verb.APPROVE))


async def test_the_status_of_a_quiet_account(room: Room):
    status = await room.views.status()
    assert (status.profile, status.venue, status.quote, status.now) == ("test", "paper", "USDT", room.clock.now())
    assert (status.trading, status.halts, status.contexts) == (True, (), ("hand",))
    assert (status.equity, status.cash, status.exposure, status.drawdown) == (CASH, CASH, 0, 0)
    assert (status.positions, status.pending, status.day_net, status.last_cycle_at) == (0, 0, 0, None)


async def test_the_status_says_that_nothing_is_entered_where_that_is_no_halt(room: Room):
    status = await replace(room.views, no_entry=lambda: "okx cannot be reached").status()
    assert (status.trading, status.no_entry, status.halts) == (False, "okx cannot be reached", ())


async def test_the_status_counts_what_is_held_and_asked(room: Room):
    await room.books.record_equity(room.clock.now())
    room.clock.to(DAY + 60)
    await buy(room)
    await room.ask(context="other")
    await room.books.mark_to_market(room.clock.now())
    await room.books.record_equity(room.clock.now())
    status = await room.views.status()
    assert (status.positions, status.pending) == (1, 1)
    assert status.exposure == Decimal(1000)
    assert status.day_net == status.equity - CASH < 0
    assert status.last_cycle_at == room.clock.now()
    assert status.prices == (("BTC/USDT", Decimal(100)),)


async def test_bad_data_of_one_market_stops_trading_nowhere_else(room: Room):
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=room.clock.now(), symbol="BTC/USDT")
    await room.store.transact(lambda uow: uow.halts.add(halt))
    status = await room.views.status()
    assert status.trading
    assert len(status.halts) == 1


async def test_positions_are_shown_at_the_price_of_now(room: Room):
    await buy(room)
    (view,) = await room.views.positions()
    assert (view.price, view.value, view.protected) == (Decimal("100.00"), Decimal("1000.00"), True)
    assert view.unrealised == Decimal("-0.20"), "bought at the ask, it is worth the middle of the book"
    assert view.share == view.net / view.position.cost
    assert view.net == view.unrealised - view.position.fees


async def test_side_by_side_a_position_has_one_price_however_fast_that_moves(room: Room):
    class Restless:
        """A market whose price is another one at each look."""

        looks = 0

        async def book(self, symbol: str) -> Book:
            self.looks += 1
            book = await room.venue.book(symbol)
            bid, ask = (replace(side[0], price=side[0].price + self.looks) for side in (book.bids, book.asks))
            return replace(book, bids=(bid,), asks=(ask,))

    await buy(room)
    views = replace(room.views, market_data={room.venue.name: Restless()})
    status, (view,) = await views.status_and_positions()
    assert dict(status.prices)["BTC/USDT"] == view.price
    assert status.exposure == view.value


async def test_without_a_price_of_now_the_last_known_one_is_shown(room: Room):
    await buy(room)
    await room.books.mark_to_market(room.clock.now())
    room.venue.deaf = VenueError("down")
    (view,) = await room.views.positions()
    assert view.price == Decimal(100)
    (asked,) = await room.views.approvals(1)
    assert asked.price is None


async def test_the_balance_is_what_the_venue_says(room: Room):
    await buy(room)
    balance = await room.views.balance()
    assert {currency: quantity for currency, quantity, _ in balance.rows} == dict(await room.venue.balances())
    assert sum(value for *_, value in balance.rows) == balance.equity


async def test_profit_is_told_by_days_from_the_first_one_on(tmp_path: Path):
    async with engine_room(tmp_path, RISING) as room:
        await room.books.record_equity(at(DAY))
        room.clock.to(DAY + 60)
        await room.enter(1.0, stop=20.0, target=5.0)
        room.clock.to(DAY + 120)
        await room.orchestrator.sync_venue_events()
        await room.books.mark_to_market(at(DAY + 120))
        await room.books.record_equity(at(DAY + 120))
        room.clock.to(2 * DAY + 60)
        profit = await room.views.profit(30)
        (trade,) = await room.views.trades(9)
        assert [row.day for row in profit.days] == [date(2024, 1, 2), date(2024, 1, 3)]
        assert [(row.net, row.closed) for row in profit.days] == [(trade.net, 1), (0, 0)]
        assert (profit.net, profit.closed, profit.won) == (trade.net, 1, 1)
        assert profit.fees == trade.fees
        assert (profit.drawdown, profit.max_drawdown > 0) == (0, False)


async def test_every_reader_tells_the_same_drawdown_after_a_pause_has_ended(tmp_path: Path):
    """From the peak of before these days, whatever pauses there were; the largest is called by another name."""
    async with engine_room(tmp_path) as room:
        await room.enter(1.0)
        for hour, price in ((1, 200), (2, 140), (3, 120), (60, 150)):
            room.clock.to(DAY + 60 * hour)
            await room.books.end_halts(room.clock.now())
            await room.books.mark_to_market(room.clock.now())
            await room.store.transact(
                lambda uow, price=price: uow.account.mark(
                    {Listing("paper", "BTC/USDT"): Decimal(price)}, room.clock.now()
                )
            )
            await room.books.record_equity(room.clock.now())
        (ended,) = await room.events(HaltEnded)
        back = await room.views.recovery(ended.halt_id)
        status, views = await room.views.status(), room.views
        profit, digest, curve = await views.profit(40), await views.latest_digest(), await views.equity_curve(99)
        assert status.drawdown == fall(max(point.equity for point in curve), status.equity)
        assert back.drawdown == status.drawdown
        assert (back.size, back.standing) == (Decimal("0.5"), None)
        assert back.whole_from == Decimal("0.9") * max(point.equity for point in curve)
        told = [profit.drawdown, digest.drawdown, curve[-1].drawdown]
        assert told == [status.drawdown] * 3
        assert await views.store.read(lambda uow: uow.account.portfolio().drawdown) == status.drawdown
        assert StatusRow.of(status, "1").drawdown == status.drawdown
        cards = [account.status(status), account.profit(profit), alerts.digest(digest)]
        assert {dict(card.fields)["Drawdown"] for card in cards} == {"10.00%"}
        assert dict(cards[1].fields)["Largest drawdown in 3 days"] == "16.00%"
        assert (await views.profit(1)).max_drawdown == profit.max_drawdown, "the day began with it"


async def test_profit_of_a_new_account_is_nothing(room: Room):
    profit = await room.views.profit(7)
    assert (profit.net, profit.closed, profit.won, profit.fees) == (0, 0, 0, 0)


async def test_the_running_day_has_figures_before_it_is_over(room: Room):
    with pytest.raises(UnknownId, match="no figures yet"):
        await room.views.latest_digest()
    room.clock.to(DAY + 60)
    await room.books.record_equity(room.clock.now())
    digest = await room.views.latest_digest()
    assert (digest.begins, digest.ends, digest.net) == (at(DAY), at(DAY + 60), 0)


async def test_the_running_day_is_told_at_the_prices_of_now_by_every_reader(tmp_path: Path):
    async with engine_room(tmp_path, RISING) as room:
        await room.enter(1.0, target=30.0)
        for hour in (0, 1):
            room.clock.to(DAY + 60 * hour)
            await room.books.mark_to_market(room.clock.now())
            await room.books.record_equity(room.clock.now())
        room.clock.to(DAY + 119)
        status, digest = await room.views.status(), await room.views.latest_digest()
        (day,), (held,) = (await room.views.profit(1)).days, await room.views.positions()
        closed = await room.store.read(lambda uow: uow.account.portfolio().equity)
    assert held.price > 105
    assert status.equity > closed, "the market has risen since the last candle closed"
    assert digest.equity == status.equity
    assert (digest.net, digest.share) == (status.day_net, status.day_share) == (day.net, day.share)
    assert digest.drawdown == status.drawdown
    assert digest.open_risk == held.position.quantity * (held.price - held.position.stop)


async def test_at_the_moment_a_day_ends_its_figures_are_shown_and_not_those_since_the_beginning(room: Room):
    for day in (2, 3):
        room.clock.to(day * DAY)
        await room.books.record_equity(room.clock.now())
        await room.books.digest(room.clock.now())
    room.clock.to(3 * DAY + 0.5)
    assert (await room.views.latest_digest()).id == "2024-01-03", "half a minute is no day yet"
    room.clock.to(3 * DAY + 60)
    running = await room.views.latest_digest()
    assert (running.id, running.begins) == ("2024-01-04", at(3 * DAY))


async def test_the_curve_begins_with_the_account_ends_now_and_agrees_with_what_profit_tells(tmp_path: Path):
    async with engine_room(tmp_path, RISING) as room:
        with pytest.raises(UnknownId, match="nothing to draw yet"):
            await room.views.curve(30)
        await room.enter(1.0)
        for hour in range(1, 30):
            room.clock.to(DAY + 60 * hour)
            await room.books.mark_to_market(room.clock.now())
            await room.books.record_equity(room.clock.now())
        room.clock.to(DAY + 60 * 29 + 30)
        curve, since = await room.views.curve(30), await room.views.since(at(DAY))
        kept, status = await room.views.equity_curve(99), await room.views.status()
        assert (curve.points[0].at, curve.points[0].equity) == (at(DAY), CASH)
        assert (curve.points[-1].at, curve.points[-1].equity) == (room.clock.now(), status.equity)
        assert curve.points[1:-1] == kept
        assert (curve.net, curve.share, curve.quote) == (since.net, since.share, "USDT")
        assert (curve.max_drawdown, curve.benchmark) == (since.max_drawdown, since.benchmark)
        assert await room.views.benchmark_since(at(DAY)) == since.benchmark not in (None, 0)
        last_day = await room.views.curve(1)
        assert last_day.points[0].at == room.clock.now() - timedelta(days=1)
        assert last_day.points[0].equity == kept[4].equity, "what it was worth then"
