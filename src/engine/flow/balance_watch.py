"""What each venue has, laid beside the books again and again: where it has less, nothing is entered there.

    differs ─▶ do its events explain it? ─▶ do deposits and withdrawals, as it tells them? ─▶ twice in a row? ─▶ halt

What it has more than the books, and nothing less, was paid in. No answer, an empty one or an error of the venue's is
none: it neither begins a halt nor ends one. A halt ends by itself at the first look at which both agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from engine.domain.errors import StoreError, VenueError
from engine.domain.figures import plain
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.transfers import Transfer, explaining
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.reconcile import TOLERANCE, Differences, book_as_paid, differing
from engine.ports import TellsTransfers
from engine.store import codec
from engine.store.database import Database
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork

_DUST = Decimal("0.00001")
"""What share of equity a difference may be that is left as it is: venues round fees by rules of their own."""
_LATE = timedelta(hours=3)
"""How long before it is credited a deposit may have been made."""
_NOTED_EVERY = timedelta(hours=1)
"""How often it is written down that a venue and the books agree, while they do."""
_REMEMBERED = 100
"""How many transfers are remembered as booked."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceState:
    """What is kept of a venue over restarts.

    Attributes:
        agreed_at: When it last had what the books say; ``None`` where that was never seen.
        booked: The ids of the newest transfers that are in the books.
    """

    agreed_at: datetime | None = None
    booked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceWatch:
    """Compares the books with what venues have.

    Attributes:
        transfers: The venues that tell what was paid in and out, by name.
    """

    store: Database
    orchestrator: ExecutionOrchestrator
    transfers: Mapping[str, TellsTransfers]
    _before: dict[str, Differences] = field(default_factory=dict, init=False)
    """What was left to explain at the look before, by venue."""

    async def look(self, venue: str, at: datetime) -> None:
        """Compare, and begin or end the halt of a venue."""
        try:
            found = await differing(self.store, self.orchestrator.answering[venue], self.orchestrator)
        except (VenueError, StoreError):
            return
        left = await self._unexplained(venue, found, at)
        before, self._before[venue] = self._before.get(venue, {}), left
        if not left:
            await self._agreed(venue, at)
        elif _short(left) and _short(before):
            await self._halt(venue, left, at)
        elif left == before:
            await self.store.transact(lambda uow: book_as_paid(uow, venue, left, at))

    async def book_transfers(self, venue: str, at: datetime) -> None:
        """Take in deposits and withdrawals that the venue tells of, as far as they explain a difference."""
        try:
            found = await differing(self.store, self.orchestrator.answering[venue], self.orchestrator)
        except (VenueError, StoreError):
            return
        await self._unexplained(venue, found, at)

    async def _unexplained(self, venue: str, found: Differences, at: datetime) -> Differences:
        """What is left of differences once the venue's own word of transfers is booked."""
        found = await self.store.read(lambda uow: _without_dust(uow, found))
        if not found or venue not in self.transfers:
            return found
        state = await self.store.read(lambda uow: state_of(uow, venue))
        since = (state.agreed_at or at) - _LATE
        try:
            told = await self.transfers[venue].transfers(since)
        except VenueError as error:
            _log.warning("a venue does not tell what was paid in and out", venue=venue, detail=str(error))
            return found
        fresh = [each for each in told if each.id not in state.booked and each.at > since]
        explained = {name: _explaining(name, pair, fresh) for name, pair in found.items()}
        return await self.store.transact(lambda uow: _book(uow, venue, found, explained, at))

    async def _agreed(self, venue: str, at: datetime) -> None:
        """Note that both agree, and end what had begun because they did not."""

        def due(uow: UnitOfWork) -> bool:
            last = state_of(uow, venue).agreed_at
            return last is None or at - last >= _NOTED_EVERY or bool(_standing(uow, venue))

        def note(uow: UnitOfWork) -> None:
            _keep(uow, venue, BalanceState(agreed_at=at, booked=state_of(uow, venue).booked))
            for halt in _standing(uow, venue):
                end_halt(uow, halt, at, why=f"{venue} and the books agree")

        if await self.store.read(due):
            await self.store.transact(note)

    async def _halt(self, venue: str, left: Differences, at: datetime) -> None:
        reason = f"{venue} has not what the books say, and nothing explains it: {in_words(left)}"
        halt = Halt(kind=HaltKind.BALANCES, reason=reason, since=at, venue=venue)

        def begin(uow: UnitOfWork) -> None:
            if not _standing(uow, venue):
                begin_halt(uow, halt)

        if not await self.store.read(lambda uow: _standing(uow, venue)):
            await self.store.transact(begin)


def in_words(differences: Differences) -> str:
    """What differs, for people: ``0.2 BTC there and 0.7 in the books``."""
    return ", ".join(
        f"{plain(there, 8)} {name} there and {plain(here, 8)} in the books"
        for name, (here, there) in differences.items()
    )


def state_of(uow: UnitOfWork, venue: str) -> BalanceState:
    """What is kept of a venue."""
    kept = uow.settings.get(_key(venue))
    return codec.load(BalanceState, kept) if kept else BalanceState()


def _keep(uow: UnitOfWork, venue: str, state: BalanceState) -> None:
    uow.settings.set(_key(venue), codec.dump(state))


def _key(venue: str) -> str:
    return f"balances.{venue}"


def _short(differences: Differences) -> set[str]:
    """The currencies of which a venue has less than the books say."""
    return {name for name, (here, there) in differences.items() if there < here}


def _explaining(name: str, pair: tuple[Decimal, Decimal], fresh: list[Transfer]) -> tuple[Transfer, ...]:
    here, there = pair
    return explaining(there - here, [each for each in fresh if each.currency == name], TOLERANCE)


def _book(
    uow: UnitOfWork,
    venue: str,
    found: Differences,
    explained: Mapping[str, tuple[Transfer, ...]],
    at: datetime,
) -> Differences:
    """Book what transfers explain; what they do not, or what positions hold, is left."""
    left = dict(found)
    for name, transfers in explained.items():
        if transfers and book_as_paid(uow, venue, {name: found[name]}, at):
            del left[name]
            state = state_of(uow, venue)
            booked = (*state.booked, *(each.id for each in transfers))[-_REMEMBERED:]
            _keep(uow, venue, BalanceState(agreed_at=state.agreed_at, booked=booked))
    return left


def _without_dust(uow: UnitOfWork, found: Differences) -> Differences:
    """What is worth more than a venue's way of rounding; what has no price is never dust."""
    account = uow.account.portfolio()
    prices = {account.quote: Decimal(1)}
    for listing, price in uow.account.marks().items():
        base, _, quote = listing.symbol.partition("/")
        if quote == account.quote:
            prices[base] = price
    most = account.equity * _DUST
    return {
        name: (here, there)
        for name, (here, there) in found.items()
        if name not in prices or abs(here - there) * prices[name] > most
    }


def _standing(uow: UnitOfWork, venue: str) -> list[HaltView]:
    return [each for each in uow.halts.open() if (each.halt.kind, each.halt.venue) == (HaltKind.BALANCES, venue)]
