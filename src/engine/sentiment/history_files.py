"""Files of what was said in the past: the Fear & Greed index by day, and dated headlines.

CSV with a header, times in UTC: ``timestamp`` (seconds since 1970) or ``date`` says when a row was published, ``value``
(0 to 100) is the index, ``text`` or ``title`` a headline. A row with a day alone counts from the end of that day on.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.domain.errors import DataError
from engine.domain.sentiment import KeptText, Reading, ScoredText, SourceText, fear_greed_score
from engine.sentiment.assembling import SentimentTerms
from engine.sentiment.engine import kept
from engine.sentiment.history import FEAR_GREED, NEWS, SentimentHistory
from engine.sentiment.language import is_english
from engine.sentiment.matching import Matcher
from engine.sentiment.texts import clean

_WORDS = ("text", "title")
_VALUE = "value"
_TIMES = ("timestamp", "date")
_HINT = "Its columns are date or timestamp (UTC), and value (Fear & Greed) or text (headlines)."
_DAY_ALONE = 10
"""Characters of a day without a time."""
_MOST = 100
"""The highest value of the index."""


def read_history(
    files: Sequence[Path], terms: SentimentTerms, matcher: Matcher, rate: Callable[[str], float]
) -> SentimentHistory:
    """What files tell.

    Args:
        files: The files, of either kind.
        terms: How sources are weighed.
        matcher: Finds the coins that a headline is about.
        rate: Scores a headline.

    Raises:
        DataError: A file cannot be read, or has a row that makes no sense.
    """
    texts, readings = dict[tuple[str, str], KeptText](), list[Reading]()
    for file in files:
        for at, row in _rows(file):
            if _VALUE in row:
                readings.append(_reading(at, row[_VALUE], file))
            elif (text := _text(at, row, matcher, rate)) is not None:
                texts.setdefault(text.key, text)
    return SentimentHistory(
        texts=sorted(texts.values(), key=lambda each: each.known_at),
        readings=sorted(readings, key=lambda each: each.known_at),
        terms=terms,
    )


def _rows(file: Path) -> Iterator[tuple[datetime, Mapping[str, str]]]:
    """The rows of a file, each with when it was published."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            there = reader.fieldnames or ()
            if not (any(each in there for each in _TIMES) and any(each in there for each in (_VALUE, *_WORDS))):
                raise DataError(f"{file} is no history of sentiment.", _HINT)
            for row in reader:
                yield _published(row, file, reader.line_num), row
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is no CSV in UTF-8: {error}.", _HINT) from None


def _published(row: Mapping[str, str], file: Path, line: int) -> datetime:
    try:
        if stamp := row.get("timestamp"):
            return datetime.fromtimestamp(int(stamp), UTC)
        said = row["date"].strip()
        at = datetime.fromisoformat(said)
    except (KeyError, ValueError, OverflowError, OSError, AttributeError):
        raise DataError(f"{file}, line {line}: it does not say when that was published.", _HINT) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at + timedelta(days=1) if len(said) == _DAY_ALONE else at


def _reading(at: datetime, said: str, file: Path) -> Reading:
    try:
        value = float(said)
    except (TypeError, ValueError):
        value = -1.0
    if not 0 <= value <= _MOST:
        raise DataError(f"{file}: {said} of {at:%Y-%m-%d} is no value of the index.", "It goes from 0 to 100.")
    return Reading(source=FEAR_GREED, subject="", at=at, known_at=at, value=value, score=fear_greed_score(value))


def _text(at: datetime, row: Mapping[str, str], matcher: Matcher, rate: Callable[[str], float]) -> KeptText | None:
    """A headline; ``None`` where it is about no coin, or not in English."""
    text = clean(SourceText(source=NEWS, title=_said(row[each] for each in _WORDS if row.get(each)), at=at))
    if not is_english(text.title) or not (coins := matcher.about(text)):
        return None
    return kept(ScoredText(text=text, coins=coins, score=rate(text.title)), at)


def _said(found: Iterable[str]) -> str:
    return next(iter(found), "")
