"""How late expiry, venue events, protection and chat are when research on 20 markets takes 30 s."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench.conftest import Tell
from tests.fakes.research import CHAT, EVENTS, EXPIRY, PROTECTION, Late, lateness
from tests.fakes.watched import percentile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LASTS = 30.0
AIM = 0.05


def test_what_research_holds_up(benchmark: BenchmarkFixture, tmp_path: Path, tell: Tell) -> None:
    def measured() -> dict[str, Late]:
        return {
            "without research": asyncio.run(lateness(tmp_path / "without", lasts=LASTS, research=False)),
            "one lock": asyncio.run(lateness(tmp_path / "one", lasts=LASTS, one_lock=True)),
            "groups": asyncio.run(lateness(tmp_path / "groups", lasts=LASTS)),
        }

    for name in ("without", "one", "groups"):
        (tmp_path / name).mkdir()
    late = benchmark.pedantic(measured, rounds=1)
    for what in (EXPIRY, EVENTS, PROTECTION, CHAT):
        for how, found in late.items():
            tell(f"{what} late, {how}, p50", percentile(found.seconds[what], 0.5) * 1000, "ms", "")
            tell(f"{what} late, {how}, at the most", max(found.seconds[what]) * 1000, "ms", "")
        more = max(late["groups"].seconds[what]) - max(late["without research"].seconds[what])
        tell(f"{what}: what research adds at the most", more * 1000, "ms", f"<= {AIM * 1000:.0f}")
