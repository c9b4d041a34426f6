"""A proposal that somebody thinks about: what is begun meanwhile, what is added, what is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.autonomy import AskHuman, Execute, Refuse, Ruling
from engine.domain.decision_views import Why
from engine.domain.decisions import Judged, Opinion, Stance, Tier, Verdict
from engine.domain.errors import VenueError
from engine.domain.events import PositionClosed, ProtectionMoved
from engine.domain.orders import Purpose
from engine.domain.plans import Entry, Then, TradePlan
from engine.domain.proposals import FastTier, Proposal
from engine.flow.panel_rounds import RESUMED_WITHIN, PanelRounds
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContexts
from tests.fakes.engine import DAY, QUIET, Room, engine_room

QUARTER = FastTier(share=Decimal("0.25"), min_confidence=0.8)
AT_A_LIMIT = Entry(offset=Decimal("0.01"), patience=timedelta(minutes=10))
YES = (Opinion(agent="analyst", verdict=Verdict.APPROVE),)
NO = (*YES, Opinion(agent="advocate", verdict=Verdict.VETO, reasons=("the trend is against it",)))


@dataclass
class HandPanel:
    """A panel that says what it is given, once it is let."""

    says: tuple[Opinion, ...] = YES
    patience: timedelta = timedelta(seconds=30)
    thinks: bool = False
    may_speak: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[Proposal] = field(default_factory=list)

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:  # noqa: ARG002 - a port
        self.asked.append(proposal)
        if self.thinks:
            await self.may_speak.wait()
        return self.says


@asynccontextmanager
async def a_room(folder: Path, panel: HandPanel | None = None, **given: Any) -> AsyncIterator[Room]:
    if panel is not None:
        given["panel"] = panel
    async with engine_room(folder, **given) as room:
        yield room


async def taken(room: Room, panel: HandPanel) -> timedelta:
    """What passes on the market while a panel thinks for three seconds."""
    begun = room.clock.now()
    await room.deliberations.ask()
    room.clock.at += timedelta(seconds=3)
    panel.may_speak.set()
    await until_silent(room)
    (waiting,) = await room.views.deliberations()
    assert waiting.due_at is not None
    return waiting.due_at - begun


async def until_silent(room: Room) -> None:
    while room.deliberations.busy:  # noqa: ASYNC110 - who was asked tells nobody
        await asyncio.sleep(0.001)


async def spoken(room: Room) -> None:
    """Let who was asked speak."""
    await room.deliberations.ask()
    await until_silent(room)


async def heard(room: Room, later: timedelta = timedelta(seconds=1)) -> None:
    """Let who was asked speak, and decide."""
    await spoken(room)
    room.clock.at += later
    await room.deliberations.conclude("paper")


async def rulings(room: Room) -> list[tuple[Tier, Stance, type[Ruling]]]:
    found = reversed(await room.views.decisions(9))
    return [(each.decision.tier, each.decision.stance, type(each.ruling)) for each in found]


async def last(room: Room) -> Judged:
    return (await room.views.decisions(1))[0]


async def test_who_is_asked_decides_nothing_at_the_close(tmp_path: Path):
    panel = HandPanel()
    async with a_room(tmp_path, panel) as room:
        assert (await room.enter(1.0)).decisions == ()
        assert await room.orders() == []
        await heard(room)
        (asked,) = panel.asked
        assert (asked.symbol, asked.stance, asked.candle_at) == (
            "BTC/USDT",
            Stance.ENTER,
            room.clock.now().replace(second=0),
        )
        assert await rulings(room) == [(Tier.FULL, Stance.ENTER, Execute)]
        assert (await last(room)).opinions == YES
        assert [position.quantity for position in await room.held()] == [Decimal("24.995")]
        assert await room.deliberations.next_question() is None
        assert await room.deliberations.next_due("paper") is None


async def test_a_candle_that_is_thought_about_is_not_decided_on_again(tmp_path: Path):
    async with a_room(tmp_path, HandPanel()) as room:
        await room.enter(1.0)
        assert (await room.cycle()).decisions == ()
        await heard(room)
        room.clock.to(DAY)
        assert (await room.cycle()).decisions == ()
        assert len(await room.held()) == 1


async def test_where_nothing_is_wanted_nobody_is_asked(tmp_path: Path):
    panel = HandPanel()
    async with a_room(tmp_path, panel) as room:
        (judged,) = (await room.cycle()).decisions
        assert judged.decision.stance is Stance.HOLD
        await heard(room)
        assert panel.asked == []


@pytest.mark.parametrize("fast", [None, QUARTER])
async def test_what_is_refused_whatever_is_said_is_refused_at_once_and_nobody_is_asked(
    tmp_path: Path, fast: FastTier | None
):
    panel = HandPanel()
    async with a_room(tmp_path, panel, fast=fast) as room:
        (judged,) = (await room.enter(0.4)).decisions
        assert judged.ruling == Refuse(reasons=("confidence 0.4 is below 0.5, from where people are asked",))
        assert (judged.decision.id, judged.opinions) == ("D1", ())
        await heard(room)
        assert panel.asked == []
        assert await room.held() == ()


async def test_it_is_asked_in_vain_where_its_opinion_is_wanted(tmp_path: Path):
    panel = HandPanel()
    async with a_room(tmp_path, panel) as room:
        room.services = replace(room.services, asks_in_vain=True)
        assert (await room.enter(0.4)).decisions == ()
        await heard(room)
        assert len(panel.asked) == 1
        assert type((await last(room)).ruling) is Refuse


async def test_without_a_book_all_are_heard_for_there_may_be_one_then(tmp_path: Path):
    panel = HandPanel()
    async with a_room(tmp_path, panel, deaf=VenueError("The venue answers 503.")) as room:
        assert (await room.enter(1.0)).decisions == ()
        room.venue.deaf = None
        await heard(room)
        assert [type((await last(room)).ruling), len(panel.asked)] == [Execute, 1]


async def test_a_veto_refuses_and_says_whose_it_is(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(says=NO)) as room:
        await room.enter(1.0)
        await heard(room)
        judged = await last(room)
        assert judged.ruling == Refuse(reasons=("advocate: the trend is against it",))
        assert judged.opinions == NO
        assert await room.orders() == []


@pytest.mark.parametrize(("confidence", "ruling"), [(0.9, Execute), (0.6, AskHuman), (0.3, Refuse)])
async def test_a_panel_lowers_the_confidence_and_never_raises_it(
    tmp_path: Path, confidence: float, ruling: type[Ruling]
):
    panel = HandPanel(says=(Opinion(agent="risk", verdict=Verdict.APPROVE, confidence=confidence),))
    async with a_room(tmp_path, panel) as room:
        await room.enter(0.85)
        await heard(room)
        judged = await last(room)
        assert type(judged.ruling) is ruling
        assert judged.decision.confidence == min(confidence, 0.85)


async def test_who_abstains_changes_nothing(tmp_path: Path):
    silent = Opinion(agent="risk", verdict=Verdict.ABSTAIN, confidence=0.0, share=0.01)
    async with a_room(tmp_path, HandPanel(says=(silent,))) as room:
        await room.enter(1.0)
        await heard(room)
        assert (await last(room)).decision.confidence == 1.0
        assert [position.quantity for position in await room.held()] == [Decimal("24.995")]


async def test_a_smaller_share_buys_less(tmp_path: Path):
    panel = HandPanel(says=(Opinion(agent="risk", verdict=Verdict.APPROVE, share=0.1),))
    async with a_room(tmp_path, panel) as room:
        await room.enter(1.0)
        await heard(room)
        assert [position.quantity for position in await room.held()] == [Decimal("5.000")]


async def test_who_is_late_abstains(tmp_path: Path):
    panel = HandPanel(says=NO, thinks=True, patience=timedelta(seconds=0.05))
    async with a_room(tmp_path, panel) as room:
        await room.enter(1.0)
        await heard(room)
        judged = await last(room)
        assert (type(judged.ruling), judged.opinions) == (Execute, ())


async def test_who_fails_abstains(tmp_path: Path):
    class Broken(HandPanel):
        async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:  # noqa: ARG002 - a port
            raise RuntimeError(f"no model for {proposal.symbol}")

    async with a_room(tmp_path, Broken()) as room:
        await room.enter(1.0)
        await heard(room)
        assert type((await last(room)).ruling) is Execute


async def test_an_exit_waits_for_nobody(tmp_path: Path):
    panel = HandPanel()
    async with a_room(tmp_path, panel) as room:
        await room.enter(1.0)
        await heard(room)
        panel.thinks = True
        room.clock.to(DAY + 60)
        room.script.exits[room.clock.now()] = "the trend has turned"
        record = await room.enter(1.0)
        assert [judged.decision.stance for judged in record.decisions] == [Stance.EXIT]
        assert await room.held() == ()


async def test_what_goes_on_goes_on_while_somebody_thinks(tmp_path: Path):
    panel = HandPanel(thinks=True)
    async with a_room(tmp_path, panel) as room:
        asked = await room.ask(minutes=1)
        await room.enter(1.0)
        await room.deliberations.ask()
        assert room.deliberations.busy
        room.clock.at += timedelta(minutes=2)
        await room.approvals.advance_open()
        assert (await room.views.approval(asked.id)).approval.status == "expired"
        assert await room.deliberations.next_question() is None, "it was asked already"
        assert await room.deliberations.next_due("paper") is None
        panel.may_speak.set()
        await heard(room)
        assert len(await room.held()) == 1


async def test_where_time_passes_in_steps_a_restart_between_them_changes_no_time(tmp_path: Path):
    """A replay goes on where its newest event was, which may be before what has been written down since."""
    step = timedelta(seconds=1)
    async with a_room(tmp_path, HandPanel()) as room:
        first, second = (
            PanelRounds(room.services, StrategyContexts(contexts=(room.context,)), step=step) for _ in range(2)
        )
        await room.enter(1.0)
        proposed = room.clock.now()
        assert await first.next_question() == await second.next_question() == proposed + step
        room.clock.at += step
        await first.ask()
        while first.busy:  # noqa: ASYNC110 - who was asked tells nobody
            await asyncio.sleep(0.001)
        assert await second.next_due("paper") == proposed + 2 * step
        room.clock.at = proposed
        await second.conclude("paper")
        assert (await room.held(), await second.next_due("paper")) == ((), proposed + 2 * step)


async def test_who_answers_while_one_looks_who_was_not_asked_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    panel = HandPanel(thinks=True)
    async with a_room(tmp_path, panel) as room:
        await room.enter(1.0)
        await room.deliberations.ask()
        read = room.store.read

        async def read_and_let_them_speak(query: Callable[[UnitOfWork], Any]) -> Any:
            found = await read(query)
            panel.may_speak.set()
            while room.deliberations.busy:  # noqa: ASYNC110 - who was asked tells nobody
                await asyncio.sleep(0.001)
            return found

        room.clock.at += timedelta(minutes=2)
        with monkeypatch.context() as patched:
            patched.setattr(room.store, "read", read_and_let_them_speak)
            await room.deliberations.ask()
        await heard(room)
        assert len(panel.asked) == 1
        assert len(await room.held()) == 1


async def test_it_is_decided_on_the_halts_and_the_price_of_then(tmp_path: Path):
    from engine.domain.messages import Person, Role

    async with a_room(tmp_path, HandPanel()) as room:
        await room.enter(1.0)
        await room.desk.pause(Person(name="Ann", role=Role.TRADER), None)
        await heard(room)
        assert (await last(room)).ruling == Refuse(reasons=("paused by Ann",))


# --- a trade that is begun at once ---------------------------------------------------------------------------------


async def test_a_start_is_bought_at_once_and_the_rest_is_added(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(), fast=QUARTER) as room:
        await room.enter(1.0)
        assert [(each.id, each.quantity) for each in await room.held()] == [("T1", Decimal("12.500"))]
        await heard(room)
        assert await rulings(room) == [(Tier.FAST, Stance.ENTER, Execute), (Tier.FULL, Stance.ENTER, Execute)]
        (position,) = await room.held()
        assert (position.id, position.quantity) == ("T1", Decimal("24.991")), "the limit of a coin counts all of it"
        entries = [order for order in await room.orders() if order[0] == "entry"]
        assert entries == [("entry", "filled", Decimal("12.500")), ("entry", "filled", Decimal("12.491"))]
        standing = [order for order in await room.orders() if order[:2] == ("protection", "open")]
        assert standing == [("protection", "open", Decimal("24.991"))]
        first, second = reversed([each for each in await room.views.orders(9) if each.purpose is Purpose.ENTRY])
        assert second.request.parent_id == first.request.client_id


async def test_without_a_panel_the_rest_follows_at_once(tmp_path: Path):
    async with a_room(tmp_path, fast=QUARTER) as room:
        await room.enter(1.0)
        await heard(room)
        assert [each.quantity for each in await room.held()] == [Decimal("24.991")]


async def test_what_is_not_sure_enough_is_not_begun(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(), fast=replace(QUARTER, min_confidence=0.95)) as room:
        await room.enter(0.9)
        assert await room.held() == ()
        await heard(room)
        assert await rulings(room) == [(Tier.FULL, Stance.ENTER, Execute)]


async def test_nobody_is_asked_about_a_start(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(), fast=replace(QUARTER, min_confidence=0.5)) as room:
        (judged,) = (await room.enter(0.6)).decisions
        assert judged.ruling == Refuse(reasons=("nobody is asked about a start: the whole trade is asked about",))
        await heard(room)
        (asked,) = await room.views.pending()
        assert asked.approval.plan.quantity == Decimal("24.995")


async def test_a_veto_takes_the_start_back(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(says=NO), fast=QUARTER) as room:
        await room.enter(1.0)
        await heard(room)
        assert await room.held() == ()
        assert await rulings(room) == [
            (Tier.FAST, Stance.ENTER, Execute),
            (Tier.FULL, Stance.EXIT, Execute),
            (Tier.FULL, Stance.ENTER, Refuse),
        ]
        assert [status for _, status, _ in await room.orders()] == ["filled", "cancelled", "filled"]


async def test_a_confidence_that_falls_too_far_takes_the_start_back(tmp_path: Path):
    says = (Opinion(agent="analyst", verdict=Verdict.APPROVE, confidence=0.2),)
    async with a_room(tmp_path, HandPanel(says=says), fast=QUARTER) as room:
        await room.enter(1.0)
        await heard(room)
        assert await room.held() == ()
        assert type((await last(room)).ruling) is Refuse


async def test_a_confidence_that_asks_asks_about_the_rest(tmp_path: Path):
    says = (Opinion(agent="analyst", verdict=Verdict.APPROVE, confidence=0.6),)
    async with a_room(tmp_path, HandPanel(says=says), fast=QUARTER) as room:
        await room.enter(1.0)
        await heard(room)
        (asked,) = await room.views.pending()
        assert (asked.approval.plan.quantity, asked.approval.plan.begun) == (Decimal("12.491"), Decimal("12.500"))
        await room.approvals.answer(asked.approval.id, Press(person="Ann", verb=Verb.APPROVE))
        await room.approvals.finished()
        assert [(each.id, each.quantity) for each in await room.held()] == [("T1", Decimal("24.991"))]


async def test_the_approval_of_the_rest_shows_where_its_stop_is_and_that_it_is_closed(tmp_path: Path):
    """Seen: a card that named stop and target for ever, for what it added to was begun without an approval."""
    says = (Opinion(agent="analyst", verdict=Verdict.APPROVE, confidence=0.6),)
    rows = (*(QUIET,) * 24, (100, 100, 80, 85, 10_000), *(QUIET,) * 5)
    async with a_room(tmp_path, HandPanel(says=says), rows=rows, fast=QUARTER) as room:
        await room.enter(1.0)
        await heard(room)
        (asked,) = await room.views.pending()
        await room.approvals.answer(asked.approval.id, Press(person="Ann", verb=Verb.APPROVE))
        await room.approvals.finished()
        assert [each.approvals for each in await room.events(ProtectionMoved)] == [(asked.approval.id,)]
        room.clock.at += timedelta(minutes=59)
        await room.orchestrator.sync_venue_events()
        assert [each.approvals for each in await room.events(PositionClosed)] == [(asked.approval.id,)]


async def test_what_the_limits_refuse_leaves_the_start(tmp_path: Path):
    from engine.domain.messages import Person, Role

    async with a_room(tmp_path, HandPanel(), fast=QUARTER) as room:
        await room.enter(1.0)
        await room.desk.pause(Person(name="Ann", role=Role.TRADER), None)
        await heard(room)
        assert (await last(room)).ruling == Refuse(reasons=("paused by Ann",))
        assert [each.quantity for each in await room.held()] == [Decimal("12.500")]


async def test_a_start_that_is_as_much_as_may_be_is_left(tmp_path: Path):
    says = (Opinion(agent="risk", verdict=Verdict.APPROVE, share=0.2),)
    async with a_room(tmp_path, HandPanel(says=says), fast=QUARTER) as room:
        await room.enter(1.0)
        await heard(room)
        assert (await last(room)).ruling == Refuse(reasons=("O1 has bought as much as may be, at the start",))
        assert [each.quantity for each in await room.held()] == [Decimal("12.500")]


async def test_what_was_begun_and_stopped_is_not_bought_again(tmp_path: Path):
    rows = (*(QUIET,) * 24, (100, 100, 90, 90, 10_000), *(QUIET,) * 5)
    panel = HandPanel(thinks=True)
    async with a_room(tmp_path, panel, rows=rows, fast=QUARTER) as room:
        await room.enter(1.0)
        room.clock.at += timedelta(minutes=59)
        await room.orchestrator.sync_venue_events()
        assert await room.held() == ()
        panel.thinks = False
        room.clock.at = room.clock.at - timedelta(minutes=58)
        await heard(room)
        assert "what O1 has begun is over" in str((await last(room)).ruling)


async def test_a_veto_takes_back_a_start_that_waits_at_its_limit(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(says=NO), fast=QUARTER, entry=AT_A_LIMIT) as room:
        await room.enter(1.0)
        assert [(purpose, status) for purpose, status, _ in await room.orders()] == [("entry", "open")]
        await heard(room)
        assert len(await rulings(room)) == 1, "it waits until the order is gone"
        await room.orchestrator.end_patience()
        room.clock.at += timedelta(seconds=5)
        await room.deliberations.conclude("paper")
        assert [(purpose, status) for purpose, status, _ in await room.orders()] == [("entry", "cancelled")]
        assert await rulings(room) == [(Tier.FAST, Stance.ENTER, Execute), (Tier.FULL, Stance.ENTER, Refuse)]
        assert await room.held() == ()


async def test_a_veto_waits_for_a_start_whose_answer_was_lost(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(says=NO), fast=QUARTER) as room:
        room.venue.loses = "answer"
        await room.enter(1.0)
        room.venue.loses = ""
        await heard(room)
        for _ in range(3):
            await room.orchestrator.look_again()
            room.clock.at += timedelta(seconds=5)
            await room.deliberations.conclude("paper")
        assert await room.held() == ()
        assert (await rulings(room))[1:] == [(Tier.FULL, Stance.EXIT, Execute), (Tier.FULL, Stance.ENTER, Refuse)]
        assert await room.deliberations.next_due("paper") is None


async def test_whichever_part_trades_first_it_is_one_position(tmp_path: Path):
    """Both parts wait at a limit; the later one's is higher, as the price has risen meanwhile: it trades first."""
    rows = (*(QUIET,) * 24, (100, 104, 100, 104, 10_000), (104, 104, 90, 98, 10_000), *(QUIET,) * 5)
    patient = replace(AT_A_LIMIT, patience=timedelta(hours=3))
    async with a_room(tmp_path, HandPanel(), rows=rows, fast=QUARTER, entry=patient) as room:
        await room.enter(1.0, stop=30.0, target=50.0)
        await heard(room, timedelta(minutes=30))
        first, second = await room.store.read(lambda uow: uow.orders.unfinished())
        assert (second.request.limit_price or 0) > (first.request.limit_price or 0)
        room.clock.to(DAY + 119)
        await room.orchestrator.sync_venue_events()
        (position,) = await room.held()
        bought = sum(order.filled for order in await room.views.orders(9) if order.purpose is Purpose.ENTRY)
        assert (position.id, position.quantity) == ("T1", bought)
        assert bought == first.request.quantity + second.request.quantity


