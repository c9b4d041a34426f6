"""The program as a process of its own that notes every market day how much it holds on to."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from bot.app import App
from bot.engine import Engine
from bot.stopping import run_until_signal
from config.settings import Settings
from engine.domain.days import Days
from engine.domain.market import Timeframe
from engine.jobs.table import Job
from engine.timing.triggers import Daily, every
from tests.fakes.forks import FORKS

SAMPLES = "samples"
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the process held at the end of a market day.

    Attributes:
        at: The market time.
        blocks: Pieces of memory that Python has given out.
        kilobytes: Resident memory.
        files: Open file descriptors.
        tasks: Tasks of the event loop.
    """

    at: str
    blocks: int
    kilobytes: int
    files: int
    tasks: int


def take(at: datetime) -> Sample:
    """Look at this process."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    return Sample(
        at=at.isoformat(),
        blocks=sys.getallocatedblocks(),
        kilobytes=resident,
        files=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - names are all that is asked
        tasks=len(asyncio.all_tasks()),
    )


def begin(folder: Path, settings: Settings, *, leaks: bool = False) -> ForkServerProcess:
    """Start it; ``leaks`` for one that keeps a list of four texts with every candle."""
    process: ForkServerProcess = FORKS.Process(target=_live, args=(folder, settings, leaks), daemon=True)
    process.start()
    return process


def samples(folder: Path) -> list[Sample]:
    """What was noted so far."""
    file = folder / SAMPLES
    return [Sample(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def _live(folder: Path, settings: Settings, leaks: bool) -> None:  # noqa: FBT001 - passed on to another process
    log = (folder / "log").open("a", buffering=1)
    os.dup2(log.fileno(), sys.stdout.fileno())
    os.dup2(log.fileno(), sys.stderr.fileno())
    notes = (folder / SAMPLES).open("a", buffering=1)
    # pydantic's parser keeps up to 16,384 short strings, and would take months to have met as many.
    from_json(json.dumps([f"{number:020}" for number in range(200_000)]))
    kept: list[list[str]] = []

    async def leak(at: datetime) -> None:
        kept.append([f"{at} {number}" for number in range(4)])

    def jobs(engine: Engine) -> Sequence[Job]:
        async def note(at: datetime) -> None:
            await engine.store.flush()  # what waits for a common commit does not stay behind
            notes.write(json.dumps(asdict(take(at))) + "\n")

        noting = Job(name="note", trigger=Daily(Days(at=time(0, 30), zone=UTC_ZONE)), run=note, grace=timedelta(days=1))
        return (noting, Job(name="leak", trigger=every(Timeframe.H1), run=leak)) if leaks else (noting,)

    asyncio.run(run_until_signal(App(settings, announce=print, more_jobs=jobs)))
