"""The emergency stop: no new entries, nothing that waits to buy, nothing held. Once called it goes on until that is so.

    halt written down ─▶ entry orders cancelled ─▶ positions sold at market ─▶ all done, or once more after a pause
                                                   or kept with their stops

The halt is the wish: it is committed before anything else is done, so that a restart goes on with it. Selling only
reduces risk, so nobody is asked. While the venue does not answer it is left alone a little longer each time, or for as
long as it asks for. Positions keep their stops until a sale can be had; where the venue refuses one all the same, the
next waits longer each time, for the stop is cancelled for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from engine.domain.errors import GreenlightError, SaleRefused, VenueError
from engine.domain.events import EmergencyProgressed
from engine.domain.halt_views import EmergencyView, Exposed
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import Order, Purpose, Side
from engine.domain.positions import Position
from engine.execution.external import CONTEXT
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.ports import Clock
from engine.store.database import Database
from engine.store.halting import begin_halt
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import fault_id

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Wall seconds between two tries: the pause doubles with each that fails."""
LOOKS_EVERY = 5.0
"""Wall seconds between two looks for what turns up late, once nothing is left."""
DONE = "nothing is left: no order waits, and nothing is held"
KEPT = "no order waits to buy; what is held keeps its stops"
"""The same where positions are not sold."""

_log = structlog.get_logger(__name__)


