"""How long what was bought stands without a stop at the venue, by what goes wrong.

    python -m tests.proof.bare --times 5

The engine's execution and database with the real ccxt and a strict fake venue, in one process that nobody kills. What
looks at the venue again is what does so in the program: the venue's own word, a look each few seconds, and the second
look, on the wall's clock. From the first fill at the venue to the stop that stands there. Each fault befalls one call
of an order's way, once; a ban comes with a time for which the venue wants to be left alone, and that is waited.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.real_venues import follow_news
from engine.jobs.table import Job, at_each
from engine.jobs.wall_driver import WallDriver
from engine.timing.triggers import often
from tests.fakes.exchange import Fault
from tests.fakes.patience import until
from tests.fakes.real_bench import Bench
from tests.fakes.venues.binance import FakeBinance, trading
from tests.fakes.venues.spot_filters import Filters
from tests.proof import audit
from tests.proof.faults import ROW_TWO
from tests.proof.kills import CALLS
from tests.proof.life import BUYS

PROTECTED_WITHIN = 60.0
OPENED_WITHIN = timedelta(seconds=20)
"""How long an answer may take while nothing is looked at yet: a busy machine is no fault of the venue's."""
POLL_EVERY = timedelta(seconds=5)
"""As ``exchanges.NAME.poll_every`` has it."""
NOTHING = "nothing goes wrong"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What goes wrong, at which call, and whether the venue's own word of the fill comes."""

    fault: str
    call: str
    told: bool

    def __str__(self) -> str:
        where = f" at {self.call}" if self.call else ""
        return f"{self.fault}{where}{'' if self.told else ', told nothing'}"


def cases() -> list[Case]:
    """Everything that can go wrong at each call of an order's way, with the venue's own word and without."""
    placing, *_ = calls = CALLS["binance"][BUYS]
    befalls = [(fault, call) for call in calls for fault in ROW_TWO if call != placing or ROW_TWO[fault].effect]
    ways = [(NOTHING, ""), *befalls]  # where the purchase is not done, there is nothing to protect
    return [Case(fault=fault, call=call, told=told) for told in (True, False) for fault, call in ways]


@asynccontextmanager
async def _looked_after(bench: Bench) -> AsyncIterator[None]:
    """Have the venue looked at as the program does."""
    orchestrator = bench.orchestrator

    async def look(venue: str, _: datetime) -> None:
        await orchestrator.sync_venue_events(venue)

    async def again(venue: str, _: datetime) -> None:
        await orchestrator.look_again(venue)

    jobs: Sequence[Job] = (
        *at_each([bench.name], "venue", look, trigger=often(POLL_EVERY)),
        *at_each([bench.name], "second look", again, alarm=orchestrator.next_look),
    )
    driver = WallDriver(jobs=jobs, clock=bench.clock, on_trouble=lambda _: None)
    following = asyncio.create_task(follow_news(bench.exchange, orchestrator.sync_venue_events))
    driver.start()
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await driver.stop()


async def measure(folder: Path, case: Case, times: int, within: timedelta) -> list[float]:
    """For so many purchases how many seconds each was without a stop; those that nothing befell are left out."""
    found = []
    async with trading(balances={"USDT": "1000000"}) as fake:
        fake.matching.filters = Filters(max_orders=1000, max_conditional=500)
        bench = Bench(folder, fake, haste=100.0)
        bench.within = OPENED_WITHIN
        await bench.open()
        bench.within = within
        await bench.crash()  # it is open again, and waits that long for an answer
        try:
            async with _looked_after(bench):
                for number in range(times):
                    bench.move(60_000)
                    befell = _befall(fake, case)
                    await _buy(bench, f"{number}")
                    if befell():
                        found += audit.bare(fake)[-1:]
                    await _end(bench)
        finally:
            await bench.close()
    return found


def _befall(fake: FakeBinance, case: Case) -> Callable[[], bool]:
    """Let it happen once from now on; whether it has."""
    left = [ROW_TWO[case.fault]] if case.fault in ROW_TWO else []

    def meddle(call: str) -> Fault | None:
        return left.pop() if left and call == case.call else None

    fake.meddle = meddle
    fake.stream.lose = 0 if case.told else 10**6
    return lambda: not left


async def _buy(bench: Bench, name: str) -> None:
    """Buy, and wait until what was bought has its stop; nothing to wait for where nothing was."""
    await until(lambda: bench.fake.stream.listeners == 1, seconds=PROTECTED_WITHIN)
    bought = len(audit.bare(bench.fake))
    await bench.buy(name, "0.001")
    async with asyncio.timeout(PROTECTED_WITHIN):
        while not await _is_over(bench, bought):  # noqa: ASYNC110 - the venue tells nobody
            await asyncio.sleep(0.01)


async def _is_over(bench: Bench, bought: int) -> bool:
    """Whether the stop is there, or the order is known to have come to nothing."""
    if len(audit.bare(bench.fake)) > bought:
        return True
    return not bench.fake.matching.open_orders() and not await bench.unfinished() and not await bench.held()


async def _end(bench: Bench) -> None:
    """Let all be over: the target is reached."""
    bench.fake.meddle = lambda _: None
    async with asyncio.timeout(PROTECTED_WITHIN):
        while await bench.held() or await bench.unfinished() or bench.fake.matching.open_orders():
            if not any(order.status.in_doubt for order in await bench.unfinished()):
                bench.move(66_000)
            await asyncio.sleep(0.05)
            with suppress(Exception):
                await bench.sync()


async def measure_all(
    chosen: Sequence[Case], times: int, within: timedelta, side_by_side: int
) -> Mapping[Case, list[float]]:
    """Cases, so many of them side by side: most of it is waiting."""
    found: dict[Case, list[float]] = {}
    queue = iter(chosen)

    async def work() -> None:
        for case in queue:
            with tempfile.TemporaryDirectory() as folder:
                found[case] = await measure(Path(folder), case, times, within)

    await asyncio.gather(*(work() for _ in range(side_by_side)))
    return {case: found[case] for case in chosen}


def _row(values: Sequence[float]) -> str:
    figures = [audit.percentile(values, 0.5), audit.percentile(values, 0.99), max(values, default=0.0)]
    return "  ".join(f"{each:7.3f}" for each in figures) + f"  of {len(values)}"


def main() -> int:
    """Print p50, p99 and most in seconds, by case and in all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="purchases of each case")
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--answer-within", type=float, default=1.0, help="seconds, as exchanges.NAME.answer_within")
    parser.add_argument("--side-by-side", type=int, default=4)
    options = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )  # faults are no news here
    within = timedelta(seconds=options.answer_within)
    chosen = [case for case in cases() if options.only in str(case)]
    found = asyncio.run(measure_all(chosen, options.times, within, options.side_by_side))
    groups: dict[str, list[float]] = defaultdict(list)
    for case, values in found.items():
        sys.stdout.write(f"{_row(values)}  {case}\n")
        kind = "a ban" if case.fault in ("429", "418") else "all but bans"
        groups[kind] += values
        groups["all"] += values
    for kind, values in groups.items():
        sys.stdout.write(f"{_row(values)}  {kind}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
