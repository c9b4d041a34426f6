"""Killed by SIGKILL on the way of an order at a real venue, while an answer goes wrong, and started again.

The bot is a process with the real ccxt, the venue a strict fake that outlives it (``tests.proof``). Whatever line it
was and whatever went wrong: one order or a recorded refusal, database = venue to the last digit, what is held is
protected. Each test is a sample of the lines; ``python -m tests.proof.kills FOLDER`` cuts at all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof.kills import CALLS, PARTS, TWICE, UNTOLD, Trouble, sweep
from tests.proof.life import BUYS, SELLS

PLACE, PROTECT = CALLS["binance"][BUYS][:2]
CANCEL, SELL = CALLS["binance"][SELLS][:2]
NOT_DONE = ("timed out, not done", "dropped, not done", "503, not done", "503 in words, not done", "429", "418")
DONE = ("timed out, done", "dropped, done", "cut in the middle", "a page under 200", "garbage", "503, nobody knows")


async def must_end_well(folder: Path, venue: str, story: str, *troubles: Trouble) -> None:
    """Cut once under each of these."""
    report = await sweep(folder, venue, story, chosen=troubles, sample=len(troubles), workers=min(3, len(troubles)))
    assert report.complaints == {}
    assert report.lines > 1500, "the whole way is looked at"
    assert report.killed.total() + len(report.missed) == len(troubles)
    if len(troubles) > 2:  # one alone may be killed before anything is wanted
        assert any(each.startswith("order") for each in report.outcomes), report.outcomes
    assert report.killed.total() >= len(troubles) / 2, report.missed


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("call", [PLACE, PROTECT])
@pytest.mark.parametrize("faults", [DONE[:3], DONE[3:], NOT_DONE[:3], NOT_DONE[3:], ("arrives late", "a slow answer")],
                         ids=["lost", "no answer", "not done", "refused", "late"])  # fmt: skip
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
@pytest.mark.parametrize(
    ("call", "faults"), [(CANCEL, ("dropped, done", "503, not done")), (SELL, ("garbage", "timed out, not done"))]
)
async def test_killed_while_a_sale_goes_wrong_it_comes_to_a_good_end(
    tmp_path: Path, call: str, faults: tuple[str, ...]
) -> None:
    await must_end_well(tmp_path, "binance", SELLS, *(Trouble(call=call, fault=each) for each in faults))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["dropped, done", "503, not done"])
async def test_killed_at_a_venue_with_other_habits_it_comes_to_a_good_end(tmp_path: Path, fault: str) -> None:
    await must_end_well(tmp_path, "kraken", BUYS, Trouble(call=CALLS["kraken"][BUYS][0], fault=fault))
