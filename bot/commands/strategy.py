"""The commands under ``bot strategy``: for strategies of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.run_options import MoreData
from engine.domain.errors import GreenlightError
from engine.domain.market import Timeframe

app = typer.Typer(help="Strategies of your own: write one, check it.", no_args_is_help=True)

StrategyArgument = Annotated[str, typer.Argument(help="A file and its class, strategies/my_idea.py:MyIdea.")]
ParamsOption = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the strategy, fast=20.")]
DataOption = Annotated[
    list[Path] | None, typer.Option("--data", help="A candle file, named SYMBOL-INTERVAL; several may follow.")
]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What it is called, my_idea.")],
    folder: Annotated[Path, typer.Option(help="Where its files go.")] = Path("strategies"),
) -> None:
    """Write a strategy that works, and its test; say how to try it and how to trade it."""
    from bot.strategies.new import NewStrategy

    with _refusals():
        written = NewStrategy.of(name, folder)
        written.write()
        typer.echo(written.told)


@app.command()
def check(
    strategy: StrategyArgument,
    params: ParamsOption = None,
    timeframe: Annotated[Timeframe | None, typer.Option(help="The candles it decides on; its own.")] = None,
    data: DataOption = None,
    more_data: MoreData = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
) -> None:
    """Say whether a strategy keeps what every strategy keeps, on made-up markets, or on your candles."""
    settings = load_or_exit(profile, config, {}).settings
    with _refusals():
        from bot.doctor.check import Verdict
        from bot.indicators import specs_of
        from bot.strategies.check import StrategyCheck
        from engine.analysis.technical import TechnicalAnalyzer

        files = (*(data or ()), *(more_data or ()))
        analyzer = TechnicalAnalyzer(indicators=specs_of(settings))
        found = StrategyCheck.of(strategy, params or (), timeframe, files, analyzer)
        wrong = 0
        for each in found.findings():
            wrong += each.verdict is Verdict.WRONG
            typer.echo(f"{each.verdict:<9}{each.rule}" + (f": {each.text}" if each.text else ""))
            if each.remedy:
                typer.echo(f"{'':<9}{each.remedy}")
        if wrong:
            typer.echo(f"To put right: {wrong}.")
            raise typer.Exit(1)
        typer.echo(f"{found.told()} All is well.")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
