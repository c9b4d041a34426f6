"""Runs a job so that one that fails stops nothing, whatever drives it: it is logged with an id and told of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from engine.domain.errors import StrategyError
from engine.jobs.table import Job
from engine.support.faults import fault_id

_log = structlog.get_logger(__name__)


class Troubles:
    """What is wrong with the jobs, each by itself: that one succeeds says nothing of another.

    Args:
        tell: Called with all that is wrong, an empty text where nothing is.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._by_job: dict[str, str] = {}

    def of(self, job: Job) -> Callable[[str], None]:
        """Tells of one job; an empty text where all is well again."""

        def note(text: str) -> None:
            self._by_job[job.name] = text
            self._tell("; ".join(each for each in self._by_job.values() if each))

        return note


async def run_guarded(job: Job, at: datetime, on_trouble: Callable[[str], None]) -> bool:
    """Run a job; one that fails is logged with an id and told of, and the others go on. Whether it succeeded."""
    try:
        await job.run(at)
    except StrategyError as error:
        note_failure(job, at, on_trouble, f": {error}")
        return False
    except Exception:  # noqa: BLE001 - the boundary of every job: a fault in one must not stop the program
        note_failure(job, at, on_trouble)
        return False
    on_trouble("")
    return True


def note_failure(job: Job, at: datetime, on_trouble: Callable[[str], None], words: str = "") -> None:
    """Log the error that is being handled, and tell of it, by the words for people where there are some."""
    reference = fault_id()
    _log.exception("job failed", job=job.name, at=at.isoformat(), reference=reference)
    on_trouble(f"{job.name} failed at {at:%Y-%m-%d %H:%M} UTC{words} (log id {reference})")
