"""Approvals on a real database and the paper venue: one answer, one order, and only on fresh data."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.analysis.quality import DataQualityMonitor, QualityLimits
from engine.domain.approvals import (
    CLAIM_LASTS,
    Approval,
    Claimed,
    Ordered,
    Pending,
    Press,
    Refused,
    Reply,
    Verb,
    Vote,
)
from engine.domain.errors import UnknownId, VenueError
from engine.domain.events import ApprovalAsked, ApprovalChanged, Halted, OrderIntended
from engine.domain.halts import Halt, HaltKind
from engine.domain.judging import Judgement, RiskView
from engine.domain.market import Timeframe
from engine.domain.messages import Person, Role
from engine.domain.orders import Purpose
from engine.domain.plans import TradePlan
from engine.execution.reconcile import reconcile
from engine.flow.approvals import FRESH_FOR
from engine.inputs.stats import KeptStats
from engine.risk.manager import RiskManager
from engine.store.halting import begin_halt
from tests.fakes.engine import DAY, Room, approvals_of, at, engine_room, settled

pytestmark = pytest.mark.usefixtures("each_database")

ASK = Decimal("100.02")
BOB = Person(name="Bob", role=Role.TRADER)


def press(person: str = "Ann", verb: Verb = Verb.APPROVE) -> Press:
    return Press(person=person, verb=verb)


async def claim(room: Room, approval: Approval) -> Approval:
    """What a crash right after the press leaves behind."""
    now = room.clock.now()
    votes = (Vote(person="Ann", half=False, at=now),)
    claimed = replace(approval, state=Claimed(votes=votes, until=now + CLAIM_LASTS), version=approval.version + 1)
    assert await room.store.transact(lambda uow: uow.approvals.swap(approval, claimed))
    return claimed


async def stored(room: Room, approval: Approval) -> Approval:
    return await room.store.read(lambda uow: uow.approvals.get(approval.id))


async def test_a_question_is_written_down_with_its_event(room: Room):
    approval = await room.ask()
    assert await stored(room, approval) == approval
    assert (approval.id, approval.status) == ("A1", "pending")
    assert await room.events(ApprovalAsked) == [ApprovalAsked(at=room.clock.now(), approval_id="A1")]


async def test_a_yes_becomes_one_filled_and_protected_order(room: Room):
    answered = await settled(room.approvals, (await room.ask()).id, press())
    assert answered.reply is Reply.TAKEN
    assert isinstance(answered.approval.state, Ordered)
    assert (answered.approval.state.order_id, answered.approval.state.price) == ("O1", ASK)
    assert await room.orders() == [
        ("entry", "filled", Decimal("10.000")),
        ("protection", "open", Decimal("10.000")),
    ]
    assert [position.quantity for position in await room.held()] == [Decimal(10)]
    assert [order.approval_id for order in await room.views.orders(9)] == ["", "A1"]


async def test_half_buys_half(room: Room):
    await settled(room.approvals, (await room.ask(quantity=Decimal("9.999"))).id, press(verb=Verb.HALF))
    assert [position.quantity for position in await room.held()] == [Decimal("4.999")]


async def test_a_no_trades_nothing_and_keeps_its_reason(room: Room):
    approval = await room.ask()
    answered = await settled(room.approvals, approval.id, Press(person="Ann", verb=Verb.REJECT, reason="news"))
    assert (answered.reply, answered.approval.status) == (Reply.DECLINED, "declined")
    assert await stored(room, approval) == answered.approval
    assert await room.orders() == []


async def test_the_second_answer_is_too_late_whatever_it_says(room: Room):
    approval = await room.ask()
    first = await settled(room.approvals, approval.id, press("Ann"))
    for verb in Verb:
        second = await settled(room.approvals, approval.id, press("Bob", verb))
        assert (second.reply, second.approval) == (Reply.TOO_LATE, first.approval)
    assert len(await room.events(OrderIntended)) == 2  # the entry and its protection


async def test_two_distinct_people_are_needed_where_two_are_asked_for(room: Room):
    approval = await room.ask(votes_needed=2)
    assert (await settled(room.approvals, approval.id, press("Ann"))).reply is Reply.COUNTED
    assert (await settled(room.approvals, approval.id, press("Ann"))).reply is Reply.REPEATED
    assert await room.orders() == []
    last = await settled(room.approvals, approval.id, press("Bob"))
    assert (last.reply, last.approval.status) == (Reply.TAKEN, "ordered")
    changes = [(event.status, event.by) for event in await room.events(ApprovalChanged)]
    assert changes == [("pending", "Ann"), ("claimed", "Bob"), ("ordered", "Bob")]


async def test_two_votes_at_once_are_both_counted(room: Room):
    approval = await room.ask(votes_needed=2)
    answers = await asyncio.gather(*(settled(room.approvals, approval.id, press(name)) for name in ("Ann", "Bob")))
    assert sorted(answer.reply for answer in answers) == sorted([Reply.COUNTED, Reply.TAKEN])
    assert (await stored(room, approval)).status == "ordered"


async def test_of_many_who_press_at_once_one_wins(room: Room):
    approval = await room.ask()
    people = [press(f"P{number}", Verb.HALF if number % 2 else Verb.APPROVE) for number in range(8)]
    answers = await asyncio.gather(*(settled(room.approvals, approval.id, each) for each in people))
    assert sorted(answer.reply for answer in answers) == sorted([Reply.TAKEN] + [Reply.TOO_LATE] * 7)
    assert [purpose for purpose, _, _ in await room.orders()] == ["entry", "protection"]


async def test_a_yes_and_a_no_at_once_leave_one_of_them(room: Room):
    approval = await room.ask()
    answers = await asyncio.gather(
        settled(room.approvals, approval.id, press("Ann")),
        settled(room.approvals, approval.id, press("Bob", Verb.REJECT)),
    )
    assert sorted(answer.reply for answer in answers) in (
        sorted([Reply.TAKEN, Reply.TOO_LATE]),
        sorted([Reply.DECLINED, Reply.TOO_LATE]),
    )
    final = await stored(room, approval)
    assert len(await room.held()) == (final.status == "ordered")


async def test_two_processes_on_one_database_make_one_order(tmp_path: Path):
    async with engine_room(tmp_path) as one, engine_room(tmp_path) as other:
        approval = await one.ask()
        answers = await asyncio.gather(
            *(settled(each.approvals, approval.id, press(f"P{number}")) for number in range(3) for each in (one, other))
        )
        assert [answer.reply for answer in answers].count(Reply.TAKEN) == 1
        assert [purpose for purpose, _, _ in await one.orders()] == ["entry", "protection"]


async def test_nobody_answers_what_was_never_asked(room: Room):
    with pytest.raises(UnknownId, match="no approval A99"):
        await settled(room.approvals, "A99", press())


async def test_silence_trades_nothing(room: Room):
    approval = await room.ask(minutes=15)
    assert await room.approvals.next_deadline() == at(DAY + 15)
    room.clock.to(DAY + 14)
    await room.approvals.advance_open()
    assert (await stored(room, approval)).status == "pending"
    room.clock.to(DAY + 15)
    await room.approvals.advance_open()
    assert (await stored(room, approval)).status == "expired"
    assert (await settled(room.approvals, approval.id, press())).reply is Reply.TOO_LATE
    assert await room.orders() == []
    assert await room.approvals.next_deadline() is None


async def test_a_press_after_the_time_is_too_late_even_before_anybody_noticed(room: Room):
    approval = await room.ask(minutes=15)
    room.clock.to(DAY + 15)
    answered = await settled(room.approvals, approval.id, press())
    assert (answered.reply, answered.approval.status) == (Reply.TOO_LATE, "expired")


async def test_a_price_that_ran_away_is_refused_with_both_figures(room: Room):
    approval = await room.ask(price=Decimal("98.50"))
    answered = await settled(room.approvals, approval.id, press())
    assert answered.reply is Reply.TAKEN
    assert isinstance(answered.approval.state, Refused)
    assert answered.approval.state.price == ASK
    assert answered.approval.state.reasons == ("the price moved by +1.54% since it was asked; 1.00% is allowed",)
    assert await room.orders() == []


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.HALF])
async def test_a_yes_during_a_pause_changes_nothing_and_after_it_makes_one_order(room: Room, verb: Verb):
    approval = await room.ask()
    pause = (await room.desk.pause(BOB, None)).holds
    stopped = await settled(room.approvals, approval.id, press(verb=verb))
    assert (stopped.reply, stopped.halt, stopped.approval) == (Reply.HALTED, pause, approval)
    assert await stored(room, approval) == approval
    assert await room.events(ApprovalChanged) == []
    await room.desk.resume(BOB)
    assert (await settled(room.approvals, approval.id, press(verb=verb))).approval.status == "ordered"
    assert [purpose for purpose, _, _ in await room.orders()] == ["entry", "protection"]


async def test_a_no_during_a_pause_counts(room: Room):
    approval = await room.ask()
    await room.desk.pause(BOB, None)
    assert (await settled(room.approvals, approval.id, press(verb=Verb.REJECT))).approval.status == "declined"


async def test_a_question_about_another_market_is_answered_while_one_is_halted(room: Room):
    approval, now = await room.ask(), room.clock.now()
    halts = [Halt(kind=HaltKind.DATA, reason="a spike", since=now, symbol=name) for name in ("ETH/USDT", "BTC/USDT")]
    await room.store.transact(lambda uow: begin_halt(uow, halts[0]))
    assert await room.store.read(lambda uow: uow.halts.blocking(approval.plan.listing, now)) is None
    await room.store.transact(lambda uow: begin_halt(uow, halts[1]))
    assert (await settled(room.approvals, approval.id, press())).reply is Reply.HALTED
    assert [event.approvals for event in await room.events(Halted)] == [(), ("A1",)]


async def test_of_several_halts_the_answer_names_the_one_that_lasts_longest(room: Room):
    approval = await room.ask()
    await room.desk.pause(BOB, at(DAY + 60))
    reason, since = "drawdown 10.1% has reached the limit of 10.0%", room.clock.now()
    longer = Halt(kind=HaltKind.DRAWDOWN, reason=reason, since=since, until=at(DAY + 90))
    await room.store.transact(lambda uow: begin_halt(uow, longer))
    answered = await settled(room.approvals, approval.id, press())
    assert answered.halt is not None
    assert answered.halt.halt == longer


async def test_whoever_pauses_while_a_yes_is_judged_leaves_the_question_open(room: Room):
    approval = await room.ask()

    async def pause() -> None:
        await room.desk.pause(BOB, None)

    room.venue.meanwhile = pause
    answered = await settled(room.approvals, approval.id, press())
    assert (answered.reply, answered.approval.state) == (Reply.HALTED, Pending())
    assert await room.orders() == []
    await room.desk.resume(BOB)
    assert (await settled(room.approvals, approval.id, press())).approval.status == "ordered"


async def test_whoever_calls_the_emergency_stop_while_a_yes_is_judged_has_it_refused(room: Room):
    approval = await room.ask()

    async def stop() -> None:
        await room.desk.emergency.call("Ann")

    room.venue.meanwhile = stop
    answered = await settled(room.approvals, approval.id, press())
    assert isinstance(answered.approval.state, Refused)
    assert answered.approval.state.reasons == ("Ann called the emergency stop",)


async def test_a_claim_found_at_a_restart_during_a_pause_is_given_back(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        approval = await before.ask()
        await claim(before, approval)
        await before.desk.pause(BOB, None)
    async with engine_room(tmp_path, minutes=DAY + 1) as after:
        await after.approvals.recover()
        assert (await stored(after, approval)).state == Pending()
        assert await after.orders() == []
        await after.desk.resume(BOB)
        assert (await settled(after.approvals, approval.id, press())).approval.status == "ordered"


async def test_it_is_judged_on_the_account_of_now(room: Room):
    """The first answer takes most of what one coin may be worth; the second gets what is left, the third nothing."""
    asked = [await room.ask(quantity=Decimal(20), context=name) for name in ("one", "two", "three")]
    answered = [await settled(room.approvals, approval.id, press()) for approval in asked]
    entries = [quantity for purpose, _, quantity in await room.orders() if purpose == "entry"]
    assert entries[0] == Decimal(20)
    assert Decimal(4) < entries[1] <= Decimal(5)
    assert [each.approval.status for each in answered] == ["ordered", "ordered", "refused"]
    assert "T1 (one) holds" in str(answered[2].approval.state)


@pytest.mark.parametrize("trouble", [VenueError("it is closed for the night"), TimeoutError()])
async def test_without_a_fresh_price_the_question_is_given_back(room: Room, trouble: VenueError | TimeoutError):
    approval = await room.ask()
    room.venue.deaf = trouble
    answered = await settled(room.approvals, approval.id, press())
    assert answered.approval.state == Pending()
    assert await room.orders() == []
    room.venue.deaf = None
    again = await settled(room.approvals, approval.id, press())
    assert (again.reply, again.approval.status) == (Reply.TAKEN, "ordered")


async def test_whoever_slept_on_a_fresh_price_gives_the_question_back(room: Room):
    """The process was stopped, or the machine slept, between the price and the ruling."""
    approval = await room.ask()
    room.venue.thinks = FRESH_FOR + timedelta(seconds=1)
    answered = await settled(room.approvals, approval.id, press())
    assert answered.approval.state == Pending()
    assert await room.orders() == []


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(VenueError("it is closed for the night"), "closed for the night"), (TimeoutError(), "did not answer in time")],
)
async def test_a_claim_without_a_price_that_runs_out_is_refused_and_says_why(
    room: Room, trouble: VenueError | TimeoutError, words: str
):
    approval = await room.ask(minutes=1)
    await claim(room, approval)
    room.venue.deaf, room.venue.thinks = trouble, timedelta(minutes=1)
    await room.approvals.recover()
    after = (await stored(room, approval)).state
    assert isinstance(after, Refused)
    assert words in after.reasons[0]


async def test_a_claim_found_at_restart_is_judged_again(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        approval = await before.ask()
        await claim(before, approval)
    async with engine_room(tmp_path, minutes=DAY + 1) as after:
        await after.approvals.recover()
        assert (await stored(after, approval)).status == "ordered"
        assert (await after.orders())[0] == ("entry", "filled", Decimal(10))


async def test_a_claim_found_after_the_time_was_up_is_refused(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        approval = await before.ask()
        await claim(before, approval)
    async with engine_room(tmp_path, minutes=DAY + 60) as after:
        await after.approvals.recover()
        assert (await stored(after, approval)).status == "refused"
        assert await after.orders() == []


async def test_a_claim_whose_judge_died_is_taken_over_by_the_next_tick(room: Room):
    approval = await claim(room, await room.ask())
    assert await room.approvals.next_deadline() == room.clock.now() + CLAIM_LASTS
    await room.approvals.advance_open()
    assert await stored(room, approval) == approval
    room.clock.at += CLAIM_LASTS
    await room.approvals.advance_open()
    await room.approvals.finished()
    assert (await stored(room, approval)).status == "ordered"


async def test_what_expires_does_so_at_its_time_while_a_venue_is_slow_about_another(room: Room):
    claimed, other = await claim(room, await room.ask(minutes=60)), await room.ask(minutes=1)
    room.clock.at += timedelta(minutes=1)
    room.venue.hangs = "book"
    await asyncio.wait_for(room.approvals.advance_open(), 2)
    assert ((await stored(room, other)).status, room.approvals.busy) == ("expired", True)
    room.venue.answers.set()
    await room.approvals.finished()
    assert (await stored(room, claimed)).status == "ordered"


async def test_a_judge_who_was_too_slow_leaves_the_order_of_the_one_who_took_over(room: Room):
    approval, other = await room.ask(), approvals_of(room.services)

    async def take_over() -> None:
        await other.advance_open()
        await other.finished()

    room.venue.meanwhile, room.venue.thinks = take_over, CLAIM_LASTS
    answered = await settled(room.approvals, approval.id, press())
    assert answered.approval.status == "ordered"
    assert [event.status for event in await room.events(ApprovalChanged)] == ["claimed", "claimed", "ordered"]
    assert [purpose for purpose, _, _ in await room.orders()] == ["entry", "protection"]


async def test_it_is_judged_and_written_down_at_the_price_of_now(room: Room):
    """At the price it was asked at, 25 would fit into a quarter of the account."""
    approval = await room.ask(quantity=Decimal(25), price=Decimal(100))
    await settled(room.approvals, approval.id, press())
    order = await room.store.read(lambda uow: uow.orders.get("O1"))
    assert (order.price, order.request.quantity) == (ASK, Decimal("24.995"))


async def test_a_restart_leaves_open_questions_open(room: Room):
    approval = await room.ask()
    await room.approvals.recover()
    assert await stored(room, approval) == approval


async def test_an_order_that_the_venue_refuses_is_told_and_not_tried_again(room: Room):
    approval = await room.ask()
    room.venue.refuses = (Purpose.ENTRY,)
    answered = await settled(room.approvals, approval.id, press())
    assert answered.approval.status == "ordered"
    assert [(order.status, order.reason) for order in await room.views.orders(9)] == [("rejected", "not today")]
    assert (await settled(room.approvals, approval.id, press("Bob"))).reply is Reply.TOO_LATE
    assert await room.held() == ()


async def test_while_an_answer_is_carried_out_it_says_so(room: Room):
    service = approvals_of(room.services)
    answering = asyncio.create_task(service.answer((await room.ask()).id, press()))
    await asyncio.sleep(0)
    assert service.busy
    await answering
    await service.finished()
    assert not service.busy
    assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
        ("entry", "filled"),
        ("protection", "open"),
    ]


async def test_a_press_returns_once_its_intent_is_committed_whatever_the_venue_does(room: Room):
    approval = await room.ask()
    room.venue.hangs = "submit"
    answered = await asyncio.wait_for(room.approvals.answer(approval.id, press()), 2)
    assert isinstance(answered.approval.state, Ordered)
    (order,) = await room.views.orders(9)
    assert order.status.value in ("intent", "sent")
    assert room.approvals.busy
    room.venue.answers.set()
    await room.approvals.finished()
    assert [position.is_open for position in await room.held()] == [True]


async def test_stopped_while_the_venue_hangs_the_next_start_asks_for_the_order(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        room.venue.hangs = "submit"
        await room.approvals.answer((await room.ask()).id, press())
        await room.approvals.stop(within=0.1)
        assert not room.approvals.busy
    async with engine_room(tmp_path) as room:
        assert await reconcile(room.store, room.orchestrator) == 1
        room.clock.at += timedelta(minutes=1)
        await room.orchestrator.look_again()
        assert [status for _, status, _ in await room.orders()] == ["rejected"]
        assert await room.held() == ()


async def test_at_the_press_a_clock_that_is_wrong_refuses(tmp_path: Path):
    reasons, reason = dict[str, str](), "this machine's clock is 10 min behind binance's"
    async with engine_room(tmp_path, no_entry=lambda context: reasons.get(context, "")) as room:
        first, second = await room.ask(), await room.ask()
        reasons[first.plan.context] = reason
        refused = (await settled(room.approvals, first.id, press())).approval
        assert isinstance(refused.state, Refused)
        assert reason in str(refused.state)
        assert await room.orders() == []
        reasons.clear()
        assert isinstance((await settled(room.approvals, second.id, press())).approval.state, Ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noting(RiskManager):
    """Judges, and notes what it was shown."""

    views: list[RiskView] = field(default_factory=list)

    def judge(self, plan: TradePlan, view: RiskView) -> Judgement:
        self.views.append(view)
        return RiskManager.judge(self, plan, view)


async def test_a_press_is_judged_by_the_figures_of_the_last_cycle_as_the_cycle_is(room: Room):
    """Seen: the press was judged without the ATR."""
    risk = Noting(limits=room.services.risk.limits)
    room.services = replace(room.services, risk=risk)
    await room.enter(confidence=0.6)
    (approval,) = await room.store.read(lambda uow: uow.approvals.open())
    await settled(approvals_of(room.services), approval.id, press())
    by_cycle, by_press = (view.stats for view in risk.views)
    assert by_cycle is not None
    assert by_press is not None
    assert by_press.atr == by_cycle.atr == room.services.frames["paper", "BTC/USDT"][Timeframe.H1].signals.atr
    assert by_press.atr is not None
    assert (by_press.as_of, by_press.volatility) == (by_cycle.as_of, by_cycle.volatility)


@pytest.mark.parametrize(("seen", "reason"), [(True, "are 3 hours old; 2 hours are allowed"), (False, "are missing")])
async def test_on_figures_that_are_missing_or_old_nothing_is_bought(room: Room, seen: bool, reason: str):  # noqa: FBT001
    """The candles of now are no longer good."""
    await room.cycle()
    refusing = DataQualityMonitor(limits=QualityLimits(min_candles=1000))
    stats = KeptStats(market_data={"paper": room.venue}, quality=refusing, clock=room.clock)
    if seen:
        stats.measure("paper", room.services.frames["paper", "BTC/USDT"][Timeframe.H1])
    approval = await room.ask(minutes=600)
    room.clock.at += timedelta(hours=3)
    answered = await settled(approvals_of(replace(room.services, stats=stats)), approval.id, press())
    assert isinstance(answered.approval.state, Refused)
    assert f"the risk figures of BTC/USDT {reason}" in answered.approval.state.reasons[0]
    assert await room.orders() == []


async def test_after_a_start_a_press_is_judged_by_candles_asked_for_anew(room: Room):
    approval = await room.ask()
    asked = room.venue.candles_asked
    assert isinstance((await settled(room.approvals, approval.id, press())).approval.state, Ordered)
    assert room.venue.candles_asked == asked + 1


async def test_where_these_cannot_be_had_the_approval_stays_open(room: Room):
    approval = await room.ask()
    room.venue.blind = VenueError("The venue is away.")
    answered = await settled(room.approvals, approval.id, press())
    assert isinstance(answered.approval.state, Pending)
