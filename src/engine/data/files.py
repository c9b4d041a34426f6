"""Candle files: ``SYMBOL-INTERVAL[...].parquet``, ``.csv`` or ``.csv.gz``, for example ``BTCUSDT-1h.parquet``.

Columns: ``timestamp`` (when the candle opens: a time in UTC, or a number since 1970, all of them in seconds, milli-,
micro- or nanoseconds), ``open``, ``high``, ``low``, ``close`` (quote currency), ``volume`` (base currency).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.quality import QualityLimits, bad_ticks
from engine.analysis.row_faults import RowFault, row_faults
from engine.analysis.series_changes import everywhere
from engine.data.candle_table import COLUMNS, SUFFIXES, read_columns
from engine.domain.decisions import Issue
from engine.domain.errors import DataError
from engine.domain.figures import plain
from engine.domain.market import Candles, Timeframe, from_millis

if TYPE_CHECKING:
    from datetime import datetime

    from engine.domain.market import Millis

QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "USD", "EUR", "GBP", "TRY", "DAI", "BTC", "ETH", "BNB")
_NAME_REMEDY = "Name it SYMBOL-INTERVAL, for example BTCUSDT-1h.parquet or BTC_USDT-1h.csv."
_FEWEST_STEPS = 2
_SHOWN = 5
"""How many findings of one kind are listed one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What is in a candle file, and what is wrong with it.

    Attributes:
        first, last: When the first candle opens and the last one closes.
        findings: What is wrong; empty for a file that can be traded on as it is.
    """

    symbol: str
    timeframe: Timeframe
    rows: int
    first: datetime
    last: datetime
    findings: tuple[Issue, ...]


def parse_name(path: Path) -> tuple[str, Timeframe]:
    """Read symbol and timeframe off a file's name.

    Raises:
        DataError: The name has no interval, or ends in no quote currency that is known.
    """
    suffix = next((known for known in SUFFIXES if path.name.endswith(known)), path.suffix)
    symbol, *rest = path.name.removesuffix(suffix).split("-")
    timeframe = next((Timeframe(word) for word in rest if word in set(Timeframe)), None)
    if timeframe is None:
        raise DataError(f"{path}: its name says no interval ({', '.join(Timeframe)}).", _NAME_REMEDY)
    return symbol_of(symbol, path), timeframe


def symbol_of(written: str, path: Path) -> str:
    """A market as it is called here, from how a file writes it: ``BTCUSDT``, ``btc_usdt``, ``BTC-USDT``.

    Raises:
        DataError: It ends in no quote currency that is known.
    """
    symbol = written.upper()
    base, mark, quote = symbol.replace("-", "_").replace("/", "_").partition("_")
    if base and quote:
        return f"{base}/{quote}"
    for known in sorted(QUOTES, key=len, reverse=True):
        if not mark and symbol.endswith(known) and symbol != known:
            return f"{symbol.removesuffix(known)}/{known}"
    raise DataError(f"{path}: {symbol!r} does not end in a quote currency ({', '.join(QUOTES)}).", _NAME_REMEDY)


def file_name(symbol: str, timeframe: Timeframe) -> str:
    """The name of a candle file in parquet; with a mark between the currencies where it could be misread without."""
    short = f"{symbol.replace('/', '')}-{timeframe}.parquet"
    try:
        clear = parse_name(Path(short))[0] == symbol
    except DataError:
        clear = False
    return short if clear else f"{symbol.replace('/', '_')}-{timeframe}.parquet"


def read_candles(path: Path) -> Candles:
    """Read a candle file.

    Raises:
        DataError: The file cannot be read, has other columns, or a row cannot be right; it names the row.
    """
    candles = read_rows(path)
    faults = row_faults(candles)
    if faults:
        _, rows, what = min(faults, key=lambda fault: int(fault[1][0]))
        remedy = "Mend the file, or leave such rows out; bot data check lists them all."
        raise DataError(f"{path}: {_row(candles, int(rows[0]))} {what}.", remedy)
    return candles


def read_rows(path: Path) -> Candles:
    """Read a candle file's rows as they are, in whatever order.

    Raises:
        DataError: The file cannot be read, has other columns or no rows, a row holds what is no time or no number, or
            the rows are those of another timeframe than its name says.
    """
    symbol, timeframe = parse_name(path)
    open_ms, numbers = read_columns(path)
    if not len(open_ms):
        raise DataError(f"{path}: it has no rows.", "Give a file with candles.")
    _refuse_other_steps(path, open_ms, timeframe)
    return Candles(symbol=symbol, timeframe=timeframe, open_ms=open_ms, **numbers)


def _refuse_other_steps(path: Path, open_ms: Millis, timeframe: Timeframe) -> None:
    """Refuse rows of which more are some other time apart than that of the name; of two rows nobody can tell.

    The most frequent step tells, and not the median: a venue may leave out most of the minutes without a trade, and
    still a step over one of them is more frequent than one over two.
    """
    steps, counts = np.unique(np.diff(np.unique(open_ms)), return_counts=True)
    if counts.sum() < _FEWEST_STEPS or counts[steps == timeframe.millis].sum() == counts.max():
        return
    usual = int(steps[counts.argmax()])
    words = next((str(each) for each in Timeframe if each.millis == usual), f"{plain(usual / 60_000, 6)} min")
    remedy = "Check the file, or name it by how long its candles are: SYMBOL-INTERVAL."
    raise DataError(f"{path}: its rows are usually {words} apart, but its name says {timeframe}.", remedy)


def write_candles(path: Path, candles: Candles) -> None:
    """Write a candle file, parquet or CSV by its suffix.

    Raises:
        DataError: The name does not say this market and timeframe, or the suffix is another one.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    if parse_name(path) != (candles.symbol, candles.timeframe):
        name = f"{candles.symbol.replace('/', '')}-{candles.timeframe}{path.suffix}"
        raise DataError(f"{path}: it would hold {candles.symbol} {candles.timeframe}.", f"Name it {name}.")
    times = pa.array(candles.open_ms)
    prices = [candles.open, candles.high, candles.low, candles.close, candles.volume]
    match path.suffix:
        case ".parquet":
            times = times.cast(pa.timestamp("ms", tz="UTC"))
            parquet.write_table(pa.table([times, *prices], names=list(COLUMNS)), path)
        case ".csv":
            csv.write_csv(pa.table([times, *prices], names=list(COLUMNS)), path)
        case _:
            raise DataError(f"{path}: neither a .parquet nor a .csv file.", "End its name in .parquet or .csv.")


