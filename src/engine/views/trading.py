"""What the bot's own people may see. Reads only; what is kept comes from one snapshot, prices of now from the venue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.domain.adjustments import AdjusterView
from engine.domain.approvals import Approval
from engine.domain.capital import CapitalView
from engine.domain.decision_views import ApprovalView, Why
from engine.domain.decisions import Judged
from engine.domain.errors import NoData, VenueError
from engine.domain.halt_views import EmergencyView, Exposed, HaltView, Recovery
from engine.domain.health import Part
from engine.domain.model_views import ModelsView
from engine.domain.orders import Order
from engine.domain.people import AuditEntry, Stranger
from engine.domain.positions import Position
from engine.domain.predictions import PredictionView
from engine.domain.proposals import Deliberation
from engine.domain.quality_views import QualityView
from engine.domain.sentiment import SentimentView, SourceAge
from engine.domain.totals import Totals
from engine.domain.trade_views import FillView, TradeCandles, TradeView
from engine.domain.trade_window import windows
from engine.execution.emergency import exposed, progress, standing
from engine.ports import TimeLeft, by_the_market, market_data_of
from engine.risk.limits import RiskLimits
from engine.store.totals import totals
from engine.store.unit_of_work import UnitOfWork
from engine.views import reports
from engine.views.absent import no_adjuster, no_capital, no_models, no_predictions, no_quality, no_sentiment, no_sources
from engine.views.notices import NoticeViews
from engine.views.prices import ask, book


@dataclass(frozen=True, slots=True, kw_only=True)
class Views(NoticeViews):
    """The windows of the bot: the account, and all that its own people see beside it.

    Attributes:
        limits: By which the sizes of entries are reduced after a drawdown.
        parts: Tells the health of each part of the program.
        time_left: Tells how long people have for an answer by their own clock.
        models: Tells how language models are, and what they have cost.
        sentiment: Tells what is said of a market, by whatever people call that; it may raise a ``GreenlightError``.
        sources: Tells how each source of that is.
        prediction: Tells what is expected of it, alike, at a venue that may be named.
        adjuster: Tells what the policy that adjusts entries does.
        capital: Tells how much of the account may be used.
        quality: Tells what its candles are like, alike; of every market where none is named.
        keeps_stops: Whether an emergency stop would leave what is held to its stops instead of selling it.
    """

    limits: RiskLimits
    parts: Callable[[], Sequence[Part]]
    time_left: TimeLeft = by_the_market
    models: Callable[[], Awaitable[ModelsView]] = no_models
    sentiment: Callable[[str], Awaitable[SentimentView]] = no_sentiment
    sources: Callable[[], Sequence[SourceAge]] = no_sources
    prediction: Callable[[str, str], Awaitable[PredictionView]] = no_predictions
    adjuster: Callable[[], Awaitable[AdjusterView]] = no_adjuster
    quality: Callable[[str, str], Awaitable[QualityView]] = no_quality
    capital: Callable[[], Awaitable[CapitalView]] = no_capital
    keeps_stops: bool = False

    async def strangers(self) -> tuple[Stranger, ...]:
        """Who wrote of late and is not listed, the newest first."""
        return await self.store.read(lambda uow: uow.strangers.recent())

    async def trades(self, count: int, before: str = "", status: str = "") -> tuple[Position, ...]:
        """The newest trades first; only the ``open`` or the ``closed`` ones, where a status is given.

        Here as in the lists below, with an id the next page: what is older than what has it.
        """
        return await self.store.read(lambda uow: uow.positions.newest(count, before, status))

    async def trade(self, position_id: str) -> TradeView:
        """One trade, from its decision to its end.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: reports.trade(uow, position_id))

    async def has_stop(self, position_id: str) -> bool:
        """Whether the venue is known to hold a stop for a trade."""
        return await self.store.read(lambda uow: reports.has_stop(uow, position_id))

    async def asked_for(self, position_id: str) -> str:
        """The id of the approval that a trade came from; empty where nobody was asked.

        Raises:
            UnknownId: There is no trade with that id.
        """

        def work(uow: UnitOfWork) -> str:
            asked = uow.approvals.of_decision(uow.positions.decision_of(position_id))
            return asked.id if asked else ""

        return await self.store.read(work)

    async def pending(self) -> tuple[ApprovalView, ...]:
        """The open approvals, oldest first."""
        return await self._approval_views(await self.store.read(lambda uow: uow.approvals.open()))

    async def deliberations(self) -> tuple[Deliberation, ...]:
        """What a panel thinks about, or has just spoken on: no decision yet."""
        return await self.store.read(lambda uow: uow.deliberations.all())

    async def approvals(self, count: int, before: str = "") -> tuple[ApprovalView, ...]:
        """The newest approvals first, open or settled."""
        return await self._approval_views(await self.store.read(lambda uow: uow.approvals.newest(count, before)))

    async def approval(self, approval_id: str) -> ApprovalView:
        """One approval.

        Raises:
            UnknownId: There is none with that id.
        """
        approval = await self.store.read(lambda uow: uow.approvals.get(approval_id))
        return (await self._approval_views((approval,)))[0]

    async def why(self, any_id: str) -> Why | TradeView:
        """Everything that led to a decision, found by its own id or that of its approval, order or trade.

        Of what somebody else traded there is the trade alone.

        Raises:
            UnknownId: Nothing has that id, or it is somebody else's and no trade of this account's.
        """
        return await self.store.read(lambda uow: reports.why(uow, any_id.upper()))

    async def halt(self, halt_id: str) -> HaltView:
        """One halt.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: reports.halt(uow, uow.halts.get(halt_id)))

    async def replacement(self, halt_id: str) -> HaltView | None:
        """The longer pause that took the place of one; ``None`` where none did.

        Raises:
            UnknownId: There is no halt with that id.
        """
        return await self.store.read(lambda uow: uow.halts.replacement(halt_id))

    async def exposed(self) -> Exposed:
        """What an emergency stop would end now."""
        return await self.store.read(lambda uow: exposed(uow, keeps_stops=self.keeps_stops))

    async def emergency(self, halt_id: str) -> EmergencyView:
        """How far an emergency stop is.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: progress(uow, halt_id))

    async def standing_emergency(self) -> str:
        """The id of the emergency stop that is not over; empty where there is none."""
        return await self.store.read(standing)

    async def recovery(self, halt_id: str) -> Recovery:
        """How entries come back after a drawdown halt.

        Raises:
            UnknownId: There is none with that id.
        """
        now = self.clock.now()
        return await self.store.read(lambda uow: reports.recovery(uow, halt_id, self.limits, now))

    async def trade_candles(self, position_id: str) -> TradeCandles:
        """A trade with the candles around it, on its own timeframe if it is not too long for that.

        Raises:
            UnknownId: There is no trade with that id.
            NoData: The venue does not remember any candle of that time.
        """
        trade, now = await self.trade(position_id), self.clock.now()
        held, decided_on = trade.position, trade.decision.timeframe if trade.decision else ""
        found = await book(self.market_data, held.listing) if held.is_open else None
        for window in windows(held.opened_at, held.closed_at, now, decided_on):
            with suppress(VenueError):
                market_data = market_data_of(self.market_data, held.venue)
                candles = await market_data.candles(held.symbol, window.timeframe, window.count, window.until)
                if len(candles) and candles.closed_at > held.opened_at:
                    return TradeCandles(trade=trade, candles=candles, now=now, price=found.mid if found else None)
        raise NoData(f"There are no candles of the time of {position_id}.", f"/why {position_id} tells its story.")

    async def orders(self, count: int, before: str = "") -> tuple[Order, ...]:
        """The newest orders first."""
        return await self.store.read(lambda uow: uow.orders.newest(count, before))

    async def fills(self, count: int, before: str = "") -> tuple[FillView, ...]:
        """The newest fills first."""
        return await self.store.read(lambda uow: uow.orders.newest_fills(count, before))

    async def decisions(self, count: int, before: str = "") -> tuple[Judged, ...]:
        """The newest decisions first."""
        return await self.store.read(lambda uow: uow.decisions.newest(count, before))

    async def audit(self, count: int, before: str = "") -> tuple[AuditEntry, ...]:
        """The newest audit entries first."""
        return await self.store.read(lambda uow: uow.chat.newest_audit(count, before))

    async def totals(self) -> Totals:
        """What everything since the account began comes to."""
        return await self.store.read(lambda uow: totals(uow.connection))

    async def health(self) -> tuple[Part, ...]:
        """How each part of the program is."""
        return tuple(self.parts())

    async def _approval_views(self, approvals: Sequence[Approval]) -> tuple[ApprovalView, ...]:
        prices = {
            listing: await ask(self.market_data, listing)
            for listing in dict.fromkeys(approval.plan.listing for approval in approvals)
        }
        now = self.clock.now()
        found = await self.store.read(
            lambda uow: tuple(reports.approval(uow, each, prices[each.plan.listing], now) for each in approvals)
        )
        return tuple(replace(each, wall_left=self._left(each.approval, now)) for each in found)

    def _left(self, asked: Approval, now: datetime) -> timedelta | None:
        return self.time_left(asked.asked_at, asked.expires_at, now)
