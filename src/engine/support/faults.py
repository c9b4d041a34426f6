"""How errors that nobody foresaw are found in the log: by short ids, which people are told in place of the error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from engine.domain.errors import GreenlightError

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger


def fault_id() -> str:
    """A new id, short enough to be read aloud."""
    return uuid4().hex[:8]


class FaultLog:
    """Logs once what fails again and again, until it fails otherwise or has worked in between.

    Args:
        log: Where it is written.
        event: What was not done.
    """

    def __init__(self, log: BoundLogger, event: str) -> None:
        self._log = log
        self._event = event
        self._last = ""

    def note(self, error: Exception) -> None:
        """It failed; what was foreseen is logged with its words, and anything else with where it was raised."""
        if repr(error) == self._last:
            return
        self._last = repr(error)
        if isinstance(error, GreenlightError):
            self._log.warning(self._event, reason=str(error))
        else:
            self._log.error(self._event, reference=fault_id(), exc_info=error)

    def works(self) -> None:
        """It did not fail."""
        self._last = ""
