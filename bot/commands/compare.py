"""The command ``bot compare``: two strategies, settings or revisions side by side, or the layers of one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from bot.backtests.options import (
    Approve,
    ApproveOption,
    JsonOption,
    MarketOptions,
    names_no_candles,
    refuse_no_room,
    with_options,
    write,
)
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.run_options import MoreData
from engine.domain.errors import BadInput, GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from bot.backtests.asked import Asked
    from config.settings import Settings

_SEED = 0
_SAID = (
    "A strategy with what is its own: 'rsi_bands rsi_low=25 risk=off', './own.py@HEAD~1:Own'. "
    "With --layers it may be left out, for the profile's contexts."
)


@with_options
def compare(
    options: MarketOptions,
    first: Annotated[str | None, typer.Argument(metavar="A", help=_SAID, show_default=False)] = None,
    second: Annotated[str | None, typer.Argument(metavar="B", help="The other one.", show_default=False)] = None,
    more_data: MoreData = None,
    sentiment: Annotated[
        list[Path] | None,
        typer.Option(help="With --layers: a CSV with what was said, Fear & Greed or headlines; once for each file."),
    ] = None,
    approve: ApproveOption = Approve.NONE,
    json_file: JsonOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    *,
    layers: Annotated[
        bool,
        typer.Option(
            "--layers", help="Of A alone: rules, + sentiment, + prediction, + panel (by llm.tape), + PPO, + people."
        ),
    ] = False,
) -> None:
    """Trade two strategies, settings or revisions over the same candles, and say where they differ; or the layers."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        refuse_no_room("--json", json_file)
        (first, second), files = _told_apart(first, second, more_data or [])
        common = options.asked(more_data=files, approved=approve is Approve.ALL)
        if layers:
            if second is not None:
                raise BadInput("--layers is about one strategy.", "Leave B out.")
            told, written = _layers(first, common, settings, sentiment or [])
        elif sentiment:
            raise BadInput("--sentiment is about layers.", "Say --layers as well.")
        elif first is None or second is None:
            raise BadInput("Two are compared.", "Name A and B, or say --layers.")
        else:
            told, written = _both(first, second, common, settings)
        typer.echo(told)
        if json_file is not None:
            write("--json", json_file, written)
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def _told_apart(
    first: str | None, second: str | None, more: list[Path]
) -> tuple[tuple[str | None, str | None], list[Path]]:
    """A and B, and the candle files among the words: those that follow --data may stand before A or in B's place.

    Raises:
        BadInput: More than two words name no candle file.
    """
    words = [word for word in (first, second, *map(str, more)) if word is not None]
    files = [Path(word) for word in words if not names_no_candles(Path(word))]
    sides = [word for word in words if Path(word) not in files]
    if sides[2:]:
        raise BadInput(f"{sides[2]} is neither A nor B.", "A file of candles is named SYMBOL-INTERVAL.")
    a, b = (*sides, None, None)[:2]
    return (a, b), files


def _both(first: str, second: str, common: Asked, settings: Settings) -> tuple[str, str]:
    """Two beside one another, for people and as JSON."""
    from bot.backtests.compare_figures import as_json, text
    from bot.backtests.comparing import compare as laid_beside
    from engine.backtest.registry import TrialRegistry

    registry = TrialRegistry(file=settings.backtest.trials)
    with TemporaryDirectory(prefix="greenlight-") as folder:
        found = laid_beside((first, second), common, settings, registry, datetime.now(UTC), Path(folder))
    return text(found), as_json(found)


def _layers(said: str | None, common: Asked, settings: Settings, files: list[Path]) -> tuple[str, str]:
    """The layers of one, for people and as JSON."""
    from dataclasses import replace

    from bot.backtests.comparing import asked_of
    from bot.backtests.layer_table import as_json, text
    from bot.backtests.layers import compare_layers
    from bot.backtests.setups import setup_of
    from bot.sentiment import history_of
    from engine.backtest.look_ahead import refuse_peeking
    from engine.backtest.registry import TrialRegistry

    registry = TrialRegistry(file=settings.backtest.trials)
    with TemporaryDirectory(prefix="greenlight-") as folder:
        asked = asked_of(said, common, Path(folder)) if said else common
        setup = setup_of(replace(asked, full=True), settings)
        refuse_peeking(setup)
        history = history_of(settings, files)
        found = compare_layers(setup, settings, history, registry, datetime.now(UTC), _SEED)
    return text(found, said or f"the profile {settings.profile}"), as_json(found)
