"""Decisions in a storm of faults, on a clock that is moved by hand: money is conserved, and a seed tells one story.

    python -m tests.proof.storms --decisions 10000

The engine's execution and database with the real ccxt, and a strict fake venue, in one process. One call in five goes
wrong (row 2 of the faults, but for time-outs, which are lost answers that take long); prices go to stops and targets,
what is held is sold, and at times all that is not in the database is lost. Waiting costs no time: the clock leaps.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from tests.fakes.exchange import Fault
from tests.fakes.program import Files
from tests.fakes.real_bench import Bench, LeapingClock, bench_at
from tests.fakes.venues.binance import FakeBinance
from tests.fakes.venues.spot_endpoints import Endpoint
from tests.fakes.venues.spot_filters import Filters
from tests.proof import audit
from tests.proof.faults import ROW_TWO

EPOCH = datetime(2026, 6, 1, tzinfo=UTC)
SHARE = 0.2
AUDITED_EVERY = 4
LATER_BY = 3
"""How many calls after a request that was lost it is carried out all the same, where it is late."""
STORM = tuple(name for name in ROW_TWO if not name.startswith(("timed out", "a slow")))


class HandClock(LeapingClock):
    """A time that moves only when it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self._at = EPOCH

    def leap(self, by: timedelta) -> None:
        self._at += by

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return (self._at - EPOCH).total_seconds()


class StormVenue(FakeBinance):
    """Binance on a clock that is moved by hand; late is what so many calls came before, and nothing happens between.

    Requests carry the time of this machine, so that alone is held against this machine's.
    """

    def __init__(self, clock: HandClock) -> None:
        self._clock, self._checking = clock, False
        super().__init__(balances={"USDT": "1000000"})
        self.limits.weight = self.limits.orders = 10**9
        self.matching.filters = Filters(max_orders=1000, max_conditional=500)
        self._late: list[tuple[int, web.Request, str]] = []
        self._answered = 0

    def now_ms(self) -> int:
        return super().now_ms() if self._checking else int(self._clock.now().timestamp() * 1000)

    def _date(self) -> str:
        return format_datetime(self._clock.now(), usegmt=True)

    async def _look(self) -> None:
        """See the market when it is called, and at no other time."""

    def _checked(self, request: web.Request, total: str, endpoint: Endpoint) -> Any:
        self._checking = True
        try:
            return super()._checked(request, total, endpoint)
        finally:
            self._checking = False

    def _carry_out(self, request: web.Request, total: str) -> tuple[int, Any, dict[str, str]]:
        self._answered += 1
        self.arrive(self._answered)
        if request.path == "/api/v3/time":
            return 200, {"serverTime": super().now_ms()}, {}
        return super()._carry_out(request, total)

    async def _later(self, request: web.Request, total: str, seconds: float) -> None:  # noqa: ARG002 - calls are counted here
        self._late.append((self._answered + LATER_BY, request, total))

    def arrive(self, until: float = float("inf")) -> None:
        """Carry out what is late, up to so many calls."""
        due = [each for each in self._late if each[0] <= until]
        self._late = [each for each in self._late if each[0] > until]
        for _, request, total in due:
            super()._carry_out(request, total)


@dataclass(kw_only=True)
class Report:
    """What a storm came to.

    Attributes:
        journal: A fingerprint of everything in the database at the end: orders, fills, positions, money and events.
    """

    decisions: int = 0
    crashes: int = 0
    audits: int = 0
    orders: Counter[str] = field(default_factory=Counter)
    trades: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    journal: str = ""
    seconds: float = 0.0

    def told(self) -> dict[str, Any]:
        return {**vars(self), "faults": dict(self.faults), "orders": dict(self.orders)}


