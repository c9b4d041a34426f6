"""What is kept, put together as people see it: each report from one snapshot, prices of now given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.analysis.performance import own_and_external, tally
from engine.books.digests import account_at
from engine.domain.account import Balance, DayProfit, EquityCurve, EquityPoint, Profit
from engine.domain.approvals import Approval
from engine.domain.curves import thinned
from engine.domain.days import Day
from engine.domain.decision_views import ApprovalView, Why
from engine.domain.digests import Digest
from engine.domain.errors import UnknownId
from engine.domain.halt_views import HaltView, Recovery
from engine.domain.orders import Order, OrderType, Purpose, Side
from engine.domain.payments import Change, paid
from engine.domain.positions import Portfolio, Position
from engine.domain.replacements import replacement_of
from engine.domain.results import AtWork
from engine.domain.trade_views import ExternalView, MovedView, PartView, PositionView, TradeView
from engine.domain.unmanaged import absence
from engine.domain.weeks import dates_of, is_week, together
from engine.flow.proposed import key_of_whole
from engine.risk.limits import RiskLimits
from engine.store.unit_of_work import UnitOfWork


def position(uow: UnitOfWork, held: Position, portfolio: Portfolio, contexts: Sequence[AtWork]) -> PositionView:
    """What is held, at the price that it has in the account."""
    at = portfolio.mark(held)
    net = held.unrealised(at) + held.net
    return PositionView(
        position=held,
        price=at,
        value=held.notional(at),
        unrealised=held.unrealised(at),
        net=net,
        share=held.share(net),
        protected=_is_protected(uow, held),
        unmanaged=absence(held, contexts) if held.is_open else None,
        at=uow.ledger.told_apart(held.venue),
    )


def _is_protected(uow: UnitOfWork, held: Position) -> bool:
    """Whether the venue has a stop for it."""
    ocos = [o for o in uow.orders.of_position(held.id) if o.request.type is OrderType.OCO]
    return any(not order.status.final for order in ocos)


def has_stop(uow: UnitOfWork, position_id: str) -> bool:
    """Whether the venue is known to hold a stop for a position."""
    ocos = [o for o in uow.orders.of_position(position_id) if o.request.type is OrderType.OCO]
    return any(order.status.at_venue for order in ocos)


def balance(portfolio: Portfolio, quote: str) -> Balance:
    """What the account owns: cash, then each currency held with its value."""
    held: dict[str, tuple[Decimal, Decimal]] = {}
    for each in portfolio.positions:
        base = each.symbol.partition("/")[0]
        quantity, value = held.get(base, (Decimal(0), Decimal(0)))
        held[base] = (quantity + each.quantity, value + each.notional(portfolio.mark(each)))
    cash = portfolio.free_cash + portfolio.reserved
    rows = ((quote, cash, cash), *((base, quantity, value) for base, (quantity, value) in sorted(held.items())))
    return Balance(quote=quote, rows=rows, equity=portfolio.equity)


def began_at(uow: UnitOfWork) -> datetime | None:
    """When the account began; ``None`` before its first candle."""
    kept = uow.settings.get("account.began")
    return datetime.fromisoformat(kept) if kept else None


def profit(uow: UnitOfWork, spans: Sequence[tuple[datetime, Day]], portfolio: Portfolio) -> Profit:
    """What some days came to; days before the account began are left out.

    Args:
        uow: Where they are kept.
        spans: When each day begins, and the day, oldest first; the last one ends now.
        portfolio: The account of now.
    """
    began, now = began_at(uow), spans[-1][1].ends
    spans = [(begin, day) for begin, day in spans if began is None or day.ends > began] or list(spans[-1:])
    last = point_of(uow, portfolio, now)
    rows = tuple(_day(uow, begin, day, last if day.ends == now else None) for begin, day in spans)
    first = spans[0][0]
    closed, others = own_and_external(uow.positions.closed_within(first, now))
    curve = uow.curve.within(first, now)
    point = account_at(uow, first)
    became = change(uow, point, last)
    return Profit(
        days=rows,
        begins=first if began is None else max(first, began),
        net=became.net,
        share=became.share,
        benchmark=became.held(point.benchmark, last.benchmark),
        fees=uow.orders.fees_within(first, now),
        closed=len(closed),
        won=sum(trade.net > 0 for trade in closed),
        drawdown=portfolio.drawdown,
        max_drawdown=max(point.drawdown, last.drawdown, *(each.drawdown for each in curve)),
        quote=uow.account.quote,
        paid_in=became.paid_in,
        paid_out=became.paid_out,
        external=tally(others),
    )


def point_of(uow: UnitOfWork, portfolio: Portfolio, now: datetime) -> EquityPoint:
    """The account of now as a point of its curve; what holding its markets came to is that of the last mark."""
    return EquityPoint(
        at=now,
        equity=portfolio.equity,
        cash=portfolio.free_cash + portfolio.reserved,
        drawdown=portfolio.drawdown,
        benchmark=uow.curve.benchmark_at(now),
        payments=len(uow.account.payments()),
    )


def change(uow: UnitOfWork, first: EquityPoint, last: EquityPoint) -> Change:
    """What became of the account between two points of its curve."""
    between = uow.account.payments()[first.payments : last.payments]
    return Change(before=first.equity, after=last.equity, payments=between)


def benchmark(uow: UnitOfWork, begin: datetime, now: datetime) -> Decimal | None:
    """What the account's money would have made in the traded markets between two moments, as a fraction."""
    first, last = uow.curve.point_at(begin), point_of(uow, uow.account.portfolio(), now)
    return change(uow, first, last).held(first.benchmark, last.benchmark)


