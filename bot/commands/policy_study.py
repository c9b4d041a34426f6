"""The command ``bot policy study``: what training a policy is worth, by many seeds on many splits of the time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.backtests.options import MarketOptions, ParamsOption, refuse_no_room, with_options
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.progress import INTERRUPTED, Progress, stopped_by_ctrl_c
from bot.run_options import MoreData
from engine.domain.errors import GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from bot.policy_study import Studied, StudyAsked
    from config.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions(MarketOptions):
    """What is studied."""

    strategy: Annotated[str | None, typer.Option(help="One strategy, in place of the profile's contexts.")] = None
    params: ParamsOption = None
    more_data: MoreData = None
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A page in Markdown: its tables are written anew.")
    ] = None
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many are trained on each split.")] = 10
    steps: Annotated[int, typer.Option(min=4_096, help="How many decisions each training takes.")] = 32_768
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was stopped.")] = False

    def of_study(self) -> StudyAsked:
        """The same in the words of the program."""
        from bot.policy_study import StudyAsked

        return StudyAsked(seeds=self.seeds, steps=self.steps, resume=self.resume)


@with_options
def study(options: StudyOptions, profile: ProfileOption = None, config: ConfigOption = None) -> None:
    """Train many policies on parts of the time, test each on the rest, and say what they are worth beside rules."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        from bot.policy_study_page import page_of, tables
        from bot.training import demand_extra

        demand_extra()
        refuse_no_room("--out", options.out)
        found = _studied(options, settings)
        told = tables(found)
        if options.out is not None:
            options.out.write_text(page_of(options.out, found), encoding="utf-8")
        typer.echo(told, nl=False)
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    if len(found.seeds) < found.wanted:
        raise typer.Exit(INTERRUPTED)


def _studied(options: StudyOptions, settings: Settings) -> Studied:
    """Study with a line of progress, until it is done or Ctrl-C is pressed."""
    from bot.policy_study import FOLDS, study
    from bot.training import training_setup

    asked = options.asked(options.strategy, options.params or (), options.more_data or (), approved=True)
    setup = training_setup(asked, settings)
    progress = Progress(options.seeds * FOLDS)
    with stopped_by_ctrl_c() as is_stopped:
        try:
            return study(
                setup,
                options.of_study(),
                settings,
                is_stopped,
                lambda kept: progress.done(1, " trainings", before=kept),
            )
        finally:
            progress.close()
