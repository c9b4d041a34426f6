"""Coming back: after a start, however the last run ended, the database agrees with the venue before anything trades."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from engine.domain.errors import StoreError, UnknownCursor
from engine.domain.events import BalanceAdopted
from engine.domain.market import to_millis
from engine.domain.orders import OrderStatus
from engine.domain.transfers import PaymentNotice
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.ports import Exchange
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

TOLERANCE = Decimal("1e-8")
"""A difference between two sums of money that is none: they were added up in another order."""
TRIES = 3
"""How often the venue may trade in between before its balances are believed to differ."""
_IN_DOUBT = (OrderStatus.INTENT, OrderStatus.SENT, OrderStatus.UNKNOWN, OrderStatus.CANCELLING)
_ANOTHER_ONE = (
    "Set BOT_DATABASE__URL to the database that belongs to it, or restore both from one backup: bot db restore."
)

Differences = Mapping[str, tuple[Decimal, Decimal]]
"""What the books and what the venue have, by currency, where they differ."""


async def reconcile(store: Database, orchestrator: ExecutionOrchestrator) -> int:
    """Settle every order in doubt, cancel what arrived too late, take in what happened, and protect every position.

    Returns:
        How many orders were in doubt.
    """
    unfinished = await store.read(lambda uow: uow.orders.unfinished())
    doubtful = [order for order in unfinished if order.status in _IN_DOUBT]
    for order in doubtful:
        await orchestrator.resolve_order(order)
    await orchestrator.cancel_strays()
    await orchestrator.sync_venue_events()
    await orchestrator.restore_protection()
    return len(doubtful)


async def refuse_another_venue(store: Database, exchange: Exchange) -> None:
    """Check that the venue knows what the books have taken in from it.

    Raises:
        StoreError: It does not: it is another account, or an older copy of it.
    """
    cursor = await store.read(lambda uow: uow.ledger.cursor(exchange.name))
    if cursor is None:
        return
    try:
        await exchange.events(cursor)
    except UnknownCursor as error:
        raise StoreError(
            f"The venue {exchange.name} does not know what the database has taken in from it: it is another account, "
            "or an older copy.",
            _ANOTHER_ONE,
        ) from error


async def agree(
    store: Database, exchange: Exchange, orchestrator: ExecutionOrchestrator, now: datetime, *, accept: bool = False
) -> Differences:
    """Check that the account owns at the venue what the books say; with ``accept`` what differs is booked as paid in.

    Returns:
        What differed, and was accepted.

    Raises:
        StoreError: It differs by more than the venue's events explain.
    """
    differences = await differing(store, exchange, orchestrator)
    name = exchange.name
    if differences and not (accept and await store.transact(lambda uow: book_as_paid(uow, name, differences, now))):
        raise _disagreement(differences)
    return differences


async def differing(store: Database, exchange: Exchange, orchestrator: ExecutionOrchestrator) -> Differences:
    """What the books and the venue have, where they differ and the venue's events do not explain it.

    Raises:
        StoreError: The venue says that the account owns nothing at all.
        VenueError: It does not answer.
    """
    differences = await _differences(store, exchange)
    for _ in range(TRIES - 1):
        if not differences:
            return {}
        await orchestrator.sync_venue_events()  # something may have traded between the two looks
        differences = await _differences(store, exchange)
    return differences


async def _differences(store: Database, exchange: Exchange) -> Differences:
    theirs = await exchange.balances()
    if not theirs:
        raise StoreError("The venue says that the account owns nothing at all.", "Look at the venue, then try again.")
    ours = await store.read(lambda uow: uow.ledger.owned(exchange.name))
    pairs = {name: (ours.get(name, Decimal(0)), theirs.get(name, Decimal(0))) for name in sorted({*ours, *theirs})}
    return {name: (here, there) for name, (here, there) in pairs.items() if abs(here - there) > TOLERANCE}


def book_as_paid(uow: UnitOfWork, venue: str, differences: Differences, now: datetime) -> bool:
    """Book what differs as paid in or out; ``False`` where positions would then hold what is not there."""
    beside, quote = uow.ledger.balances(), uow.account.quote
    for currency, (here, there) in differences.items():
        if currency != quote and beside.get((venue, currency), Decimal(0)) + there - here < 0:
            return False
    for currency, (here, there) in differences.items():
        if currency == quote:
            uow.account.pay_in(venue, there - here, now)
        else:
            uow.ledger.change(venue, currency, there - here)
        told = f"{venue}-{currency}-{to_millis(now)}"
        _tell(uow, PaymentNotice(id=told, at=now, venue=venue, currency=currency, before=here, after=there))
    return True


def _tell(uow: UnitOfWork, told: PaymentNotice) -> None:
    uow.payment_notices.put(told)
    uow.emit(
        BalanceAdopted(
            at=told.at,
            venue=told.venue,
            currency=told.currency,
            before=told.before,
            after=told.after,
            notice_id=told.id,
        )
    )


def _disagreement(differences: Differences) -> StoreError:
    named = ", ".join(f"{here:,f} {name} here and {there:,f} there" for name, (here, there) in differences.items())
    return StoreError(
        f"The database and the venue do not agree on what the account owns, and no order explains it: {named}.",
        "If it was paid in or out by hand: bot run --accept-balances. Coins that a position needs must be there first. "
        f"Otherwise this is another account. {_ANOTHER_ONE}",
    )
