"""How far this machine's clock is from a venue's, what is entered by it, and in which words that is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import Timeframe
from engine.exchanges.ccxt.venue_time import LONGEST_SKEW, MOST_SKEW, ClockCheck, VenueTime

NOON = datetime(2026, 3, 29, 12, 0, 0, tzinfo=UTC)
CANDLES = (Timeframe.M1, Timeframe.H1, Timeframe.D1)


@dataclass
class Machine:
    """A machine whose two clocks are moved by hand, and a venue."""

    at: datetime = NOON
    uptime: float = 5000.0

    def __post_init__(self) -> None:
        self.time = VenueTime(monotonic=lambda: self.uptime, now=lambda: self.at)

    def hear(self, ahead: float, answers: int = 1) -> None:
        """The venue answers, with a clock so many seconds ahead of ours."""
        for _ in range(answers):
            self.time.read(format_datetime((self.at + timedelta(seconds=ahead)).replace(microsecond=0), usegmt=True))

    def live(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.uptime += seconds


def check_of(machine: Machine, fraction: str = "0.01", timeframes: tuple[Timeframe, ...] = CANDLES) -> ClockCheck:
    return ClockCheck(venue="kraken", time=lambda: machine.time, fraction=Decimal(fraction), timeframes=timeframes)


@pytest.mark.parametrize(
    ("timeframe", "fraction", "limit"),
    [
        (Timeframe.M1, "0.01", 5),
        (Timeframe.M15, "0.01", 9),
        (Timeframe.H1, "0.01", 36),
        (Timeframe.H4, "0.01", 60),
        (Timeframe.W1, "0.01", 60),
        (Timeframe.M5, "0.1", 30),
        (Timeframe.H1, "0.0001", 5),
        (Timeframe.M1, "1", 60),
    ],
)
def test_the_limit_is_a_fraction_of_a_candle_within_bounds(timeframe: Timeframe, fraction: str, limit: float) -> None:
    assert check_of(Machine(), fraction).limit(timeframe) == limit


@given(st.floats(-1e6, 1e6), st.sampled_from(list(Timeframe)))
def test_nothing_is_entered_beyond_the_limit_in_either_direction_and_everything_within(
    ahead: float, timeframe: Timeframe
) -> None:
    machine = Machine()
    machine.hear(ahead)
    check = check_of(machine)
    limit = check.limit(timeframe)
    assert MOST_SKEW <= limit <= LONGEST_SKEW
    refused = check.no_entry(timeframe)
    if abs(abs(ahead) - limit) > 1:
        assert bool(refused) is (abs(ahead) > limit)
        assert not refused or ("behind" if ahead > 0 else "ahead of") in refused
    if refused:
        assert check.health != "ok", "what is refused is told"


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (600, "this machine's clock is 10 min behind kraken's; 36 s are allowed on 1h candles. Set this machine's"),
        (-600, "this machine's clock is 10 min ahead of kraken's"),
        (95, "is 95 s behind"),
        (3 * 3600, "is 3 h behind"),
        (-3 * 86_400, "is 3 days ahead"),
        (56 * 365 * 86_400, "is 20440 days behind"),
    ],
)
def test_the_refusal_says_how_far_which_way_and_what_to_do(ahead: float, words: str) -> None:
    machine = Machine()
    machine.hear(ahead)
    refused = check_of(machine).no_entry(Timeframe.H1)
    assert words in refused
    assert refused.endswith("best by NTP.")


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (4, "ok"),
        (20, "nothing is entered on 1m candles; entries on 1h (up to 36 s), 1d (up to 60 s) candles go on"),
        (-40, "nothing is entered on 1m, 1h candles; entries on 1d (up to 60 s) candles go on"),
        (600, "nothing is entered on 1m, 1h, 1d candles"),
    ],
)
def test_what_is_told_says_what_is_entered_and_what_is_not(ahead: float, words: str) -> None:
    machine = Machine()
    machine.hear(ahead)
    assert check_of(machine).health.endswith(words)
    if abs(ahead) == 20:
        fine = check_of(machine, timeframes=(Timeframe.H1,)).health
        assert fine == "this machine's clock is 20 s behind kraken's: entries on 1h (up to 36 s) candles go on"


def test_until_the_venue_has_said_what_time_it_is_nothing_is_entered_and_nothing_is_wrong_yet() -> None:
    machine = Machine()
    assert check_of(machine).health == "ok"
    assert "kraken has not said yet what time it is" in check_of(machine).no_entry(Timeframe.H1)
    closed = ClockCheck(venue="kraken", time=lambda: None, fraction=Decimal(1), timeframes=CANDLES)
    assert closed.no_entry(Timeframe.W1)


@pytest.mark.parametrize("date", ["", "soon", "32 Foo 2026", "Thu, 01 Jan 1970", "Fri, 31 Dec 9999 23:59:59 -2359"])
def test_answers_without_a_time_are_told_of_and_nothing_is_entered(date: str) -> None:
    machine = Machine()
    machine.time.read(date)
    check = check_of(machine)
    assert check.no_entry(Timeframe.D1)
    assert "nothing is entered" in check.health


def test_one_answer_with_a_wrong_time_among_right_ones_changes_nothing() -> None:
    machine = Machine()
    machine.hear(0, answers=4)
    machine.hear(7200)
    assert abs(machine.time.skew) <= 1
    machine.time.read("no time at all")
    assert check_of(machine).no_entry(Timeframe.M1) == ""
    machine.hear(7200, answers=4)
    assert machine.time.skew == pytest.approx(7200, abs=1)


def test_after_a_jump_of_our_clock_nothing_is_known_until_the_next_answer_and_then_all_of_it() -> None:
    machine = Machine()
    machine.hear(600, answers=5)
    machine.at += timedelta(seconds=600)
    assert check_of(machine).no_entry(Timeframe.H1).startswith("kraken has not said yet")
    machine.hear(0)
    assert check_of(machine).no_entry(Timeframe.H1) == ""
    machine.at += timedelta(hours=8)
    assert check_of(machine).health == "ok", "a machine that slept is not told of before the venue was asked"
    machine.hear(0)
    assert check_of(machine).no_entry(Timeframe.M1) == ""


def test_what_is_known_holds_while_both_clocks_go_on_alike() -> None:
    machine = Machine()
    machine.hear(40)
    machine.live(3600)
    assert machine.time.skew == pytest.approx(40, abs=1)


def test_readings_that_vary_by_a_second_are_told_in_the_same_words() -> None:
    machine = Machine()
    check = check_of(machine)
    told = set()
    for ahead in (90.2, 91.9, 90.0, 89.1, 90.7, 91.2):
        machine.hear(ahead, answers=5)
        told.add(check.health)
        machine.live(5.3)
    assert len(told) == 1
    machine.hear(120, answers=5)
    assert check.health not in told