async def test_what_goes_to_market_for_each_part_is_of_the_one_position_too(tmp_path: Path):
    """Neither part trades at its limit; what is bought in their place is of one trade all the same."""
    later = Entry(offset=Decimal("0.05"), patience=timedelta(minutes=10), then=Then.MARKET, chase=Decimal("0.2"))
    async with a_room(tmp_path, HandPanel(), fast=QUARTER, entry=later) as room:
        await room.enter(1.0, stop=30.0, target=50.0)
        await heard(room)
        room.clock.at += timedelta(minutes=11)
        await room.orchestrator.end_patience()
        entries = [order for order in await room.orders() if order[0] == "entry"]
        assert [status for _, status, _ in entries] == ["cancelled", "cancelled", "filled", "filled"]
        (position,) = await room.held()
        assert position.quantity == sum(quantity for _, status, quantity in entries if status == "filled")


# --- a program that starts again -----------------------------------------------------------------------------------


async def test_after_a_restart_who_has_not_spoken_is_asked_again(tmp_path: Path):
    panel = HandPanel(thinks=True)
    async with a_room(tmp_path, panel, fast=QUARTER) as before:
        await before.enter(1.0)
        await before.deliberations.ask()
    panel.thinks = False
    async with a_room(tmp_path, panel, fast=QUARTER) as after:
        await heard(after)
        assert len(panel.asked) == 2
        assert [each.quantity for each in await after.held()] == [Decimal("24.991")]


