"""People who answer the bot on Telegram at market times: what they do is data, and a job plays it.

The market stands still while a job runs, so a person may take the wall time that a real client and a real server take:
they wait until they see the card, press, and wait until they have their answer and the card shows the outcome.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.domain.approvals import Approval
from engine.jobs.table import Job
from engine.store.database import Database
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import Shown

ADA, BEN, VIC, STRANGER = 10, 11, 12, 99
"""A trader in whose chat the cards are, an admin, a viewer, and somebody who is on no list."""
PEOPLE = [
    {"name": "Ada", "role": "trader", "telegram": ADA},
    {"name": "Ben", "role": "admin", "telegram": BEN, "web": "ben"},
    {"name": "Vic", "role": "viewer", "telegram": VIC},
]
SEEN_WITHIN = 60.0
"""Wall seconds in which whatever a person waits for must have happened."""

TRADE = re.compile(r"T\d+[: ]")
"""How the cards of trades begin."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One thing somebody does: presses the button with this label, or types this, ``{id}`` being the question's."""

    who: int
    does: str


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What becomes of one question: so long after it was asked, these do that. Without moves nobody answers."""

    name: str
    moves: tuple[Move, ...] = ()
    after: timedelta = timedelta(minutes=5)


@dataclass(kw_only=True)
class Played:
    """A scene as it went: the answers to its moves, and the card before and after."""

    approval: str
    scene: str
    at: datetime
    asked: str
    answers: list[str] = field(default_factory=list)
    shown: str = ""


SCRIPT = (
    Scene(name="approved", moves=(Move(who=ADA, does="Approve"), Move(who=BEN, does="/approve {id}"))),
    Scene(name="half", moves=(Move(who=ADA, does="Approve half"),)),
    Scene(name="silence"),
    Scene(
        name="a viewer tries",
        moves=(
            Move(who=VIC, does="/approve {id}"),
            Move(who=BEN, does="/approve {id} half"),
            Move(who=VIC, does="/why {id}"),
        ),
    ),
    Scene(name="very late", moves=(Move(who=ADA, does="Approve"),), after=timedelta(minutes=115)),
    Scene(name="a stranger tries", moves=(Move(who=STRANGER, does="/approve {id}"), Move(who=ADA, does="Approve"))),
    Scene(name="declined", moves=(Move(who=BEN, does="/reject {id} too hot"), Move(who=ADA, does="/status"))),
    Scene(name="approved", moves=(Move(who=ADA, does="Approve"), Move(who=VIC, does="/positions"))),
    Scene(name="late", moves=(Move(who=BEN, does="/approve {id}"),), after=timedelta(minutes=70)),
    Scene(name="declined by button", moves=(Move(who=ADA, does="Reject"),), after=timedelta(minutes=20)),
)
"""Played from the first to the last question over and over."""


class People:
    """Plays a script: the n-th question gets the n-th scene.

    Args:
        fake: The server on whose other side they are.
        store: Where they learn when the next question was asked; what they do, they do on Telegram.
        settled: Returns once all that came of their answers is sent and filled. Two who answer at the same market time
            do so one after the other, or which of their orders is filled first would be the wall clock's business.
    """

    def __init__(
        self,
        fake: FakeTelegram,
        store: Database,
        settled: Callable[[], Awaitable[None]],
        script: Sequence[Scene] = SCRIPT,
    ) -> None:
        self._fake = fake
        self._store = store
        self._settled = settled
        self._script = script
        self.played: dict[str, Played] = {}

    def job(self) -> Job:
        """The job to run beside the program's own."""
        return Job(name="people", run=self._play, alarm=self._next)

    def told(self) -> list[dict[str, Any]]:
        """Everything that was played, as plain values."""
        return [asdict(played) | {"at": played.at.isoformat()} for played in self.played.values()]

    async def _next(self) -> datetime | None:
        return min((self._when(approval) for approval in await self._waiting()), default=None)

    async def _play(self, at: datetime) -> None:
        for approval in await self._waiting():
            if self._when(approval) <= at:
                await self._answer(approval.id, self._scene(approval), at)
                await self._settled()

    async def _waiting(self) -> list[Approval]:
        """The questions that somebody will still answer."""
        asked = await self._store.read(lambda uow: uow.approvals.open())
        return [each for each in asked if each.id not in self.played and self._scene(each).moves]

    def _scene(self, approval: Approval) -> Scene:
        return self._script[(int(approval.id[1:]) - 1) % len(self._script)]

    def _when(self, approval: Approval) -> datetime:
        return approval.asked_at + self._scene(approval).after

    async def _answer(self, approval_id: str, scene: Scene, at: datetime) -> None:
        await self._fake.wait_for(lambda: self._card(approval_id), SEEN_WITHIN)
        card = self._card(approval_id)
        assert card
        played = self.played[approval_id] = Played(approval=approval_id, scene=scene.name, at=at, asked=card.text)
        for move in scene.moves:
            played.answers.append(await self._do(move, card, approval_id))
        await self._fake.wait_for(lambda: not card.buttons and "being checked" not in card.text, SEEN_WITHIN)
        played.shown = card.text

    def _card(self, approval_id: str) -> Shown | None:
        """The message that asks a question, while it has its buttons."""
        wanted = {f"{verb}:{approval_id}" for verb in ("approve", "half", "reject")}
        cards = (shown for shown in reversed(self._fake.messages(ADA)) if shown.buttons)
        return next((card for card in cards if wanted == {button["callback_data"] for button in card.buttons}), None)

    async def _do(self, move: Move, card: Shown, approval_id: str) -> str:
        """Press or type, and wait for the answer; strangers get none."""
        before = {shown.message_id for shown in self._fake.messages(move.who)}
        if move.does.startswith("/"):
            update, replied_to = self._fake.type(move.who, move.who, move.does.format(id=approval_id)), None
        else:
            update, replied_to = self._fake.press(ADA, card.message_id, move.who, move.does), card.message_id

        def answer() -> Shown | None:
            """A reply to the card that was pressed, and no trade's card, which stands under it too."""
            messages = (shown for shown in self._fake.messages(move.who) if not TRADE.match(shown.text))
            new = (shown for shown in messages if shown.message_id not in before)
            return next((shown for shown in new if shown.reply_to == replied_to), None)

        if move.who == STRANGER:
            await self._fake.wait_for(lambda: update not in self._fake.api.unconfirmed, SEEN_WITHIN)
        else:
            await self._fake.wait_for(answer, SEEN_WITHIN)
        found = answer()
        return found.text if found else ""
