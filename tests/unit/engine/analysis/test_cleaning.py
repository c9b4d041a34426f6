"""The rows of a dump together: order, doubles, strays and gaps."""

import pytest

from engine.analysis.cleaning import Cleaned, clean
from engine.analysis.dump_rows import Record
from engine.domain.errors import DataError
from engine.domain.market import Timeframe

HOUR = 3_600
FIRST = 1_502_942_400  # 2017-08-17 04:00
CALM = ("100", "110", "90", "105", "2.12345", "212.345")


def record(hour: float, values: tuple[str, ...] = CALM, line: int = 2) -> Record:
    opened, high, low, close, volume, quote = values
    at = str(FIRST * 1000 + int(hour * HOUR * 1000))
    return Record(
        line=line, unix=at, open=opened, high=high, low=low, close=close, volume=volume, quote_volume=quote or None
    )


def made(*records: Record, timeframe: Timeframe | None = Timeframe.H1) -> Cleaned:
    return clean(records, "BTC/USDT", timeframe)


def hours(cleaned: Cleaned) -> list[float]:
    return [(at - FIRST * 1000) / HOUR / 1000 for at in cleaned.candles.open_ms.tolist()]


def kinds(cleaned: Cleaned) -> list[tuple[int | None, str, bool]]:
    return [(finding.line, finding.kind, finding.refused) for finding in cleaned.findings]


def test_clean_rows_stay_as_they_are() -> None:
    cleaned = made(record(0), record(1))
    assert (hours(cleaned), kinds(cleaned)) == ([0, 1], [])
    assert cleaned.candles.volume.tolist() == [2.12345, 2.12345]


@pytest.mark.parametrize(("order", "words"), [((2, 1, 0), "newest first"), ((1, 2, 0), "in no order")])
def test_rows_are_put_in_order(order: tuple[int, ...], words: str) -> None:
    cleaned = made(*(record(hour) for hour in order))
    assert hours(cleaned) == [0, 1, 2]
    assert kinds(cleaned) == [(None, "order", False)]
    assert words in cleaned.findings[0].detail


def test_a_row_that_is_there_twice_is_kept_once() -> None:
    cleaned = made(record(0, line=2), record(0, line=3), record(1, line=4))
    assert (hours(cleaned), kinds(cleaned)) == ([0, 1], [(3, "duplicate", False)])


def test_a_rounded_copy_gives_way_to_the_finer_row() -> None:
    coarse = record(1, ("105", "110", "90", "105", "2.12", "212.34"), line=3)
    cleaned = made(record(0, line=2), coarse, record(1, line=4))
    assert kinds(cleaned) == [(3, "duplicate, rounded", False)]
    assert cleaned.candles.open.tolist() == [100, 100]


def test_high_and_low_of_a_rounded_copy_may_reach_to_the_close_before() -> None:
    before = record(0, ("100", "130", "90", "120", "2.12345", "212.345"), line=2)
    coarse = record(1, ("120", "120", "90", "105", "2.12", "212.34"), line=3)
    cleaned = made(before, coarse, record(1, line=4))
    assert kinds(cleaned) == [(3, "duplicate, rounded", False)]
    assert cleaned.candles.high.tolist() == [130, 110]


@pytest.mark.parametrize(
    "other",
    [
        ("100", "110", "90", "104", "2.12", "212.34"),
        ("101", "110", "90", "105", "2.12", "212.34"),
        ("100", "111", "90", "105", "2.12", "212.34"),
        ("100", "110", "89", "105", "2.12", "212.34"),
        ("100", "110", "90", "105", "2.14", "212.34"),
        ("100", "110", "90", "105", "2.12", "212.36"),
        ("100", "110", "90", "105", "2.12344", "212.344"),
        ("105", "110", "90", "105", "2.12345", "212.345"),
    ],
    ids=["close", "open", "high", "low", "volume", "quote volume", "no coarser", "open, no coarser"],
)
def test_two_rows_that_contradict_each_other_are_both_refused(other: tuple[str, ...]) -> None:
    cleaned = made(record(0, line=2), record(1, line=3), record(1, other, line=4), record(2, line=5))
    assert hours(cleaned) == [0, 2]
    assert kinds(cleaned) == [(3, "conflict", True), (4, "conflict", True)]
    assert "line 4" in cleaned.findings[0].detail


def test_a_row_between_the_candles_is_refused() -> None:
    cleaned = made(record(0, line=2), record(0.5, line=3), record(1, line=4))
    assert (hours(cleaned), kinds(cleaned)) == ([0, 1], [(3, "off grid", True)])


STRAY = ("400", "400", "104", "105", "2", "209")


def test_a_first_bar_that_opens_where_nothing_traded_is_refused() -> None:
    cleaned = made(record(0, STRAY), record(1, line=3))
    assert (hours(cleaned), kinds(cleaned)) == ([1], [(2, "stray open", True)])
    assert "opens at 400" in cleaned.findings[0].detail


def test_so_is_a_later_bar_that_the_close_before_does_not_bear_out() -> None:
    assert hours(made(record(0), record(1, ("9", "110", "9", "105", "2", "220")), record(2))) == [0, 2]


@pytest.mark.parametrize(
    "bar", [("400", "400", "90", "105", "2", "250"), ("105", "400", "90", "300", "2", "700")], ids=["traded", "a crash"]
)
def test_a_violent_move_that_was_traded_is_kept(bar: tuple[str, ...]) -> None:
    assert hours(made(record(0, bar), record(1))) == [0, 1]


def test_an_open_at_the_close_before_is_kept_however_far_the_candle_went() -> None:
    crash = ("100", "100", "10", "11", "500", "5001")
    assert hours(made(record(0, ("100", "110", "90", "100", "1", "100")), record(1, crash))) == [0, 1]


def test_without_a_quote_volume_a_stray_open_is_not_believed() -> None:
    cleaned = made(record(0, (*STRAY[:5], "")), record(1, (*CALM[:5], ""), line=3))
    assert hours(cleaned) == [1]
    assert any("one volume column" in remark for remark in cleaned.remarks)


def test_a_row_that_is_refused_in_the_end_is_not_counted_as_repaired() -> None:
    swapped = ("400", "400", "104", "105", "209", "2")
    assert kinds(made(record(0, swapped), record(1, line=3))) == [(2, "stray open", True)]


def test_gaps_and_idle_candles_are_remarked_upon_and_not_filled() -> None:
    cleaned = made(record(0, ("100", "100", "100", "100", "0", "0")), record(3))
    assert hours(cleaned) == [0, 3]
    words = " ".join(cleaned.remarks)
    assert "missing: 2, in gaps: 1" in words
    assert "traded nothing: 1" in words
    assert "2017-08-17 07:00" in words


def test_opens_that_are_the_closes_before_are_remarked_upon() -> None:
    carried = made(*(record(hour, ("105", *CALM[1:])) for hour in range(100)))
    assert any("hardly first trades" in remark for remark in carried.remarks)
    assert not any("hardly" in remark for remark in made(*(record(hour) for hour in range(100))).remarks)


def test_the_timeframe_is_told_by_the_rows_or_asked_for() -> None:
    assert made(record(0), record(24), record(48), timeframe=None).candles.timeframe is Timeframe.D1
    for rows in ([record(0)], [record(0), record(7)], [record(0), record(1), record(5)]):
        with pytest.raises(DataError, match="--timeframe"):
            made(*rows, timeframe=None)
