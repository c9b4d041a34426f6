"""A venue's history as it was downloaded: ``FOLDER/VENUE/SYMBOL-INTERVAL.parquet``, a candle file for each series.

Beside its candles, which every reader of candle files understands, such a file knows which time the venue was asked
about: in the metadata of its schema, as spans of milliseconds. A candle that is missing within them is one that the
venue does not have, and is not asked for again; what lies outside is still to be downloaded.

A file is written whole, beside the old one, and then takes its place: whoever is killed leaves the one or the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.data.candle_table import COLUMNS
from engine.data.files import file_name, parse_name, read_rows
from engine.data.spans import Spans, lacking, united
from engine.data.unreadable import unreadable
from engine.domain.errors import DataError
from engine.domain.market import Candles, Timeframe, from_millis
from engine.support import private_files

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

ASKED = b"greenlight.asked"
"""The key in the metadata of the schema, and what makes a candle file one of these."""
_REMEDY = "Delete it, and download it anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is held of a market and timeframe.

    Attributes:
        candles: In order, each once; none before the first download.
        asked: Which time the venue was asked about.
    """

    candles: Candles
    asked: Spans = ()

    def with_page(self, page: Candles, asked: Spans) -> History:
        """The same with more candles, wherever they belong; of a time that is held already the held ones stay."""
        both = self.candles.joined(page)
        _, rows = np.unique(both.open_ms, return_index=True)
        if len(rows) < len(both) or (np.diff(rows) < 0).any():
            both = both.take(rows)
        return History(candles=both, asked=united((*self.asked, *asked)))

    @property
    def holes(self) -> Spans:
        """What has yet to be downloaded between the first and the last time that was asked about."""
        return lacking((self.asked[0][0], self.asked[-1][1]), self.asked) if self.asked else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFile:
    """Where a series is kept."""

    folder: Path
    venue: str
    symbol: str
    timeframe: Timeframe

    @property
    def path(self) -> Path:
        """The candle file."""
        return self.folder / self.venue / file_name(self.symbol, self.timeframe)

    def read(self) -> History:
        """What is held, nothing where there is no file.

        Raises:
            DataError: The file cannot be read, or was not written by a download.
        """
        if not self.path.exists():
            return History(candles=Candles.none_of(self.symbol, self.timeframe))
        return History(candles=read_rows(self.path), asked=asked_of(self.path))

    def write(self, history: History) -> None:
        """Put a history in the place of what is there, on the disk and whole, for this user alone.

        Raises:
            DataError: The file cannot be written.
        """
        try:
            private_files.write_whole(self.path, lambda file: _write(file, history))
        except OSError as error:
            raise DataError(f"{self.path}: it cannot be written ({error.strerror}).", "Give another --out.") from None


def history_files(folder: Path) -> Iterator[HistoryFile]:
    """Every file below a folder that a download has written, by venue and name."""
    for path in sorted(folder.glob("*/*.parquet")):
        symbol, timeframe = parse_name(path)
        yield HistoryFile(folder=folder, venue=path.parent.name, symbol=symbol, timeframe=timeframe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a file holds.

    Attributes:
        first, last: When the first candle opens and the last one closes.
        missing: How many candles there are not between them.
        holes: Time between what was asked about that is still to be downloaded.
    """

    rows: int
    first: datetime
    last: datetime
    missing: int
    holes: Spans


def extent(path: Path, timeframe: Timeframe) -> Extent:
    """How much a downloaded file holds; only its times are read.

    Raises:
        DataError: The file cannot be read, or was not written by a download.
    """
    import pyarrow as pa
    from pyarrow import compute, parquet

    asked = asked_of(path)
    try:
        times = parquet.read_table(path, columns=["timestamp"]).column("timestamp")
        ends = compute.min_max(times.cast(pa.int64())).as_py()
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    first, last = int(ends["min"]), int(ends["max"]) + timeframe.millis
    return Extent(
        rows=len(times),
        first=from_millis(first),
        last=from_millis(last),
        missing=(last - first) // timeframe.millis - len(times),
        holes=lacking((asked[0][0], asked[-1][1]), asked),
    )


def asked_of(path: Path) -> Spans:
    """Which time a venue was asked about for a file.

    Raises:
        DataError: The file cannot be read, or does not say.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        metadata = parquet.read_schema(path).metadata or {}
        return united((int(begin), int(end)) for begin, end in json.loads(metadata[ASKED]))
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    except (KeyError, ValueError, TypeError):
        raise DataError(f"{path}: bot data download has not written it.", f"Move it elsewhere. {_REMEDY}") from None


def _write(file: object, history: History) -> None:
    from pyarrow import parquet

    parquet.write_table(_table(history), file)


def _table(history: History) -> pa.Table:
    import pyarrow as pa

    candles = history.candles
    times = pa.array(candles.open_ms).cast(pa.timestamp("ms", tz="UTC"))
    table = pa.table(
        [times, candles.open, candles.high, candles.low, candles.close, candles.volume], names=list(COLUMNS)
    )
    return table.replace_schema_metadata({ASKED: json.dumps(history.asked)})