def curve(uow: UnitOfWork, begin: datetime, now: datetime, portfolio: Portfolio) -> EquityCurve:
    """The account from a time, or from its own beginning, until now.

    Args:
        uow: Where it is kept.
        begin: From when.
        now: The market time.
        portfolio: The account of now.
    """
    since = max(begin, began_at(uow) or begin)
    first = account_at(uow, since)
    last = point_of(uow, portfolio, now)
    between = thinned((point for point in uow.curve.each(since, now) if point.at < now), since, now)
    points, became = (first, *between, last), change(uow, first, last)
    return EquityCurve(
        quote=uow.account.quote,
        points=points,
        net=became.net,
        share=became.share,
        benchmark=became.held(first.benchmark, last.benchmark),
        max_drawdown=max(point.drawdown for point in points),
        payments=uow.account.payments(),
        paid_in=became.paid_in,
        paid_out=became.paid_out,
    )


def _day(uow: UnitOfWork, begin: datetime, day: Day, now: EquityPoint | None) -> DayProfit:
    first, last = account_at(uow, begin), now or account_at(uow, day.ends)
    became = change(uow, first, last)
    return DayProfit(
        day=day.date,
        net=became.net,
        share=became.share,
        benchmark=became.held(first.benchmark, last.benchmark),
        equity=last.equity,
        paid=paid(became.payments),
        closed=len(own_and_external(uow.positions.closed_within(begin, day.ends))[0]),
    )


def trade(uow: UnitOfWork, position_id: str) -> TradeView:
    """A trade with what opened it, who was asked, and what sold it.

    Raises:
        UnknownId: There is no trade with that id.
    """
    held = uow.positions.get(position_id)
    decision_id = uow.positions.decision_of(position_id)
    orders = [uow.orders.get(order.id) for order in uow.orders.of_position(position_id)]
    bought = [order for order in orders if order.purpose is Purpose.ENTRY]
    sales = tuple(order for order in orders if order.request.side is Side.SELL and order.filled)
    exits = [order.decision_id for order in sales if order.decision_id]
    return TradeView(
        position=held,
        decision=uow.decisions.get(decision_id).decision if decision_id else None,
        asked=uow.approvals.of_decision(decision_id) if decision_id else None,
        sales=sales,
        exit=uow.decisions.get(exits[-1]).decision if exits else None,
        last_slice=_last_slice(bought),
        at=uow.ledger.told_apart(held.venue),
    )


def _last_slice(bought: Sequence[Order]) -> Order | None:
    """The newest order of an entry in slices; ``None`` where it was bought at once."""
    return bought[-1] if any(order.to_follow is not None for order in bought) else None


def approval(uow: UnitOfWork, asked: Approval, price: Decimal | None, now: datetime) -> ApprovalView:
    """An approval with its decision, what became of it, and what stops it now."""
    order, judged = uow.orders.of_decision(asked.decision_id), uow.decisions.get(asked.decision_id)
    return ApprovalView(
        approval=asked,
        decision=judged.decision,
        opinions=judged.opinions,
        adjustment=judged.adjustment,
        quotes=judged.quotes,
        now=now,
        price=price,
        order=order,
        position=uow.positions.get(order.position_id) if order and order.position_id else None,
        halt=uow.halts.blocking(asked.plan.listing, now),
        at=uow.ledger.told_apart(asked.plan.venue),
    )


