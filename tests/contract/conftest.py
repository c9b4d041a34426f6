"""What the contract suites share."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.contract.venues import BENCHES, CASH, QUIET, Bench, Make
from tests.fakes.feed import Row


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Puts a member on the bench, one hour into rows of hourly candles; afterwards its money is checked."""
    made: list[Bench] = []

    def make(*rows: Row | None, cash: Decimal = CASH) -> Bench:
        made.append(BENCHES[request.param](tmp_path / f"{request.param}-{len(made)}.db", rows or [QUIET] * 48, cash))
        return made[-1]

    yield make
    for each in made:
        each.check()
