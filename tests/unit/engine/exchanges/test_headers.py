"""How long a venue is left alone, by what its headers say."""

from datetime import UTC, datetime

import pytest

from engine.domain.errors import VenueError
from engine.exchanges.headers import Quiet

NOON = datetime(2026, 3, 29, 12, 0, 0, tzinfo=UTC)


class Machine:
    """A machine that is at noon, so many seconds after it began, and its venue."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.quiet = Quiet("binance", monotonic=lambda: self.seconds, now=lambda: NOON)

    def left(self) -> float:
        try:
            self.quiet.check()
        except VenueError as error:
            return error.retry_after or 0.0
        return 0.0


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        (429, "", 60),
        (429, "7", 7),
        (418, "Sun, 29 Mar 2026 12:02:00 GMT", 120),
        (403, "soon", 60),
        (503, "30", 30),
        (503, "", 0),
        (200, "30", 0),
        (418, "999999999", 3 * 24 * 3600),
    ],
)
def test_it_is_left_alone_for_as_long_as_it_says(status: int, retry_after: str, seconds: float) -> None:
    machine = Machine()
    machine.quiet.note(status, retry_after)
    assert machine.left() == seconds
    machine.seconds = seconds
    assert machine.left() == 0


def test_a_later_answer_makes_a_ban_no_shorter() -> None:
    machine = Machine()
    machine.quiet.note(418, "600")
    machine.quiet.note(429, "5")
    assert machine.left() == 600
