"""An account from its beginning to where it stands, read from a database that a bot may be writing to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from engine.domain.approvals import Declined, Expired, Ordered, Refused
from engine.domain.autonomy import AskHuman, Execute, Refuse
from engine.domain.decisions import Judged, Stance
from engine.domain.errors import StoreError
from engine.domain.positions import Position
from engine.store import migrate
from engine.store.connections import connect, in_words
from engine.store.database import nowhere
from engine.store.unit_of_work import UnitOfWork

_PAGE = 500


def closed_by(uow: UnitOfWork, position: Position) -> str:
    """What closed a position; an exit of its strategy is its signal, or its time that was over."""
    if position.closed_by != "exit":
        return position.closed_by
    decided = [order.decision_id for order in uow.orders.of_position(position.id) if order.request.reduce_only]
    said = [uow.decisions.get(each).decision.reasons[0] for each in decided if each]
    return "time" if said and said[-1].startswith("held for ") else "signal"


class AccountPeriod:
    """What an account did, and why it did not do something else."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    @property
    def begins(self) -> datetime:
        """When the account was opened, by its market's clock.

        Raises:
            StoreError: There is none.
        """
        found = self._uow.settings.get("account.began")
        if found is None:
            raise StoreError("There is no account in this database.", "Start the bot once.")
        return datetime.fromisoformat(found)

    @property
    def ends(self) -> datetime:
        """The last candle that its books were closed on."""
        return self._uow.curve.last_at() or self.begins

    @property
    def opening(self) -> Decimal:
        """What it began with, in its currency."""
        return self._uow.account.opening

    @property
    def equity(self) -> Decimal:
        """What it is worth now, in its currency."""
        return self._uow.account.portfolio().equity

    def mark(self, position: Position) -> Decimal:
        """What a position's market closed at last."""
        return self._uow.account.portfolio().mark(position)

    def closed_by(self, position: Position) -> str:
        """What closed a position: ``stop``, ``target``, ``signal``, ``time``, or what people did."""
        return closed_by(self._uow, position)

    def trades(self) -> Iterator[tuple[Position, Judged | None]]:
        """Every position, oldest first, with the decision that opened it; ``None`` where somebody else did."""
        last = 0
        while page := self._uow.positions.page(None, last, _PAGE):
            for position, decision_id in page:
                yield position, self._uow.decisions.get(decision_id) if decision_id else None
            last = int(page[-1][0].id[1:])

    def approval(self, decision: Judged) -> str:
        """Who approved what a decision asked; empty where nobody was asked."""
        asked = self._uow.approvals.of_decision(decision.decision.id)
        if asked is None or not isinstance(asked.state, Ordered):
            return ""
        return f"{' and '.join(vote.person for vote in asked.state.votes)} approved it ({asked.id})"

    def why_not(self, key: str) -> str:
        """Why nothing was bought on a candle.

        Args:
            key: That of the decision to enter; a decision to hold has another one.
        """
        if not (decision_id := self._uow.decisions.of_key(key)):
            held = self._uow.decisions.of_key(key.removesuffix(Stance.ENTER) + Stance.HOLD)
            return (
                self._held(held)
                if held
                else "nothing is on record of that candle: the bot did not run, or it is long ago"
            )
        judged = self._uow.decisions.get(decision_id)
        match judged.ruling:
            case Refuse(reasons=reasons):
                return f"refused ({decision_id}): {'; '.join(reasons)}"
            case AskHuman():
                return self._asked(decision_id)
            case Execute():
                order = self._uow.orders.of_decision(decision_id)
                return f"ordered ({decision_id}), {order.status if order else 'not sent'}: nothing was filled"
            case _:
                return self._held(decision_id)

    def _held(self, decision_id: str) -> str:
        reasons = self._uow.decisions.get(decision_id).decision.reasons
        return f"no entry was seen ({decision_id}): {'; '.join(reasons) or 'nothing set it off'}"

    def _asked(self, decision_id: str) -> str:
        asked = self._uow.approvals.of_decision(decision_id)
        if asked is None:
            return f"people were to be asked ({decision_id})"
        match asked.state:
            case Expired():
                return f"nobody answered in time ({asked.id})"
            case Declined(by=by, reason=reason):
                return f"declined by {by}{f': {reason}' if reason else ''} ({asked.id})"
            case Refused(reasons=reasons):
                return f"approved, and refused by the rules of then ({asked.id}): {'; '.join(reasons)}"
            case Ordered(order_id=order_id):
                return f"approved ({asked.id}), and {order_id} filled nothing"
            case _:
                return f"still waits for an answer ({asked.id})"


@contextmanager
def account_period(url: str) -> Iterator[AccountPeriod]:
    """The account in a database, at one moment; nothing in it is changed.

    Raises:
        StoreError: It is not there, cannot be used, or is of another version.
    """
    migrate.refuse_other_version(url)
    engine = connect(url, read_only=True)
    try:
        with in_words(), engine.connect() as connection:
            yield AccountPeriod(UnitOfWork(connection, nowhere))
    finally:
        engine.dispose()
