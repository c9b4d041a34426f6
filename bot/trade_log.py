"""A line in the log for what trades: orders, fills, positions, approvals and what halts entries, once it is kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog

from config.settings import Settings
from engine.domain.currencies import rounded
from engine.domain.errors import StoreError
from engine.domain.events import (
    ApprovalAsked,
    ApprovalChanged,
    BalanceAdopted,
    CapitalChanged,
    Event,
    ExternalCancelled,
    ExternalTraded,
    Halted,
    HaltEnded,
    OrderChanged,
    OrderFilled,
    PositionClosed,
    PositionOpened,
    PositionProtected,
    ProtectionFailed,
    SlicesEnded,
)
from engine.domain.figures import plain
from engine.domain.orders import OrderStatus
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import fault_id

_log = structlog.get_logger(__name__)

_ORDERS = {
    OrderStatus.OPEN: "order sent",
    OrderStatus.CANCELLED: "order cancelled",
    OrderStatus.EXPIRED: "order expired",
    OrderStatus.REJECTED: "order refused",
    OrderStatus.UNKNOWN: "order in doubt",
}
"""What has a line beside the fills: an order that is filled has theirs."""
_ANSWERS = {
    "pending": "approval voted on",
    "ordered": "approval given",
    "refused": "approval refused at the press",
    "declined": "approval declined",
    "expired": "approval expired",
}
_LOUD = (
    "order refused",
    "order not sent",
    "order in doubt",
    "position has no stop",
    "entries halted",
    "somebody else traded",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: what happened, when by the market's clock, and the facts of it."""

    text: str
    at: datetime
    facts: Mapping[str, str]

    def write(self) -> None:
        """Write it; what somebody may have to see to as a warning."""
        write = _log.warning if self.text in _LOUD else _log.info
        write(self.text, market_time=self.at.isoformat(), **self.facts)


class TradeLog:
    """Writes the lines beside everything else, in the order in which things happened.

    Args:
        store: Where it is told of what is kept, and reads what an event does not say.
    """

    def __init__(self, store: Database) -> None:
        self._store = store
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        store.on_kept(self._hear)

    async def run(self) -> None:
        """Write whatever happens, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; where the database cannot be read, without what only it knows."""
        while self._events:
            events = tuple(self._events)
            try:
                lines = await self._store.read(lambda uow: [_line(uow, each) for each in events])  # noqa: B023
            except StoreError:
                lines = [Line(text=type(each).__name__, at=each.at, facts={}) for each in events]
            except Exception:  # noqa: BLE001 - the boundary of the log: what is wrong with a line stops no trade
                _log.exception("lines about trades could not be written", reference=fault_id())
                lines = []
            for _ in events:
                self._events.popleft()
            for line in lines:
                if line is not None:
                    line.write()

    def _hear(self, events: Sequence[Event]) -> None:
        self._events.extend(events)
        self._news.set()


