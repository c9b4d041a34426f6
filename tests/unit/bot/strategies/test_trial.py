"""A strategy of one's own that cannot speak is refused before a run, with its settings file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.run_rules import RULES
from config.loader import load
from engine.domain.errors import ConfigError
from tests.fakes.own_strategies import written

CONTEXT = (
    "contexts:\n- {name: own, strategy: ./own/breakout.py:Breakout, markets: [BTC/USDT], timeframe: 4h, higher: [1d]}\n"
)


def refusal(folder: Path, text: str, *changes: tuple[str, str]) -> list[str]:
    written(folder / "own", *changes)
    (folder / "my.yaml").write_text(f"extends: demo\n{text}")
    try:
        load(None, folder / "my.yaml", {}, {}, folder, RULES)
    except ConfigError as error:
        return [line.strip() for line in str(error).splitlines()[1:]]
    return []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("said = f", "[][1]; said = f"), "The strategy breakout failed: "),
        (('reading("rsi")', 'reading("RSI")'), "The strategy breakout asks for the reading RSI, which there is not."),
    ],
)
def test_one_that_fails_at_once_is_refused_at_its_line(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    (line,) = refusal(tmp_path, CONTEXT, change)
    assert line.startswith(f"my.yaml, line 3: contexts.0.strategy: {said}")


def test_readings_of_configured_indicators_are_there(tmp_path: Path) -> None:
    change = ('reading("rsi")', 'reading("ADX_14")')
    assert refusal(tmp_path, f"indicators: [{{name: adx}}]\n{CONTEXT}", change) == []
    assert "asks for the reading ADX_14" in refusal(tmp_path, CONTEXT)[0]


def test_what_is_wrong_otherwise_is_told_alone(tmp_path: Path) -> None:
    failing = ("said = f", "[][1]; said = f")
    (line,) = refusal(tmp_path, CONTEXT.replace("higher: [1d]", "params: {lenght: 3}"), failing)
    assert "contexts.0.params.lenght: Breakout has no such parameter." in line
    (line,) = refusal(tmp_path, CONTEXT.replace("[1d]", "[1h]"))
    assert "contexts.0.higher: must be longer" in line
    (line,) = refusal(tmp_path, f"indicators: [{{name: adxx}}]\n{CONTEXT}")
    assert "indicators.0.name" in line