async def test_after_a_restart_what_was_said_is_not_asked_again(tmp_path: Path):
    panel = HandPanel()
    async with a_room(tmp_path, panel) as before:
        await before.enter(1.0)
        await spoken(before)
    async with a_room(tmp_path, panel) as after:
        await after.deliberations.conclude("paper")
        assert len(panel.asked) == 1
        assert len(await after.held()) == 1


async def test_after_a_long_time_the_rest_is_refused_and_the_start_is_kept(tmp_path: Path):
    panel = HandPanel(thinks=True)
    async with a_room(tmp_path, panel, fast=QUARTER) as before:
        await before.enter(1.0)
        await before.deliberations.ask()
    async with a_room(tmp_path, panel, fast=QUARTER) as after:
        after.clock.at += panel.patience + RESUMED_WITHIN + timedelta(seconds=1)
        await heard(after)
        assert "the program was not running" in str((await last(after)).ruling)
        assert [each.quantity for each in await after.held()] == [Decimal("12.500")]
        assert len(panel.asked) == 1


async def test_what_no_context_trades_any_more_is_let_go(tmp_path: Path):
    async with a_room(tmp_path, HandPanel()) as room:
        await room.enter(1.0)
        other = StrategyContexts(contexts=(replace(room.context, name="other"),))
        room.deliberations = PanelRounds(room.services, other)
        await heard(room)
        assert await room.store.read(lambda uow: uow.deliberations.all()) == ()
        assert await room.orders() == []


