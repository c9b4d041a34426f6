"""What every command about backtests can be told: the strategy, the candles, and how it is traded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.run_options import DATES
from engine.domain.errors import BadInput, DataError
from engine.domain.market import Timeframe

if TYPE_CHECKING:  # what is slow to import
    from bot.backtests.setups import Asked
    from engine.simulation.latency import Latency


class Risk(StrEnum):
    """Whether the risk limits hold."""

    ON = "on"
    OFF = "off"


class Approve(StrEnum):
    """What people say to what they are asked."""

    ALL = "all"
    NONE = "none"


class Fill(StrEnum):
    """Where a bare run trades."""

    NEXT_OPEN = "next-open"
    SIGNAL_CLOSE = "signal-close"


class By(StrEnum):
    """What combinations are ordered by."""

    SHARPE = "sharpe"
    GAIN = "gain"
    DRAWDOWN = "drawdown"


SymbolOption = Annotated[
    list[str] | None, typer.Option("--symbol", help="A market, BTC/USDT or BTC; several share one portfolio.")
]
StrategyOption = Annotated[str, typer.Option("--strategy", help="The strategy.")]
TimeframeOption = Annotated[
    Timeframe | None, typer.Option("--timeframe", help="The candles it decides on; those of the file.")
]
StartOption = Annotated[datetime | None, typer.Option("--start", formats=DATES, help="Where trading begins (UTC).")]
EndOption = Annotated[datetime | None, typer.Option("--end", formats=DATES, help="Where it ends (UTC).")]
DataOption = Annotated[
    list[Path] | None, typer.Option("--data", help="A candle file, named SYMBOL-INTERVAL; several may follow.")
]
ParamsOption = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the strategy, fast=20.")]
CashOption = Annotated[str | None, typer.Option("--cash", help="What it begins with, in the quote currency.")]
FeeOption = Annotated[str | None, typer.Option("--fee", help="Of a fill's value, as a fraction: 0.001.")]
SizeOption = Annotated[float | None, typer.Option("--size", help="Of the cash, in a bare run: 0.95.")]
FillOption = Annotated[Fill | None, typer.Option("--fill", help="Where a bare run trades; the next open.")]
RiskOption = Annotated[
    Risk | None,
    typer.Option("--risk", help="off: a bare run, no lots, no book, no limits. By itself on, where it has a stop."),
]
ApproveOption = Annotated[Approve, typer.Option("--approve", help="What people say to what they are asked.")]
GridOption = Annotated[
    list[str] | None,
    typer.Option("--grid", help="What is varied: fast=10:50:5 from 10 to 50 by 5, or slow=60,90,120; once for each."),
]
TrialsOption = Annotated[
    int | None,
    typer.Option("--trials", min=1, help="So many combinations of the grid, chosen by Optuna; all without."),
]
ChanceOption = Annotated[int, typer.Option("--seed", help="What Optuna chooses by.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; one a core.")]
ByOption = Annotated[By, typer.Option("--by", help="What the best is.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with what was stopped.")]
ShorterOption = Annotated[
    Timeframe | None,
    typer.Option("--shorter", help="Fills follow candles this long of files beside those of --data, with --full."),
]
BooksOption = Annotated[
    list[Path] | None,
    typer.Option("--books", help="Recorded order books that orders take from, with --full; several may follow."),
]
LatencyOption = Annotated[
    str | None,
    typer.Option("--latency", help="How long orders are under way, with --full: 2s, or 200ms-3s for anything between."),
]
JsonOption = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all of it as JSON.")]


def asked_of(
    *,
    symbols: Sequence[str] | None,
    strategy: str | None,
    timeframe: Timeframe | None,
    start: datetime | None,
    end: datetime | None,
    data: Sequence[Path],
    params: Sequence[str] | None,
    cash: str | None,
    fee: str | None,
    size: float | None,
    fill: Fill | None,
    risk: Risk | None,
    approved: bool,
    people: bool = False,
    full: bool = False,
    shorter: Timeframe | None = None,
    books: Sequence[Path] | None = None,
    latency: str | None = None,
) -> Asked:
    """What was asked, in the words of the program.

    Raises:
        BadInput: A number is none.
    """
    from bot.backtests.setups import Asked
    from engine.backtest.setup import FillAt

    return Asked(
        symbols=tuple(symbols or ()),
        strategy=strategy,
        timeframe=timeframe,
        params=tuple(params or ()),
        data=tuple(each for each in data if not (books and _names_no_candles(each))),
        start=start.replace(tzinfo=UTC) if start else None,
        end=end.replace(tzinfo=UTC) if end else None,
        cash=_amount("--cash", cash),
        fee=_fraction("--fee", fee),
        size=size,
        fill_at=FillAt(fill) if fill else None,
        bare=None if risk is None else risk is Risk.OFF,
        approved=approved,
        people=people,
        full=full,
        shorter=shorter,
        books=(*(books or ()), *(each for each in data if books and _names_no_candles(each))),
        latency=_latency(latency),
    )


def write(option: str, file: Path, told: str) -> None:
    """Write what was asked for with an option.

    Raises:
        BadInput: It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(told, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{option} {file} cannot be written: {error.strerror}.", "Name another file.") from None


def _names_no_candles(file: Path) -> bool:
    """Whether a file that follows is one more with books."""
    from engine.data.files import parse_name

    try:
        parse_name(file)
    except DataError:
        return True
    return False


def _latency(said: str | None) -> Latency | None:
    from pydantic import ValidationError

    from config.keeping import BacktestSettings
    from engine.simulation.latency import Latency

    if said is None:
        return None
    try:
        least, most = BacktestSettings.model_validate({"latency": said}).latency
    except ValidationError as error:
        raise BadInput(f"--latency {said}: {error.errors()[0]['msg']}.", "Write it like 2s or 1s-3s.") from None
    return Latency(least=least, most=most)


def _amount(name: str, said: str | None) -> Decimal | None:
    try:
        amount = None if said is None else Decimal(said)
    except InvalidOperation:
        amount = Decimal("NaN")
    if amount is not None and not amount.is_finite():
        raise BadInput(f"{name} {said} is no number.", "Write it like 10000 or 0.5.")
    return amount


def _fraction(name: str, said: str | None) -> Decimal | None:
    fraction = _amount(name, said)
    if fraction is not None and not 0 <= fraction < 1:
        raise BadInput(f"{name} {said} is no fraction.", "Write it like 0.001.")
    return fraction
