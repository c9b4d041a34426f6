"""The emergency stop: called once, it goes on through a storm of 503 and a restart until nothing is left (fault 30)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Reply, Verb
from engine.domain.errors import BadInput, NotAllowed, SaleRefused, StoreError, VenueError
from engine.domain.events import EmergencyProgressed
from engine.domain.messages import CardKind, Destination, Person, Role
from engine.domain.orders import OrderRequest, OrderType, Purpose, Side
from engine.execution.doubts import LATE_SALE_WITHIN
from engine.execution.emergency import DONE, LONGEST_PAUSE, EmergencyStopSystem
from engine.execution.orders import intend
from engine.execution.reconcile import agree
from engine.execution.retries import LONGEST_PAUSE as LONGEST
from engine.execution.retries import pause_after
from engine.store.database import Database
from handlers.notifications import Notifications
from handlers.topics import routes
from tests.auditor import check_conservation
from tests.fakes.command_line import bot, question_in
from tests.fakes.database import execute, url_of
from tests.fakes.engine import DAY, Room, engine_room, settled
from tests.fakes.feed import BTC
from tests.fakes.program import CHAT, browser, running, settings_of, write_config
from tests.fakes.reports import plan
from tests.fakes.three_platforms import CHANNEL, TEAM, everywhere

ADA, TOM = Person(name="Ada", role=Role.ADMIN), Person(name="Tom", role=Role.TRADER)
ROUTE = routes({Destination(platform="web", address="room"): tuple(CardKind)})
ENOUGH = 200
TOMS = 1001
"""The private chat with Tom."""
THIN = (100, 101, 99, 100, 1000)
"""A candle whose book takes 4 BTC a level: what is more waits for the price to turn."""


class Over(Exception):
    """Nothing is left, or it took too long."""


async def carry_out(room: Room, most: int = ENOUGH) -> list[float]:
    """Let an emergency stop that was called run until nothing is left, or so often; its pauses in seconds."""
    pauses: list[float] = []

    async def wait(seconds: float) -> None:
        pauses.append(seconds)
        room.clock.at += timedelta(seconds=seconds) if seconds > 1 else timedelta(minutes=10)
        if len(pauses) > most or (await state(room)) == DONE:
            raise Over

    system = EmergencyStopSystem(store=room.store, orchestrator=room.orchestrator, clock=room.clock, wait=wait)
    with pytest.raises(Over):
        await system.run()
    return pauses


async def times(room: Room, purpose: Purpose) -> list[datetime]:
    """When the orders for a purpose were written down, oldest first."""
    orders = await room.store.read(lambda uow: uow.orders.of_position("T1"))
    return [order.created_at for order in orders if order.purpose is purpose]


async def call(room: Room) -> str:
    """Call it, and do nothing else yet."""
    return await room.desk.emergency.call("Ada")


async def state(room: Room) -> str:
    halt_id = await room.desk.emergency.standing()
    return (await room.views.emergency(halt_id)).note


async def busy(room: Room) -> None:
    """Something held with its stop, and an order that still waits to buy."""
    await room.enter()
    big = plan(key="big", symbol=BTC.symbol, quantity=Decimal(60), price=Decimal(100), stop=Decimal(90))
    await room.orchestrator.send(
        await room.store.transact(lambda uow: intend(uow, big, room.clock.now(), decision_id="D9"))
    )
    left = await room.views.exposed()
    assert (len(left.entries), len(left.positions)) == (1, 2)


async def must_be_over(room: Room, folder: Path) -> None:
    assert await room.held() == ()
    assert [view.id for view in await room.views.orders(99) if not view.status.final] == []
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
    assert check_conservation(folder / "venue.sqlite") == []
    assert await state(room) == DONE


async def test_everything_is_taken_back_and_sold(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await busy(room)
        await call(room)
        await carry_out(room)
        await must_be_over(room, tmp_path)
        view = await room.views.emergency("H1")
        assert [(closed.closed_by, closed.closed_by_person) for closed in view.closed] == [("emergency", "Ada")] * 2


@pytest.mark.parametrize("storm", [1, 13, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 5, 8, 40))])
async def test_a_storm_of_503_only_delays_it(tmp_path: Path, storm: int):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await busy(room)
        await call(room)
        room.venue.storm = storm
        pauses = await carry_out(room)
        await must_be_over(room, tmp_path)
        assert len(await room.events(EmergencyProgressed)) > 1
        assert max(pauses) <= LONGEST_PAUSE
        refused = [view for view in await room.views.orders(99) if view.reason.startswith("not sent")]
        assert len(refused) <= 2, "no sale is written down for each try that could not even begin"
        if storm > 30:
            assert pauses[:6] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]


async def test_a_stop_stays_while_its_market_has_no_price_and_the_card_says_so(tmp_path: Path):
    """Seen: a cancelled OCO, a refused sale and a new OCO each second, and unprotected in between."""
    eth = replace(BTC, symbol="ETH/USDT")
    rows = {"BTC/USDT": (THIN,) * 60, "ETH/USDT": (THIN,) * 24}
    async with engine_room(tmp_path, rows, markets=(BTC, eth)) as room:
        await room.enter()
        assert [held.symbol for held in await room.held()] == ["BTC/USDT", "ETH/USDT"]
        room.clock.to(DAY + 60)
        await call(room)
        pauses = await carry_out(room, most=12)
        assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, *[30.0] * 8]
        assert [held.symbol for held in await room.held()] == ["ETH/USDT"]
        (view,) = await room.views.positions()
        assert view.protected
        of_it = await room.store.read(lambda uow: uow.orders.of_position(view.position.id))
        assert [(order.purpose, order.status) for order in of_it] == [("entry", "filled"), ("protection", "open")]
        card = await Notifications(room.views).card("emergency:H1")
        assert dict(card.fields)["State"].startswith("T2 ETH/USDT: ETH/USDT has no price at")
        assert dict(card.fields)["State"].endswith("tried again in 30 s")


@pytest.mark.slow
async def test_a_venue_that_refuses_the_sale_is_asked_less_and_less_often(tmp_path: Path):
    """Seen: the stop cancelled and placed again every 30 seconds, for as long as the venue refused."""
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await room.enter()
        await call(room)
        room.venue.refuses = (Purpose.EXIT,)
        begun = room.clock.now()
        pauses = await carry_out(room, most=250)
        assert pauses[:6] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
        assert room.clock.now() - begun > timedelta(hours=2)
        refused = await times(room, Purpose.EXIT)
        assert len(refused) <= 14, "ten seconds, doubled up to half an hour"
        assert all(after - before >= pause_after(n) for n, (before, after) in enumerate(pairwise(refused), start=1))
        assert len(await times(room, Purpose.PROTECTION)) == len(refused) + 1
        assert [view.protected for view in await room.views.positions()] == [True]
        again = f"{refused[-1] + pause_after(len(refused)):%Y-%m-%d %H:%M:%S} UTC"
        assert await state(room) == f"T1 BTC/USDT: the venue refuses the sale: not today; asked again at {again}"
        assert len(await room.events(EmergencyProgressed)) == len(refused), "the card changes where something does"
        room.venue.refuses = ()
        room.clock.at += LONGEST
        await carry_out(room)
        await must_be_over(room, tmp_path)


async def test_a_stop_stays_where_the_venue_would_refuse_the_sale(tmp_path: Path):
    """What is worth less than the least that is traded is taken only as all of the coin that is held."""
    rows = ((100, 101, 99, 100, 10_000),) * 25 + ((60, 61, 59, 60, 10_000),) * 24
    async with engine_room(tmp_path, rows) as room:
        for context, quantity in (("dust", "0.15"), ("big", "10")):
            bought = plan(
                key=context, context=context, quantity=Decimal(quantity), stop=Decimal(50), target=Decimal(150)
            )
            order = await room.store.transact(
                lambda uow, bought=bought: intend(uow, bought, room.clock.now(), decision_id="D9")
            )
            await room.orchestrator.send(order)
        room.clock.to(DAY + 90)
        await call(room)
        await carry_out(room)
        await must_be_over(room, tmp_path)
        of_it = await room.store.read(lambda uow: uow.orders.of_position("T1"))
        assert [(order.purpose, order.status) for order in of_it] == [
            ("entry", "filled"),
            ("protection", "cancelled"),
            ("exit", "filled"),
        ]
        notes = [event.note for event in await room.events(EmergencyProgressed)]
        least = "the venue would refuse the sale: it is worth less than the least that is traded, 10 USDT"
        assert notes[0] == f"T1 BTC/USDT: {least}; tried again in 1 s"


async def test_it_waits_for_no_pause_from_before_it_was_called(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await room.enter()
        room.venue.refuses = (Purpose.EXIT,)
        for _ in range(8):
            with pytest.raises(SaleRefused):
                await room.orchestrator.sell("T1")
            room.clock.at += LONGEST
        with pytest.raises(SaleRefused):
            await room.orchestrator.sell("T1")
        room.clock.at += timedelta(seconds=1)
        room.venue.refuses = ()
        await call(room)
        await carry_out(room)
        await must_be_over(room, tmp_path)


async def test_sales_that_are_lost_on_the_way_wait_longer_each_time_too(tmp_path: Path):
    """Each has taken the stop back, which is placed again as soon as the venue does not know the sale."""
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await room.enter()
        await call(room)
        room.venue.loses_sales = True
        await carry_out(room, most=60)
        lost = await times(room, Purpose.EXIT)
        assert 3 < len(lost) <= 10
        assert [view.protected for view in await room.views.positions()] == [True]
        assert "T1 BTC/USDT: the venue refuses the sale: it never reached the venue" in await state(room)
        room.venue.loses_sales = False
        room.clock.at += LONGEST
        await carry_out(room)
        await must_be_over(room, tmp_path)


async def test_the_venue_is_left_alone_for_as_long_as_it_asks(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await busy(room)
        await call(room)
        room.venue.storm, room.venue.retry_after, room.venue.called_at = 3, 17.0, []
        await carry_out(room)
        failed = room.venue.called_at[:4]
        assert [(after - before).total_seconds() for before, after in pairwise(failed)] == [17.0, 17.0, 17.0]
        await must_be_over(room, tmp_path)


async def test_the_halt_is_written_before_the_venue_is_asked_for_anything(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await busy(room)
        room.venue.storm, room.venue.called_at = 10**6, []
        await room.desk.stop_everything(ADA)
        assert room.venue.called_at == []
        assert [found.halt.kind for found in (await room.views.status()).halts] == ["emergency"]
        await room.desk.emergency.stop()


async def test_it_is_gone_on_with_after_a_restart_and_entries_stay_refused(tmp_path: Path):
    rows = (THIN,) * 60
    async with engine_room(tmp_path, rows) as room:
        await busy(room)
        room.venue.storm = 10**6
        await room.desk.stop_everything(ADA)
        async with asyncio.timeout(10):
            while "503" not in await state(room):  # noqa: ASYNC110 - read from outside
                await asyncio.sleep(0.01)
    async with engine_room(tmp_path, rows, minutes=DAY + 1) as room:
        assert await room.desk.emergency.standing() == "H1"
        await carry_out(room)
        await must_be_over(room, tmp_path)
        room.clock.to(DAY + 60)
        record = await room.enter()
        assert record.decisions[-1].ruling.reasons == ("Ada called the emergency stop",)
        assert await room.held() == ()


async def test_an_order_that_was_written_down_and_not_sent_is_never_sent(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        ready = plan(key="ready", symbol=BTC.symbol, quantity=Decimal(1), price=Decimal(100), stop=Decimal(90))
        order = await room.store.transact(lambda uow: intend(uow, ready, room.clock.now(), decision_id="D9"))
        await call(room)
        await room.orchestrator.send(order)
        (view,) = await room.views.orders(9)
        assert (view.status, view.reason) == ("rejected", "not sent: Ada called the emergency stop")
        await carry_out(room)
        assert (await room.venue.events(None)).events == ()


async def test_open_questions_are_answered_with_no(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        asked = await room.ask()
        await room.desk.stop_everything(ADA)
        answered = await settled(room.approvals, asked.id, Press(person="Tom", verb=Verb.APPROVE))
        assert answered.reply is Reply.TOO_LATE
        assert (answered.approval.status, answered.approval.state.by) == ("declined", "the emergency stop")
        assert (await room.venue.events(None)).events == ()


async def test_it_is_begun_even_where_the_questions_cannot_be_answered(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        await room.ask()
        written, transact = [], room.store.transact

        class Failing(Database):
            async def transact(self, work):
                written.append(work)
                if len(written) > 1:  # the halt is kept
                    raise StoreError("The disk is full.", "Make room.")
                return await transact(work)

        room.store.__class__ = Failing
        with pytest.raises(StoreError):
            await room.desk.stop_everything(ADA)
        room.store.__class__ = Database
        async with asyncio.timeout(10):
            while await room.held():  # noqa: ASYNC110 - read from outside
                await asyncio.sleep(0.01)


async def test_a_question_that_is_being_judged_is_refused(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        asked = await room.ask()
        room.venue.meanwhile = lambda: room.desk.stop_everything(ADA)
        answered = await settled(room.approvals, asked.id, Press(person="Tom", verb=Verb.APPROVE))
        assert answered.approval.status == "refused"
        assert answered.approval.state.reasons == ("Ada called the emergency stop",)


async def test_what_turns_up_late_is_sold_too(tmp_path: Path):
    """An order whose answer was lost, which the venue did not know when asked, and which arrives after all."""
    async with engine_room(tmp_path) as room:
        late = plan(key="late", symbol=BTC.symbol, quantity=Decimal(1), price=Decimal(100), stop=Decimal(90))
        room.venue.loses = "request"
        order = await room.store.transact(lambda uow: intend(uow, late, room.clock.now(), decision_id="D9"))
        await room.orchestrator.send(order)
        room.venue.loses = ""
        await call(room)
        await carry_out(room)
        await room.venue.submit(order.request)
        await room.orchestrator.sync_venue_events()
        assert len(await room.held()) == 1
        await room.store.transact(lambda uow: uow.settings.set("emergency.H1", "more to do"))
        await carry_out(room)
        await must_be_over(room, tmp_path)


async def test_what_somebody_buys_by_hand_afterwards_is_theirs(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await call(room)
        await carry_out(room)
        room.clock.at += timedelta(seconds=5)
        hand = OrderRequest(
            venue="paper",
            client_id="hand",
            symbol=BTC.symbol,
            side=Side.BUY,
            type=OrderType.MARKET,
            quantity=Decimal(1),
        )
        await room.venue.submit(hand)
        await room.orchestrator.sync_venue_events()
        await carry_out(room)
        assert [held.context for held in await room.held()] == ["external"]


async def test_a_second_call_changes_nothing(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        assert await call(room) == await call(room) == "H1"


async def test_only_an_admin_ends_it(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await call(room)
        with pytest.raises(NotAllowed, match="only an admin"):
            await room.desk.resume(TOM)
        assert await room.desk.emergency.standing() == "H1"
        with pytest.raises(BadInput, match="ends with a reason only"):
            await room.desk.resume(ADA)
        assert await room.desk.emergency.standing() == "H1"
        await room.desk.resume(ADA, "the venue works again")
        assert await room.desk.emergency.standing() == ""
        await asyncio.wait_for(room.desk.emergency.run(), 5)


async def test_nothing_more_is_sold_once_an_admin_has_ended_it(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await busy(room)
        await call(room)
        # Between the first sale and the second; by hand, as nobody else's turn comes there for certain.
        room.venue.on_taken = lambda: execute(url_of(tmp_path), "UPDATE halts SET status = 'ended', ended_at = since")
        await asyncio.wait_for(room.desk.emergency.run(), 30)
        sold = [view for view in await room.views.orders(99) if view.purpose is Purpose.EXIT]
        assert len(sold) == 1
        assert len(await room.held()) == 1


async def test_it_has_one_card_that_is_edited_as_it_goes_on(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60, route=ROUTE) as room:
        await busy(room)
        await call(room)
        cards = Notifications(room.views)
        begun = await cards.card("emergency:H1")
        room.venue.storm = 5
        await carry_out(room)
        done = await cards.card("emergency:H1")
        await room.desk.resume(ADA, "the venue works again")
        over = await cards.card("emergency:H1")
        assert [card.title.partition(":")[0] for card in (begun, done, over)] == [
            "EMERGENCY STOP",
            "EMERGENCY STOP",
            "The emergency stop is over",
        ]
        assert [card.alarm for card in (begun, done, over)] == [True, True, False]
        assert (await room.views.emergency("H1")).note == "over"
        assert dict(over.fields)["Ended because"] == "the venue works again"
        assert dict(begun.fields)["Positions to sell"].startswith("T1, ")
        assert (dict(done.fields)["State"], dict(done.fields)["Positions to sell"]) == (DONE, "none")
        due = [s.topic for s in await room.store.read(lambda uow: uow.outbox.due())]
        assert [topic for topic in due if topic.startswith(("emergency", "halt"))] == ["emergency:H1"]


async def test_a_venue_that_is_down_is_looked_at_again_soon_and_not_at_the_next_candle(tmp_path: Path):
    """Without an emergency too: a stop that could not be placed is placed once the venue answers."""
    async with engine_room(tmp_path) as room:
        room.venue.loses_ocos = True
        await room.enter()
        assert await room.orchestrator.next_look() <= room.clock.now() + LATE_SALE_WITHIN
        room.venue.storm, room.venue.loses_ocos = 1, False
        room.clock.at += LATE_SALE_WITHIN
        with pytest.raises(VenueError):
            await room.orchestrator.look_again()
        assert await room.orchestrator.next_look() is not None
        await room.orchestrator.look_again()
        assert [view.protected for view in await room.views.positions()] == [True]
        later = await room.orchestrator.next_look()
        assert later == room.clock.now() + timedelta(seconds=10), "the request that was lost may still arrive"
        room.clock.at = later
        await room.orchestrator.look_again()
        assert await room.orchestrator.next_look() is None


async def test_the_command_line_asks_the_running_bot_and_a_restart_goes_on(tmp_path: Path):
    settings = settings_of(tmp_path)
    config = ("--config", str(write_config(tmp_path)))
    async with running(settings) as app, browser(app, "p1") as page:
        asked = await question_in(page)
        shown = await asyncio.to_thread(bot, tmp_path, "emergency", *config)
        assert (shown.returncode, "Nothing was done" in shown.stdout) == (0, True)
        assert "Open approvals: 1" in shown.stdout
        done = await asyncio.to_thread(bot, tmp_path, "emergency", "--now", *config)
        assert (done.returncode, "H1 stands" in done.stdout) == (0, True)
        later = await asyncio.to_thread(bot, tmp_path, "emergency", *config)
        assert (later.returncode, "H1 stands since" in later.stdout, "Nothing was done" in later.stdout) == (
            0,
            True,
            False,
        )
        assert (await page.post(f"/api/approvals/{asked}/approve", json={})).status_code == 409
    lines: list[str] = []
    async with running(settings, announce=lines.append) as app:
        assert await app.program.engine.emergency.standing() == "H1"
        assert [line for line in lines if "emergency stop (H1) stands" in line]
    nobody = await asyncio.to_thread(bot, tmp_path, "emergency", "--now", *config)
    assert (nobody.returncode, "is running here" in nobody.stderr) == (1, True)


async def test_the_answers_to_whoever_has_called_it_or_asked_end_when_it_does(tmp_path: Path) -> None:
    """On each platform, in a group, in a thread and in private, also after a restart."""
    people = tuple({**each, "role": "admin"} for each in TEAM)

    def shown() -> list[str]:
        telegram = [text for chat in (CHAT, TOMS) for text in at.telegram.texts(chat)]
        slack = [
            m.text for place in (CHANNEL, "D0SUE") for m in at.slack.messages(place) if m.is_bots and not m.only_for
        ]
        found = [*telegram, *slack, *at.pages["Ann"].titles]
        return [text.partition("\n")[0] for text in found if "emergency stop" in text.partition("\n")[0].lower()]

    def count(*words: str) -> int:
        return sum(any(each in title for each in words) for title in shown())

    async with everywhere(tmp_path, people=people) as at:
        at.telegram.chat(TOMS)
        async with at.running():
            for text in ("/emergency now", "/emergency"):
                await at.write("web", "Ann", text)
                await at.write("telegram", "Tom", text)
                at.slacker("Sue").mention(text.removeprefix("/"), CHANNEL)
            await at.until(lambda: count("The emergency stop as of") == 6)
            assert count("EMERGENCY STOP: no new entries") == 3
            at.slacker("Sue").command("emergency", CHANNEL)
            await at.until(lambda: any("stays as it is" in m.text for m in at.slack.messages(CHANNEL) if m.only_for))
        async with at.running():
            await at.write("web", "Ann", "/resume the venue works again")
            await at.until(lambda: count("The emergency stop is over") == 9)
            assert count("The emergency stop as of", "The emergency stop is called", "EMERGENCY STOP") == 0
        assert at.files.complaints() == []
        assert at.slack.at.complaints == []
