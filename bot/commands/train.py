"""The command ``bot train``: a policy that adjusts entries is trained on candle files, and tested once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.backtests.options import ClusterOption, MarketOptions, ParamsOption, refuse_no_room, with_options
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.progress import INTERRUPTED, Progress, stopped_by_ctrl_c
from bot.run_options import DATES, MoreData
from engine.domain.errors import BadInput, GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from bot.training import TrainedPolicy, TrainingAsked
    from config.settings import Settings
    from engine.backtest.setup import BacktestSetup
    from engine.learning.train import Round

_OutOption = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="The policy, NAME.json; its numbers lie beside it.")
]
_FromOption = Annotated[datetime | None, typer.Option("--validate-from", formats=DATES, help="After 60 % of the time.")]
_TestOption = Annotated[datetime | None, typer.Option("--test-from", formats=DATES, help="After 80 % of the time.")]
_SeedsOption = Annotated[int, typer.Option("--seeds", min=1, max=100, help="How many are trained; the best is taken.")]
_QuickOption = Annotated[bool, typer.Option("--quick", help="In minutes: fewer and smaller rounds.")]
_StepsOption = Annotated[
    int | None, typer.Option("--steps", min=1_024, help="Decisions of each seed; as many as make it better.")
]
_ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with what was stopped.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions(MarketOptions):
    """How a policy is trained."""

    strategy: Annotated[str | None, typer.Option(help="One strategy, in place of the profile's contexts.")] = None
    params: ParamsOption = None
    more_data: MoreData = None
    out: _OutOption = Path("policies/ppo.json")
    validate_from: _FromOption = None
    test_from: _TestOption = None
    seeds: _SeedsOption = 3
    quick: _QuickOption = False
    steps: _StepsOption = None
    resume: _ResumeOption = False
    cluster: ClusterOption = ""

    def of_training(self) -> TrainingAsked:
        """The same in the words of the program.

        Raises:
            BadInput: The file has another ending.
        """
        from bot.training import TrainingAsked

        if self.out.suffix != ".json":
            raise BadInput(f"--out {self.out} does not end in .json.", f"Write {self.out.with_suffix('.json')}.")
        if self.resume and self.cluster:
            raise BadInput("A cluster keeps no rounds to go on with.", "Leave out --resume or --cluster.")
        return TrainingAsked(
            out=self.out,
            seeds=self.seeds,
            quick=self.quick,
            steps=self.steps,
            resume=self.resume,
            cluster=self.cluster,
            validate_from=self.validate_from.replace(tzinfo=UTC) if self.validate_from else None,
            test_from=self.test_from.replace(tzinfo=UTC) if self.test_from else None,
        )


@with_options
def train(options: TrainOptions, profile: ProfileOption = None, config: ConfigOption = None) -> None:
    """Train a policy that makes entries smaller where that pays, and say what it is worth on time it never saw."""
    settings = load_or_exit(profile, config, {}).settings
    try:
        from bot.training import demand_extra
        from bot.training_figures import training_text

        demand_extra()
        asked = options.of_training()
        refuse_no_room("--out", asked.out)
        found = _trained(_setup(options, settings), asked, settings)
        typer.echo(training_text(found))
        if found.policy is None:
            raise typer.Exit(INTERRUPTED)
        typer.echo(f"written    {asked.out} and {asked.out.with_suffix('.npz').name}")
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def _setup(options: TrainOptions, settings: Settings) -> BacktestSetup:
    """What is traded: everything that people would be asked about is, so that the policy sees that too."""
    from bot.training import training_setup

    return training_setup(
        options.asked(options.strategy, options.params or (), options.more_data or (), approved=True), settings
    )


def _trained(setup: BacktestSetup, asked: TrainingAsked, settings: Settings) -> TrainedPolicy:
    """Train with a line of progress, until it is done or Ctrl-C is pressed."""
    from bot.training import Listener, plan_of, train

    plan = plan_of(asked, settings)
    progress = Progress(plan.rounds * plan.round_steps * len(plan.seeds))
    said = ""

    def on_round(each: Round) -> None:
        nonlocal said
        said = f", seed {each.seed}, round {each.number}: validation {each.reward:+.2f}"
        if each.was_kept:
            progress.done(plan.round_steps, said, before=True)

    def on_steps(count: int) -> None:
        progress.done(count, said)

    with stopped_by_ctrl_c() as is_stopped:
        try:
            listener = Listener(is_stopped=is_stopped, on_round=on_round, on_steps=on_steps)
            return train(setup, asked, settings, listener, lambda: datetime.now(UTC))
        finally:
            progress.close()
