"""The one way in: whatever a person types or presses on any platform comes through here.

    delivery new? → person known? → sent while we were away? → understood? → role enough? → run → audited

What only reads is answered before anything of it is written: answered twice after a crash, it does no harm. A replay
gives way until it is.
Strangers learn nothing, not even that there is somebody: they get no answer. They are audited and
kept for the admins to see, as long as they do not come in floods.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from engine.desk import Desk
from engine.domain.errors import BadInput, GreenlightError, StoreError
from engine.domain.messages import Card, Destination, Incoming, Person, Pressed, Typed
from engine.domain.people import Stranger
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import fault_id
from engine.timing.clocks import monotonic
from handlers.access import Access
from handlers.answered import is_answer
from handlers.cards import errors
from handlers.cards.lines import flowing
from handlers.commands import Call, CommandTable
from handlers.presses import Presses
from handlers.strangers import Strangers, shown_name

LONGEST_TEXT = 1000
"""Characters of a text that are read, and of any text that is audited."""
LONGEST_ID = 64
"""Characters of a stranger's id that are shown."""

_log = structlog.get_logger(__name__)


class Reception:
    """Receives what people do, lets in who may come in, and answers them.

    Args:
        access: Who is known.
        commands: What can be asked for.
        database: Remembers deliveries and the audit.
        desk: Takes the answers of buttons.
        clock: Market time, for the audit.
        wall: Wall time.
        started_at: When this process started, by the wall clock, floored to the second as platforms send times.
        monotonic: Wall seconds, for how fast strangers are noted.
    """

    def __init__(
        self,
        *,
        access: Access,
        commands: CommandTable,
        database: Database,
        desk: Desk,
        clock: Clock,
        wall: Callable[[], datetime],
        started_at: datetime,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._access = access
        self._commands = commands
        self._database = database
        self._presses = Presses(desk=desk)
        self._clock = clock
        self._wall = wall
        self._started_at = started_at
        self._strangers = Strangers(monotonic)
        self._under_way: set[str] = set()
        self._recording: dict[str, asyncio.Task[None]] = {}
        self._giving_way: dict[str, Callable[[], None]] = {}

    async def receive(self, incoming: Incoming) -> Card | None:
        """As ``answer``, once what was done about it is on record."""
        try:
            card = await self.answer(incoming)
            await self.recorded(incoming)
        finally:
            self.shown(incoming)
        return card

    async def answer(self, incoming: Incoming) -> Card | None:
        """Act on something a person did, once, and say what to answer them.

        It never raises, so that no platform needs to know what can go wrong in here. Whoever shows the answer then
        tells so by ``shown``, and waits for ``recorded`` before the platform may forget the delivery.

        Returns:
            The answer; ``None`` for strangers and for deliveries that were answered before, or are being acted on.
        """
        incoming = self._understood(incoming)
        delivery = _delivery(incoming)
        if delivery in self._under_way:
            return None
        self._under_way.add(delivery)
        person = self._access.person(incoming.platform, incoming.user)
        try:
            return await (self._received(incoming, person) if person else self._met(incoming))
        except Exception as error:  # noqa: BLE001 - the boundary to every platform: the store itself failed
            return _failed(error) if person else None
        finally:
            if delivery not in self._recording:
                self._under_way.discard(delivery)

    def interim(self, incoming: Incoming) -> Card | None:
        """What is said at once of something whose answer takes long, before it is asked for.

        Returns:
            ``None`` of anything else, of what will be refused, and for strangers.
        """
        person = self._access.person(incoming.platform, incoming.user)
        action = self._understood(incoming).action
        if person is None or not isinstance(action, Typed) or self._is_of_before(incoming):
            return None
        with suppress(GreenlightError):
            if found := self._commands.find(action.text[:LONGEST_TEXT]):
                command, words = found
                return self._commands.interim(command, Call(person=person, platform=incoming.platform, words=words))
        return None

    def arrived(self, incoming: Incoming) -> None:
        """Have a replay give way from now on to something that only reads, also before its turn comes."""
        incoming = self._understood(incoming)
        delivery = _delivery(incoming)
        is_new = delivery not in self._under_way and delivery not in self._giving_way
        if is_new and self._access.person(incoming.platform, incoming.user) and self._only_reads(incoming):
            self._giving_way[delivery] = self._database.take_precedence()

    async def recorded(self, incoming: Incoming) -> None:
        """Return once what was done about a delivery is on record."""
        if recording := self._recording.get(_delivery(incoming)):
            await asyncio.wait({recording})

    def shown(self, incoming: Incoming) -> None:
        """Let what gave way to an answer go on: it stands where it was asked for, or could not be shown."""
        if go_on := self._giving_way.pop(_delivery(incoming), None):
            go_on()

    def _understood(self, incoming: Incoming) -> Incoming:
        """The same; a command that was written to us alone without its slash has it."""
        if not incoming.is_private or not isinstance(incoming.action, Typed):
            return incoming
        return replace(incoming, action=Typed(text=self._commands.slashed(incoming.action.text)))

    async def _met(self, incoming: Incoming) -> None:
        """Note what a stranger did, once, as long as they do not come in floods; the first time also in the log."""
        is_known = self._strangers.knows(incoming.platform, incoming.user)
        if not (times := self._strangers.to_note(incoming.platform, incoming.user)):
            return
        at, user, name = self._wall(), incoming.user[:LONGEST_ID], shown_name(incoming.name)
        met = Stranger(platform=incoming.platform, user=user, name=name, first_at=at, last_at=at, times=times)
        finish = self._finishing(incoming, "", "stranger: no answer")

        def work(uow: UnitOfWork) -> bool:
            uow.chat.delivered(_delivery(incoming), at)
            return finish(uow) and uow.strangers.note(met)

        if await self._database.transact(work) and not is_known:
            _log.info("a stranger wrote", platform=met.platform, user=user, name=name, to_let_in="add the id to people")

    async def _received(self, incoming: Incoming, person: Person) -> Card | None:
        """Answer what is new; of what a crash interrupted nobody knows how far it got."""
        if self._only_reads(incoming):
            return await self._looked_up(incoming, person)
        is_new = await self._begin(incoming)
        if not is_new and await self._is_finished(incoming):
            return None
        card = await (self._answer(incoming, person) if is_new else self._interrupted(incoming, person))
        await self._database.transact(self._finishing(incoming, person.name, flowing(card.title)))
        return None if await self._is_shown(card, incoming) else card

    def _only_reads(self, incoming: Incoming) -> bool:
        """Whether something changes nothing, however often it is done."""
        match incoming.action:
            case Typed(text=text):
                with suppress(BadInput):
                    found = self._commands.find(text[:LONGEST_TEXT])
                    return found is not None and not found[0].acts
        return False

    async def _looked_up(self, incoming: Incoming, person: Person) -> Card | None:
        """Answer what only reads, unless it was answered already: both are looked up at once. The audit is beside."""
        go_on = self._database.take_precedence()
        self.shown(incoming)  # what gave way since it has arrived gives way to this from here on
        try:
            finished, card = await asyncio.gather(self._is_finished(incoming), self._answer(incoming, person))
        except BaseException:
            go_on()
            raise
        if finished:
            go_on()
            return None
        self._giving_way[_delivery(incoming)] = go_on
        recording = self._record(incoming, person.name, flowing(card.title))
        self._recording[_delivery(incoming)] = asyncio.create_task(recording)
        return card

    async def _record(self, incoming: Incoming, person: str, outcome: str) -> None:
        """Write down what was answered, while it is shown."""
        try:
            await self._database.transact(self._finishing(incoming, person, outcome))
        except StoreError as error:
            _log.warning("not audited", action=_action(incoming), person=person, detail=error.message)
        except Exception as error:  # noqa: BLE001 - the boundary of a task: the answer is given already
            _failed(error)
        finally:
            self._under_way.discard(_delivery(incoming))
            self._recording.pop(_delivery(incoming), None)

    async def _is_shown(self, card: Card, incoming: Incoming) -> bool:
        """Whether the outbox brings what was pressed up to date: a reply could only overtake it with less news."""
        ref, to = incoming.ref, Destination(platform=incoming.platform, address=incoming.address)
        if ref is None or not is_answer(card):
            return False
        shown = await self._database.read(lambda uow: uow.outbox.ref(card.topic, to))
        return shown is not None and set(ref.messages) <= set(shown.messages)

    async def _begin(self, incoming: Incoming) -> bool:
        """Note that a delivery is being acted on; whether that was never begun before."""
        now = self._wall()
        return await self._database.transact(lambda uow: uow.chat.delivered(_delivery(incoming), now))

    async def _is_finished(self, incoming: Incoming) -> bool:
        return await self._database.read(lambda uow: uow.chat.has_seen(_finished(incoming)))

    async def _answer(self, incoming: Incoming, person: Person) -> Card:
        if self._is_of_before(incoming):
            return errors.away()
        try:
            return await self._act(incoming, person)
        except GreenlightError as error:
            return errors.error(error)
        except Exception as error:  # noqa: BLE001 - people get an id, the log gets the rest
            return _failed(error)

    def _is_of_before(self, incoming: Incoming) -> bool:
        """Whether it was sent while nobody was here."""
        return incoming.sent_at is not None and incoming.sent_at < self._started_at

    async def _interrupted(self, incoming: Incoming, person: Person) -> Card:
        """What can be said of something that was being acted on when the program stopped."""
        if not isinstance(incoming.action, Pressed):
            return errors.interrupted()
        try:
            return await self._presses.interrupted(incoming.action.data, person)
        except GreenlightError as error:
            return errors.error(error)

    async def _act(self, incoming: Incoming, person: Person) -> Card:
        match incoming.action:
            case Typed(text=text):
                return await self._typed(text[:LONGEST_TEXT], person, incoming)
            case Pressed(data=data):
                register = partial(self._register, incoming)
                return await self._presses.press(data, person, register, is_carried=incoming.is_carried)

    async def _typed(self, text: str, person: Person, incoming: Incoming) -> Card:
        found = self._commands.find(text)
        if found is None:
            return errors.hint()
        command, words = found
        call = Call(person=person, platform=incoming.platform, words=words, delivery=_delivery(incoming))
        return await self._commands.run(command, call)

    async def _register(self, incoming: Incoming, topic: str) -> None:
        """Note the message that was pressed, in case a crash lost which one shows the approval."""
        ref, to = incoming.ref, Destination(platform=incoming.platform, address=incoming.address)
        if ref is not None:
            await self._database.transact(lambda uow: uow.register(topic, to, ref))

    def _finishing(self, incoming: Incoming, person: str, outcome: str) -> Callable[[UnitOfWork], bool]:
        """Audits what was done about a delivery, and notes that it is finished; whether it was not before."""
        at, wall_at, action = self._clock.now(), self._wall(), _action(incoming)

        def work(uow: UnitOfWork) -> bool:
            if not uow.chat.delivered(_finished(incoming), wall_at):
                return False
            uow.chat.audit(
                at=at,
                wall_at=wall_at,
                platform=incoming.platform,
                user=incoming.user[:LONGEST_TEXT],
                person=person,
                action=action,
                outcome=outcome[:LONGEST_TEXT],
            )
            return True

        return work


def _delivery(incoming: Incoming) -> str:
    """The delivery's own name: two platforms may count alike."""
    return f"{incoming.platform}:{incoming.delivery_id}"


def _finished(incoming: Incoming) -> str:
    """What stands among the deliveries once one was answered."""
    return f"{_delivery(incoming)}:finished"


def _action(incoming: Incoming) -> str:
    """What was tried, for the audit. What is not a command is left out: it may be a secret pasted by mistake."""
    match incoming.action:
        case Typed(text=text) if text.lstrip().startswith("/"):
            return " ".join(text.split())[:LONGEST_TEXT]
        case Typed():
            return "a text that is not a command"
        case Pressed(data=data):
            return f"pressed {data}"[:LONGEST_TEXT]


def _failed(error: Exception) -> Card:
    """Log an error that nobody expected, and give people the id it has in the log."""
    reference = fault_id()
    _log.error("reception failed", reference=reference, exc_info=error)
    return errors.error(error) if isinstance(error, StoreError) else errors.fault(reference)
