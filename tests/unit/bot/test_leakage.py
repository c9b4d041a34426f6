from bot.leakage import rows_of, table
from engine.ai.leakage import cases_in
from engine.ai.predictor import PLACES, PURPOSE
from engine.ai.prompt_files import shipped_prompt
from engine.analysis.technical import HISTORY
from engine.domain.market import Timeframe
from tests.fakes.panel import Script
from tests.fakes.series import walk

CASES = cases_in(walk(7, HISTORY + 600, sigma=0.03, timeframe=Timeframe.D1), 40)
CUT_OFF = CASES[20].brief.at
PROMPT = shipped_prompt(PURPOSE, PLACES)


async def test_the_card_is_a_table_with_a_row_for_each_model_and_time():
    count = 0

    def asked() -> None:
        nonlocal count
        count += 1

    rows = await rows_of(Script().manager(), PROMPT, CASES, lambda *_: CUT_OFF, asked)
    assert [(str(row.link), row.found.cases) for row in rows] == [("scripted m1", 20), ("scripted m1", 20)]
    head, before, after, *legend = table(rows)
    assert head.split() == ["model", "when", "cases", "answered", "turned", "unmasked", "figures", "right"]
    assert before.startswith(f"scripted m1  before {CUT_OFF:%Y-%m-%d}")
    assert after.endswith("follows the brief")
    assert "training" in legend[-1]
    assert count >= 3 * len(CASES)


async def test_without_the_day_on_which_a_training_ended_a_model_has_one_row():
    rows = await rows_of(Script().manager(), PROMPT, CASES[:2], lambda *_: None, lambda: None)
    assert [row.found.cases for row in rows] == [2]
