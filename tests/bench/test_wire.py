"""How long it takes from a decision to its order at a real venue, over loopback, in a program that is warm.

From before the intent is written down, durably, to where the venue hears of it; the stop and target after each
purchase are placed between, and not counted.
"""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench.conftest import Tell
from tests.fakes.real_bench import bench_at
from tests.fakes.three_races import percentile
from tests.fakes.venues.binance import Fault, trading
from tests.fakes.venues.spot_filters import Filters

DECISIONS, FIRST = 200, 5
PLACE = "POST /api/v3/order"


@pytest.mark.slow
def test_from_a_decision_to_the_wire(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    taken = benchmark.pedantic(lambda: asyncio.run(_taken(tmp_path)), rounds=1)
    for share in (0.5, 0.99):
        tell(f"decision to order on the wire, p{share * 100:.0f}", percentile(taken, share) * 1000, "ms", "<= 20")


async def _taken(folder: Path) -> list[float]:
    """Wall seconds of each; the first few load what is loaded once."""
    heard: list[float] = []

    def note(call: str) -> Fault | None:
        if call == PLACE:
            heard.append(time.perf_counter())
        return None

    async with trading(balances={"USDT": "1000000"}) as fake:
        fake.set_price("BTCUSDT", 60_000)
        fake.matching.filters = Filters(max_orders=10**4, max_conditional=10**4)
        fake.limits.weight = fake.limits.orders = 10**9
        fake.meddle = note
        async with bench_at(folder, fake, haste=1000) as bench:
            taken = []
            for number in range(DECISIONS + FIRST):
                if number == FIRST:
                    gc.freeze()  # as the program does once it is open: no search goes through all of ccxt
                heard.clear()
                began = time.perf_counter()
                await bench.buy(f"d{number}", "0.001")
                taken.append(heard[0] - began)
    return taken[FIRST:]
