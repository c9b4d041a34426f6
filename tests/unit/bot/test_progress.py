"""How far long work has come, and how it is stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from bot.progress import Progress, stopped_by_ctrl_c


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    """Tests may run where Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_is_a_wish_and_twice_an_end() -> None:
    with stopped_by_ctrl_c() as is_stopped:
        assert not is_stopped()
        press()
        assert is_stopped()
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with stopped_by_ctrl_c() as is_stopped:
        press()
        assert not is_stopped()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_the_estimate_knows_what_was_done_before() -> None:
    now = 100.0
    progress = Progress(1_000, clock=lambda: now)
    progress.done(500, before=True)
    assert progress.told(110.0) == "500 of 1,000 (50%)"
    progress.done(100)
    assert progress.told(110.0) == "600 of 1,000 (60%), 10 a second, 40 s left"
    assert progress.told(100.0 + 10_000) == "600 of 1,000 (60%), 0 a second, 11 h 6 min left"


def test_where_nobody_watches_a_line_is_told_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter((0.0, 1.0, 10.5, 11.0))
    progress = Progress(40, clock=lambda: next(times))
    for _ in range(3):
        progress.done(10, ", window 1 of 2")
    progress.close()
    assert capsys.readouterr().err == "20 of 40 (50%), 2 a second, 10 s left, window 1 of 2\n"
