"""A whole series through the data-quality gate, close by close, as a bot would have seen it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.analysis.quality import DataQualityMonitor
from engine.domain.decisions import QualityReport
from engine.domain.market import Candles

HISTORY = 210


def reports(candles: Candles, monitor: DataQualityMonitor | None = None) -> Iterator[tuple[datetime, QualityReport]]:
    """Each close at which something is to be said; those between them are sound by the gate's own word."""
    monitor = monitor or DataQualityMonitor()
    newest = HISTORY - 1
    while newest < len(candles):
        part = candles.slice(newest - HISTORY + 1, newest + 1)
        _, report = monitor.check(part, part.closed_at)
        yield part.closed_at, report
        quiet = report.usable and not report.repaired and not report.changes
        newest += max(1, monitor.sound_ahead(part)) if quiet else 1


def refusals(candles: Candles) -> list[tuple[str, datetime]]:
    """Each time that trading would have been halted for the data: for what, and at which close it began."""
    found: list[tuple[str, datetime]] = []
    before: set[str] = set()
    for at, report in reports(candles):
        kinds = {issue.kind for issue in report.refused} | {f"changed {change.kind}" for change in report.changes}
        found += [(kind, at) for kind in sorted(kinds - before)]
        before = kinds
    return found