@dataclass(kw_only=True)
class Storm:
    """One seed's.

    Args:
        bench: The bot's execution, on a clock that is moved by hand.
        folder: Where its database is.
    """

    bench: Bench
    venue: StormVenue
    folder: Path
    seed: int
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self._dice = Random(f"storm {self.seed}")  # noqa: S311 - no secret

    async def rage(self, decisions: int) -> Report:
        """So many decisions, audited every few of them and at the end."""
        began = time.monotonic()
        self.bench.move(60_000)
        for number in range(decisions):
            self.venue.meddle = self._fault
            await self._decide(number)
            if number % AUDITED_EVERY == AUDITED_EVERY - 1 or number == decisions - 1:
                await self._audit(number)
        self.report.orders.update(self._count())
        self.report.trades = len(self.venue.matching.trades)
        self.report.journal = journal(self.folder)
        self.report.seconds = time.monotonic() - began
        return self.report

    async def _decide(self, number: int) -> None:
        bench, dice = self.bench, self._dice
        self.report.decisions += 1
        await bench.buy(f"{self.seed} {number}", f"0.00{dice.randint(1, 9)}")
        if dice.random() < 0.3 and (held := await bench.held()):
            await bench.sell(dice.choice(held))
        if dice.random() < 0.4:  # to a stop, a target or neither, and back
            bench.move(dice.choice((57_500, 59_000, 61_000, 65_500)))
            await bench.sync()
            bench.move(60_000)
        bench.clock.leap(timedelta(seconds=dice.choice((1, 5, 70))))
        await bench.sync()
        if dice.random() < 0.1:
            self.report.crashes += 1
            self.venue.meddle = lambda _: None
            await bench.crash()

    def _fault(self, _: str) -> Fault | None:
        if self._dice.random() >= SHARE:
            return None
        name = self._dice.choice(STORM)
        self.report.faults[name] += 1
        return ROW_TWO[name]

    async def _audit(self, number: int) -> None:
        self.report.audits += 1
        self.venue.arrive()
        self.bench.clock.leap(timedelta(seconds=3))  # what the venue asked for, after 429 and 418
        await self.bench.settle()
        try:
            await self.bench.check()
        except AssertionError as error:
            self.report.complaints.append(f"decision {number}: {error}")
        found = audit.complaints(Files(folder=self.folder), self.venue)
        self.report.complaints += [f"decision {number}: {each}" for each in found]

    def _count(self) -> dict[str, int]:
        rows = Files(folder=self.folder).rows("SELECT status, count(*) AS n FROM orders GROUP BY status")
        return {row["status"]: row["n"] for row in rows}


def journal(folder: Path) -> str:
    """A fingerprint of what was written down, in order, times and all."""
    digest = hashlib.sha256()
    for table, order in {"orders": "number", "fills": "number", "positions": "number", "balances": "currency",
                         "events": "id"}.items():  # fmt: skip
        for row in Files(folder=folder).rows(f"SELECT * FROM {table} ORDER BY {order}"):  # noqa: S608 - our own words
            digest.update(json.dumps(row, default=str).encode())
    return digest.hexdigest()


async def storm(folder: Path, *, seed: int, decisions: int) -> Report:
    """One storm, on files and at a venue of its own."""
    clock = HandClock()
    venue = StormVenue(clock)
    await venue.start()
    try:
        async with bench_at(folder, venue, haste=1e9, clock=clock) as bench:
            bench.within = timedelta(minutes=1)
            await bench.crash()  # it is open again, and waits that long for an answer
            return await Storm(bench=bench, venue=venue, folder=folder, seed=seed).rage(decisions)
    finally:
        await venue.stop()


def main() -> int:
    """Storms of a hundred decisions each, one seed after the other; 1 where anything was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=10_000)
    parser.add_argument("--each", type=int, default=100, help="decisions of one seed")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    options = parser.parse_args()
    reports = []
    for seed in range(options.seed, options.seed + -(-options.decisions // options.each)):
        with tempfile.TemporaryDirectory() as folder:
            report = asyncio.run(storm(Path(folder), seed=seed, decisions=options.each))
        reports.append(report)
        done = sum(each.decisions for each in reports)
        bad = [f"seed {seed}, {each}" for each in report.complaints]
        sys.stdout.write(f"{done} decisions: {json.dumps(report.told())}\n")
        sys.stdout.writelines(f"NOT AS IT MUST BE: {each}\n" for each in bad)
        sys.stdout.flush()
    return 1 if any(each.complaints for each in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
