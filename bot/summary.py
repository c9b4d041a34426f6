"""What a replay came to: for the terminal, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.engine import Engine
from engine.domain.figures import bounded
from engine.store import codec
from engine.store.history import History, history
from handlers.cards import phrases, wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of a run; money in the quote currency, shares as fractions.

    Attributes:
        seconds: Wall time it took.
        net, share: The profit or loss since the run began, after all fees, without what was paid in or out.
        benchmark: What holding the same markets came to; ``None`` where not known.
        won: How many of the trades that were closed made money.
        max_drawdown: The largest one, from the account's peak of its time.
        history: What was decided, asked, ordered and traded since the account began, and its fingerprint.
    """

    market: str
    begins: datetime
    ends: datetime
    candles: int
    seconds: float
    quote: str
    equity: Decimal
    cash: Decimal
    exposure: Decimal
    net: Decimal
    share: Decimal | None
    benchmark: Decimal | None
    fees: Decimal
    closed: int
    won: int
    drawdown: Decimal
    max_drawdown: Decimal
    paid_in: Decimal
    paid_out: Decimal
    history: History


async def summary(engine: Engine, since: datetime, took: float) -> Summary:
    """The figures of a run.

    Args:
        engine: The engine that ran.
        since: The market time at which this run began.
        took: Wall seconds it took.
    """
    status, profit = await engine.views.status(), await engine.views.since(since)
    markets = {symbol for context in engine.market.contexts for symbol in context.markets}
    return Summary(
        market=engine.market.label,
        begins=since,
        ends=engine.clock.now(),
        candles=int((engine.clock.now() - since) / engine.market.feed.timeframe.duration) * len(markets),
        seconds=took,
        quote=status.quote,
        equity=status.equity,
        cash=status.cash,
        exposure=status.exposure,
        net=profit.net,
        share=profit.share,
        benchmark=profit.benchmark,
        fees=profit.fees,
        closed=profit.closed,
        won=profit.won,
        drawdown=profit.drawdown,
        max_drawdown=profit.max_drawdown,
        paid_in=profit.paid_in,
        paid_out=profit.paid_out,
        history=await engine.store.read(lambda uow: history(uow.connection)),
    )


def as_json(run: Summary) -> str:
    """The figures as JSON: decimals and times as text, as the API writes them."""
    return codec.dump(replace(run, **_rounded(run)), indent=2) + "\n"


def _rounded(run: Summary) -> dict[str, Any]:
    """The figures that a division has brought, without the digits that mean nothing."""
    shares = {name: getattr(run, name) for name in ("share", "benchmark", "drawdown", "max_drawdown")}
    return {name: bounded(share) for name, share in shares.items() if share is not None}


def text(run: Summary) -> str:
    """The figures as lines."""
    told, pace = run.history, run.candles / run.seconds if run.seconds else 0
    won = f", won {phrases.won(run.won, run.closed)}" if run.closed else ""
    paid_in, paid_out = (wording.amount(each, run.quote) for each in (run.paid_in, run.paid_out))
    put_in = run.net / run.share if run.share else Decimal(0)
    fees = f"{wording.amount(run.fees, run.quote)} of fees{wording.in_brackets(run.fees, put_in)}"
    cash, exposure = (
        f"{wording.amount(each, run.quote)}{wording.in_brackets(each, run.equity)}" for each in (run.cash, run.exposure)
    )
    moved = f"; without {paid_in} paid in and {paid_out} paid out" if run.paid_in or run.paid_out else ""
    held = wording.signed_percent(run.benchmark) if run.benchmark is not None else "not known"
    lines = {
        "candles": f"{run.candles} in {run.seconds:.1f} s, {pace:.0f} a second",
        "decisions": _counts(told.decisions),
        "approvals": _counts(told.approvals),
        "orders": f"{_counts(told.orders)}; {told.fills} fills",
        "trades": f"{_counts(told.trades)}{won}",
        "profit": f"{wording.gain(run.net, run.share, run.quote)} after {fees}{moved}",
        "hold": f"buying and holding the markets came to {held}",
        "equity": f"{wording.money(run.equity, run.quote)}: cash {cash}, exposure {exposure}",
        "drawdown": f"{wording.percent(run.drawdown)}, the largest {wording.percent(run.max_drawdown)}",
        "history": f"{told.events} events, fingerprint {told.fingerprint}",
    }
    head = f"Replayed {run.market} from {run.begins:%Y-%m-%d %H:%M} to {run.ends:%Y-%m-%d %H:%M} UTC"
    return "\n".join((head, *(f"{name:<11}{line}" for name, line in lines.items())))


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "none"
