"""When the books are compared with what venues have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from engine.flow.balance_watch import BalanceWatch
from engine.jobs.table import Group, Job
from engine.timing.triggers import often

EVERY = timedelta(minutes=1)
"""Wall time between two looks."""


def balance_jobs(watch: BalanceWatch, *, live: bool) -> Sequence[Job]:
    """A look at each venue every minute on the wall's clock; it holds up neither candles nor protection."""
    if not live:
        return ()
    return tuple(
        Job(
            name=f"balances at {venue}",
            group=Group.HOUSEKEEPING,
            venue=venue,
            trigger=often(EVERY),
            run=partial(watch.look, venue),
        )
        for venue in watch.orchestrator.venues
    )
