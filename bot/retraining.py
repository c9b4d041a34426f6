"""Policies that are trained anew each month, in a process of their own; what comes of it is a proposal in chat.

first of a month ─▶ candle files up to then ─▶ SideProcess ─▶ proposal with its test
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot.adjuster import about
from bot.own_files import POLICIES
from config.settings import Settings
from engine.domain.errors import BadInput, GreenlightError
from engine.flow.policy_proposals import PolicyProposals
from engine.jobs.table import Group, Job
from engine.support.side_process import SideProcess, WorkFailed
from engine.timing.triggers import Monthly

_WITHIN = 12 * 3600.0
"""Wall seconds that a training may take."""
_GRACE = timedelta(days=2)
"""How late it may still be begun: the program need not run on the first of a month."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What a training came to, as it is proposed."""

    name: str
    file: str
    about: tuple[str, ...]
    test: tuple[tuple[str, float, float], ...]


Train = Callable[[Settings, datetime, Path], Retrained]
"""Trains a policy on all candles up to a time, and writes it into a file."""


class Retraining:
    """Trains anew, one at a time, and proposes what comes of it.

    Args:
        train: What the process does; it must be fit for pickle.
    """

    def __init__(self, settings: Settings, proposals: PolicyProposals, train: Train | None = None) -> None:
        self._settings, self._proposals, self._train = settings, proposals, train or train_anew
        self._aside = SideProcess(_WITHIN)
        self._under_way: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def job(self) -> Job:
        """Begins a training on the first of each month; nothing waits for it."""
        return Job(name="retraining", group=Group.RESEARCH, trigger=Monthly(), grace=_GRACE, run=self.begin)

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._under_way is not None and not self._under_way.done()

    async def begin(self, at: datetime) -> None:
        """Begin a training beside everything else; one that is still under way goes on instead."""
        if not self.busy:
            self._under_way = asyncio.create_task(self._propose(at))

    async def finished(self) -> None:
        """Return once what was begun is proposed, or has failed."""
        if self._under_way is not None:
            await self._under_way

    def close(self) -> None:
        """Give up what is under way."""
        self._closed = True
        if self._under_way is not None:
            self._under_way.cancel()
        self._aside.close()

    async def _propose(self, at: datetime) -> None:
        file = self._settings.backtest.trials.parent / POLICIES / f"retrained-{at:%Y-%m}.json"
        try:
            found = await self._aside.do(self._train, self._settings, at, file)
        except (GreenlightError, TimeoutError, WorkFailed) as error:
            _log.warning("no policy was trained anew", at=at.isoformat(), detail=str(error) or "it took too long")
            await self._proposals.failed(file.stem, _why(error))
            return
        if found is not None:
            await self._proposals.propose(found.name, found.file, found.about, found.test)
        elif not self._closed:
            _log.warning("no policy was trained anew", at=at.isoformat(), detail="its process ended")
            await self._proposals.failed(file.stem, "Its process ended without a word, as one without memory does.")


def _why(error: GreenlightError | TimeoutError | WorkFailed) -> str:
    """Why nothing came of it, as people are told: of what nobody expected the last line, for the log has the rest."""
    match error:
        case GreenlightError():
            return str(error)
        case TimeoutError():
            return f"It took more than {_WITHIN / 3600:.0f} hours."
        case WorkFailed():
            return f"It broke off ({str(error).strip().rpartition(chr(10))[2]}); the log has the rest."


def train_anew(settings: Settings, at: datetime, file: Path) -> Retrained:
    """What the process does.

    Raises:
        GreenlightError: It cannot be trained.
    """
    from bot.backtests.asked import Asked
    from bot.training import Listener, TrainingAsked, demand_extra, train, training_setup

    demand_extra()
    own = settings.ppo.retrain
    setup = training_setup(Asked(data=own.data, end=at, approved=True), settings)
    listener = Listener(is_stopped=lambda: False, on_round=lambda _: None, on_steps=lambda _: None)
    asked = TrainingAsked(out=file, seeds=own.seeds, quick=own.quick, steps=own.steps)
    found = train(setup, asked, settings, listener, lambda: datetime.now(UTC))
    if found.policy is None or found.worth is None:
        raise BadInput("Nothing came of the training.", "Give more candles.")
    return Retrained(
        name=found.policy.card.name,
        file=str(file.resolve()),
        about=about(found.policy.card),
        test=tuple((each.name, each.growth, each.drawdown) for each in found.worth.rows),
    )
