"""What a press on a button does: whose it is to make, and the card that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.desk import Desk
from engine.domain.adjuster_modes import ModeChoice
from engine.domain.approvals import Press, Verb
from engine.domain.closing import TOPIC as CLOSING
from engine.domain.closing import Choice
from engine.domain.confirmations import TOPIC as CONFIRM
from engine.domain.confirmations import Consent
from engine.domain.messages import Button, Card, Person, Role
from engine.domain.policy_proposals import ProposalChoice
from handlers.access import require
from handlers.cards import adjuster, closings, confirmations, errors, policies, replies

Register = Callable[[str], Awaitable[None]]
"""Notes that the message that was pressed shows a topic, in case a crash lost that it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presses:
    """Takes what people press to the desk."""

    desk: Desk

    async def press(self, data: str, person: Person, register: Register, *, is_carried: bool) -> Card:
        """Do what a button says.

        Args:
            data: What the button carries.
            person: Who pressed it.
            register: Notes what its message shows.
            is_carried: Whether the message carries the button, so that the answer may take its place.

        Raises:
            GreenlightError: It is not theirs to press, or cannot be done.
        """
        button = Button.parse(data)
        if button is None:
            return errors.not_a_button()
        match button:
            case (Verb() as verb, approval_id):
                require(person, Role.TRADER, "Answering an approval")
                await register(f"approval:{approval_id}")
                answer = await self.desk.answer(approval_id, Press(person=person.name, verb=verb))
                return replies.answered(answer.reply, answer.approval, answer.halt)
            case (Consent() as consent, confirmation_id):
                await register(f"{CONFIRM}:{confirmation_id}")
                return confirmations.answer(await self.desk.confirming.press(confirmation_id, person, consent))
            case (ModeChoice() as choice, wish_id):
                require(person, Role.ADMIN, "Setting the adjuster")
                return adjuster.asked(await self.desk.adjuster.press(wish_id, person.name, choice))
            case (ProposalChoice() as choice, proposal_id):
                require(person, Role.ADMIN, "Answering to a policy")
                await register(f"policy:{proposal_id}")
                return policies.answered(await self.desk.policies.press(proposal_id, person.name, choice))
            case (choice, closing_id):
                require(person, Role.TRADER, "Closing a position")
                if is_carried:
                    await register(f"{CLOSING}:{closing_id}")
                return closings.card(await self.desk.closings.press(closing_id, person.name, choice))

    async def interrupted(self, data: str, person: Person) -> Card:
        """What can be said of a press that was being acted on when the program stopped: how its question stands.

        Raises:
            GreenlightError: There is no such question any more.
        """
        match Button.parse(data):
            case (Choice(), closing_id):
                return closings.card(await self.desk.closings.view_for(closing_id, person.name))
            case (Consent(), confirmation_id):
                return confirmations.card(await self.desk.confirming.view(confirmation_id))
            case _:
                return errors.interrupted()
