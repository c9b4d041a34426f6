"""How long it takes from a press to the card edited on every platform (the aim: within a second)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.fakes.three_races import PER_PROGRAM, percentile, run_races, summary

AIM = 1.0


@pytest.mark.slow
def test_cards_edited_everywhere(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    races = benchmark.pedantic(
        lambda: asyncio.run(run_races(tmp_path, 4 * PER_PROGRAM, random.Random(1))),  # noqa: S311 - a seeded order
        rounds=1,
    )
    taken = [race.everywhere for race in races]
    benchmark.extra_info["p50_ms"] = percentile(taken, 0.5) * 1000
    benchmark.extra_info["p99_ms"] = percentile(taken, 0.99) * 1000
    print(f"\n{summary(races)}")  # noqa: T201 - the measurement is what one looks for here
    assert percentile(taken, 0.99) < AIM
