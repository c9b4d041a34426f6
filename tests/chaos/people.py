"""What people do: press late, twice, wrongly, on two platforms at once; and what strangers and viewers try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from tests.chaos.firm import BEN, CHAT, EVE, STAFF, VIC, Someone
from tests.fakes.telegram_chats import Shown

if TYPE_CHECKING:
    from tests.chaos.world import World

VERBS = ("approve", "half", "reject")
TYPED = ("/status", "/pending", "/positions", "/balance", "/profit 2", "/trades", "/why {id}", "/health", "/digest")
TRADED = ("/approve {id}", "/approve {id} half", "/reject {id} too hot", "/pause 30m", "/resume", "/approve A999")
NONSENSE = ("approve everything", "/aprove A1", "/pause forever", "/approve", "/why me", "", "/profit -3", "⏰" * 500)
FORGED = ("approve:A999", "buy:A1", "approve:", "x" * 60, "approve:A1;drop table orders")
PATIENT = 0.8
"""How often people leave the bot alone while it has not asked anything yet."""
TRIES = 20
"""How often a browser sends something again before its person gives up."""
ANSWER_WITHIN = 10.0


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something that somebody did, by its delivery's own name."""

    delivery: str
    who: Someone
    what: str


class Crowd:
    """Everybody who has to do with the firm."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = Random(f"{world.seed}/people")
        self._busy = self._chance.choice((1.0, 2.0, 4.0))
        self.deeds: list[Deed] = []
        self.given_up: set[str] = set()
        self._browsers: list[asyncio.Task[None]] = []
        for person in (*STAFF, EVE):
            world.telegram.chat(person.telegram)

    async def live(self) -> None:
        """Do one thing after the other, until sent home."""
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / self._busy))
            if not self._world.rows("SELECT id FROM approvals LIMIT 1") and self._chance.random() < PATIENT:
                continue
            await self._chance.choices(*zip(*self._habits(), strict=True))[0]()

    async def go_home(self) -> None:
        """Finish what is being done in browsers."""
        while self._browsers:
            await asyncio.wait(self._browsers)
            self._browsers = [task for task in self._browsers if not task.done()]

    def pause(self) -> None:
        """An admin stops new entries, for ever; on two platforms, to be sure."""
        self._type(BEN, "/pause")
        self._browse(BEN, "/pause", pressed=False)

    def _habits(self) -> tuple[tuple[Callable[[], Awaitable[None]], float], ...]:
        return (
            (self._answer, 6),
            (self._answer_twice, 1),
            (self._answer_together, 2),
            (self._ask, 2),
            (self._steer, 1),
            (self._talk_nonsense, 1),
            (self._forge, 1),
            (self._deliver_again, 1),
            (self._stranger, 1),
            (self._viewer, 1),
        )

    # Habits

    async def _answer(self) -> None:
        self._press_somewhere(self._trader())

    async def _answer_twice(self) -> None:
        who = self._trader()
        for _ in range(2):
            self._press_somewhere(who)

    async def _answer_together(self) -> None:
        approval = self._an_approval()
        for who in STAFF:
            self._press(who, self._chance.choice(VERBS), approval)
            self._click(who, f"{self._chance.choice(VERBS)}:{approval}")

    async def _ask(self) -> None:
        self._say(self._chance.choice(STAFF), self._chance.choice(TYPED))

    async def _steer(self) -> None:
        self._say(self._trader(), self._chance.choice(TRADED))

    async def _talk_nonsense(self) -> None:
        self._say(self._chance.choice(STAFF), self._chance.choice(NONSENSE))

    async def _forge(self) -> None:
        shown = self._cards()
        if shown:
            who = self._chance.choice((*STAFF, EVE))
            data = self._chance.choice((*FORGED, f"approve:{self._an_approval()}"))
            self._pressed(who, self._chance.choice(shown), data, forged=True)

    async def _deliver_again(self) -> None:
        sent = [deed for deed in self.deeds if deed.delivery.startswith("telegram:")]
        if sent:
            deed = self._chance.choice(sent[-8:])
            self._world.note("again", deed.delivery)
            self._world.telegram.redeliver(int(deed.delivery.partition(":")[2]))

    async def _stranger(self) -> None:
        if self._chance.random() < 0.5:
            self._type(EVE, self._chance.choice((*TYPED, *TRADED)).replace("{id}", self._an_approval()))
        else:
            self._press(EVE, "approve", self._an_approval())

    async def _viewer(self) -> None:
        if self._chance.random() < 0.5:
            self._say(VIC, self._chance.choice(TRADED))
        else:
            self._press_somewhere(VIC)

    # Ways

    def _trader(self) -> Someone:
        return self._chance.choice([person for person in STAFF if person is not VIC])

    def _an_approval(self) -> str:
        """An open question by preference, else any."""
        asked = self._world.rows("SELECT id, status FROM approvals ORDER BY number DESC LIMIT 6")
        pending = [row["id"] for row in asked if row["status"] == "pending"]
        any_id = [row["id"] for row in asked] or ["A1"]
        return self._chance.choice(pending or any_id) if self._chance.random() < 0.8 else self._chance.choice(any_id)

    def _say(self, who: Someone, text: str) -> None:
        said = text.replace("{id}", self._an_approval())
        if self._chance.random() < 0.5:
            self._type(who, said)
        else:
            self._browse(who, said, pressed=False)

    def _press_somewhere(self, who: Someone) -> None:
        verb, approval = self._chance.choice(VERBS), self._an_approval()
        if self._chance.random() < 0.6:
            self._press(who, verb, approval)
        else:
            self._click(who, f"{verb}:{approval}")

    def _cards(self) -> list[Shown]:
        messages = self._world.telegram.chat(CHAT).messages.values()
        return [m for m in messages if m.sender == self._world.telegram.me and not m.deleted]

    def _press(self, who: Someone, verb: str, approval: str) -> None:
        """Press the button on the card, where a card shows it."""
        data = f"{verb}:{approval}"
        showing = [card for card in self._cards() if data in [b["callback_data"] for b in card.buttons]]
        if showing:
            self._pressed(who, self._chance.choice(showing), data)

    def _pressed(self, who: Someone, card: Shown, data: str, *, forged: bool = False) -> None:
        update = self._world.telegram.press(CHAT, card.message_id, who.telegram, data, forged=forged)
        self._did(f"telegram:{update}", who, f"pressed {data}")

    def _type(self, who: Someone, text: str) -> None:
        if text:
            update = self._world.telegram.type(who.telegram, who.telegram, text)
            self._did(f"telegram:{update}", who, text)

    def _click(self, who: Someone, data: str) -> None:
        self._browse(who, data, pressed=True)

    def _did(self, delivery: str, who: Someone, what: str) -> None:
        self._world.note("person", who.name, delivery, what[:40])
        self.deeds.append(Deed(delivery=delivery, who=who, what=what))

    # Browsers

    def _browse(self, who: Someone, what: str, *, pressed: bool) -> None:
        delivery = UUID(int=self._chance.getrandbits(128), version=4)
        self._did(f"web:{who.web}:{delivery.hex}", who, f"pressed {what}" if pressed else what)
        self._browsers.append(asyncio.create_task(self._insist(who, what, delivery, pressed=pressed)))

    async def _insist(self, who: Someone, what: str, delivery: UUID, *, pressed: bool) -> None:
        """Send it until it comes through: each time with the same id, as a page does."""
        for _ in range(TRIES):
            sending = self._world.through_the_web(who, what, delivery, pressed=pressed)
            if sending is not None:
                await asyncio.wait([sending], timeout=ANSWER_WITHIN)
                if sending.done():
                    return
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))
        self.given_up.add(f"web:{who.web}:{delivery.hex}")
