"""What is noted of strangers, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from handlers.strangers import AT_ONCE, LONGEST_NAME, PER_SECOND, REMEMBERED, Strangers, shown_name


@dataclass
class Seconds:
    """Wall seconds, moved by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_writes_a_lot_cannot_hide_who_writes_for_the_first_time():
    strangers = Strangers(Seconds())
    for _ in range(10 * AT_ONCE):
        strangers.to_note("telegram", "666")
    assert strangers.to_note("telegram", "666") == 0
    assert strangers.to_note("slack", "666") == 1


def test_what_was_left_out_is_counted_when_its_stranger_is_noted_again():
    seconds = Seconds()
    strangers = Strangers(seconds)
    noted = sum(strangers.to_note("telegram", "666") for _ in range(500))
    seconds.now += 1 / PER_SECOND
    assert noted + strangers.to_note("telegram", "666") == 501


def test_a_flood_of_new_ones_is_told_once_each_time_and_remembered_within_bounds():
    seconds = Seconds()
    strangers = Strangers(seconds)
    with capture_logs() as logs:
        for hour in range(3):
            for number in range(100_000):
                strangers.to_note("telegram", f"{hour}/{number}")
            seconds.now += 3600
    assert [line["event"] for line in logs] == ["strangers write faster than is noted"] * 3
    ids = [f"{hour}/{number}" for hour in range(3) for number in range(100_000)]
    assert 0 < sum(strangers.knows("telegram", user) for user in ids) <= REMEMBERED


@given(st.text(st.characters(exclude_categories=())))
def test_a_name_is_one_short_line_of_what_can_be_shown(name: str):
    shown = shown_name(name)
    assert len(shown) <= LONGEST_NAME
    assert shown.isprintable()
    assert shown_name(shown) == shown


def test_a_name_without_tricks_is_shown_as_it_is():
    assert shown_name("Zoë O'Hara (@zoe) 🚀") == "Zoë O'Hara (@zoe) 🚀"
    assert shown_name("") == ""
