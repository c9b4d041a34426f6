"""How fast the bot may speak, on a clock that only moves when it is told to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ports import RetryAt
from handlers.pacing import PATIENCE, Pacer
from handlers.telegram.pacing import BURST, CHAT_BURST, GROUP_PER_MINUTE, OVERALL_PER_SECOND, make_pacer


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def turns(pacer: Pacer, clock: Clock, chat: str, until: float, gap: float) -> list[float]:
    """When each of many messages got its turn."""
    given = []
    while clock.now < until:
        try:
            given.append(clock.now + pacer.reserve(chat))
        except RetryAt as later:
            clock.now += later.seconds
        clock.now += gap
    return given


def most_within(times: list[float], window: float) -> int:
    return max(sum(start <= time < start + window for time in times) for start in times)


def test_a_short_burst_is_let_through_at_once_and_then_one_message_a_second() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1.0, monotonic=clock)
    assert [pacer.reserve("7") for _ in range(CHAT_BURST + 2)] == [0] * CHAT_BURST + [1, 2]


def test_who_would_wait_too_long_is_told_how_long_and_takes_no_turn() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1.0, monotonic=clock)
    for _ in range(CHAT_BURST + 2):
        pacer.reserve("7")
    for _ in range(2):
        with pytest.raises(RetryAt) as later:
            pacer.reserve("7")
        assert later.value.seconds == 3
    clock.now += 1
    assert pacer.reserve("7") == PATIENCE


def test_how_long_many_messages_would_take_is_known_without_reserving_any() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1.0, monotonic=clock)
    assert [pacer.delay("-100", count) for count in (1, BURST)] == [0, 0]
    assert pacer.delay("-100", BURST + 1) == pytest.approx(60 / (GROUP_PER_MINUTE - BURST))
    assert pacer.reserve("-100") == 0
    pacer.hold(14, "-100")
    assert pacer.delay("-100", 1) == 14


def test_chats_do_not_wait_for_one_another() -> None:
    pacer = make_pacer(per_second=1.0, monotonic=Clock())
    for _ in range(BURST):
        pacer.reserve("7")
    assert pacer.reserve("8") == 0


@given(gap=st.floats(min_value=0.001, max_value=5))
def test_no_minute_of_a_group_sees_more_than_telegram_allows(gap: float) -> None:
    clock = Clock()
    given = turns(make_pacer(per_second=100.0, monotonic=clock), clock, "-100", until=clock.now + 200, gap=gap)
    assert most_within(given, 60) <= GROUP_PER_MINUTE


def test_all_chats_together_keep_to_the_overall_limit() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1.0, monotonic=clock)
    waits = [pacer.reserve(str(chat)) for chat in range(1, int(OVERALL_PER_SECOND) + 16)]
    assert waits[: int(OVERALL_PER_SECOND)] == [0] * int(OVERALL_PER_SECOND)
    assert waits[-1] == pytest.approx(0.5)


def test_a_chat_that_telegram_holds_stays_shut_until_then() -> None:
    clock = Clock()
    pacer = make_pacer(per_second=1.0, monotonic=clock)
    pacer.hold(14, "7")
    clock.now += 4
    with pytest.raises(RetryAt) as later:
        pacer.reserve("7")
    assert later.value.seconds == 10
    assert pacer.reserve("8") == 0
    clock.now += 10
    assert pacer.reserve("7") == 0
