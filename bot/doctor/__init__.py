"""``bot doctor``: looks at every token, URL, file and clock that a run will need, and changes nothing.

A check is one function: it says what is well, or raises a ``GreenlightError`` with what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.doctor import keeping, keys, machine, models, other_bots, people, slack, telegram, trading, viewer
from bot.doctor.check import Case, Check, Line, Verdict
from bot.logs import Mask
from config.settings import secrets
from engine.domain.errors import GreenlightError


def examine(case: Case, checks: Sequence[Check] | None = None) -> Iterator[Line]:
    """Make every check in turn, and give each line as soon as it is known."""
    mask = Mask(secrets(case.settings))
    well: set[str] = set()
    for check in (check for check in checks or CHECKS if check.asked(case.settings)):
        missing = [name for name in check.needs if name not in well]
        if missing:
            yield Line(name=check.name, verdict=Verdict.SKIPPED, text=f"first: {', '.join(missing)}")
            continue
        line = _made(check, case, mask)
        if line.verdict is Verdict.OK:
            well.add(check.name)
        yield line


def _made(check: Check, case: Case, mask: Mask) -> Line:
    try:
        return Line(name=check.name, verdict=Verdict.OK, text=mask.text(check.look(case)))
    except GreenlightError as error:
        text, remedy = error.message, error.remedy
    except OSError as error:
        text, remedy = f"{error.filename or 'The system'}: {error.strerror or error}.", "See that it is there and ours."
    return Line(name=check.name, verdict=Verdict.WRONG, text=mask.text(text), remedy=mask.text(remedy))


CHECKS = (
    *machine.CHECKS,
    *trading.CHECKS,
    *keys.CHECKS,
    *keeping.CHECKS,
    *other_bots.CHECKS,
    *people.CHECKS,
    *telegram.CHECKS,
    *slack.CHECKS,
    *viewer.CHECKS,
    *models.CHECKS,
)
WITH_ANSWERS = (*CHECKS, *models.ANSWERS)
"""The same, and each language model is asked: the only ones that cost something, and are booked."""

__all__ = ["CHECKS", "WITH_ANSWERS", "Case", "Check", "Line", "Verdict", "examine"]
