"""The command ``bot compare``: two strategies, settings or revisions of a strategy side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bot.backtests.options import Approve, ApproveOption, JsonOption, MarketOptions, refuse_no_room, with_options, write
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from engine.domain.errors import GreenlightError

_SAID = "A strategy with what is its own: 'rsi_bands rsi_low=25 risk=off', './own.py@HEAD~1:Own'."


@with_options
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=_SAID, show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="The other one.", show_default=False)],
    options: MarketOptions,
    approve: ApproveOption = Approve.NONE,
    json_file: JsonOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
) -> None:
    """Trade two strategies, settings or revisions of a strategy over the same candles, and say where they differ."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        refuse_no_room("--json", json_file)
        from bot.backtests.compare_figures import as_json, text
        from bot.backtests.comparing import compare as laid_beside
        from engine.backtest.registry import TrialRegistry

        common = options.asked(approved=approve is Approve.ALL)
        registry = TrialRegistry(file=settings.backtest.trials)
        with TemporaryDirectory(prefix="greenlight-") as folder:
            found = laid_beside((first, second), common, settings, registry, datetime.now(UTC), Path(folder))
        typer.echo(text(found))
        if json_file is not None:
            write("--json", json_file, as_json(found))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