class EmergencyStopSystem:
    """Carries out the emergency stop, across every fault and restart.

    Args:
        keep_stops: Whether one that is called from now on leaves what is held to its stops instead of selling it.
        wait: Lets wall seconds pass.
    """

    def __init__(
        self,
        *,
        store: Database,
        orchestrator: ExecutionOrchestrator,
        clock: Clock,
        keep_stops: bool = False,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._orchestrator = orchestrator
        self._clock = clock
        self._keep_stops = keep_stops
        self._wait = wait
        self._task: asyncio.Task[None] | None = None

    async def call(self, by: str) -> str:
        """Write the halt down, before anything else; its id. One that stands is gone on with."""
        return await self._store.transact(lambda uow: self.halt(uow, by, f"{by} called the emergency stop"))

    async def standing(self) -> str:
        """The id of the emergency that is not over; empty where there is none."""
        return await self._store.read(standing)

    def start(self) -> None:
        """Begin to carry it out, beside everything else."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.run(), name="emergency stop")

    async def stop(self) -> None:
        """Leave the rest to the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def run(self) -> None:
        """Go on until nothing is left, and look after what turns up late, until an admin ends the halt."""
        backoff = FIRST_PAUSE
        while True:
            pause = backoff
            backoff = min(2 * backoff, LONGEST_PAUSE)
            try:
                halt_id = await self.standing()
                if not halt_id:
                    return
                troubles = await self._once(pause)
                left = await self._store.read(_what_is_left)
                if troubles:
                    await self._tell(halt_id, troubles)
                else:
                    await self._tell(halt_id, f"still to go: {left}" if left else await self._store.read(_done))
                    backoff, pause = FIRST_PAUSE, FIRST_PAUSE if left else LOOKS_EVERY
            except GreenlightError as error:
                pause = max(pause, getattr(error, "retry_after", 0.0))
                await self._tell_of(error.message, pause)
            except Exception:  # noqa: BLE001 - whatever goes wrong, the emergency stop goes on
                reference = fault_id()
                _log.exception("emergency stop failed", reference=reference)
                await self._tell_of(f"an error nobody foresaw (log id {reference})", pause)
            await self._wait(pause)

    def halt(self, uow: UnitOfWork, by: str, reason: str) -> str:
        """Write the halt down in a transaction; its id, or that of one that stands."""
        halt_id = standing(uow)
        if halt_id:
            return halt_id
        halt_id = begin_halt(uow, Halt(kind=HaltKind.EMERGENCY, reason=reason, since=self._clock.now(), by=by))
        if self._keep_stops:  # kept, for a restart with other settings is no order to sell
            uow.settings.set(_keeps_key(halt_id), "yes")
        return halt_id

    async def try_once(self) -> None:
        """Try all that there is to do once, and write down how far it is; for who has no time that passes by itself."""
        halt_id = await self.standing()
        if halt_id:
            troubles = await self._once(0.0)
            left = await self._store.read(_what_is_left)
            note = troubles or (f"still to go: {left}" if left else await self._store.read(_done))
            await self._tell(halt_id, note)

    async def _once(self, pause: float) -> str:
        """Try everything once, as long as nobody ends the halt meanwhile.

        Args:
            pause: After how many wall seconds what fails is tried again, unless it says when.

        Returns:
            What failed or was refused, and why: each thing by its name. Empty where nothing was.

        Raises:
            VenueError: The venue asks to be left alone.
        """
        later: dict[str, str] = {}
        soon: dict[str, str] = {}
        for name, attempt in await self._attempts():
            if not await self.standing():
                break
            try:
                await attempt()
            except VenueError as error:
                if error.retry_after:
                    raise
                waits = isinstance(error, SaleRefused) and error.again_at is not None
                (later if waits else soon)[name] = error.message.rstrip(".")
        again = (f"tried again in {pause:g} s",) if soon else ()
        return "; ".join((*_in_words(later), *_in_words(soon), *again))

    async def _attempts(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """What there is to do, each with the name of what it is done to."""
        orders, positions, since = await self._store.read(lambda uow: (_entries(uow), _to_sell(uow), _since(uow)))

        def cancel_order(order: Order) -> Callable[[], Awaitable[None]]:
            return lambda: self._orchestrator.cancel_order(order, "by the emergency stop")

        def sell(position: Position) -> Callable[[], Awaitable[None]]:
            return lambda: self._orchestrator.sell(position.id, since)

        return [
            *((order.id, cancel_order(order)) for order in orders),
            ("orders in doubt", self._orchestrator.resolve_unknown_orders),
            *((f"{position.id} {position.symbol}", sell(position)) for position in positions),
            ("the venue's events", self._orchestrator.sync_venue_events),
        ]

    async def _tell_of(self, trouble: str, pause: float) -> None:
        with suppress(GreenlightError):  # where the database itself is the trouble, this cannot be written either
            halt_id = await self.standing()
            if halt_id:
                await self._tell(halt_id, f"{trouble.rstrip('.')}; tried again in {pause:g} s")

    async def _tell(self, halt_id: str, note: str) -> None:
        """Write down how far it is, where that is new."""
        now = self._clock.now()

        def work(uow: UnitOfWork) -> None:
            if uow.settings.get(_key(halt_id)) != note:
                uow.settings.set(_key(halt_id), note)
                uow.emit(EmergencyProgressed(at=now, halt_id=halt_id, note=note))

        if await self._store.read(lambda uow: uow.settings.get(_key(halt_id))) != note:
            await self._store.transact(work)


def exposed(uow: UnitOfWork, *, keeps_stops: bool) -> Exposed:
    """What an emergency stop would end now, one that leaves positions to their stops or one that sells them."""
    return Exposed(
        entries=tuple(uow.orders.get(order.id) for order in _entries(uow)),
        positions=uow.positions.open(),
        approvals=len(uow.approvals.open()),
        keeps_stops=keeps_stops,
    )


def being_ended(uow: UnitOfWork) -> frozenset[str]:
    """The ids of the positions that an emergency stop is selling; none where none was called."""
    return frozenset(position.id for position in _to_sell(uow)) if standing(uow) else frozenset()


def progress(uow: UnitOfWork, halt_id: str) -> EmergencyView:
    """How far an emergency stop is.

    Raises:
        UnknownId: There is none with that id.
    """
    view, last = uow.halts.get(halt_id), uow.last_event_at()
    until = view.ended_at or last or view.halt.since
    return EmergencyView(
        halt=view,
        note=uow.settings.get(_key(halt_id)) or "begun" if view.ended_at is None else "over",
        left=exposed(uow, keeps_stops=_keeps_stops(uow, halt_id)),
        ended_because=uow.settings.get(_ended_key(halt_id)) or "",
        closed=uow.positions.closed_within(view.halt.since - timedelta.resolution, until),
    )


def standing(uow: UnitOfWork) -> str:
    """The id of the emergency stop that is not over; empty where there is none."""
    return next((found.id for found in uow.halts.open() if found.halt.kind is HaltKind.EMERGENCY), "")


def note_end(uow: UnitOfWork, halt_id: str, reason: str) -> None:
    """Keep why somebody has ended an emergency stop."""
    uow.settings.set(_ended_key(halt_id), reason)


def _since(uow: UnitOfWork) -> datetime | None:
    """When the emergency that is not over was called for; ``None`` where there is none."""
    return next((found.halt.since for found in uow.halts.open() if found.halt.kind is HaltKind.EMERGENCY), None)


def _entries(uow: UnitOfWork) -> list[Order]:
    """Every order that could still buy, somebody else's too where it is known."""
    return [order for order in uow.orders.unfinished() if order.request.side is Side.BUY]


def _to_sell(uow: UnitOfWork) -> list[Position]:
    """Everything held, but for what somebody else buys by hand once the stop was called: they will know why.

    Nothing where the stop leaves positions to their stops.
    """
    if _keeps_stops(uow, standing(uow)):
        return []
    since = _since(uow)
    held = uow.positions.open()
    return [p for p in held if p.context != CONTEXT or since is None or p.opened_at <= since]


def _what_is_left(uow: UnitOfWork) -> str:
    """Each thing that is still to be done, in words; empty where nothing is."""
    orders = [f"{order.id} to cancel" for order in _entries(uow)]
    held = [f"{position.id} {position.symbol} to sell" for position in _to_sell(uow)]
    leaving = [order for order in uow.orders.unfinished() if order.purpose is Purpose.EXIT]
    sales = [f"{order.id} to be filled, {order.rest:f} of {order.request.quantity:f}" for order in leaving]
    return "; ".join([*orders, *held, *sales])


def _in_words(troubles: Mapping[str, str]) -> tuple[str, ...]:
    """Each trouble once, with the names of all that met it."""
    names: dict[str, list[str]] = {}
    for name, trouble in troubles.items():
        names.setdefault(trouble, []).append(name)
    return tuple(f"{', '.join(own)}: {trouble}" for trouble, own in names.items())


def _done(uow: UnitOfWork) -> str:
    return KEPT if _keeps_stops(uow, standing(uow)) else DONE


def _keeps_stops(uow: UnitOfWork, halt_id: str) -> bool:
    return bool(halt_id) and uow.settings.get(_keeps_key(halt_id)) is not None


def _key(halt_id: str) -> str:
    return f"emergency.{halt_id}"


def _keeps_key(halt_id: str) -> str:
    return f"emergency.{halt_id}.keeps_stops"


def _ended_key(halt_id: str) -> str:
    return f"emergency.{halt_id}.ended_because"
