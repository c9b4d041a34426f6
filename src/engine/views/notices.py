"""What people are told of once, by its id: what their cards show."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.adjustments import AdjusterNotice
from engine.domain.capital import CapitalStage
from engine.domain.confirmations import Confirmation
from engine.domain.errors import UnknownId, VenueError
from engine.domain.health import PlatformTrouble
from engine.domain.inventory import Inventory
from engine.domain.live import LiveNotice
from engine.domain.market import Listing
from engine.domain.model_ledger import BudgetNotice
from engine.domain.policy_proposals import PolicyProposal
from engine.domain.streaks import Streak
from engine.domain.trade_views import ExternalView, MovedView, PartView, UnmanagedView
from engine.domain.transfers import PaymentNotice
from engine.ports import market_data_of
from engine.store.unit_of_work import UnitOfWork
from engine.views import reports
from engine.views.account import AccountViews
from engine.views.prices import prices_of_held


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeViews(AccountViews):
    """The account, and what cards tell of it beside trades, approvals and halts."""

    async def streak(self, streak_id: str) -> Streak:
        """Losses in a row of a strategy context.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: uow.streaks.get(streak_id))

    async def model_budget(self, notice_id: str) -> BudgetNotice:
        """What people are told once of a cap on what language models cost.

        Raises:
            UnknownId: There is no such notice.
        """
        return await self.store.read(lambda uow: uow.model_budgets.get(notice_id))

    async def adjuster_notice(self, notice_id: str) -> AdjusterNotice:
        """What people are told where the policy that adjusts entries could not be asked.

        Raises:
            UnknownId: There is no such notice.
        """
        return await self.store.read(lambda uow: uow.adjuster_notices.get(notice_id))

    async def confirmation(self, confirmation_id: str) -> Confirmation:
        """What people are asked to confirm beside trades.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: uow.confirmations.get(confirmation_id))

    async def live_notice(self, notice_id: str) -> LiveNotice:
        """What people were told at a start with real orders.

        Raises:
            UnknownId: There was no such start.
        """
        return await self.store.read(lambda uow: uow.live_notices.get(notice_id))

    async def payment(self, notice_id: str) -> PaymentNotice:
        """What people were told of a deposit or a withdrawal.

        Raises:
            UnknownId: There was none.
        """
        return await self.store.read(lambda uow: uow.payment_notices.get(notice_id))

    async def capital_change(self, number: int) -> tuple[CapitalStage, CapitalStage | None, str]:
        """A time in which so much of the account may be used, the one before it, and the currency.

        Raises:
            UnknownId: There is none with that number.
        """

        def work(uow: UnitOfWork) -> tuple[CapitalStage, CapitalStage | None, str]:
            found = uow.capital.get(number)
            if found is None:
                raise UnknownId(f"There is no stage {number} of capital.")
            return found, uow.capital.get(number - 1), uow.account.quote

        return await self.store.read(work)

    async def policy_proposal(self, proposal_id: str) -> PolicyProposal:
        """A policy that was trained anew and proposed, and what became of that.

        Raises:
            UnknownId: There is no such proposal.
        """
        return await self.store.read(lambda uow: uow.policy_proposals.get(proposal_id))

    async def inventory(self, venue: str) -> Inventory:
        """What a venue had beside cash when the account was opened.

        Raises:
            UnknownId: There was nothing.
        """
        found = await self.store.read(lambda uow: uow.ledger.inventory(venue))
        if found is None:
            raise UnknownId(f"There was nothing but cash at {venue}.")
        return found

    async def external(self, order_id: str) -> ExternalView:
        """What somebody else did to the account, by the order that shows it.

        Raises:
            UnknownId: There is no such order.
        """
        return await self.store.read(lambda uow: reports.external(uow, order_id))

    async def part(self, order_id: str) -> PartView:
        """An order of which a part has traded.

        Raises:
            UnknownId: There is no such order.
        """
        return await self.store.read(lambda uow: reports.part(uow, order_id))

    async def moved(self, position_id: str) -> MovedView:
        """How the stop and target of a position were placed anew the last time.

        Raises:
            UnknownId: There is no such position, or they never were.
        """
        return await self.store.read(lambda uow: reports.moved(uow, position_id))

    async def unmanaged(self, unmanaged_id: str) -> UnmanagedView:
        """A time in which no strategy manages a position.

        Raises:
            UnknownId: There is none with that id.
        """
        prices = await prices_of_held(self.store, self.market_data)

        def work(uow: UnitOfWork) -> UnmanagedView:
            told, account = uow.unmanaged.get(unmanaged_id), uow.account.portfolio().valued(prices)
            held = reports.position(uow, uow.positions.get(told.position_id), account, self.contexts)
            return UnmanagedView(told=told, held=held, followed=self._has(held.position.listing))

        return await self.store.read(work)

    def _has(self, listing: Listing) -> bool:
        """Whether the venue has a market."""
        try:
            return bool(market_data_of(self.market_data, listing.venue).market(listing.symbol))
        except VenueError:
            return False

    async def trouble(self, trouble_id: str) -> PlatformTrouble:
        """One time that a platform was not well.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: uow.troubles.get(trouble_id))
