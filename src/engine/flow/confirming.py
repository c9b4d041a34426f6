"""What people confirm by a press beside trades: whose press counts, once, and what is done by it.

press ─▶ may they? ─▶ still open? ─▶ written down and kept in one transaction ─▶ done ─▶ its card drawn anew
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.books.capital import Capital
from engine.books.first_go import FirstGoes
from engine.domain.capital import CapitalStep
from engine.domain.confirmations import CancelWish, Confirmation, Consent, FirstGo, Stage
from engine.domain.errors import BadInput, NotAllowed
from engine.domain.events import ConfirmationChanged
from engine.domain.messages import Person, Role
from engine.flow.cancelling import Cancelling
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """Takes the answers to what is asked beside trades."""

    store: Database
    capital: Capital
    cancelling: Cancelling
    first_goes: FirstGoes

    async def view(self, confirmation_id: str) -> Confirmation:
        """One question, as it stands.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: uow.confirmations.get(confirmation_id))

    async def press(self, confirmation_id: str, person: Person, consent: Consent) -> Confirmation:
        """Answer a question; of several answers the first counts, and the others are told whose that was.

        Returns once it is written down; what takes longer is done beside everything else.

        Raises:
            UnknownId: There is none with that id.
            NotAllowed: It is not theirs to answer.
        """
        _demand_theirs((await self.view(confirmation_id)), person)
        answered, is_first = await self.store.transact(lambda uow: self._press(uow, confirmation_id, person, consent))
        if is_first and answered.stage is Stage.AGREED and isinstance(answered.subject, CancelWish):
            self.cancelling.begin(answered.subject)
        return answered

    async def answer_capital(self, person: Person, consent: Consent) -> Confirmation:
        """Answer the open question about the next stage of capital.

        Raises:
            BadInput: None is open.
            NotAllowed: It is not theirs to answer.
        """
        asked = await self.store.read(lambda uow: uow.confirmations.open(CapitalStep))
        if not asked:
            raise BadInput("No next stage is proposed now.", "/capital says when one is.")
        return await self.press(asked[0].id, person, consent)

    def _press(
        self, uow: UnitOfWork, confirmation_id: str, person: Person, consent: Consent
    ) -> tuple[Confirmation, bool]:
        asked = uow.confirmations.get(confirmation_id)
        if not asked.is_open:
            return asked, False
        answered = self._answered(uow, asked, consent, person.name)
        uow.confirmations.settle(answered)
        if not isinstance(answered.subject, CancelWish):  # only the one who asked is shown that
            at = answered.answered_at or asked.asked_at
            uow.emit(ConfirmationChanged(at=at, confirmation_id=asked.id, stage=answered.stage, by=answered.by))
        return answered, True

    def _answered(self, uow: UnitOfWork, asked: Confirmation, consent: Consent, person: str) -> Confirmation:
        match asked.subject:
            case CapitalStep() as step:
                return self.capital.answer(uow, asked, step, consent, person)
            case FirstGo() as subject:
                return self.first_goes.answer(uow, asked, subject, consent, person)
            case CancelWish() as wish:
                return self.cancelling.answer(uow, asked, wish, consent, person)


def _demand_theirs(asked: Confirmation, person: Person) -> None:
    """See that a question is theirs to answer.

    Raises:
        NotAllowed: It is somebody else's.
    """
    if isinstance(asked.subject, CancelWish):
        own = asked.subject.person
        if own != person.name:
            raise NotAllowed(f"{own} asked for that, and only {own} can answer it: nothing was done.", "/cancel asks.")
    elif not person.role.includes(Role.ADMIN):
        raise NotAllowed("Only an admin can answer that: nothing was done.", "Ask an admin.")
