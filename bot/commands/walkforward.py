"""The command ``bot walkforward``: what is best in one window is traded in the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.backtests.options import JsonOption, SearchOptions, refuse_no_room, with_options, write
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.progress import INTERRUPTED, Progress, stopped_by_ctrl_c
from config.settings import Settings
from engine.domain.errors import BadInput, GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from bot.backtests.sweeping import Plan
    from bot.backtests.varying import Varied
    from bot.backtests.walking import Walk
    from engine.backtest.kept_sweep import Done
    from engine.backtest.windows import Window


@with_options
def walkforward(
    options: SearchOptions,
    train: Annotated[str | None, typer.Option(help="What it chooses on, 365d; by itself half of the time.")] = None,
    test: Annotated[str | None, typer.Option(help="What it then trades, 90d; by itself a tenth of the time.")] = None,
    json_file: JsonOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    *,
    anchored: Annotated[bool, typer.Option("--anchored", help="Always choose on all that was before.")] = False,
) -> None:
    """Choose the best parameters on the past again and again, and trade them on what came next."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        refuse_no_room("--json", json_file)
        from bot.backtests.walk_figures import as_json, text

        what, plan = options.varied(settings), options.plan()
        walked = _walked(what, _windows(what, train, test, anchored=anchored), plan, settings)
        typer.echo(text(what, walked))
        if json_file is not None:
            write("--json", json_file, as_json(what, walked))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    if walked.stopped:
        raise typer.Exit(INTERRUPTED)


def _windows(what: Varied, train: str | None, test: str | None, *, anchored: bool) -> tuple[Window, ...]:
    from engine.backtest.setup_candles import candles_of
    from engine.backtest.windows import windows
    from engine.domain.market import from_millis

    setup = what.setup
    candles = [candles_of(setup, symbol) for symbol in setup.candles]
    first = max(from_millis(int(each.open_ms[0])) for each in candles)
    return windows(
        max(setup.start or first, first),
        max(each.closed_at for each in candles),
        inside=_length("--train", train),
        outside=_length("--test", test),
        anchored=anchored,
    )


def _length(name: str, said: str | None) -> timedelta | None:
    from config.kinds import parse_duration

    if said is None:
        return None
    try:
        found = parse_duration(said)
    except ValueError:
        found = None
    if not isinstance(found, timedelta):
        raise BadInput(f"{name} {said} is no length of time.", "Write it like 90d.")
    return found


def _walked(what: Varied, windows: Sequence[Window], plan: Plan, settings: Settings) -> Walk:
    """Walk with a line of progress, until it is done or Ctrl-C is pressed."""
    from bot.backtests.walking import walk
    from engine.backtest.registry import TrialRegistry

    each = len(what.grid) if plan.trials is None else plan.trials
    progress, begun = Progress(each * len(windows)), set[int]()

    def on_done(number: int, found: Sequence[Done]) -> None:
        before = plan.resume and number not in begun
        begun.add(number)
        progress.done(len(found), f", window {number + 1} of {len(windows)}", before=before)

    with stopped_by_ctrl_c() as is_stopped:
        try:
            return walk(
                what,
                windows,
                plan,
                TrialRegistry(file=settings.backtest.trials),
                lambda: datetime.now(UTC),
                is_stopped=is_stopped,
                on_done=on_done,
            )
        finally:
            progress.close()
