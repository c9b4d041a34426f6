"""The command ``bot backtest``: strategies over candles that are there, and what it would have come to."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.run_options import DATES, MoreData
from config.settings import Settings, secrets
from engine.domain.errors import BadInput, GreenlightError
from engine.domain.market import Timeframe

if TYPE_CHECKING:  # what is slow to import
    from engine.backtest.setup import BacktestSetup
    from engine.domain.backtests import BacktestResult

_SEED = 2024
"""The same run says the same once more."""


class Risk(StrEnum):
    """Whether the risk limits hold."""

    ON = "on"
    OFF = "off"


class Approve(StrEnum):
    """What people say to what they are asked."""

    ALL = "all"
    NONE = "none"
    HUMAN = "human"


class Fill(StrEnum):
    """Where a bare run trades."""

    NEXT_OPEN = "next-open"
    SIGNAL_CLOSE = "signal-close"


def backtest(
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", help="A market, BTC/USDT or BTC; several share one portfolio.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="One strategy, in place of the profile's contexts.")] = None,
    timeframe: Annotated[Timeframe | None, typer.Option(help="The candles it decides on; those of the file.")] = None,
    start: Annotated[datetime | None, typer.Option(formats=DATES, help="Where trading begins (UTC).")] = None,
    end: Annotated[datetime | None, typer.Option(formats=DATES, help="Where it ends (UTC).")] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="A candle file, named SYMBOL-INTERVAL; several may follow.")
    ] = None,
    more_data: MoreData = None,
    params: Annotated[list[str] | None, typer.Option("--set", help="A parameter of the strategy, fast=20.")] = None,
    cash: Annotated[str | None, typer.Option(help="What it begins with, in the quote currency.")] = None,
    fee: Annotated[str | None, typer.Option(help="Of a fill's value, as a fraction: 0.001.")] = None,
    size: Annotated[float | None, typer.Option(help="Of the cash, in a bare run: 0.95.")] = None,
    fill: Annotated[Fill | None, typer.Option(help="Where a bare run trades; the next open.")] = None,
    risk: Annotated[
        Risk | None,
        typer.Option(help="off: a bare run, no lots, no book, no limits. By itself on, where it has a stop."),
    ] = None,
    approve: Annotated[
        Approve, typer.Option(help="What people say to what they are asked; human: in their own time, with --full.")
    ] = Approve.NONE,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all of it as JSON.")] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures.")
    ] = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Through the live cycle, its store and venue: slower, and everything counts.")
    ] = False,
) -> None:
    """Trade strategies over candle files in a moment, and say what it would have come to."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        if approve is Approve.HUMAN and not full:
            raise BadInput("People take their time in the live cycle alone.", "Say --full as well.")
        import numpy as np

        from bot.backtest_figures import as_json, text
        from bot.backtesting import Asked, setup_of
        from engine.backtest.kernel_run import backtest as run
        from engine.backtest.look_ahead import refuse_peeking
        from engine.backtest.registry import TrialRegistry
        from engine.backtest.report import report_of
        from engine.backtest.setup import FillAt

        setup = setup_of(
            Asked(
                symbols=tuple(symbol or ()),
                strategy=strategy,
                timeframe=timeframe,
                params=tuple(params or ()),
                data=(*(data or ()), *(more_data or ())),
                start=start.replace(tzinfo=UTC) if start else None,
                end=end.replace(tzinfo=UTC) if end else None,
                cash=_amount("--cash", cash),
                fee=_fraction("--fee", fee),
                size=size,
                fill_at=FillAt(fill) if fill else None,
                bare=None if risk is None else risk is Risk.OFF,
                approved=approve is Approve.ALL,
                people=approve is Approve.HUMAN,
            ),
            settings,
        )
        refuse_peeking(setup)
        now = datetime.now(UTC)
        result = _replayed(setup, settings) if full else run(setup)
        report = report_of(
            setup,
            result,
            TrialRegistry(file=settings.backtest.trials),
            at=now,
            rng=np.random.default_rng(_SEED),
        )
        typer.echo(text(report))
        if json_file is not None:
            written("--json", json_file, as_json(report))
        if html_file is not None:
            from handlers.backtests.page import page

            written("--html", html_file, page(report, now))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def _replayed(setup: BacktestSetup, settings: Settings) -> BacktestResult:
    from bot import logs
    from bot.full_backtest import full_backtest

    logs.configure(settings.logs, secrets(settings))
    return full_backtest(setup, settings)


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


def written(option: str, file: Path, told: str) -> None:
    """Write a file that an option asks for.

    Raises:
        BadInput: It cannot be written there.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(told, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{option} {file} cannot be written: {error.strerror}.", "Name another file.") from None
