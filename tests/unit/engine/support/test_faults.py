"""What fails again and again is in the log once, until it fails otherwise or has worked in between."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from engine.domain.errors import StoreError
from engine.support.faults import FaultLog


def told(*errors: Exception | None) -> list[tuple[str, bool]]:
    """What the log has after so many tries that failed or worked: the words, and whether there is a traceback."""
    with capture_logs() as logs:
        faults = FaultLog(structlog.get_logger("test"), "nothing was looked at")
        for error in errors:
            if error is None:
                faults.works()
            else:
                faults.note(error)
    assert {each["event"] for each in logs} == {"nothing was looked at"}
    return [(each.get("reason", ""), "exc_info" in each) for each in logs]


def test_the_same_fault_is_told_once_and_another_one_again() -> None:
    assert told(ValueError("a"), ValueError("a"), ValueError("b"), ValueError("a")) == [("", True)] * 3


def test_it_is_told_again_when_it_has_worked_in_between() -> None:
    assert told(ValueError("a"), None, None, ValueError("a")) == [("", True)] * 2


def test_what_was_foreseen_has_its_words_and_no_traceback() -> None:
    assert told(StoreError("the file is gone.", "Put it back."), StoreError("the file is gone.", "Put it back.")) == [
        ("the file is gone. Put it back.", False)
    ]
