"""What was predicted of markets, with when it was known and what came of it: the ``predictions`` table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import KeptPrediction, Reason, TrackRecord
from engine.store import codec
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.tables import PredictionRow, key_of, table_of

_TABLE = table_of(PredictionRow)
_KEPT = RowMapping(KeptPrediction, _TABLE)
_REASONS = tuple[Reason, ...]
_NAME, _OPEN = _TABLE.name, "ungraded"
_OUTCOME = ("graded_at", "move", "was_right")
_GRADE = update(_TABLE).where(*key_of(_TABLE)).values({name: bindparam(f"new_{name}") for name in _OUTCOME})
_UNGRADED = select(_TABLE).where(_TABLE.c.graded_at.is_(None))
_DUE = (
    _UNGRADED.where(_TABLE.c.due_at <= bindparam("now"))
    .order_by(_TABLE.c.due_at.desc(), _TABLE.c.symbol)
    .limit(bindparam("most"))
)


class Predictions:
    """Keeps what was predicted. What is kept once is only ever graded: a backtest finds what was known then."""

    def __init__(self, connection: Connection, memory: NoMemory) -> None:
        self._connection = connection
        self._memory = memory

    def add(self, kept: Iterable[KeptPrediction]) -> None:
        """Keep new ones; what is kept already stays as it was."""
        new = tuple(kept)
        if not new:
            return
        rows = [
            _KEPT.to_row(each)
            | {"reasons": codec.dump_as(_REASONS, each.prediction.reasons), "due_at": each.prediction.due_at}
            for each in new
        ]
        ungraded = self._memory.known(_NAME, _OPEN)
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        added = self._connection.execute(dialect.insert(_TABLE).on_conflict_do_nothing(), rows).rowcount
        if ungraded is not None and added == len(rows):
            self._memory.keep(_NAME, _OPEN, (*ungraded, *new))

    def grade(self, kept: Iterable[KeptPrediction]) -> None:
        """Keep what came of some that are there."""
        graded = tuple(kept)
        if not graded:
            return
        rows = [
            {f"its_{column.name}": row[column.name] for column in _TABLE.primary_key}
            | {f"new_{name}": row[name] for name in _OUTCOME}
            for row in map(_KEPT.to_row, graded)
        ]
        ungraded = self._memory.known(_NAME, _OPEN)
        self._connection.execute(_GRADE, rows)
        if ungraded is not None:
            over = {_key(each) for each in graded}
            self._memory.keep(_NAME, _OPEN, tuple(each for each in ungraded if _key(each) not in over))

    def due(self, now: datetime, limit: int) -> tuple[KeptPrediction, ...]:
        """Those that are not graded although their horizon is over, the newest first."""
        return tuple(map(_kept, self._connection.execute(_DUE, {"now": now, "most": limit})))

    def ungraded(self) -> tuple[KeptPrediction, ...]:
        """All that are not graded, for who asks again and again."""
        return self._memory.get_or_load(_NAME, _OPEN, self._load_ungraded)

    def _load_ungraded(self) -> tuple[KeptPrediction, ...]:
        return tuple(map(_kept, self._connection.execute(_UNGRADED)))

    def newest(
        self,
        listing: Listing,
        timeframe: Timeframe,
        known_at: datetime,
        *,
        before: datetime | None = None,
        prompt: str = "",
    ) -> KeptPrediction | None:
        """The newest of a market, timeframe and prompt that was known at a time; of closes before one, if given."""
        older = () if before is None else (_TABLE.c.at < before,)
        query = (
            select(_TABLE)
            .where(*_of(listing, timeframe, prompt), _TABLE.c.made_at <= known_at, *older)
            .order_by(_TABLE.c.at.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return _kept(row) if row else None

    def between(
        self, listing: Listing, timeframe: Timeframe, since: datetime, until: datetime, *, prompt: str = ""
    ) -> tuple[KeptPrediction, ...]:
        """Those of closes after a time and up to another, the oldest first; their outcomes may lie later."""
        query = (
            select(_TABLE)
            .where(*_of(listing, timeframe, prompt), _TABLE.c.at > since, _TABLE.c.at <= until)
            .order_by(_TABLE.c.at)
        )
        return tuple(map(_kept, self._connection.execute(query)))

    def by_whom(self) -> Mapping[str, int]:
        """How many there are of each who has made any."""
        query = select(_TABLE.c.by, func.count().label("made")).group_by(_TABLE.c.by).order_by(_TABLE.c.by)
        return {row.by: row.made for row in self._connection.execute(query)}

    def records(
        self, listing: Listing, timeframes: Iterable[Timeframe], last: int, *, prompt: str = ""
    ) -> Mapping[Timeframe, TrackRecord]:
        """How many were right of the last so many of each timeframe that took a side, and are graded."""
        return {each: self._record(listing, each, last, prompt) for each in timeframes}

    def _record(self, listing: Listing, timeframe: Timeframe, last: int, prompt: str) -> TrackRecord:
        query = (
            select(_TABLE.c.was_right)
            .where(*_of(listing, timeframe, prompt), _TABLE.c.was_right.is_not(None))
            .order_by(_TABLE.c.at.desc())
            .limit(last)
        )
        found = list(self._connection.execute(query).scalars())
        return TrackRecord(right=sum(found), graded=len(found))


def _of(listing: Listing, timeframe: Timeframe, prompt: str) -> tuple[Any, ...]:
    return (
        _TABLE.c.venue == listing.venue,
        _TABLE.c.symbol == listing.symbol,
        _TABLE.c.timeframe == timeframe.value,
        _TABLE.c.prompt == prompt,
    )


def _key(kept: KeptPrediction) -> tuple[object, ...]:
    said = kept.prediction
    return said.venue, said.symbol, said.timeframe, said.prompt, said.at


def _kept(row: Row[Any]) -> KeptPrediction:
    kept = _KEPT.from_row(row)
    reasons = codec.load_as(_REASONS, cast("str", row.reasons))
    return replace(kept, prediction=replace(kept.prediction, reasons=reasons))
