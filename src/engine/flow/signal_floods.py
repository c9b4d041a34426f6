"""A flood of entry signals: more than a day like any other has. Entries pause, and people have a look."""

from __future__ import annotations

from datetime import datetime

from engine.domain.halts import Halt, HaltKind
from engine.risk.limits import RiskLimits
from engine.store.halting import begin_halt
from engine.store.unit_of_work import UnitOfWork


def note_signal(uow: UnitOfWork, limits: RiskLimits, at: datetime) -> None:
    """Halt entries where one more signal, at a close, would be more than may come within a while.

    What people have looked at does not count again: it begins anew where such a halt was last ended. Signals count that
    rules or people refuse, and those that a panel thinks about.
    """
    if limits.max_signals is None or any(found.halt.kind is HaltKind.SIGNALS for found in uow.halts.open()):
        return
    looked_at = uow.halts.last_ended(HaltKind.SIGNALS)
    after = at - limits.signals_within
    after = after if looked_at is None else max(after, looked_at)
    thought_about = sum(each.proposal.candle_at > after for each in uow.deliberations.all())
    count = uow.decisions.entries_after(after) + thought_about + 1
    if count > limits.max_signals:
        hours = limits.signals_within.total_seconds() / 3600
        within = f"{hours:g} hours" if hours != 1 else "an hour"
        reason = f"{count} entry signals within {within}; {limits.max_signals} are allowed"
        begin_halt(uow, Halt(kind=HaltKind.SIGNALS, reason=reason, since=at))