@pytest.mark.parametrize(
    ("prompt", "took"), [("risk version 2", timedelta(seconds=3)), ("", timedelta(0))], ids=["a model", "rules"]
)
async def test_only_models_take_time_that_passes_on_the_market_too(tmp_path: Path, prompt: str, took: timedelta):
    """However busy the machine is: rules say the same at the same time in each replay."""
    said = (Opinion(agent="risk", verdict=Verdict.APPROVE, by="somebody", prompt=prompt),)
    panel = HandPanel(says=said, thinks=True)
    async with a_room(tmp_path, panel) as room:
        await room.enter(1.0)
        assert await taken(room, panel) == took


async def test_a_tape_takes_no_time_of_the_market_however_busy_the_machine_is(tmp_path: Path):
    said = (Opinion(agent="risk", verdict=Verdict.APPROVE, by="somebody", prompt="risk version 2"),)
    panel = HandPanel(says=said, thinks=True)
    async with a_room(tmp_path, panel) as room:
        taped = replace(room.services, panel_takes_time=False)
        room.deliberations = PanelRounds(taped, StrategyContexts(contexts=(room.context,)))
        await room.enter(1.0)
        assert await taken(room, panel) == timedelta(0)


async def test_what_somebody_thinks_about_is_shown_until_it_is_decided(tmp_path: Path):
    async with a_room(tmp_path, HandPanel(), fast=QUARTER) as room:
        assert (await room.views.deliberations(), (await room.views.status()).deliberations) == ((), ())
        await room.enter(1.0)
        (waiting,) = await room.views.deliberations()
        assert (waiting.proposal.symbol, waiting.starter, waiting.due_at) == ("BTC/USDT", "O1", None)
        assert (await room.views.status()).deliberations == ("BTC/USDT (hand)",)
        await heard(room)
        assert (await room.views.deliberations(), (await room.views.status()).deliberations) == ((), ())


