"""What an answer of a venue can be in place of the right one: row 2 of the faults, as the fake venues play them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.fakes.exchange import Fault, too_fast
from tests.fakes.venues import binance

TIMES_OUT = 30.0
"""Seconds after which an answer comes that nobody waits for any more."""

ROW_TWO: Mapping[str, Fault] = {
    "timed out, done": Fault(after=TIMES_OUT),
    "timed out, not done": Fault(after=TIMES_OUT, effect=False),
    "dropped, done": binance.DROPPED,
    "dropped, not done": binance.NEVER_HEARD,
    "cut in the middle": binance.TRUNCATED,
    "a page under 200": binance.PAGE_OF_HTML,
    "garbage": binance.GARBAGE,
    "503, nobody knows": binance.UNKNOWN_OUTCOME,
    "503, not done": binance.DOWN,
    "503 in words, not done": binance.DOWN_IN_WORDS,
    "429": replace(too_fast(429, retry_after=1), effect=False),
    "418": replace(too_fast(418, retry_after=2), effect=False),
    "arrives late": binance.late(0.4),
    "a slow answer": binance.slow_answer(0.3),
}
"""Each by its name. What was not done, the venue has not done whatever it says; 429 and 418 come before anything is."""
QUICK: Mapping[str, Fault] = {name: fault for name, fault in ROW_TWO.items() if fault.after < TIMES_OUT}
"""Those for which nobody waits long."""
