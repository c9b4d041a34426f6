"""Closes that are taken together leave what each by itself would have left."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.engine import build_engine
from bot.markets import source
from bot.predictions import prediction_jobs
from config.loader import load
from engine.backtest.quiet import QuietCloses
from engine.backtest.replay import Pace, Replay
from engine.jobs.table import job_table
from engine.store.database import nowhere
from engine.store.location import url_of
from engine.timing.clocks import MarketClock
from tests.fakes.database import new_file

LASTS = timedelta(hours=30)
TABLES = (
    "decisions",
    "readings",
    "equity",
    "marks",
    "orders",
    "positions",
    "approvals",
    "events",
    "settings",
    "sequences",
    "predictions",
)


async def replayed(folder: Path, *, together: bool, answering: bool = False) -> tuple[dict[str, list[Any]], int]:
    """What the demo leaves in each table, and how many closes were done by themselves."""
    file, alone = new_file(folder / ("together" if together else "one by one")), 0
    own = {
        "database": {"url": url_of(file)},
        "venue": {"file": file.with_suffix(".venue")},
        "approval": {"auto_above": 0.3, "ask_above": 0.3},
    }
    settings = load("demo", None, own, {}, folder).settings
    engine = await build_engine(settings, source(settings), nowhere)
    assert isinstance(engine.clock, MarketClock)
    contexts, books, (venue,) = engine.market.contexts, engine.books, engine.venues.values()
    (candle, *others) = sorted(
        job_table(
            services=engine.services,
            contexts=contexts,
            deliberations=engine.deliberations,
            approvals=engine.approvals,
            books=books,
        ),
        key=lambda job: job.name != "candle",
    )

    async def by_itself(at: datetime) -> None:
        nonlocal alone
        alone += 1
        await candle.run(at)

    quiet = QuietCloses(
        services=engine.services,
        contexts=contexts,
        books=books,
        venue=venue,
        clock=engine.clock,
        research=engine.predictions,
        answering=lambda: answering,
    )
    jobs = [replace(candle, run=by_itself), *others, *prediction_jobs(engine.predictions, engine.market)]

    async def nobody() -> tuple[str, ...]:
        return ()

    troubles: list[str] = []
    replay = Replay(
        clock=engine.clock,
        jobs=quiet.of(jobs) if together else jobs,
        pace=Pace(speed=math.inf, wait_for_people=0, commit_every=20),
        open_approvals=nobody,
        on_trouble=troubles.append,
        answering=lambda: engine.approvals.busy or engine.is_researching,
        journal=engine.store,
    )
    await replay.run(engine.clock.now() + LASTS)
    await engine.store.close()
    venue.close()
    assert not any(troubles)
    with closing(sqlite3.connect(file)) as connection:
        rows = {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608 - named here
            for table in TABLES
        }
    return rows, alone


@pytest.mark.slow
async def test_the_demo_is_the_same_whether_quiet_closes_are_taken_together_or_not(tmp_path: Path) -> None:
    one, by_itself = await replayed(tmp_path, together=False)
    all_, rest = await replayed(tmp_path, together=True)
    assert by_itself == LASTS // timedelta(hours=1)
    assert rest < 3, "where strategies speak, and where days end, too"
    assert len(one["orders"]) > 2
    assert any(row[-1] is not None for row in one["predictions"]), "of some it is known what came of them"
    for table in TABLES:
        assert all_[table] == one[table], table


async def test_while_somebody_asks_or_answers_none_are_taken_together(tmp_path: Path) -> None:
    _, alone = await replayed(tmp_path, together=True, answering=True)
    assert alone == LASTS // timedelta(hours=1)
