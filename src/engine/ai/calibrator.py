"""What confidences are worth, by the closed trades of the account, and brought up to date as trades close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
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
    """Calibrates by closed trades; what is kept of them it remembers, and reads what has closed since.

    What a transaction has seen close counts within it, and is remembered once that is kept: it may be taken back.

    Attributes:
        max_width: From which width of its interval on a calibrated confidence lets the bot do nothing alone.
    """

    max_width: float
    _read: dict[str, Outcome] = field(default_factory=dict, init=False)
    _until: datetime | None = field(default=None, init=False)
    _fitted: dict[_Of, Calibration | None] = field(default_factory=dict, init=False)

    def of(self, uow: UnitOfWork, strategy: str, timeframe: str, confidence: float) -> Calibrated | None:
        """What it is worth by the trades that had closed by now; ``None`` where it stands as it is."""
        new = self._new(uow)
        if new:
            uow.once_kept.append(partial(self._remember, new))
        key = (strategy, timeframe)
        found = self._fit(key, new) if any(_key(each) == key for each in new) else self._fitted_before(key)
        return found.of(confidence, self.max_width) if found is not None else None

    def _new(self, uow: UnitOfWork) -> tuple[Outcome, ...]:
        """What has closed since; several trades may close at one time, and not all in one transaction."""
        found = uow.outcomes.closed_from(self._until)
        return tuple(each for each in found if self._read.get(each.position_id) != each)

    def _fitted_before(self, key: _Of) -> Calibration | None:
        if key not in self._fitted:
            self._fitted[key] = self._fit(key)
        return self._fitted[key]

    def _fit(self, key: _Of, new: Sequence[Outcome] = ()) -> Calibration | None:
        """The calibration by all that is known, with what has just closed."""
        known = self._read | {each.position_id: each for each in new}
        return calibrate([each for each in known.values() if _key(each) == key])

    def _remember(self, new: Sequence[Outcome]) -> None:
        for each in new:
            self._read[each.position_id] = each
            self._fitted.pop(_key(each), None)
            self._until = each.closed_at


def _key(outcome: Outcome) -> _Of:
    return outcome.strategy, outcome.timeframe
