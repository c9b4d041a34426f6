"""What every command about backtests can be told: the strategy, the candles, and how it is traded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from bot.room import unwritable
from bot.run_options import DATES, MoreData
from engine.domain.errors import BadInput, DataError
from engine.domain.market import Timeframe

if TYPE_CHECKING:  # what is slow to import
    from bot.backtests.asked import Asked
    from bot.backtests.sweeping import Plan
    from bot.backtests.varying import Varied
    from config.settings import Settings
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
ClusterOption = Annotated[
    str,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="A cluster of Ray, such as 10.0.0.5:6379; local for this machine alone.",
    ),
]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOptions:
    """Which candles, and how they are traded: what each of the commands can be told."""

    symbol: SymbolOption = None
    timeframe: TimeframeOption = None
    start: StartOption = None
    end: EndOption = None
    data: DataOption = None
    cash: CashOption = None
    fee: FeeOption = None
    size: SizeOption = None
    fill: FillOption = None
    risk: RiskOption = None

    def asked(
        self,
        strategy: str | None = None,
        params: Sequence[str] = (),
        more_data: Sequence[Path] = (),
        *,
        approved: bool,
        people: bool = False,
    ) -> Asked:
        """What was asked, in the words of the program.

        Raises:
            BadInput: A number is none.
        """
        from bot.backtests.asked import Asked
        from engine.backtest.setup import FillAt

        return Asked(
            symbols=tuple(self.symbol or ()),
            strategy=strategy,
            timeframe=self.timeframe,
            params=tuple(params),
            data=(*(self.data or ()), *more_data),
            start=self.start.replace(tzinfo=UTC) if self.start else None,
            end=self.end.replace(tzinfo=UTC) if self.end else None,
            cash=_amount("--cash", self.cash),
            fee=_fraction("--fee", self.fee),
            size=self.size,
            fill_at=FillAt(self.fill) if self.fill else None,
            bare=None if self.risk is None else self.risk is Risk.OFF,
            approved=approved,
            people=people,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions(MarketOptions):
    """What the live cycle counts beside whole candles."""

    latency: LatencyOption = None
    shorter: ShorterOption = None
    books: BooksOption = None

    def of_one(self, asked: Asked, *, full: bool) -> Asked:
        """The same, with what only ``--full`` can be told.

        Raises:
            BadInput: Something makes no sense.
        """
        given = asked.data if self.books else ()
        no_candles = tuple(each for each in given if names_no_candles(each))
        return replace(
            asked,
            data=tuple(each for each in asked.data if each not in no_candles),
            full=full,
            shorter=self.shorter,
            books=(*(self.books or ()), *no_candles),
            latency=_latency(self.latency),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions(MarketOptions):
    """What is varied of a strategy, and how the best is found."""

    strategy: StrategyOption
    params: ParamsOption = None
    more_data: MoreData = None
    approve: ApproveOption = Approve.NONE
    grid: GridOption = None
    trials: TrialsOption = None
    by: ByOption = By.SHARPE
    seed: ChanceOption = 0
    workers: WorkersOption = None
    cluster: ClusterOption = ""
    resume: ResumeOption = False

    def varied(self, settings: Settings) -> Varied:
        """What is varied.

        Raises:
            GreenlightError: Something makes no sense, or the candles cannot be used.
        """
        from bot.backtests.varying import varied

        approved = self.approve is Approve.ALL
        asked = self.asked(self.strategy, self.params or (), self.more_data or (), approved=approved)
        return varied(asked, tuple(self.grid or ()), settings)

    def plan(self) -> Plan:
        """How it is gone about."""
        from bot.backtests.sweeping import Plan
        from engine.backtest.combination import Merit

        return Plan(
            trials=self.trials,
            seed=self.seed,
            merit=Merit(self.by),
            workers=self.workers,
            cluster=self.cluster,
            resume=self.resume,
        )


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter ``options`` is told on the command line by the fields of its class."""
    hints = get_type_hints(command, include_extras=True)
    kind = hints["options"]
    own = get_type_hints(kind, include_extras=True)
    shown = [
        Parameter(
            each.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if each.default is MISSING else each.default,
            annotation=own[each.name],
        )
        for each in fields(kind)
    ]
    kept = [each for each in signature(command).parameters.values() if each.name != "options"]

    @wraps(command)
    def told(**given: Any) -> None:
        command(
            options=kind(**{each.name: given[each.name] for each in shown}),
            **{each.name: given[each.name] for each in kept},
        )

    told.__signature__ = Signature(  # type: ignore[attr-defined] # what typer reads
        [*shown, *(each.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[each.name]) for each in kept)]
    )
    told.__annotations__ = {each.name: each.annotation for each in told.__signature__.parameters.values()}  # type: ignore[attr-defined]
    return told


def refuse_no_room(option: str, file: Path | None) -> None:
    """See, before there is anything to write, that what was asked for with an option can be written.

    Raises:
        BadInput: It cannot.
    """
    if file and (wrong := unwritable(file)):
        raise BadInput(f"{option}: {wrong[0]}", wrong[1])


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


def names_no_candles(file: Path) -> bool:
    """Whether a file's name is not that of candles, SYMBOL-INTERVAL."""
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
