"""How fast the bot may speak on Slack."""

from __future__ import annotations

import pytest

from engine.ports import RetryAt
from handlers.pacing import PATIENCE, Pacer
from handlers.slack.pacing import BURST, EDIT, EDIT_BURST, HOME, PER_MINUTE, make_pacer


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reserved(pacer: Pacer, of: str) -> float | None:
    """Seconds to wait; ``None`` for not now."""
    try:
        return pacer.reserve(of)
    except RetryAt:
        return None


def through(pacer: Pacer, of: str, clock: Clock, seconds: int) -> int:
    """How many calls are made within a time, with as many tried as can be."""
    made: list[float] = []
    while clock.now < seconds:
        while (wait := reserved(pacer, of)) is not None:
            made.append(clock.now + wait)
        clock.now += 0.1
    return sum(at < seconds for at in made)


def test_a_channel_gets_a_burst_and_then_one_a_second() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1, monotonic=clock)
    assert through(pacer, "C1", clock, 60) <= BURST + 60


def test_what_would_wait_long_is_given_back_and_reserves_nothing() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1, monotonic=clock)
    waits = [reserved(pacer, "C1") for _ in range(9)]
    assert waits[:5] == [0, 0, 0, 1, PATIENCE]
    assert waits[5:] == [None] * 4
    clock.now += 1
    assert reserved(pacer, "C1") == PATIENCE


def test_one_channel_does_not_hold_up_another() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1, monotonic=clock)
    for _ in range(9):
        reserved(pacer, "C1")
    assert reserved(pacer, "C2") == 0
    assert reserved(pacer, EDIT) == 0


@pytest.mark.parametrize("of", [EDIT, HOME])
def test_no_minute_sees_more_than_slack_allows(of: str) -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1, monotonic=clock)
    assert EDIT_BURST < through(pacer, of, clock, 60) <= PER_MINUTE[of]


def test_while_slack_holds_us_nothing_gets_through() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1, monotonic=clock)
    pacer.hold(30)
    pacer.hold(5)
    for of in ("C1", EDIT, HOME):
        with pytest.raises(RetryAt) as later:
            pacer.reserve(of)
        assert later.value.seconds == 30
    clock.now = 30
    assert reserved(pacer, "C1") == 0
