"""A strategy on predictions is refused where nothing predicts what it looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.run_rules import RULES
from config.loader import load
from engine.domain.errors import ConfigError

CONTEXT = "contexts: [{name: expected, strategy: %s, markets: [BTC/USDT], timeframe: 1h, higher: [%s]}]\n"
PREDICTED = "ai: {enabled: %s, prediction: {timeframes: [1w, 1d]}}\n"


def read(folder: Path, text: str) -> None:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    load(None, file, {}, {}, folder, RULES)


def test_ai_trend_on_timeframes_that_nothing_predicts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, CONTEXT % ("ai_trend", "4h") + PREDICTED % "true")
    assert (
        "my.yaml, line 1 and my.yaml, line 2: contexts.0.timeframe: trades on predictions of 1h, 4h, "
        "and there are those of 1d, 1w alone. Add 1h to ai.prediction.timeframes, or trade on one of these."
    ) in str(refused.value)


@pytest.mark.parametrize(
    ("strategy", "higher", "enabled"),
    [("ai_trend", "1d", "true"), ("momentum", "4h", "true"), ("ai_trend", "4h", "false")],
    ids=["one of its timeframes is predicted", "it does not read predictions", "models are off"],
)
def test_what_can_trade_or_says_why_it_holds_is_not_refused(
    tmp_path: Path, strategy: str, higher: str, enabled: str
) -> None:
    read(tmp_path, CONTEXT % (strategy, higher) + PREDICTED % enabled)
