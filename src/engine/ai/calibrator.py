"""What confidences are worth, by the closed trades of the account, and brought up to date as trades close."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.ai.calibration import Calibration, calibrate
from engine.domain.outcomes import Calibrated, Outcome
from engine.store.unit_of_work import UnitOfWork

_Of = tuple[str, str]
"""A strategy, and the timeframe that it decides on."""


class Calibrates(Protocol):
    """Tells what a confidence is worth."""

    def of(self, uow: UnitOfWork, strategy: str, timeframe: str, confidence: float) -> Calibrated | None:
        """What it is worth by the trades that had closed by now; ``None`` where it stands as it is."""
        ...


class NoCalibration:
    """Every confidence stands as it is."""

    def of(self, uow: UnitOfWork, strategy: str, timeframe: str, confidence: float) -> None:
        """Nothing."""
        del uow, strategy, timeframe, confidence


NO_CALIBRATION = NoCalibration()


@dataclass(slots=True, kw_only=True)
class Calibrator:
    """Calibrates by what is kept of closed trades; what it has read it remembers, and reads what has closed since.

    Attributes:
        max_width: From which width of its interval on a calibrated confidence lets the bot do nothing alone.
    """

    max_width: float
    _read: dict[str, Outcome] = field(default_factory=dict, init=False)
    _until: datetime | None = field(default=None, init=False)
    _fitted: dict[_Of, Calibration | None] = field(default_factory=dict, init=False)

    def of(self, uow: UnitOfWork, strategy: str, timeframe: str, confidence: float) -> Calibrated | None:
        """What it is worth by the trades that had closed by now; ``None`` where it stands as it is."""
        self._refresh(uow)
        key = (strategy, timeframe)
        if key not in self._fitted:
            own = [each for each in self._read.values() if (each.strategy, each.timeframe) == key]
            self._fitted[key] = calibrate(own)
        found = self._fitted[key]
        return found.of(confidence, self.max_width) if found is not None else None

    def _refresh(self, uow: UnitOfWork) -> None:
        """Read what has closed since; several trades may close at one time, and not all in one transaction."""
        for each in uow.outcomes.closed_from(self._until):
            if self._read.get(each.position_id) != each:
                self._read[each.position_id] = each
                self._fitted.pop((each.strategy, each.timeframe), None)
            self._until = each.closed_at