def check_file(path: Path) -> FileReport:
    """Look through a candle file for gaps, repeated or unsorted rows, and prices that cannot be.

    What a price has been, and what it was the price of, is told once the rows themselves are in order: bad ticks, and
    where the series became something else or nothing was traded for long, by the limits of ``QualityLimits``.

    Raises:
        DataError: The file cannot be read at all, or has other columns.
    """
    candles = read_rows(path)
    faults = [issue for fault in row_faults(candles) for issue in _listed(fault, candles)]
    order = np.sort(candles.open_ms)
    return FileReport(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        rows=len(candles),
        first=from_millis(int(order[0])),
        last=from_millis(int(order[-1])) + candles.timeframe.duration,
        findings=(*faults, *_gap_findings(candles), *([] if faults else _doubts(candles))),
    )


def _doubts(candles: Candles) -> list[Issue]:
    """What may be wrong with a series whose rows are in order: its bad ticks, and where it changed."""
    limits = QualityLimits()
    ticks = ("spike", bad_ticks(candles, limits), "looks like a bad tick")
    changed = [Issue(kind=each.kind, detail=each.detail) for each in everywhere(candles, limits.changes)]
    return [*_listed(ticks, candles), *changed]


def _gap_findings(candles: Candles) -> list[Issue]:
    times = np.unique(candles.open_ms)
    missing = np.diff(times) // candles.timeframe.millis - 1
    gaps = np.flatnonzero(missing > 0)
    found = [
        Issue(
            kind="gap",
            detail=f"{missing[at]} {'candle' if missing[at] == 1 else 'candles'} missing after {_time(int(times[at]))}",
        )
        for at in gaps[:_SHOWN]
    ]
    rest = gaps[_SHOWN:]
    if len(rest):
        found.append(Issue(kind="gap", detail=f"and {len(rest)} more gaps with {missing[rest].sum()} candles"))
    return found


def _listed(fault: RowFault, candles: Candles) -> list[Issue]:
    kind, rows, what = fault
    found = [Issue(kind=kind, detail=f"{_row(candles, int(row))} {what}") for row in rows[:_SHOWN]]
    if len(rows) > _SHOWN:
        found.append(Issue(kind=kind, detail=f"and {len(rows) - _SHOWN} more rows like these"))
    return found


def _row(candles: Candles, row: int) -> str:
    return f"row {row + 1} ({_time(int(candles.open_ms[row]))})"


def _time(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%d %H:%M} UTC"
