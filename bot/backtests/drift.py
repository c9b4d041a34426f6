"""What an account traded against a backtest of its own time: the same contexts, limits, costs and cash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.backtests.asked import Asked
from bot.backtests.full import full_backtest
from bot.backtests.setups import setup_of
from config.settings import Settings
from engine.ai.fusion import FUSION
from engine.backtest.drift import Drift, Key, Traded, compared, of_backtest
from engine.backtest.kernel_run import backtest
from engine.domain.backtests import BacktestResult
from engine.domain.decisions import Judged, Stance
from engine.domain.errors import BadInput
from engine.domain.figures import plain
from engine.domain.positions import Position
from engine.flow.proposed import key_of
from engine.store.account_period import AccountPeriod, account_period

_ELSE = "somebody else opened it"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Both sides of a time.

    Attributes:
        equity: The account's at the end, in its currency.
    """

    begins: datetime
    ends: datetime
    equity: float
    result: BacktestResult
    trades: tuple[Drift, ...]


def drift_of(settings: Settings, candles: Sequence[Path], *, approved: bool) -> DriftReport:
    """Compare an account with what it should have been.

    Args:
        settings: Of the account.
        candles: Files of the same time; empty where the profile's own market is made up or replayed.
        approved: Whether the backtest's people say yes to everything.

    Raises:
        BadInput: Nobody says what the candles were, or a context buys at a limit.
        StoreError: The account cannot be read.
        DataError: The candles cannot be used.
    """
    if settings.market.source == "ccxt" and not candles:
        raise BadInput("The account trades on a venue's prices.", "Give the candles of that time with --candles.")
    _refuse_limits(settings)
    with account_period(settings.database.url) as account:
        asked = Asked(
            data=tuple(candles),
            start=account.begins,
            end=account.ends,
            cash=account.opening,
            approved=approved,
            full=not all(each.buys_at_once for each in settings.contexts),  # a part of them later
        )
        setup = setup_of(asked, settings)
        result = full_backtest(setup, settings) if asked.full else backtest(setup)
        found = list(account.trades())
        decisions = {position.id: judged for position, judged in found}

        def extra_because(trade: Traded) -> str:
            judged = decisions[trade.id]
            return account.approval(judged) if judged else _ELSE

        def different_because(trade: Traded) -> str:
            judged = decisions[trade.id]
            return _panel(judged) if judged else ""

        return DriftReport(
            begins=account.begins,
            ends=account.ends,
            equity=float(account.equity),
            result=result,
            trades=compared(
                (_traded(account, position, judged) for position, judged in found),
                [*map(of_backtest, result.trades), *map(of_backtest, result.held)],
                missing_because=lambda key: account.why_not(key_of(*key, Stance.ENTER)),
                extra_because=extra_because,
                different_because=different_because,
            ),
        )


def _refuse_limits(settings: Settings) -> None:
    """A trade is known by the close it was decided at, and one that waits at a limit is bought at another moment."""
    waiting = ", ".join(each.name for each in settings.contexts if each.entry.type == "limit")
    if waiting:
        message = f"{waiting}: entry.type limit buys later than it decides, so nobody can tell which trade is which."
        raise BadInput(message, "bot backtest --full shows what the same time comes to.")


def _panel(judged: Judged) -> str:
    """What a panel, of which a backtest knows nothing, has made of a trade; empty where it left it as it was."""
    left = FUSION.fuse(None, judged.opinions)
    size = f"left {plain(left.share * 100, 4)} % of its size" if left.share < 1 else ""
    stop = f"wanted its stop at {plain(left.stop, 8)} at the lowest" if left.stop is not None else ""
    parts = " and ".join(filter(None, (size, stop)))
    return f"the panel {parts} ({judged.decision.id})" if parts else ""


def _traded(account: AccountPeriod, position: Position, judged: Judged | None) -> Traded:
    decided_at = judged.decision.at if judged else position.opened_at
    rest = 0 if position.closed_at else position.unrealised(account.mark(position))
    return Traded(
        key=Key(position.context, position.symbol, decided_at),
        id=position.id,
        opened_at=position.opened_at,
        quantity=float(position.bought),
        entry_price=float(position.entry_price),
        exit_price=None if position.exit_price is None or not position.closed_at else float(position.exit_price),
        closed_by=account.closed_by(position) if position.closed_at else "",
        net=float(position.realised - position.fees + rest),
    )


def as_lines(report: DriftReport) -> Iterator[str]:
    """For the terminal: what there is of each kind, then what differs, each with its cause."""
    counts: dict[str, int] = {}
    for each in report.trades:
        counts[each.kind] = counts.get(each.kind, 0) + 1
    quote = report.result.quote
    yield f"From {report.begins:%Y-%m-%d %H:%M} to {report.ends:%Y-%m-%d %H:%M} UTC"
    yield f"equity     {report.equity:,.2f} {quote}, in the backtest {report.result.final_equity:,.2f}"
    yield f"trades     {', '.join(f'{number} {kind}' for kind, number in counts.items()) or 'none on either side'}"
    for each in report.trades:
        if each.cause:
            side = each.account or each.backtest
            name = f"{each.account.id} " if each.account else ""
            net = f", {side.net:+,.2f}" if side else ""
            at = f"{each.key.decided_at:%Y-%m-%d %H:%M}"
            yield f"{each.kind:<10} {name}{each.key.symbol} by {each.key.context}, {at}{net}"
            yield f"           {each.cause}"
