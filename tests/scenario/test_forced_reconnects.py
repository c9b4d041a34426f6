"""A venue that hangs up every minute: each fill once, nothing without its stop, and nothing held on to.

The whole of an accelerated day is ``python -m tests.fakes.reconnects DIRECTORY 1440``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import reconnects

MINUTES = 60
MOST_A_MINUTE = 150
"""How many pieces of memory more a minute may leave: orders and trades that the fake venue keeps. A client of ccxt's
that is kept is more than ten thousand."""
FREE_CONNECTIONS = 4
"""How many connections more or less a client may keep open between two questions; both ends of each are files of this
process. One that is lost with every cut would be tens of them."""


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_venue_that_hangs_up_every_minute_costs_no_fill_no_stop_and_no_memory(tmp_path: Path) -> None:
    made, trades = await reconnects.day(tmp_path, MINUTES)
    assert (trades, made.unprotected) == (2 * MINUTES // reconnects.TRADES_EVERY, [])
    assert made.told > 0, "the venue's own word came through between two cuts"
    first, *_, last = made.samples
    assert last.tasks == first.tasks
    assert abs(last.files - first.files) <= 2 * FREE_CONNECTIONS
    passed = (len(made.samples) - 1) * reconnects.SAMPLES_EVERY
    assert last.blocks - first.blocks < MOST_A_MINUTE * passed
