"""What was said of coins, as it came: the ``sentiment_texts`` and ``sentiment_readings`` tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from engine.domain.sentiment import KeptText, Reading, ScoredText, SourceText
from engine.store.mapping import RowMapping
from engine.store.tables import SentimentReadingRow, SentimentTextRow, table_of

_TEXTS, _READINGS = table_of(SentimentTextRow), table_of(SentimentReadingRow)
_READING = RowMapping(Reading, _READINGS)
_KNOWN_TEXTS = select(_TEXTS).order_by(_TEXTS.c.at.desc(), _TEXTS.c.fingerprint)
_KNOWN_READINGS = select(_READINGS).order_by(_READINGS.c.at, _READINGS.c.source, _READINGS.c.subject)


class SentimentHistory:
    """Keeps what sources said. What is kept once is never changed: a backtest finds what was known then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, texts: Iterable[KeptText], readings: Iterable[Reading] = ()) -> None:
        """Keep what came; what is known already stays as it was."""
        self._add(_TEXTS, [_row_of(text) for text in texts])
        self._add(_READINGS, [_READING.to_row(reading) for reading in readings])

    def texts(self, since: datetime, until: datetime) -> tuple[KeptText, ...]:
        """The texts that were published since a time, and known by another; the newest first."""
        query = _KNOWN_TEXTS.where(_TEXTS.c.at > since, _TEXTS.c.known_at <= until)
        return tuple(_text_of(row) for row in self._connection.execute(query))

    def readings(self, since: datetime, until: datetime) -> tuple[Reading, ...]:
        """The figures that are of after a time, and were known by another; the oldest first."""
        query = _KNOWN_READINGS.where(_READINGS.c.at > since, _READINGS.c.known_at <= until)
        return tuple(_READING.from_row(row) for row in self._connection.execute(query))

    def _add(self, table: Table, rows: list[dict[str, object]]) -> None:
        if rows:
            # At the head of the file each dialect would cost a twentieth of a second of the start.
            dialect = import_module(f"sqlalchemy.dialects.{self._connection.dialect.name}")
            self._connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def _row_of(kept: KeptText) -> dict[str, object]:
    text = kept.scored.text
    return {
        "source": text.source,
        "fingerprint": kept.fingerprint,
        "title": text.title or text.body,
        "url": text.url,
        "at": text.at,
        "known_at": kept.known_at,
        "score": kept.scored.score,
        "coins": " ".join(sorted(kept.scored.coins)),
    }


def _text_of(row: Row[Any]) -> KeptText:
    text = SourceText(source=row.source, title=row.title, url=row.url, at=row.at)
    scored = ScoredText(text=text, coins=frozenset(row.coins.split()), score=row.score)
    return KeptText(scored=scored, fingerprint=row.fingerprint, known_at=row.known_at)
