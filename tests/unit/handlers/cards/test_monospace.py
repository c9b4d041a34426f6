import math

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.messages import Table
from handlers.cards.monospace import GRAPH_WIDTH, aligned, folded, sparkline


def test_two_of_the_smallest_numbers_have_a_graph_too() -> None:
    assert sparkline([0.0, 5e-324]) == "▁▁"


def test_a_graph_shows_the_shape_and_always_the_newest_number() -> None:
    assert sparkline((0, 1, 2, 3, 4, 5, 6, 7)) == "▁▂▃▄▅▆▇█"
    assert sparkline((5, 5, 5)) == "▅▅▅"
    assert sparkline(()) == ""
    assert sparkline((math.nan, math.inf, 1, 2)) == "▁█"
    assert sparkline([0] * 100 + [1]).endswith("▁█")


@given(values=st.lists(st.floats(), max_size=300))
def test_a_graph_of_any_numbers_fits_a_line(values: list[float]) -> None:
    assert len(sparkline(values)) <= GRAPH_WIDTH


def test_columns_stand_under_one_another_also_with_wide_and_missing_cells() -> None:
    table = Table(head=("Name", "n"), rows=(("汉字", "1"), ("short", "100"), ("alone",)))
    assert aligned(table) == ["Name     n", "汉字     1", "short  100", "alone"]


def test_a_text_is_folded_between_words_and_a_long_word_where_the_line_ends() -> None:
    assert folded("one two  three\nfour", 8) == ["one two", "three", "four"]
    assert folded("abcdefghij kl", 4) == ["abcd", "efgh", "ij", "kl"]
    assert folded("汉字汉字", 4) == ["汉字", "汉字"]
    assert folded(" \n") == []


@given(text=st.text())
def test_whatever_is_folded_fits_and_loses_nothing_but_blanks(text: str) -> None:
    lines = folded(text, 10)
    assert max([0, *(len(aligned(Table(head=(line,), rows=()))[0]) for line in lines)]) <= 10
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_time_is_never_broken_for_readers_see_it_in_their_own_zone() -> None:
    assert folded("refused at the press 2026-01-03 12:05 UTC, price", 38) == [
        "refused at the press",
        "2026-01-03 12:05 UTC, price",
    ]
