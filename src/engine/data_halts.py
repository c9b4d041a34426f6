"""Markets whose series has changed its nature: halted until people have looked at them.

Unlike bad data this does not mend itself. What came before the change is no measure of what comes after, and good
candles of another coin look as good as any.
"""

from __future__ import annotations

from datetime import datetime

from engine.domain.decisions import QualityReport, SeriesChange
from engine.domain.halts import Halt, HaltKind
from engine.store.halting import begin_halt
from engine.store.unit_of_work import UnitOfWork

_GOES_ON = "idle"
"""The kind of change that is no moment: while people think about it, it is still the same one."""


def standing_change(uow: UnitOfWork, symbol: str) -> Halt | None:
    """The halt of a market that has changed, while it stands."""
    wanted = (HaltKind.CHANGED, symbol)
    return next((found.halt for found in uow.halts.open() if (found.halt.kind, found.halt.symbol) == wanted), None)


def note_changes(uow: UnitOfWork, symbol: str, report: QualityReport, at: datetime) -> Halt | None:
    """Halt a market whose candles say that it has changed, unless people were told of that; the halt that stands.

    Ending the halt accepts what it told of, and nothing that came while it stood or in the very candle in which it was
    ended: that halts anew. Changes before the account began are none of its business.
    """
    standing = standing_change(uow, symbol)
    if standing is not None:
        for change in report.changes:
            if change.kind == _GOES_ON and _is_told(uow, symbol, change):
                _note_told(uow, symbol, change)
        return standing
    new = [change for change in report.changes if _is_ours(uow, change) and not _is_told(uow, symbol, change)]
    if not new:
        return None
    for change in new:
        _note_told(uow, symbol, change)
    reason = f"{symbol}: {'; '.join(change.detail for change in new)}"
    halt = Halt(kind=HaltKind.CHANGED, reason=reason, since=at, symbol=symbol)
    begin_halt(uow, halt)
    return halt


def _is_ours(uow: UnitOfWork, change: SeriesChange) -> bool:
    began = uow.settings.get("account.began")
    return began is None or change.at >= datetime.fromisoformat(began)


def _is_told(uow: UnitOfWork, symbol: str, change: SeriesChange) -> bool:
    """Whether a halt has told of a change: candles of another length tell of it with another time."""
    told = uow.settings.get(_key(symbol, change))
    return told is not None and change.at < datetime.fromisoformat(told)


def _note_told(uow: UnitOfWork, symbol: str, change: SeriesChange) -> None:
    """Note up to when the candles go that people were told of, for each kind of change by itself."""
    until = (change.until or change.at).isoformat()
    if uow.settings.get(_key(symbol, change)) != until:
        uow.settings.set(_key(symbol, change), until)


def _key(symbol: str, change: SeriesChange) -> str:
    return f"changed.{symbol}.{change.kind}"
