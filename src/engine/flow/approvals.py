"""Approvals as a service: opened by the cycle, answered from the desk, expired by the jobs. One path for all of them.

answer ─▶ step ─▶ compare-and-swap ─▶ fresh book ─▶ judged again ─▶ intent or refusal, in one transaction ─▶ answered
                                                                    └▶ sent, in the background
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.approvals import (
    Approval,
    Claimed,
    Effect,
    GivenBack,
    Happening,
    Judge,
    Pending,
    Press,
    Reply,
    Restarted,
    RuledOrder,
    RuledRefusal,
    Tell,
    Tick,
    Verb,
    step,
)
from engine.domain.autonomy import AskHuman, Autonomy, drift
from engine.domain.decisions import Decision
from engine.domain.errors import VenueError
from engine.domain.events import ApprovalAsked, ApprovalChanged
from engine.domain.halt_views import HaltView
from engine.domain.halts import HaltKind
from engine.domain.judging import Allowed, Denied, RiskView
from engine.domain.market import Book, Timeframe
from engine.domain.orders import Order
from engine.domain.plans import TradePlan
from engine.domain.risk_stats import RiskStats
from engine.execution import starters
from engine.execution.background import STOP_WITHIN, Background
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.orders import intend
from engine.execution.streaks import losses_of
from engine.inputs.stats import KeptStats
from engine.ports import Clock, MarketDataAt, NoEntry, market_data_of, nothing_against_it
from engine.risk.manager import RiskManager
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

FRESH_DATA_WITHIN = 5.0
"""Wall seconds that the venue has to give a fresh book at the press."""
FRESH_FOR = timedelta(seconds=30)
"""How old a book may be when it is judged by: after that (the machine slept) the approval is open again."""
Fresh = tuple[Book, RiskStats | None]
"""What the venue gave for judging a press."""
DECLINED_BY = "the emergency stop"
"""Who answers the approvals that are open when everything stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a press: the reply to the person, and the approval as it is now.

    Attributes:
        halt: What halts the entry, where that is the answer.
    """

    reply: Reply
    approval: Approval
    halt: HaltView | None = None


class Approvals:
    """Carries out what the state machine in ``engine.domain.approvals`` asks for."""

    def __init__(
        self,
        *,
        store: Database,
        market_data: MarketDataAt,
        risk: RiskManager,
        autonomy: Autonomy,
        orchestrator: ExecutionOrchestrator,
        clock: Clock,
        stats: KeptStats,
        no_entry: NoEntry = nothing_against_it,
    ) -> None:
        self._store = store
        self._market_data = market_data
        self._risk = risk
        self._autonomy = autonomy
        self._orchestrator = orchestrator
        self._clock = clock
        self._stats = stats
        self._no_entry = no_entry
        self._under_way = 0
        self._background = Background()

    @property
    def busy(self) -> bool:
        """Whether an answer is being carried out: from the press until the order is sent and protected."""
        return self._under_way > 0 or self._background.busy

    @staticmethod
    def open(uow: UnitOfWork, decision: Decision, ask: AskHuman, now: datetime) -> Approval:
        """Ask people to approve a plan, in the transaction of the decision that asks it."""
        approval = Approval(
            id=uow.approvals.next_id(),
            decision_id=decision.id,
            plan=ask.plan,
            asked_at=now,
            expires_at=ask.expires_at,
            votes_needed=ask.votes_needed,
            state=Pending(),
        )
        uow.approvals.add(approval)
        uow.emit(ApprovalAsked(at=now, approval_id=approval.id))
        return approval

    async def answer(self, approval_id: str, press: Press) -> Answered:
        """Let a person answer. Returns once the outcome is written down, or the press is known to be too late.

        An order is sent and protected in the background: the presser does not wait for the venue to take it.

        While entries are halted a yes changes nothing: the approval stays open for when they are not.

        Raises:
            UnknownId: There is no such approval.
        """
        with self._busy():
            return await self._halted(approval_id, press) or await self._answer(approval_id, press)

    async def _answer(self, approval_id: str, press: Press) -> Answered:
        approval, effects = await self._happen(approval_id, press)
        replies = [effect.reply for effect in effects if isinstance(effect, Tell)]
        answered = Answered(reply=replies[0] if replies else Reply.TOO_LATE, approval=approval)
        if answered.reply is Reply.TAKEN and isinstance(approval.state, Pending):  # perhaps it was halted meanwhile
            return await self._halted(approval_id, press) or answered
        return answered

    async def _halted(self, approval_id: str, press: Press) -> Answered | None:
        """The answer to a yes during a halt; ``None`` where none stands, or the approval is not open any more.

        The emergency stop answers every approval itself.
        """
        now = self._clock.now()

        def work(uow: UnitOfWork) -> Answered | None:
            asked = uow.approvals.get(approval_id)
            halt = uow.halts.blocking(asked.plan.listing, now)
            if halt is None or halt.halt.kind is HaltKind.EMERGENCY:
                return None
            if not isinstance(asked.state, Pending) or now >= asked.expires_at:
                return None
            return Answered(reply=Reply.HALTED, approval=asked, halt=halt)

        return None if press.verb is Verb.REJECT else await self._store.read(work)

    async def advance_open(self) -> None:
        """Let time pass for every open approval: it expires, or what a crash left to be judged is judged and sent.

        The latter waits for a venue, so it is done in the background: what expires meanwhile does so at its time.
        """
        for approval in await self._store.read(lambda uow: uow.approvals.open()):
            with self._busy():
                claimed, effects = await self._step(approval.id, Tick())
                if effects:
                    self._background.begin(f"judging {claimed.id}", self._carry_on(claimed, effects))

    async def recover(self) -> None:
        """After a start: go on with what the last run left half done, to its end."""
        for approval in await self._store.read(lambda uow: uow.approvals.open()):
            await self._happen(approval.id, Restarted())
        await self.finished()

    async def finished(self) -> None:
        """Return once everything that came of answers is judged, sent and protected."""
        await self._background.finished()

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Let what is being judged or sent get there, within so many wall seconds; the next start goes on with it."""
        await self._background.stop(within)

    async def decline_all_open(self, reason: str) -> None:
        """Say no to every open approval; one that is being judged is refused by the halt that calls for this."""
        for approval in await self._store.read(lambda uow: uow.approvals.open()):
            await self._happen(approval.id, Press(person=DECLINED_BY, verb=Verb.REJECT, reason=reason))

    async def next_deadline(self) -> datetime | None:
        """When the next open approval runs out of time, or its claim does."""
        waiting = await self._store.read(lambda uow: uow.approvals.open())
        return min((_deadline(approval) for approval in waiting), default=None)

    async def _happen(self, approval_id: str, happening: Happening) -> tuple[Approval, tuple[Effect, ...]]:
        """Step an approval, and judge it where that is what follows; the approval after that, and what followed."""
        with self._busy():
            approval, effects = await self._step(approval_id, happening)
            for effect in effects:
                if isinstance(effect, Judge):
                    approval = await self._rejudge(approval, half=effect.half)
        return approval, effects

    async def _carry_on(self, approval: Approval, effects: Sequence[Effect]) -> None:
        """Judge an approval that has been stepped already, in the background."""
        for effect in effects:
            if isinstance(effect, Judge):
                await self._rejudge(approval, half=effect.half)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def _step(self, approval_id: str, happening: Happening) -> tuple[Approval, tuple[Effect, ...]]:
        """Step what is stored, and swap the result in; begin anew where somebody else was faster."""
        while True:
            before = await self._store.read(lambda uow: uow.approvals.get(approval_id))
            after, effects = step(before, happening, self._clock.now())
            if after is before or await self._store.transact(lambda uow: self._swap(uow, before, after)):  # noqa: B023
                return after, effects

    def _swap(self, uow: UnitOfWork, before: Approval, after: Approval) -> bool:
        if not uow.approvals.swap(before, after):
            return False
        uow.emit(
            ApprovalChanged(at=self._clock.now(), approval_id=after.id, status=after.status, by=_last_person(after))
        )
        return True

    async def _rejudge(self, approval: Approval, *, half: bool) -> Approval:
        market = market_data_of(self._market_data, approval.plan.venue).market(approval.plan.symbol)
        plan = approval.plan.halved(market) if half else approval.plan
        asked_at = self._clock.now()
        try:
            async with asyncio.timeout(FRESH_DATA_WITHIN):
                stats = await self._current_stats(approval)
                book = await market_data_of(self._market_data, plan.venue).book(plan.symbol)
        except (VenueError, TimeoutError) as error:
            reason = f"no fresh price: {str(error) or 'the venue did not answer in time'}"
            return await self._store.transact(lambda uow: self._settle(uow, approval, GivenBack(reason=reason)))
        ruled, order = await self._store.transact(lambda uow: self._rule(uow, approval, plan, (book, stats), asked_at))
        if order is not None:
            self._background.send(self._orchestrator, (order,))
        return ruled

    def _rule(
        self, uow: UnitOfWork, approval: Approval, plan: TradePlan, fresh: Fresh, asked_at: datetime
    ) -> tuple[Approval, Order | None]:
        """Judge on the portfolio of now; write the intent as judged, or the refusal, in one transaction.

        Where entries were halted since the press the approval stays open; the emergency stop alone refuses it.
        """
        now, (book, _) = self._clock.now(), fresh
        if not self._is_still_ours(uow, approval):
            return uow.approvals.get(approval.id), None
        if now >= approval.expires_at:
            late = RuledRefusal(reasons=("time was up before it could be carried out",), price=book.ask)
            return self._settle(uow, approval, late), None
        if now - asked_at > FRESH_FOR:
            return self._settle(uow, approval, GivenBack(reason="the price was too old when it was judged")), None
        halt = uow.halts.blocking(plan.listing, now)
        if halt is not None and halt.halt.kind is not HaltKind.EMERGENCY:
            return self._settle(uow, approval, GivenBack(reason=halt.halt.reason)), None
        judgement = self._judgement(uow, plan, fresh, now)
        if isinstance(judgement, Denied):
            return self._settle(uow, approval, RuledRefusal(reasons=judgement.reasons, price=book.ask)), None
        order = intend(uow, judgement.plan, now, decision_id=approval.decision_id, approval_id=approval.id, book=book)
        return self._settle(uow, approval, RuledOrder(order_id=order.id, price=book.ask)), order

    async def _current_stats(self, approval: Approval) -> RiskStats | None:
        """How its market has moved of late, on the timeframe that it was decided on; unknown of older versions."""
        judged = await self._store.read(lambda uow: uow.decisions.get(approval.decision_id))
        timeframe = judged.decision.timeframe
        return await self._stats.current(approval.plan.listing, Timeframe(timeframe)) if timeframe else None

    def _settle(self, uow: UnitOfWork, claim: Approval, ruling: RuledOrder | RuledRefusal | GivenBack) -> Approval:
        """Put a ruling on the claim it was made for; a claim that another process has judged stays as it is."""
        if not self._is_still_ours(uow, claim):
            return uow.approvals.get(claim.id)
        after, _ = step(claim, ruling, self._clock.now())
        if not self._swap(uow, claim, after):
            raise AssertionError(f"{claim.id} changed within its own transaction")
        return after

    @staticmethod
    def _is_still_ours(uow: UnitOfWork, claim: Approval) -> bool:
        return uow.approvals.get(claim.id).version == claim.version

    def _judgement(self, uow: UnitOfWork, plan: TradePlan, fresh: Fresh, now: datetime) -> Allowed | Denied:
        book, stats = fresh
        limit = plan.execution.limit_price
        moved = drift(plan.price, book.ask) if limit is None else Decimal(0)  # a limit is not passed, wherever it goes
        if abs(moved) > self._autonomy.max_price_drift:
            allowed = f"{self._autonomy.max_price_drift:.2%}"
            return Denied(reasons=(f"the price moved by {moved:+.2%} since it was asked; {allowed} is allowed",))
        portfolio = uow.account.portfolio()
        current = starters.as_it_stands(uow, replace(plan, price=limit or book.ask))
        view = RiskView(
            market=market_data_of(self._market_data, plan.venue).market(plan.symbol),
            portfolio=portfolio,
            book=book,
            close=(portfolio.marks or {}).get(plan.listing, plan.price),
            stats=stats,
            halts=tuple(found.halt for found in uow.halts.open()),
            now=now,
            no_entry=self._no_entry(plan.context),
            losses=losses_of(uow, plan.context),
        )
        return self._risk.judge(current, view)


def _deadline(approval: Approval) -> datetime:
    match approval.state:
        case Claimed(until=until):
            return until
        case _:
            return approval.expires_at


def _last_person(approval: Approval) -> str:
    votes = getattr(approval.state, "votes", ())
    return votes[-1].person if votes else getattr(approval.state, "by", "")