def _line(uow: UnitOfWork, event: Event) -> Line | None:  # noqa: C901, PLR0912 - one case for each event
    """What is to be said of an event; ``None`` for what is part of another, or trades nothing."""
    match event:
        case OrderChanged(order_id=order_id, status=status, reason=reason) if status in _ORDERS:
            unseen = status == OrderStatus.REJECTED and not uow.orders.get(order_id).was_refused
            text = "order not sent" if unseen else _ORDERS[OrderStatus(status)]
            facts = {**_order(uow, order_id), "reason": reason}
        case SlicesEnded(order_id=order_id, reason=reason):
            text, facts = "slices ended", {**_order(uow, order_id), "reason": reason}
        case OrderFilled(order_id=order_id, position_id=position_id):
            quote = event.symbol.partition("/")[2]
            text, facts = "order filled", {"order": order_id, "side": event.side, "symbol": event.symbol}
            facts |= {"quantity": plain(event.quantity, 8), "price": plain(event.price, 8)}
            facts |= {"fee": f"{plain(event.fee, 8)} {quote}", "position": position_id}
            facts |= {"venue": uow.ledger.told_apart(uow.orders.get(order_id).request.venue)}
        case PositionOpened(position_id=position_id):
            text, facts = "position opened", _position(uow, position_id)
        case PositionProtected(position_id=position_id):
            text, facts = "position protected", {**_position(uow, position_id), **_levels(uow, position_id)}
        case ProtectionFailed(position_id=position_id, reason=reason):
            text, facts = "position has no stop", {**_position(uow, position_id), "reason": reason}
        case PositionClosed(position_id=position_id, closed_by=closed_by, net=net):
            text, facts = "position closed", {**_position(uow, position_id), "by": closed_by, "net": _net(uow, net)}
            facts |= {"person": uow.positions.get(position_id).closed_by_person}
        case ApprovalAsked(approval_id=approval_id):
            text, facts = "approval asked", _approval(uow, approval_id)
        case ApprovalChanged(approval_id=approval_id, status=status, by=by) if status in _ANSWERS:
            text, facts = _ANSWERS[status], {"approval": approval_id, "by": by}
        case Halted(halt_id=halt_id):
            text, facts = "entries halted", _halt(uow, halt_id)
        case HaltEnded(halt_id=halt_id, by=by):
            text, facts = "halt ended", {**_halt(uow, halt_id), "by": by}
        case CapitalChanged(number=number):
            text, facts = "another part of the account may be used", _capital(uow, number)
        case ExternalTraded(order_id=order_id):
            text, facts = "somebody else traded", _order(uow, order_id)
        case ExternalCancelled(order_id=order_id):
            text, facts = "somebody else cancelled an order", _order(uow, order_id)
        case BalanceAdopted(venue=venue, currency=currency, before=before, after=after):
            text, facts = "paid in or out", {"venue": venue, "currency": currency}
            facts |= {"before": plain(before, 8), "after": plain(after, 8)}
        case _:
            return None
    return Line(text=text, at=event.at, facts={name: value for name, value in facts.items() if value})


def _order(uow: UnitOfWork, order_id: str) -> dict[str, str]:
    order = uow.orders.get(order_id)
    return {
        "order": order_id,
        "side": order.request.side,
        "symbol": order.request.symbol,
        "venue": uow.ledger.told_apart(order.request.venue),
        "type": order.request.type,
        "purpose": order.purpose,
        "quantity": plain(order.request.quantity, 8),
        "context": order.context,
        "position": order.position_id,
        "approval": order.approval_id,
        "person": order.asked_by,
    }


def _capital(uow: UnitOfWork, number: int) -> dict[str, str]:
    stage = uow.capital.get(number)
    if stage is None:
        return {}
    amount = "all" if stage.amount is None else f"{plain(stage.amount, 8)} {uow.account.quote}"
    return {"amount": amount, "reason": stage.reason, "by": stage.by}


def _net(uow: UnitOfWork, net: Decimal) -> str:
    """A profit or loss in the decimals of the account's currency."""
    return plain(rounded(net, uow.account.quote))


def _position(uow: UnitOfWork, position_id: str) -> dict[str, str]:
    held = uow.positions.get(position_id)
    venue = uow.ledger.told_apart(held.venue)
    return {"position": position_id, "symbol": held.symbol, "venue": venue, "context": held.context}


def _levels(uow: UnitOfWork, position_id: str) -> dict[str, str]:
    held = uow.positions.get(position_id)
    levels = {"stop": held.stop, "target": held.target}
    return {name: plain(level, 8) for name, level in levels.items() if level is not None}


def _approval(uow: UnitOfWork, approval_id: str) -> dict[str, str]:
    asked = uow.approvals.get(approval_id)
    plan = asked.plan
    return {
        "approval": approval_id,
        "side": plan.side,
        "symbol": plan.symbol,
        "venue": uow.ledger.told_apart(plan.venue),
        "quantity": plain(plan.quantity, 8),
        "price": plain(plan.price, 8),
        "context": plan.context,
        "expires": asked.expires_at.isoformat(),
    }


def _halt(uow: UnitOfWork, halt_id: str) -> dict[str, str]:
    halt = uow.halts.get(halt_id).halt
    until = halt.until.isoformat() if halt.until else ""
    facts = {"halt": halt_id, "kind": halt.kind, "symbol": halt.symbol, "venue": uow.ledger.told_apart(halt.venue)}
    return {**facts, "reason": halt.reason, "until": until}


def writes_trades(settings: Settings) -> bool:
    """Whether what trades has its lines in the log: as set, else unless it all happens at full speed."""
    if settings.logs.trades is not None:
        return settings.logs.trades
    return settings.market.clock == "wall" or settings.replay.speed != "max"
