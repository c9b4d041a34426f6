"""The command ``bot sweep``: a strategy with many combinations of its parameters, on every core."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from bot.backtests.options import JsonOption, SearchOptions, refuse_no_room, with_options, write
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.progress import INTERRUPTED, Progress, stopped_by_ctrl_c
from config.settings import Settings
from engine.domain.errors import GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from bot.backtests.sweeping import Plan, Swept
    from bot.backtests.varying import Varied
    from engine.backtest.kept_sweep import Done


@with_options
def sweep(
    options: SearchOptions,
    json_file: JsonOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
) -> None:
    """Try a strategy with many parameters over the same candles, and say what the best of them is worth."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        refuse_no_room("--json", json_file)
        from bot.backtests.sweep_figures import as_json, text

        what, plan = options.varied(settings), options.plan()
        swept = _swept(what, plan, settings)
        typer.echo(text(what, swept))
        if json_file is not None:
            write("--json", json_file, as_json(what, swept))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        typer.echo("Ended at once. What was done by then is kept: --resume goes on from there.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if swept.sweep.stopped:
        raise typer.Exit(INTERRUPTED)


def _swept(what: Varied, plan: Plan, settings: Settings) -> Swept:
    """Sweep with a line of progress, until it is done or Ctrl-C is pressed."""
    from bot.backtests.sweeping import run_sweep
    from engine.backtest.registry import TrialRegistry

    progress = Progress(len(what.grid) if plan.trials is None else plan.trials)
    first = plan.resume

    def on_done(found: Sequence[Done]) -> None:
        nonlocal first
        progress.done(len(found), before=first)
        first = False

    with stopped_by_ctrl_c() as is_stopped:
        try:
            return run_sweep(
                what,
                plan,
                TrialRegistry(file=settings.backtest.trials),
                lambda: datetime.now(UTC),
                is_stopped=is_stopped,
                on_done=on_done,
            )
        finally:
            progress.close()
