"""What is noted of answers: where those are that are edited later, and that what was asked for is on record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from engine.domain.closing import TOPIC as CLOSING
from engine.domain.errors import StoreError
from engine.domain.messages import Card, Destination, Incoming, Ref
from engine.store.database import Database
from engine.store.outbox import ANSWERS
from engine.store.unit_of_work import UnitOfWork

Note = Callable[[Card, Destination, Ref | None], Awaitable[None]]
"""Takes note of an answer that is shown somewhere by these messages; ``None`` where it is about to be."""
Recorded = Callable[[Incoming], Awaitable[None]]
"""Waits until what was received is on record: what only reads is answered before."""
Interim = Callable[[Incoming], Card | None]
"""What is said at once of something whose answer takes long; ``None`` of anything else."""
Arrived = Callable[[Incoming], None]
"""Is told of what a person did as soon as it has come, before its turn: what gives way to answers does from then."""
Shown = Callable[[Incoming], None]
"""Is told once an answer stands where it was asked for, or could not be shown: what gave way to it may go on."""

_log = structlog.get_logger(__name__)


async def not_noted(card: Card, to: Destination, ref: Ref | None) -> None:
    """No answer is edited later."""


def no_interim(incoming: Incoming) -> None:
    """Every answer is there soon."""


async def on_record(incoming: Incoming) -> None:
    """Everything that was received is on record by then."""


def nothing_waits(incoming: Incoming) -> None:
    """Nothing gives way to what is answered."""


def is_answer(card: Card) -> bool:
    """Whether a card is an answer to somebody that is edited later, where they asked."""
    return card.topic.startswith(ANSWERS)


def note_in(store: Database) -> Note:
    """Makes a ``Note`` that keeps where an editable answer is shown, so that it can be edited later."""

    async def note(card: Card, to: Destination, ref: Ref | None) -> None:
        """What cannot be noted is answered all the same: a press says that it is too late."""
        if not is_answer(card):
            return
        try:
            await store.transact(lambda uow: note_answer(uow, card, to, ref))
        except StoreError as error:
            _log.warning("an answer will not be edited", topic=card.topic, detail=error.message)

    return note


def note_answer(uow: UnitOfWork, card: Card, to: Destination, ref: Ref | None) -> None:
    """The same within a transaction. What may have gone on since it was drawn is drawn anew."""
    if ref is None:
        uow.outbox.answer(card.topic, to)
        return
    uow.answered(card.topic, to, ref)
    if not (card.buttons and _waits(uow, card)):
        uow.show_anew(card.topic)


def _waits(uow: UnitOfWork, card: Card) -> bool:
    """Whether a question still waits: it may be shown long after it was drawn, and pressed elsewhere before that."""
    kind, _, closing_id = card.topic.partition(":")
    return kind == CLOSING and uow.closings.waits(closing_id)
