"""What the data-quality gate has said of each market since the start: the newest of each kind, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.domain.decisions import QualityReport
from engine.domain.market import Candles, Listing, Timeframe
from engine.domain.quality_views import CandleQuality, Finding, Outcome

_Key = tuple[Listing, Timeframe]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLog:
    """Kept in memory: after a restart it begins anew, as what it tells of has been halted and told by then."""

    _newest: dict[_Key, tuple[datetime, Candles, bool]] = field(default_factory=dict, init=False)
    _found: dict[_Key, dict[tuple[Outcome, str], Finding]] = field(default_factory=dict, init=False)

    def note(self, listing: Listing, close: datetime, candles: Candles, report: QualityReport) -> None:
        """Take in what was said of candles at a close; the same close may come again."""
        key = (listing, candles.timeframe)
        self._newest[key] = (close, candles, report.usable or report.merely_short)
        for outcome, kind, detail in _issues(report):
            found = self._found.setdefault(key, {})
            known = found.get((outcome, kind))
            if known is None:
                found[outcome, kind] = Finding(outcome=outcome, kind=kind, detail=detail, closes=1, last=close)
            else:
                again = known.closes + (close > known.last)
                found[outcome, kind] = replace(known, detail=detail, closes=again, last=max(close, known.last))

    def of(self, listing: Listing) -> tuple[CandleQuality, ...]:
        """What is known of a market's candles, the shortest first."""
        return tuple(
            self._told(key) for key in sorted(self._newest, key=lambda each: each[1].millis) if key[0] == listing
        )

    def _told(self, key: _Key) -> CandleQuality:
        close, candles, usable = self._newest[key]
        findings = sorted(self._found.get(key, {}).values(), key=lambda each: each.last, reverse=True)
        return CandleQuality(
            listing=key[0],
            timeframe=key[1],
            checked_at=close,
            closed_at=candles.closed_at if len(candles) else None,
            usable=usable,
            findings=tuple(findings),
        )


def _issues(report: QualityReport) -> Iterator[tuple[Outcome, str, str]]:
    for issue in report.repaired:
        yield Outcome.REPAIRED, issue.kind, issue.detail
    for issue in report.refused:
        yield (Outcome.SHORT if report.merely_short else Outcome.REFUSED), issue.kind, issue.detail
    for change in report.changes:
        yield Outcome.CHANGED, change.kind, change.detail