@pytest.mark.parametrize(("says", "ruling"), [(YES, Execute), (NO, Refuse)])
async def test_of_a_trade_that_a_start_began_the_decision_on_the_whole_is_told(
    tmp_path: Path, says: tuple[Opinion, ...], ruling: type[Ruling]
):
    async with a_room(tmp_path, HandPanel(says=says), fast=QUARTER) as room:
        await room.enter(1.0)
        start = await room.views.why("T1")
        assert isinstance(start, Why)
        assert start.judged.decision.tier is Tier.FAST, "nothing else is decided yet"
        await heard(room)
        whole = await room.views.why("t1")
        assert isinstance(whole, Why)
        assert (whole.judged.decision.tier, type(whole.judged.ruling)) == (Tier.FULL, ruling)
        assert whole.judged.opinions == says
        assert whole.trade is not None
        assert whole.trade.position.id == "T1"
        assert whole.trade.decision == start.judged.decision
        by_order = await room.views.why("O1")
        assert isinstance(by_order, Why)
        assert by_order.judged.decision == start.judged.decision


async def test_a_tighter_stop_is_kept_and_buys_no_more(tmp_path: Path):
    async def plan_of(says: tuple[Opinion, ...], folder: Path) -> TradePlan:
        async with a_room(folder, HandPanel(says=says)) as room:
            await room.enter(1.0)
            await heard(room)
            plan = (await last(room)).plan
            assert plan is not None
            return plan

    wide = await plan_of(YES, tmp_path / "wide")
    assert wide.stop is not None
    half = (wide.price + wide.stop) / 2
    for wanted, stop in ((half, half), (wide.stop - 1, wide.stop)):
        says = (Opinion(agent="risk", verdict=Verdict.APPROVE, stop=wanted),)
        tight = await plan_of(says, tmp_path / f"at {wanted}")
        assert (tight.stop, tight.quantity) == (stop, wide.quantity)
