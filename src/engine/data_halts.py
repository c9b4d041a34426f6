"""Markets whose series has changed its nature: halted until people have looked at them.

Unlike bad data this does not mend itself. What came before the change is no measure of what comes after, and good
candles of another coin look as good as any.
"""

from __future__ import annotations

from datetime import datetime

from engine.domain.decisions import QualityReport
from engine.domain.events import Halted
from engine.domain.trading import Halt, HaltKind
from engine.store.unit_of_work import UnitOfWork


def standing_change(uow: UnitOfWork, symbol: str) -> Halt | None:
    """The halt of a market that has changed, while it stands."""
    wanted = (HaltKind.CHANGED, symbol)
    return next((found.halt for found in uow.halts.open() if (found.halt.kind, found.halt.market) == wanted), None)


def note_changes(uow: UnitOfWork, symbol: str, report: QualityReport, at: datetime) -> Halt | None:
    """Halt a market whose candles say that it has changed, unless that was accepted; the halt that stands.

    Changes are accepted once people have ended the halt, and those before the account began are none of its business.
    """
    standing = standing_change(uow, symbol)
    if standing is not None or not report.changes:
        return standing
    accepted = _accepted_until(uow, symbol)
    new = [change for change in report.changes if accepted is None or change.at >= accepted]
    if not new:
        return None
    reason = f"{symbol}: {'; '.join(change.detail for change in new)}"
    halt = Halt(kind=HaltKind.CHANGED, reason=reason, since=at, market=symbol)
    uow.emit(Halted(at=at, halt_id=uow.halts.add(halt), kind=halt.kind))
    return halt


def _accepted_until(uow: UnitOfWork, symbol: str) -> datetime | None:
    began = uow.settings.get("account.began")
    known = (uow.halts.last_ended(HaltKind.CHANGED, symbol), datetime.fromisoformat(began) if began else None)
    return max((at for at in known if at is not None), default=None)