def halt(uow: UnitOfWork, found: HaltView) -> HaltView:
    """A halt as people see it: they tell venues apart where there are several."""
    return replace(found, at=uow.ledger.told_apart(found.halt.venue))


def digest(uow: UnitOfWork, digest_id: str) -> Digest:
    """The figures of a day, or of a week.

    Raises:
        UnknownId: That day has not been fixed, or no day of that week.
    """
    if not is_week(digest_id):
        return uow.digests.get(digest_id)
    days = uow.digests.named([day.isoformat() for day in dates_of(digest_id)])
    if not days:
        raise UnknownId(f"There are no figures of {digest_id}.")
    return together(digest_id, days)


def recovery(uow: UnitOfWork, halt_id: str, limits: RiskLimits, now: datetime) -> Recovery:
    """How entries come back after a drawdown halt.

    Raises:
        UnknownId: There is no halt with that id.
    """
    account = uow.account.portfolio()
    return Recovery(
        halt=uow.halts.get(halt_id),
        quote=uow.account.quote,
        drawdown=account.drawdown,
        size=limits.size_at(account.drawdown),
        whole_from=account.peak * (1 - limits.max_drawdown),
        standing=uow.halts.blocking(None, now),
    )


def external(uow: UnitOfWork, order_id: str) -> ExternalView:
    """What somebody else did to the account, by the order that shows it.

    Raises:
        UnknownId: There is no such order.
    """
    order = uow.orders.get(order_id)
    held = uow.positions.get(order.position_id) if order.position_id else None
    return ExternalView(order=order, position=held, protected=held is not None and _is_protected(uow, held))


def part(uow: UnitOfWork, order_id: str) -> PartView:
    """An order of which a part has traded.

    Raises:
        UnknownId: There is no such order.
    """
    order = uow.orders.get(order_id)
    return PartView(order=order, at=uow.ledger.told_apart(order.request.venue))


def moved(uow: UnitOfWork, position_id: str) -> MovedView:
    """How the stop and target of a position were placed anew the last time.

    Raises:
        UnknownId: There is no such position, or they never were.
    """
    position = uow.positions.get(position_id)
    found = replacement_of(uow.orders.of_position(position_id))
    if found is None:
        raise UnknownId(f"The stop and target of {position_id} were never placed anew.")
    before, after = found
    return MovedView(position=position, before=before, after=after, at=uow.ledger.told_apart(position.venue))


def why(uow: UnitOfWork, any_id: str) -> Why | TradeView:
    """Everything that led to a decision, found by its own id or that of its approval, order or trade.

    Of what somebody else traded there is the trade alone; of a trade that a part had begun, the decision on the whole.

    Raises:
        UnknownId: Nothing has that id, or it is somebody else's and no trade of this account's.
    """
    decision_id = _decision_of(uow, any_id)
    if not decision_id:
        if position_id := _trade_of(uow, any_id):
            return trade(uow, position_id)
        raise UnknownId(
            f"{any_id} was not decided here: somebody else traded on this account.", "See /positions and /trades."
        )
    order, *others = uow.orders.all_of_decision(decision_id) or (None,)
    bought = order.position_id if order else None
    about = any_id if any_id.startswith("T") else bought
    became = trade(uow, about) if about else None
    judged = uow.decisions.get(decision_id)
    return Why(
        judged=judged,
        approval=uow.approvals.of_decision(decision_id),
        order=order,
        further=tuple(others),
        position=became.position if became else None,
        trade=became,
        at=uow.ledger.told_apart(judged.plan.venue) if judged.plan else "",
    )


def _trade_of(uow: UnitOfWork, any_id: str) -> str:
    return uow.orders.position_of(any_id) if any_id.startswith("O") else any_id


def _on_the_whole(uow: UnitOfWork, opened_by: str) -> str:
    """The decision on a whole trade by the one that opened it; that one where nothing else was decided, or is known."""
    if not opened_by:
        return ""
    return uow.decisions.of_key(key_of_whole(uow.decisions.get(opened_by).decision.key)) or opened_by


def _decision_of(uow: UnitOfWork, any_id: str) -> str:
    match any_id[:1]:
        case "A":
            return uow.approvals.get(any_id).decision_id
        case "O":
            held = uow.orders.position_of(any_id)
            return uow.orders.get(any_id).decision_id or (uow.positions.decision_of(held) if held else "")
        case "T":
            return _on_the_whole(uow, uow.positions.decision_of(any_id))
        case _:
            return any_id
