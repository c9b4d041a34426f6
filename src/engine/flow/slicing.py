"""Entries in slices: the next is judged anew in its turn, and sent; or what follows is given up, and it is said why.

due ─▶ fresh book ─▶ judged on the account of now ─▶ written down in place of the one before, in one transaction ─▶ sent
                          └▶ put off to the next turn │ given up
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.domain.autonomy import drift
from engine.domain.decisions import Judged
from engine.domain.errors import VenueError
from engine.domain.judging import Denied, RiskView
from engine.domain.market import Book, Timeframe
from engine.domain.orders import Order
from engine.domain.plans import Slicing, TradePlan
from engine.domain.risk_stats import RiskStats
from engine.execution.coverage import is_being_left
from engine.execution.following import left_after, stop_following
from engine.execution.orders import intend_slice
from engine.execution.sending import SEND_WITHIN
from engine.execution.streaks import losses_of
from engine.flow.services import CycleServices
from engine.ports import market_data_of
from engine.store.unit_of_work import UnitOfWork

FRESH_DATA_WITHIN = 5.0
"""Wall seconds that the venue has to give a fresh book for a slice."""
_PASSING = {"slippage", "spread"}
"""Rules that may let the next slice pass where they stop this one: the book of a moment."""
Fresh = tuple[Book, RiskStats | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """A slice whose turn it is.

    Attributes:
        before: The slice before.
        first: The first one, from which the turns are counted.
        plan: What is left to be bought of the whole, in as many slices as there are turns.
        slicing: That of the whole.
        obstacle: Why nothing follows any more; empty where it may.
        waits: Why this turn is let pass; empty where it need not be.
    """

    before: Order
    first: Order
    plan: TradePlan
    slicing: Slicing
    obstacle: str = ""
    waits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Sends what follows of entries in slices."""

    services: CycleServices

    async def next_due(self, venue: str) -> datetime | None:
        """When the next slice at a venue has its turn, at once where entries into its market are halted.

        ``None`` where nothing follows.
        """
        return await self.services.store.read(lambda uow: self._next_due(uow, venue))

    def _next_due(self, uow: UnitOfWork, venue: str) -> datetime | None:
        return min((self._due_at(uow, order) for order in _followed(uow, venue)), default=None)

    async def send_due(self, venue: str) -> None:
        """Judge and send each slice at a venue whose turn it is, or give up what follows."""
        now = self.services.clock.now()

        def due(uow: UnitOfWork) -> list[Order]:
            return [order for order in _followed(uow, venue) if self._due_at(uow, order) <= now]

        for order in await self.services.store.read(due):
            await self._take_turn(order.id)

    def _due_at(self, uow: UnitOfWork, order: Order) -> datetime:
        now = self.services.clock.now()
        at = order.follows_at or now
        return min(at, now) if uow.halts.blocking(order.request.listing, now) else at

    async def _take_turn(self, order_id: str) -> None:
        turn = await self.services.store.read(lambda uow: self._turn(uow, order_id))
        fresh = None if turn is None or turn.obstacle or turn.waits else await self._fresh(turn)
        order = await self.services.store.transact(lambda uow: self._settle(uow, order_id, fresh))
        if order is not None:
            await self.services.orchestrator.send(order)

    async def _fresh(self, turn: _Turn) -> Fresh | str:
        """The book and the figures of now; or why there are none."""
        plan, services = turn.plan, self.services
        judged = await services.store.read(lambda uow: uow.decisions.get(turn.before.decision_id))
        try:
            async with asyncio.timeout(FRESH_DATA_WITHIN):
                timeframe = Timeframe(judged.decision.timeframe)
                stats = await services.stats.current(plan.listing, timeframe)
                return await market_data_of(services.market_data, plan.venue).book(plan.symbol), stats
        except (VenueError, TimeoutError) as error:
            return f"no fresh price: {str(error) or 'the venue did not answer in time'}"

    def _settle(self, uow: UnitOfWork, order_id: str, fresh: Fresh | str | None) -> Order | None:
        """Write down the slice whose turn it is, put it off, or give up what follows; on the account of now."""
        turn = self._turn(uow, order_id)
        if turn is None:
            return None
        if turn.obstacle:
            self._give_up(uow, turn, turn.obstacle)
            return None
        if turn.waits or fresh is None or isinstance(fresh, str):
            self._put_off(uow, turn, turn.waits or str(fresh or "it was just looked at"))
            return None
        return self._judged(uow, turn, *fresh)

    def _judged(self, uow: UnitOfWork, turn: _Turn, book: Book, stats: RiskStats | None) -> Order | None:
        services, now = self.services, self.services.clock.now()
        moved, allowed = drift(turn.first.price, book.ask), services.autonomy.max_price_drift
        if abs(moved) > allowed:
            reason = f"the price moved by {moved:+.2%} since the first slice; {allowed:.2%} is allowed"
            self._give_up(uow, turn, reason)
            return None
        plan = replace(turn.plan, price=book.ask)
        judgement = services.risk.judge(plan, self._view(uow, plan, book, stats, now))
        if isinstance(judgement, Denied):
            passing = judgement.clamps and judgement.clamps[-1].rule in _PASSING
            settle = self._put_off if passing else self._give_up
            settle(uow, turn, "; ".join(judgement.reasons))
            return None
        follows_at = turn.slicing.next_after(turn.first.created_at, now)
        return intend_slice(uow, turn.before, judgement.plan, now, book, follows_at)

    def _view(self, uow: UnitOfWork, plan: TradePlan, book: Book, stats: RiskStats | None, now: datetime) -> RiskView:
        portfolio = uow.account.portfolio()
        return RiskView(
            market=market_data_of(self.services.market_data, plan.venue).market(plan.symbol),
            portfolio=portfolio,
            book=book,
            close=(portfolio.marks or {}).get(plan.listing, plan.price),
            stats=stats,
            halts=tuple(found.halt for found in uow.halts.open()),
            now=now,
            no_entry=self.services.no_entry(plan.context),
            losses=losses_of(uow, plan.context),
        )

    def _turn(self, uow: UnitOfWork, order_id: str) -> _Turn | None:
        """Whose turn it is after an order, as all of it stands; ``None`` where nothing follows it any more."""
        before = uow.orders.get(order_id)
        if before.follows_at is None:
            return None
        family = uow.orders.all_of_decision(before.decision_id)
        judged, now = uow.decisions.get(before.decision_id), self.services.clock.now()
        planned = judged.plan
        slicing = planned.execution.slicing if planned else None
        if planned is None or slicing is None:
            raise AssertionError(f"{order_id} is followed by a slice, and {before.decision_id} plans none")
        left = slicing.most - slicing.slot(family[0].created_at, now)
        own = replace(slicing, most=max(left, 1))
        plan = replace(
            planned,
            quantity=left_after(before),
            starter=family[0].id,
            position_id=next((each.position_id for each in family if each.position_id), None),
            begun=planned.begun + sum((each.filled for each in family), Decimal(0)),
            execution=replace(planned.execution, slicing=own, slice=None),
        )
        return _Turn(
            before=before,
            first=family[0],
            plan=plan,
            slicing=slicing,
            obstacle=self._obstacle(uow, before, family, judged, left),
            waits=next((f"it is not known yet what became of {o.id}" for o in family if not o.status.final), ""),
        )

    def _obstacle(self, uow: UnitOfWork, before: Order, family: tuple[Order, ...], judged: Judged, left: int) -> str:
        """Why nothing follows any more; empty where it may."""
        now, refused = self.services.clock.now(), [each for each in family if each.was_refused]
        halt = uow.halts.blocking(before.request.listing, now)
        if halt is not None:
            return halt.halt.reason
        if refused:
            return f"the venue refused {refused[-1].id}"
        held = next((each.position_id for each in family if each.position_id), "")
        if held and is_being_left(uow.orders.of_position(held)):
            return f"{held} has been sold of"
        late, every = now - (before.follows_at or now), judged.plan and judged.plan.execution.slicing
        if left < 1 or (every and late > max(SEND_WITHIN, every.every)):
            return f"its turn was {late.total_seconds():.0f} s ago"
        return ""

    def _put_off(self, uow: UnitOfWork, turn: _Turn, why: str) -> None:
        """Let a turn pass; after the last one what follows is given up."""
        at = turn.slicing.next_after(turn.first.created_at, self.services.clock.now())
        if at is None:
            self._give_up(uow, turn, why)
        else:
            uow.orders.follow(turn.before.id, at, f"the next slice waits for its next turn: {why}")

    def _give_up(self, uow: UnitOfWork, turn: _Turn, why: str) -> None:
        """Let nothing follow any more, and have people told why."""
        stop_following(uow, turn.before, why, self.services.clock.now())


def _followed(uow: UnitOfWork, venue: str) -> list[Order]:
    return [order for order in uow.orders.followed() if order.request.venue == venue]
