"""Killed by SIGKILL on the way of an order at a real venue, while an answer goes wrong, and started again.

The bot is a process with the real ccxt, the venue a strict fake that outlives it (``tests.proof``). Whatever line it
was and whatever went wrong: one order or a recorded refusal, database = venue to the last digit, what is held is
protected. Each test is a sample of the lines; ``python -m tests.proof.kills FOLDER`` cuts at all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof.audit import percentile
from tests.proof.kills import CALLS, PARTS, TWICE, UNTOLD, Trouble, sweep
from tests.proof.life import BUYS, SELLS

PLACE, PROTECT = CALLS["binance"][BUYS][:2]
NOT_DONE = ("timed out, not done", "dropped, not done", "503, not done", "503 in words, not done", "429", "418")
DONE = ("timed out, done", "dropped, done", "cut in the middle", "a page under 200", "garbage", "503, nobody knows")
BARE_FOR = 2.0
"""For how many seconds at most something may be held without an order at the venue that would sell it, in 99 of 100."""


async def must_end_well(folder: Path, venue: str, story: str, *troubles: Trouble) -> None:
    """Cut once under each of these."""
    report = await sweep(folder, venue, story, chosen=troubles, sample=len(troubles), workers=3)
    assert report.complaints == {}
    assert report.lines > 1500, "the whole way is looked at"
    assert report.killed.total() + len(report.missed) == len(troubles)
    assert any(each.startswith("order") for each in report.outcomes), report.outcomes
    assert report.killed.total() > len(troubles) / 2, report.missed
    assert percentile(report.bare, 0.99) <= 2 * BARE_FOR, "one slow machine is forgiven"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("call", [PLACE, PROTECT])
@pytest.mark.parametrize("faults", [DONE, NOT_DONE, ("arrives late", "a slow answer")], ids=["done", "not", "late"])
async def test_killed_while_an_order_goes_wrong_it_comes_to_a_good_end(
    tmp_path: Path, faults: tuple[str, ...], call: str
) -> None:
    await must_end_well(tmp_path, "binance", BUYS, *(Trouble(call=call, fault=each) for each in faults))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_while_fills_come_by_parts_twice_or_not_at_all_it_comes_to_a_good_end(tmp_path: Path) -> None:
    await must_end_well(tmp_path, "binance", BUYS, *(Trouble(call="", fault=each) for each in (PARTS, TWICE, UNTOLD)))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_while_a_sale_goes_wrong_it_comes_to_a_good_end(tmp_path: Path) -> None:
    cancel, sell, _ = CALLS["binance"][SELLS]
    wrong = (("dropped, done", cancel), ("503, not done", cancel), ("garbage", sell), ("timed out, not done", sell))
    await must_end_well(tmp_path, "binance", SELLS, *(Trouble(call=call, fault=fault) for fault, call in wrong))
