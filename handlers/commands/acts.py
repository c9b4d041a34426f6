"""The commands that do something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.desk import Desk
from engine.domain.approvals import Press, Verb
from engine.domain.errors import BadInput, UnknownId
from engine.domain.messages import Card, Role
from engine.ports import Clock
from engine.store.outbox import emergency_answer_topic
from engine.views.trading import Views
from handlers import arguments
from handlers.access import require
from handlers.cards import adjuster, capital, closings, confirmations, emergencies, halts, replies
from handlers.commands.table import Call


class Acts:
    """The commands that do something."""

    def __init__(self, views: Views, desk: Desk, clock: Clock) -> None:
        self._views = views
        self._desk = desk
        self._clock = clock

    async def approve(self, call: Call) -> Card:
        wanted = _first(call.words)
        verb = Verb.HALF if arguments.half(call.words[1:]) else Verb.APPROVE
        return await self._answer(wanted, Press(person=call.person.name, verb=verb))

    async def reject(self, call: Call) -> Card:
        reason = " ".join(call.words[1:])
        return await self._answer(_first(call.words), Press(person=call.person.name, verb=Verb.REJECT, reason=reason))

    async def _answer(self, approval_id: str, press: Press) -> Card:
        try:
            answer = await self._desk.answer(approval_id, press)
        except UnknownId as error:
            raise UnknownId(error.message, await self._nearest(approval_id)) from error
        return replies.answered(answer.reply, answer.approval, answer.halt)

    async def _nearest(self, approval_id: str) -> str:
        open_ids = [view.approval.id for view in await self._views.pending()]
        if not open_ids:
            return "No approval is open."
        return f"Did you mean {min(open_ids, key=lambda known: abs(int(known[1:]) - int(approval_id[1:])))}?"

    async def pause(self, call: Call) -> Card:
        length = arguments.duration(call.words)
        until = self._clock.now() + length if length else None
        return halts.paused(await self._desk.pause(call.person, until))

    async def resume(self, call: Call) -> Card:
        if await self._desk.is_reason(call.words):
            return halts.resumed(await self._desk.resume(call.person, " ".join(call.words)))
        if call.words:
            return halts.resumed(await self._desk.accept_change(call.person, *arguments.market_at(call.words)))
        return halts.resumed(await self._desk.resume(call.person))

    async def close(self, call: Call) -> Card:
        return closings.card(await self._desk.closings.ask(call.person.name, arguments.closing(call.words)))

    async def capital(self, call: Call) -> Card:
        if not call.words:
            return capital.card(await self._views.capital())
        consent = arguments.consent(call.words)
        return confirmations.answer(await self._desk.confirming.answer_capital(call.person, consent))

    async def ppo(self, call: Call) -> Card:
        if not call.words:
            return adjuster.card(await self._views.adjuster())
        wanted = arguments.adjuster_mode(call.words)
        require(call.person, Role.ADMIN, "Setting the adjuster")
        return adjuster.asked(await self._desk.adjuster.ask(call.person.name, wanted))

    async def emergency(self, call: Call) -> Card:
        if arguments.flag(call.words, emergencies.NOW):
            halt = await self._views.halt(await self._desk.stop_everything(call.person))
            return replace(emergencies.called(halt), topic=emergency_answer_topic(halt.id, call.delivery))
        return replace(await self._emergency(call), private=True)

    async def _emergency(self, call: Call) -> Card:
        """What it would do, or how far it is."""
        if halt_id := await self._views.standing_emergency():
            card = emergencies.so_far(await self._views.emergency(halt_id), self._clock.now())
            return replace(card, topic=emergency_answer_topic(halt_id, call.delivery))
        return emergencies.preview(await self._views.exposed())


def _first(words: Sequence[str]) -> str:
    if not words:
        raise BadInput("Which approval? Its id is missing; /pending lists them.")
    return arguments.approval_id(words[0])
