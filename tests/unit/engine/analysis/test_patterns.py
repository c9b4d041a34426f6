"""Candlestick patterns on hand-made candles."""

from __future__ import annotations

import pytest

from engine.analysis import patterns
from engine.domain.decisions import Pattern
from tests.fakes.series import candles, rows, walk

Row = tuple[float, float, float, float]


def falling(count: int = 20, start: float = 140.0) -> list[Row]:
    """Candles with bodies of 2 and small wicks, each lower than the last."""
    return [(start - 2 * i, start - 2 * i + 0.3, start - 2 * i - 2.3, start - 2 * i - 2) for i in range(count)]


def rising(count: int = 20, start: float = 60.0) -> list[Row]:
    """The same the other way up."""
    return [(start + 2 * i, start + 2 * i + 2.3, start + 2 * i - 0.3, start + 2 * i + 2) for i in range(count)]


@pytest.mark.parametrize(
    ("name", "bullish", "history", "completing"),
    [
        ("doji", True, falling(), [(100, 101, 99, 100)]),
        ("doji", False, rising(), [(100, 101, 99, 100)]),
        ("hammer", True, falling(), [(97.9, 98.2, 94.0, 98.2)]),
        ("hanging man", False, rising(), [(101.8, 102.2, 97.0, 102.2)]),
        ("shooting star", False, rising(), [(102.6, 107.0, 102.5, 102.9)]),
        ("engulfing", True, falling(), [(97.5, 103.5, 97.4, 103.0)]),
        ("engulfing", False, rising(), [(102.5, 102.6, 96.5, 97.0)]),
        ("harami", True, falling(), [(100, 100.2, 93.8, 94.0), (96.0, 97.1, 95.9, 97.0)]),
        ("harami", False, rising(), [(100, 106.2, 99.8, 106.0), (104.0, 104.1, 102.9, 103.0)]),
        ("piercing line", True, falling(), [(100, 100.2, 94.8, 95.0), (94.0, 99.2, 93.9, 99.0)]),
        ("dark cloud cover", False, rising(), [(100, 105.2, 99.8, 105.0), (106.0, 106.1, 100.9, 101.0)]),
        ("morning star", True, falling(), [(100, 100.2, 94.8, 95.0), (94.0, 94.3, 93.7, 94.2), (95, 99.6, 94.9, 99.5)]),
        (
            "evening star",
            False,
            rising(),
            [(100, 105.2, 99.8, 105.0), (106.0, 106.3, 105.7, 106.2), (105, 105.1, 100.4, 100.5)],
        ),
        (
            "three white soldiers",
            True,
            falling(),
            [(100, 104.1, 99.9, 104), (102, 107.1, 101.9, 107), (105, 110.1, 104.9, 110)],
        ),
        (
            "three black crows",
            False,
            rising(),
            [(103, 103.1, 98.9, 99), (101, 101.1, 95.9, 96), (98, 98.1, 92.9, 93)],
        ),
    ],
)
def test_a_textbook_pattern_is_found_at_its_last_candle(
    *, name: str, bullish: bool, history: list[Row], completing: list[Row]
) -> None:
    found = patterns.find(rows(*completing, before=history))
    assert Pattern(name=name, bullish=bullish) in found


def test_a_pattern_is_told_only_while_its_candle_is_the_newest() -> None:
    engulfing = (97.5, 103.5, 97.4, 103.0)
    found = patterns.find(rows(engulfing, (103.0, 105.3, 102.7, 105.0), before=falling()))
    assert "engulfing" not in {pattern.name for pattern in found}


def test_plain_candles_make_no_pattern() -> None:
    assert patterns.find(rows(before=falling())) == ()


@pytest.mark.parametrize("count", range(18))
def test_a_short_history_is_no_error(count: int) -> None:
    assert isinstance(patterns.find(walk(5, count)), tuple)


def test_no_candles_make_no_pattern() -> None:
    assert patterns.find(candles(opens=[], highs=[], lows=[], closes=[], volumes=[])) == ()
