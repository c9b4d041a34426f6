"""The command ``bot backtest``: strategies over candles that are there, and what it would have come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.backtests.options import BacktestOptions, JsonOption, ParamsOption, refuse_no_room, with_options, write
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.progress import INTERRUPTED, Progress, stopped_by_ctrl_c
from bot.run_options import MoreData
from config.settings import Settings, secrets
from engine.domain.errors import GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from engine.backtest.setup import BacktestSetup
    from engine.domain.backtests import BacktestResult

_SEED = 2024
"""The same run says the same once more."""


class Approve(StrEnum):
    """What people say to what they are asked."""

    ALL = "all"
    NONE = "none"
    HUMAN = "human"


@with_options
def backtest(
    options: BacktestOptions,
    strategy: Annotated[str | None, typer.Option(help="One strategy, in place of the profile's contexts.")] = None,
    more_data: MoreData = None,
    params: ParamsOption = None,
    approve: Annotated[
        Approve, typer.Option(help="What people say to what they are asked; human: in their own time, with --full.")
    ] = Approve.NONE,
    json_file: JsonOption = None,
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
        refuse_no_room("--json", json_file)
        refuse_no_room("--html", html_file)
        import numpy as np

        from bot.backtests.figures import as_json, text
        from bot.backtests.setups import setup_of
        from engine.backtest.kernel_run import backtest as run
        from engine.backtest.look_ahead import refuse_peeking
        from engine.backtest.registry import TrialRegistry
        from engine.backtest.report import report_of

        asked = options.asked(
            strategy,
            params or (),
            more_data or (),
            approved=approve is Approve.ALL,
            people=approve is Approve.HUMAN,
        )
        setup = setup_of(options.of_one(asked, full=full), settings)
        refuse_peeking(setup)
        now = datetime.now(UTC)
        result, stopped = _replayed(setup, settings) if full else (run(setup), False)
        if stopped:
            setup = replace(setup, end=result.ends)
        report = report_of(
            setup,
            result,
            TrialRegistry(file=settings.backtest.trials),
            at=now,
            rng=np.random.default_rng(_SEED),
        )
        typer.echo(text(report))
        if settings.backtest.latency.most and not full:
            typer.echo("backtest.latency is left out: only --full counts it.", err=True)
        if json_file is not None:
            write("--json", json_file, as_json(report))
        if html_file is not None:
            from handlers.backtests.page import page

            write("--html", html_file, page(report, now))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    if stopped:
        typer.echo(f"Stopped by Ctrl-C: it has come to {result.ends:%Y-%m-%d %H:%M} UTC.", err=True)
        raise typer.Exit(INTERRUPTED)


def _replayed(setup: BacktestSetup, settings: Settings) -> tuple[BacktestResult, bool]:
    """Replay with a line of progress, until it is done or Ctrl-C is pressed; whether it was."""
    from bot import logs
    from bot.backtests.full import full_backtest
    from engine.backtest.setup_candles import span_of

    logs.configure(settings.logs, secrets(settings))
    begins, ends = span_of(setup)
    progress, at = Progress((ends - begins).days), begins

    with stopped_by_ctrl_c() as is_stopped:

        def goes_on(now: datetime) -> bool:
            nonlocal at
            progress.done((now - begins).days - (at - begins).days, f"; {now:%Y-%m-%d}")
            at = now
            return now <= begins or not is_stopped()  # of no candle there is nothing to tell

        try:
            result = full_backtest(setup, settings, goes_on=goes_on)
        finally:
            progress.close()
    return result, result.ends < ends
