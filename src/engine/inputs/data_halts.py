"""Markets that are halted for their data: while it is bad, and once a series has changed its nature.

The latter does not mend itself: people have to look at it. What came before the change is no measure of what comes
after, and good candles of another coin look as good as any.
"""

from __future__ import annotations

from datetime import datetime

from engine.domain.decisions import IDLE, QualityReport, SeriesChange
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing, Timeframe, named
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork


def data_halts(uow: UnitOfWork, listing: Listing, timeframe: Timeframe) -> list[HaltView]:
    """The halts that stand because a market's candles of a timeframe were bad."""
    source = (HaltKind.DATA, listing, timeframe)
    return [each for each in uow.halts.open() if (each.halt.kind, each.halt.listing, each.halt.timeframe) == source]


def note_data(
    uow: UnitOfWork, listing: Listing, timeframe: Timeframe, quality: QualityReport, at: datetime, *, halting: bool
) -> None:
    """Halt a market whose data is bad, and let it go on once the data is good again.

    Args:
        uow: The transaction in which it is noted.
        listing: The market at its venue: another venue's may be good.
        timeframe: The length of its candles.
        quality: What these are like.
        at: When the newest of them closed.
        halting: Whether bad data halts a market now. During an outage, or while the clock is wrong, nothing is entered
            anywhere and people know: no market is halted.
    """
    standing = data_halts(uow, listing, timeframe)
    if quality.usable:
        for found in standing:
            end_halt(uow, found, at)
    elif not standing and halting:
        halt = Halt(
            kind=HaltKind.DATA,
            reason=f"{_named(uow, listing)}: {quality.refused[0].detail}",
            since=at,
            symbol=listing.symbol,
            venue=listing.venue,
            by=f"{timeframe} candles",
            timeframe=timeframe,
        )
        begin_halt(uow, halt)


def standing_change(uow: UnitOfWork, listing: Listing) -> Halt | None:
    """The halt of a market that has changed, while it stands."""
    wanted = (HaltKind.CHANGED, listing)
    return next((found.halt for found in uow.halts.open() if (found.halt.kind, found.halt.listing) == wanted), None)


def note_changes(uow: UnitOfWork, listing: Listing, report: QualityReport, at: datetime) -> Halt | None:
    """Halt a market whose candles say that it has changed, unless people were told of that; the halt that stands.

    Ending the halt accepts what it told of, and nothing that came while it stood or in the very candle in which it was
    ended: that halts anew. Changes before the account began are none of its business.
    """
    standing = standing_change(uow, listing)
    if standing is not None:
        for change in report.changes:
            if change.kind == IDLE and _is_told(uow, listing, change):
                _note_told(uow, listing, change)
        return standing
    new = [change for change in report.changes if _is_ours(uow, change) and not _is_told(uow, listing, change)]
    if not new:
        return None
    for change in new:
        _note_told(uow, listing, change)
    reason = f"{_named(uow, listing)}: {'; '.join(change.detail for change in new)}"
    halt = Halt(kind=HaltKind.CHANGED, reason=reason, since=at, symbol=listing.symbol, venue=listing.venue)
    begin_halt(uow, halt)
    return halt


def _is_ours(uow: UnitOfWork, change: SeriesChange) -> bool:
    began = uow.settings.get("account.began")
    return began is None or change.at >= datetime.fromisoformat(began)


def _is_told(uow: UnitOfWork, listing: Listing, change: SeriesChange) -> bool:
    """Whether a halt has told of a change: candles of another length tell of it with another time."""
    told = uow.settings.get(_key(listing, change))
    return told is not None and change.at < datetime.fromisoformat(told)


def _note_told(uow: UnitOfWork, listing: Listing, change: SeriesChange) -> None:
    """Note up to when the candles go that people were told of, for each kind of change by itself."""
    until = (change.until or change.at).isoformat()
    if uow.settings.get(_key(listing, change)) != until:
        uow.settings.set(_key(listing, change), until)


def _named(uow: UnitOfWork, listing: Listing) -> str:
    return named(listing.symbol, uow.ledger.told_apart(listing.venue))


def _key(listing: Listing, change: SeriesChange) -> str:
    return f"changed.{listing.venue}.{listing.symbol}.{change.kind}"
