"""Indicators and the columns that conditions name are known before a candle needs them."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from bot.run_rules import RULES
from bot.strategies.registry import strategy_of
from config.loader import load
from engine.domain.errors import ConfigError

ROOT = Path(__file__).parents[3]
CONTEXT = "contexts:\n  - {name: a, strategy: momentum, markets: [BTC/USDT], higher: [4h], conditions: [%s]}\n"
ADX = "indicators: [{name: adx, length: 14}]\n"


def read(folder: Path, text: str):
    file = folder / "my.yaml"
    file.write_text(f"extends: demo\n{text}")
    return load(None, file, {}, {}, folder, RULES).settings


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("{column: adx_14, above: 25}", "conditions.0.column: There is no such column. Did you mean ADX_14?"),
        ("{column: RSI, above: 25}", "conditions.0.column: There is no such column. Did you mean rsi?"),
        ("{column: close, above: EMA_200}", "conditions.0.above: There is no such column."),
        ("{column: ADX_14}", "conditions.0.below: must be given, or above: a condition needs a limit"),
        ("{column: ADX_14, above: 25, timeframe: 1d}", "conditions.0.timeframe: a does not look at it. It has 1h, 4h."),
        ("{column: ADX_14, abov: 25}", "conditions.0.abov: there is no such setting"),
    ],
)
def test_a_condition_on_what_is_not_there_is_refused_with_what_is(tmp_path: Path, condition: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, ADX + CONTEXT % condition)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("indicators", "told"),
    [
        ("[{name: adx, length: 14}, {name: adx}]", "indicators.1: gives ADX_14, as indicators.0 does."),
        ("{extra: [adx_14]}", "indicators: must be a list"),
        ("[{length: 14}]", "indicators.0.name: is missing"),
    ],
)
def test_indicators_that_cannot_be_are_refused(tmp_path: Path, indicators: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, f"indicators: {indicators}\n")
    assert told in str(refused.value)


def test_a_good_one_reaches_its_strategy(tmp_path: Path) -> None:
    settings = read(tmp_path, ADX + CONTEXT % "{column: ADX_14, above: 25, weight: 0.5, timeframe: 4h}")
    (further,) = strategy_of(settings.contexts[0], "contexts.0").further
    assert (further.column, further.above, further.below, further.weight) == ("ADX_14", 25, None, 0.5)


def test_the_example_of_the_readme_is_a_configuration(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    settings = read(tmp_path, dedent(block).replace("extends: demo\n", ""))
    assert [len(context.conditions) for context in settings.contexts] == [2]
