"""What is wrong with the connection to a platform: logged once per outage, and when to try again."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from engine.timing.clocks import monotonic

log = structlog.get_logger(__name__)

OK = "ok"
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class Health:
    """Collects what is wrong, by place; logs each trouble when it begins and when it changes.

    Args:
        platform: Whose connection it is, for the log.
    """

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._troubles: dict[str, str] = {}

    def __str__(self) -> str:
        return " ".join(self._troubles.values()) or OK

    def begin(self, place: str, text: str) -> None:
        """Note what is not right yet, without logging it."""
        self._troubles[place] = text

    def trouble(self, place: str, text: str, detail: object = "") -> None:
        """Something is wrong at a place, in words for people; repeated words are not logged again."""
        if self._troubles.get(place) == text:
            return
        self._troubles[place] = text
        log.warning("platform.trouble", platform=self._platform, place=place, text=text, detail=str(detail))

    def well(self, place: str) -> None:
        """A place is right again."""
        if self._troubles.pop(place, None) is not None:
            log.info("platform.well", platform=self._platform, place=place)


class Outage:
    """How long to wait between tries: as long again as it has lasted, within bounds."""

    def __init__(self, monotonic: Callable[[], float] = monotonic) -> None:
        self._monotonic = monotonic
        self._since: float | None = None

    def pause(self) -> float:
        """Seconds until the next try, after one that failed."""
        now = self._monotonic()
        self._since = now if self._since is None else self._since
        return min(LONGEST_PAUSE, max(FIRST_PAUSE, now - self._since))

    def over(self) -> None:
        """A try went well."""
        self._since = None
