from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine.ai.leakage import HORIZON, Case, Leakage, LeakageProbe, cases_in, parted
from engine.ai.predictor import PLACES, PURPOSE
from engine.ai.prompt_files import shipped_prompt
from engine.analysis.technical import HISTORY
from engine.domain.errors import DataError
from engine.domain.market import Timeframe, to_millis
from engine.domain.predictions import Trend
from tests.fakes.clairvoyant import Clairvoyant
from tests.fakes.panel import Script
from tests.fakes.series import walk

CANDLES = walk(7, HISTORY + 600, sigma=0.03, timeframe=Timeframe.D1)
CASES = cases_in(CANDLES, 40)
CUT_OFF = CASES[20].brief.at


def clairvoyant(cases: Sequence[Case]) -> Script:
    learned = {(each.brief.symbol, each.brief.at): each.came for each in cases}
    return Script(says={PURPOSE: Clairvoyant(learned=learned)})


async def measure(script: Script, cases: Sequence[Case] = CASES) -> Leakage:
    return await LeakageProbe(manager=script.manager(), prompt=shipped_prompt(PURPOSE, PLACES)).measure(cases)


async def test_who_reads_the_brief_is_told_from_who_knows_the_answer():
    reads, knows = await measure(Script()), await measure(clairvoyant(CASES))
    assert (reads.verdict, knows.verdict) == ("follows the brief", "hardly looks at the brief")
    assert (reads.unmasked.value, reads.figures.value) == (1.0, 1.0)
    assert reads.turned.value > 0.8
    assert (knows.turned.value, knows.figures.value, knows.right.value) == (0.0, 0.0, 1.0)
    assert knows.unmasked.value < 0.8
    assert reads.right.value < 0.8


async def test_what_was_learned_ends_at_the_cut_off():
    some = parted(CASES, CUT_OFF)
    assert [len(each) for each in some.values()] == [20, 20]
    known = next(iter(some.values()))
    before, after = [await measure(clairvoyant(known), each) for each in some.values()]
    assert before.right.value == 1.0
    assert after.right.value < 0.8


async def test_who_answers_nothing_is_not_judged():
    found = await measure(Script(says={PURPOSE: "Sure!"}))
    assert (found.answered, found.verdict, found.right.value) == (0, "too few answers", None)


async def test_every_question_names_the_market_or_nobody_and_is_asked_four_times_at_most():
    script = Script()
    await measure(script)
    assert len(script.asked) <= 4 * len(CASES)
    named = [f"Symbol: {CANDLES.symbol}" in each.prompt for each in script.asked]
    assert named.count(False) == len(CASES)
    assert all("Symbol: AAA/BBB" in each.prompt for each, own in zip(script.asked, named, strict=True) if not own)


def test_a_case_tells_what_was_known_then_and_nothing_of_what_came():
    case = CASES[20]
    row = int(np.searchsorted(CANDLES.open_ms, to_millis(case.brief.at)))
    crash = replace(CANDLES, close=np.where(np.arange(len(CANDLES)) < row, CANDLES.close, 1.0), low=CANDLES.low * 0)
    crash = CANDLES.cut(0, row).joined(crash.cut(row, len(CANDLES)))
    same = cases_in(crash, len(CASES))[20]
    assert (same.brief, same.came) == (case.brief, Trend.BEARISH)
    rose = CANDLES.close[row - 1 + HORIZON] > CANDLES.close[row - 1]
    assert case.came is (Trend.BULLISH if rose else Trend.BEARISH)


def test_too_few_candles_are_refused():
    with pytest.raises(DataError, match="are needed"):
        cases_in(CANDLES.cut(0, HISTORY + 5), 10)
