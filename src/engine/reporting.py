"""What is kept, put together as people see it: each report from one snapshot, prices of now given."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import islice, pairwise

from engine.analysis.performance import win_rate
from engine.domain.approvals import Approval
from engine.domain.days import Day, Days
from engine.domain.errors import UnknownId
from engine.domain.reports import ApprovalView, Balance, DayProfit, ExternalView, PositionView, Profit, Why
from engine.domain.trading import OrderKind, Position
from engine.store.unit_of_work import UnitOfWork


def position(uow: UnitOfWork, held: Position, price: Decimal | None) -> PositionView:
    """What is held, at a price; at its last mark where there is none."""
    at = price if price is not None else uow.account.marks().get(held.market, held.entry_price)
    return PositionView(
        position=held,
        price=at,
        value=held.quantity * at,
        unrealised=held.unrealised(at),
        net=held.unrealised(at) + held.net,
        protected=_is_protected(uow, held),
    )


def _is_protected(uow: UnitOfWork, held: Position) -> bool:
    """Whether the venue has a stop for it."""
    brackets = [o for o in uow.orders.of_position(held.id) if o.intent.kind is OrderKind.BRACKET]
    return any(not order.status.final for order in brackets)


def balance(uow: UnitOfWork) -> Balance:
    """What the account owns: cash, then each currency held with its value at the last marks."""
    portfolio, quote = uow.account.portfolio(), uow.account.quote
    held: dict[str, tuple[Decimal, Decimal]] = {}
    for each in portfolio.positions:
        base = each.market.partition("/")[0]
        quantity, value = held.get(base, (Decimal(0), Decimal(0)))
        held[base] = (quantity + each.quantity, value + each.quantity * portfolio.mark(each))
    cash = portfolio.cash + portfolio.reserved
    rows = ((quote, cash, cash), *((base, quantity, value) for base, (quantity, value) in sorted(held.items())))
    return Balance(quote=quote, rows=rows, equity=portfolio.equity)


def profit(uow: UnitOfWork, count: int, now: datetime, days: Days) -> Profit:
    """The last days, the running one included; days before the account began are left out."""
    ended = list(islice(days.before(now), count))
    spans = list(pairwise([*reversed(ended), replace(days.running(now), ends=now)]))
    began = uow.settings.get("account.began")
    spans = [(before, day) for before, day in spans if began is None or day.ends > datetime.fromisoformat(began)]
    rows = tuple(_day(uow, before.ends, day) for before, day in spans)
    first = spans[0][0].ends if spans else now
    closed = uow.positions.closed_within(first, now)
    drawdown = uow.account.portfolio().drawdown
    curve = uow.account.curve_within(first, now)
    return Profit(
        days=rows,
        net=sum((row.net for row in rows), Decimal(0)),
        fees=uow.orders.fees_within(first, now),
        closed=len(closed),
        win_rate=win_rate([trade.net for trade in closed]),
        drawdown=drawdown,
        max_drawdown=max(uow.account.drawdown_at(first), drawdown, *(point.drawdown for point in curve)),
        quote=uow.account.quote,
    )


def _day(uow: UnitOfWork, begin: datetime, day: Day) -> DayProfit:
    equity = uow.account.equity_at(day.ends)
    return DayProfit(
        day=day.date,
        net=equity - uow.account.equity_at(begin),
        equity=equity,
        closed=len(uow.positions.closed_within(begin, day.ends)),
    )


def approval(uow: UnitOfWork, asked: Approval, price: Decimal | None) -> ApprovalView:
    """A question with its decision, and what became of it."""
    order = uow.orders.of_decision(asked.decision_id)
    return ApprovalView(
        approval=asked,
        decision=uow.decisions.get(asked.decision_id).decision,
        price=price,
        order=order,
        position=uow.positions.get(order.position_id) if order and order.position_id else None,
    )


def external(uow: UnitOfWork, order_id: str) -> ExternalView:
    """What somebody else did to the account, by the order that shows it.

    Raises:
        UnknownId: There is no such order.
    """
    order = uow.orders.view(order_id)
    held = uow.positions.get(order.position_id) if order.position_id else None
    return ExternalView(order=order, position=held, protected=held is not None and _is_protected(uow, held))


def why(uow: UnitOfWork, any_id: str) -> Why:
    """Everything that led to a decision, found by its own id or that of its approval, order or trade.

    Raises:
        UnknownId: Nothing has that id, or it is somebody else's.
    """
    decision_id = _decision_of(uow, any_id)
    if not decision_id:
        raise UnknownId(
            f"{any_id} was not decided here: somebody else traded on this account.", "See /positions and /trades."
        )
    order = uow.orders.of_decision(decision_id)
    return Why(
        judged=uow.decisions.get(decision_id),
        approval=uow.approvals.of_decision(decision_id),
        order=order,
        position=uow.positions.get(order.position_id) if order and order.position_id else None,
    )


def _decision_of(uow: UnitOfWork, any_id: str) -> str:
    match any_id[:1]:
        case "A":
            return uow.approvals.get(any_id).decision_id
        case "O":
            order = uow.orders.get(any_id)
            held = order.position_id
            return order.decision_id or (uow.positions.decision_of(held) if held else "")
        case "T":
            return uow.positions.decision_of(any_id)
        case _:
            return any_id
