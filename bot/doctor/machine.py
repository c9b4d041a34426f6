"""This machine: its clock, its folders, and whether a bot is running on it."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import UTC, datetime

from bot.doctor.check import Case, Check
from bot.lock import account_files, holder
from engine.domain.errors import GreenlightError, StoreError

LEAST_FREE_BYTES = 200 * 1024 * 1024
LEAST_FREE_WORDS = "200 MB"
EARLIEST_NOW = datetime(2025, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set."""
WATCHED = 0.2
"""Wall seconds in which the two clocks of this machine are compared."""
MOST_STEP = 1.0
"""Seconds by which they may part meanwhile."""


def _clock(case: Case) -> str:
    """The wall clock must have been set, and go at the pace of the clock that nobody sets."""
    wall, steady = case.wall(), time.monotonic()
    if wall < EARLIEST_NOW:
        raise GreenlightError(f"The clock shows {wall:%Y-%m-%d %H:%M} UTC.", "Set it, best by NTP.")
    time.sleep(WATCHED)
    step = (case.wall() - wall).total_seconds() - (time.monotonic() - steady)
    if abs(step) > MOST_STEP:
        raise GreenlightError(f"The clock stepped by {step:.1f} s while it was watched.", "See who sets it, and how.")
    return f"{wall:%Y-%m-%d %H:%M:%S} UTC"


def _time_zone(case: Case) -> str:
    """The settings have found it; what it makes of now shows whether it is the one that was meant."""
    digest = case.settings.digest
    there = case.wall().astimezone(digest.zone)
    return f"{digest.timezone}, where it is {there:%H:%M}; the digest comes at {digest.at:%H:%M}"


def _folders(case: Case) -> str:
    """Every folder that is written to lets us write, and its disk has room."""
    log = case.settings.logs.file
    written = {file.absolute().parent for file in (*account_files(case.settings), *([log] if log else []))}
    for folder in sorted(written):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            raise StoreError(
                f"{there} cannot be written to: {error.strerror}.", "Let this user write there, or set another place."
            ) from None
        if shutil.disk_usage(there).free < LEAST_FREE_BYTES:
            raise StoreError(f"The disk of {there} has less than {LEAST_FREE_WORDS} left.", "Make room on it.")
    return f"{', '.join(map(str, sorted(written)))}: writable, with more than {LEAST_FREE_WORDS} free"


def _instance(case: Case) -> str:
    found = [who for file in account_files(case.settings) if (who := holder(file))]
    return f"a bot is running on this account: {found[0]}" if found else "no bot is running on this account"


CHECKS = (
    Check(name="clock", look=_clock),
    Check(name="time zone", look=_time_zone),
    Check(name="folders", look=_folders),
    Check(name="instance", look=_instance),
)
