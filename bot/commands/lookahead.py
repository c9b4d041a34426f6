"""The command ``bot lookahead``: every candle cut off once, to see that nothing said before changes by it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.progress import INTERRUPTED
from bot.run_options import DATES, MoreData
from engine.domain.errors import GreenlightError
from engine.domain.market import Timeframe

if TYPE_CHECKING:  # what is slow to import
    from engine.backtest.look_ahead import LookAhead

_STEPS = 500
"""How often progress is shown at most."""


def lookahead(
    symbol: Annotated[list[str] | None, typer.Option("--symbol", help="A market, BTC/USDT or BTC.")] = None,
    strategy: Annotated[str | None, typer.Option(help="One strategy, in place of the profile's contexts.")] = None,
    timeframe: Annotated[Timeframe | None, typer.Option(help="The candles it decides on; those of the file.")] = None,
    end: Annotated[datetime | None, typer.Option(formats=DATES, help="Where the candles end (UTC).")] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="A candle file, named SYMBOL-INTERVAL; several may follow.")
    ] = None,
    more_data: MoreData = None,
    params: Annotated[list[str] | None, typer.Option("--set", help="A parameter of the strategy, fast=20.")] = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
) -> None:
    """Cut the candles at every one, and see that nothing a strategy said before changes by what comes later."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        from bot.backtests.asked import Asked
        from bot.backtests.setups import setup_of
        from engine.backtest.look_ahead import LookAhead
        from engine.backtest.slots import frames_of

        asked = Asked(
            symbols=tuple(symbol or ()),
            strategy=strategy,
            timeframe=timeframe,
            params=tuple(params or ()),
            data=(*(data or ()), *(more_data or ())),
            end=end.replace(tzinfo=UTC) if end else None,
        )
        setup = setup_of(asked, settings)
        for context in setup.contexts:
            for market in context.markets:
                _look(context.name, market, LookAhead(context.strategy, frames_of(setup, context.strategy, market)))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def _look(name: str, market: str, look: LookAhead) -> None:
    """Look at every row, with progress; when it is interrupted, say how far it has come."""
    count, done = len(look.said), 0
    label = f"{name} on {market}"
    try:
        with typer.progressbar(
            look.all(),
            length=count,
            label=label,
            show_pos=True,
            update_min_steps=max(1, count // _STEPS),
            file=sys.stderr,
        ) as rows:
            for row in rows:
                look.demand((row,))
                done += 1
    except KeyboardInterrupt:
        typer.echo(f"\nStopped. {label} looked ahead at none of {done:,} of {count:,} candles, spread over all.")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{label} looks ahead at none of {count:,} candles.")
