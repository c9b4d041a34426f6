"""What people do: press late, twice, wrongly, on two platforms at once; and what strangers and viewers try."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from tests.chaos.firm import BEN, CHANNEL, CHAT, EVE, STAFF, VIC, Someone
from tests.fakes import slack_payloads as payloads
from tests.fakes.slack_state import Json, Version
from tests.fakes.telegram_chats import Shown

if TYPE_CHECKING:
    from tests.chaos.loop import Life
    from tests.chaos.world import World

VERBS = ("approve", "half", "reject")
TYPED = ("/status", "/pending", "/positions", "/balance", "/profit 2", "/trades", "/why {id}", "/health", "/digest")
CLOSED = ("/close {trade}", "/close all", "/close {trade} half", "/close all 25%", "/fx {trade} 0.9", "/close nothing")
TRADED = ("/approve {id}", "/approve {id} half", "/reject {id} too hot", "/pause 30m", "/resume", "/approve A999")
NONSENSE = ("approve everything", "/aprove A1", "/pause forever", "/approve", "/why me", "", "/profit -3", "⏰" * 500)
FORGED = ("approve:A999", "buy:A1", "approve:", "x" * 60, "approve:A1;drop table orders")
PATIENT = 0.8
"""How often people leave the bot alone while it has not asked anything yet."""
HOOK = "https://slack.example/hook/"
EVENT_TRIES, ACK_WITHIN = 4, 3.0
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
        self._busy = self._chance.choice((1.0, 2.0, 3.0))
        self.deeds: list[Deed] = []
        self.given_up: set[str] = set()
        self._browsers: list[asyncio.Task[None]] = []
        self.acked: dict[str, Life] = {}
        for person in (*STAFF, EVE):
            world.telegram.chat(person.telegram)
            world.slack.at.channel(CHANNEL).members.add(person.slack)
            world.slack.at.person(person.slack)

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
        """An admin halts new entries, for ever; on two platforms, to be sure."""
        self._type(BEN, "/pause")
        self._browse(BEN, "/pause", pressed=False)

    def keep_paused(self) -> None:
        """Pause again where somebody's /resume came late; not while this is on its way itself."""
        self._browsers = [task for task in self._browsers if not task.done()]
        standing = self._world.rows("SELECT id FROM halts WHERE kind = 'pause' AND ended_at IS NULL AND until IS NULL")
        if not standing and not self._browsers:
            self._browse(BEN, "/pause", pressed=False)

    def _habits(self) -> tuple[tuple[Callable[[], Awaitable[None]], float], ...]:
        return (
            (self._answer, 6),
            (self._answer_twice, 1),
            (self._answer_together, 2),
            (self._ask, 2),
            (self._steer, 1),
            (self._close, 12 if self._held() else 1),
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

    async def _close(self) -> None:
        """Press what somebody has asked to close, or ask for that."""
        kept = self._world.rows("SELECT value FROM settings WHERE key LIKE 'closing.%' ORDER BY key")
        wishes = [wish for row in kept if (wish := json.loads(row["value"]))["stage"] == "asked"]
        if wishes:
            self._confirm(self._chance.choice(wishes))
            return
        trade = self._chance.choice(self._held() or ["T1"])
        self._say(self._trader(), self._chance.choice(CLOSED).replace("{trade}", trade))

    def _held(self) -> list[str]:
        return [row["id"] for row in self._world.rows("SELECT id FROM positions WHERE status = 'open' ORDER BY number")]

    def _confirm(self, wish: Json) -> None:
        """Press it, mostly as the one who asked, once or twice."""
        data = f"{self._chance.choice(('close', 'close', 'close', 'keep'))}:{wish['id']}"
        asked = next(person for person in STAFF if person.name == wish["person"])
        who = self._chance.choices((asked, self._chance.choice(STAFF)), (4, 1))[0]
        for _ in range(self._chance.choice((1, 1, 2))):
            self._confirm_somewhere(who, data)

    def _confirm_somewhere(self, who: Someone, data: str) -> None:
        private = self._world.telegram.chat(who.telegram).messages.values()
        showing = [m for m in private if not m.deleted and data in [b["callback_data"] for b in m.buttons]]
        if showing and self._chance.random() < 0.5:
            update = self._world.telegram.press(who.telegram, showing[0].message_id, who.telegram, data)
            self._did(f"telegram:{update}", who, f"pressed {data}")
        else:
            self._click(who, data)

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
        if self._on_slack and self._chance.random() < 0.4:
            self._command(who, said)
        elif self._chance.random() < 0.5:
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
        if self._chance.random() < 0.5 and self._press_on_slack(who, data):
            return
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

    # Slack

    @property
    def _on_slack(self) -> bool:
        return self._world.settings.slack.bot_token is not None

    def _press_on_slack(self, who: Someone, data: str) -> bool:
        """Press the button on a card in the channel; whether a card there shows it."""
        at = self._world.slack.at
        where = at.channel(CHANNEL)
        showing = [
            (message, button)
            for message in where.messages.values()
            if message.is_bots and not message.deleted
            for button in message.buttons
            if button.get("value") == data
        ]
        if not showing:
            return False
        message, button = self._chance.choice(showing)
        hook = HOOK + at.hook(where.id, who.slack, message.ts)
        place = payloads.on_message(at, message, where, at.shown(message), hook)
        payload = payloads.press(at, who.slack, button, **place)
        self._hand_in("interactive", payload, who, f"pressed {data}", payload["trigger_id"])
        return True

    def _command(self, who: Someone, text: str) -> None:
        """Give the slash command in the channel, or write to the bot alone."""
        at, said = self._world.slack.at, text.removeprefix("/")
        if self._chance.random() < 0.5:
            where = at.channel(CHANNEL)
            hook = HOOK + at.hook(where.id, who.slack)
            payload = payloads.command(at, who.slack, where, "/bot", said, hook)
            self._hand_in("slash_commands", payload, who, text, payload["trigger_id"])
        elif said:
            where = at.direct(who.slack)
            message = at.add(where, who.slack, Version(text=said, blocks=[]))
            payload = payloads.event(at, payloads.typed(message, where, "message"))
            self._hand_in("events", payload, who, text, payload["event_id"])

    def _hand_in(self, kind: str, payload: Json, who: Someone, what: str, name: str) -> None:
        delivery = f"slack:{name}"
        self._did(delivery, who, what)
        self._browsers.append(asyncio.create_task(self._call(kind, payload, delivery)))

    async def _call(self, kind: str, payload: Json, delivery: str) -> None:
        """Call the program as Slack does: an event again where it is not acknowledged; now and then twice anyway."""
        doubled = self._chance.random() < 0.1
        for _ in range(EVENT_TRIES if kind == "events" else 1):
            for _ in range(2 if doubled else 1):
                if await self._is_acknowledged(kind, payload, delivery):
                    return
            await asyncio.sleep(1.0)

    async def _is_acknowledged(self, kind: str, payload: Json, delivery: str) -> bool:
        called = self._world.through_slack(kind, payload)
        if called is None:
            return False
        answering, life = called
        await asyncio.wait([answering], timeout=ACK_WITHIN)
        if answering.done() and answering.result().status_code == HTTPStatus.OK:
            self.acked[delivery] = life
            return True
        return False

    # Browsers

    def _browse(self, who: Someone, what: str, *, pressed: bool) -> None:
        delivery = UUID(int=self._chance.getrandbits(128), version=4)
        self._did(f"web:{who.web}:{delivery.hex}", who, f"pressed {what}" if pressed else what)
        self._browsers.append(asyncio.create_task(self._insist(who, what, delivery, pressed=pressed)))

    async def _insist(self, who: Someone, what: str, delivery: UUID, *, pressed: bool) -> None:
        """Send it until it comes through, with one id.

        What returns while an earlier one is still being acted on is no answer: the program leaves it to that one.
        """
        sent: list[tuple[asyncio.Task[None], Life]] = []
        for _ in range(TRIES):
            sending = self._world.through_the_web(who, what, delivery, pressed=pressed)
            if sending is not None:
                sent.append(sending)
                await asyncio.wait([sending[0]], timeout=ANSWER_WITHIN)
                if sending[0].done() and not _is_under_way(sent):
                    return
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))
        if not _is_under_way(sent):
            self.given_up.add(f"web:{who.web}:{delivery.hex}")


def _is_under_way(sent: list[tuple[asyncio.Task[None], Life]]) -> bool:
    """Whether a program that lives is still acting on something that was sent."""
    return any(not sending.done() and not life.dead for sending, life in sent)
