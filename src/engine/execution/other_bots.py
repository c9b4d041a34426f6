"""Another bot on the same account: it is known by its orders, and beside it nothing is entered at that venue.

Client ids are of a form that only bots of this kind have, and end in a signature of the database. One of that form
which the books did not send is another bot's, or that of a copy of this database. What was told of is not told again:
an admin who lets entries go on knows of it. A new order of theirs ends them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain.errors import VenueError
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import OrderState, Purpose
from engine.domain.signatures import signature_of
from engine.execution.signing import own_signature
from engine.ports import Exchange
from engine.store import codec
from engine.store.database import Database
from engine.store.halting import begin_halt
from engine.store.unit_of_work import UnitOfWork

_REMEMBERED = 200
"""How many orders of others are remembered as told of, at a venue, beside those that stand there."""
_IDS = tuple[str, ...]


async def look(store: Database, exchange: Exchange, at: datetime) -> None:
    """See whether orders of another bot stand at a venue; one that does not answer is looked at the next time."""
    try:
        there = await exchange.open_orders()
    except VenueError:
        return
    venue = exchange.name
    if await store.read(lambda uow: _new(uow, venue, there)):
        await store.transact(lambda uow: note(uow, venue, there, at))


def of_others(uow: UnitOfWork, there: Sequence[OrderState]) -> list[OrderState]:
    """Those of a venue's orders that another bot has sent."""
    return [each for each in there if signature_of(each.client_id) and not _is_own(uow, each.client_id)]


def in_words(uow: UnitOfWork, venue: str, theirs: OrderState) -> str:
    """What tells of another bot, for people."""
    its, own = signature_of(theirs.client_id), own_signature(uow)
    what = named(theirs)
    if its == own:
        return f"order {what} at {venue} is signed {its} as ours are, and this database does not know it"
    return f"another bot uses the account at {venue}: order {what} there is signed {its}, ours are signed {own}"


def named(order: OrderState) -> str:
    """What an order is called where only its venue knows it: ``1003 (sell BTC/USDT)``."""
    return f"{order.venue_order_id} ({order.side} {order.symbol})"


def note(uow: UnitOfWork, venue: str, there: Sequence[OrderState], at: datetime) -> None:
    """Halt entries at a venue where one of its orders is another bot's that nobody was told of; a halt stands once.

    Only a database with a signature can tell: one without sends orders to venues of its own alone.
    """
    new = _new(uow, venue, there)
    if not new:
        return
    standing = [each.client_id for each in of_others(uow, there)]
    gone = [each for each in _told(uow, venue) if each not in standing]
    uow.settings.set(_key(venue), codec.dump_as(_IDS, (*gone[-_REMEMBERED:], *dict.fromkeys(standing))))
    if not any((each.halt.kind, each.halt.venue) == (HaltKind.OTHER_BOT, venue) for each in uow.halts.open()):
        reason = in_words(uow, venue, new[0])
        begin_halt(uow, Halt(kind=HaltKind.OTHER_BOT, reason=reason, since=at, venue=venue))


def _new(uow: UnitOfWork, venue: str, there: Sequence[OrderState]) -> list[OrderState]:
    if not there or not own_signature(uow):
        return []
    told = _told(uow, venue)
    return [each for each in of_others(uow, there) if each.client_id not in told]


def _is_own(uow: UnitOfWork, client_id: str) -> bool:
    written = uow.orders.by_client_id(client_id)
    return written is not None and written.purpose is not Purpose.EXTERNAL


def _told(uow: UnitOfWork, venue: str) -> tuple[str, ...]:
    kept = uow.settings.get(_key(venue))
    return tuple(codec.load_as(_IDS, kept)) if kept else ()


def _key(venue: str) -> str:
    return f"other_bots.{venue}"
