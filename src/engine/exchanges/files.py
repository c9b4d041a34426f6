"""Candle files: ``SYMBOL-INTERVAL[...].parquet`` or ``.csv``, for example ``BTCUSDT-1h.parquet``.

Columns: ``timestamp`` (when the candle opens; milliseconds since 1970, or a time in UTC), ``open``, ``high``, ``low``,
``close`` (quote currency), ``volume`` (base currency).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.decisions import Issue
from engine.domain.errors import DataError
from engine.domain.market import Candles, Timeframe, from_millis

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "USD", "EUR", "GBP", "TRY", "DAI", "BTC", "ETH", "BNB")
_NAME_REMEDY = "Name it SYMBOL-INTERVAL, for example BTCUSDT-1h.parquet or BTC_USDT-1h.csv."
_SHOWN = 5
"""How many findings of one kind are listed one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What is in a candle file, and what is wrong with it.

    Attributes:
        first, last: When the first candle opens and the last one closes; ``None`` where there are none.
        findings: What is wrong; empty for a file that can be traded on as it is.
    """

    market: str
    timeframe: Timeframe
    rows: int
    first: datetime | None
    last: datetime | None
    findings: tuple[Issue, ...]


def parse_name(path: Path) -> tuple[str, Timeframe]:
    """Read symbol and timeframe off a file's name.

    Raises:
        DataError: The name has no interval, or ends in no quote currency that is known.
    """
    symbol, *rest = path.name.removesuffix(path.suffix).split("-")
    timeframe = next((Timeframe(word) for word in rest if word in set(Timeframe)), None)
    if timeframe is None:
        raise DataError(f"{path}: its name says no interval ({', '.join(Timeframe)}).", _NAME_REMEDY)
    return _split(symbol.upper(), path), timeframe


def _split(symbol: str, path: Path) -> str:
    base, mark, quote = symbol.partition("_")
    if base and quote:
        return f"{base}/{quote}"
    for known in sorted(QUOTES, key=len, reverse=True):
        if not mark and symbol.endswith(known) and symbol != known:
            return f"{symbol.removesuffix(known)}/{known}"
    raise DataError(f"{path}: {symbol!r} does not end in a quote currency ({', '.join(QUOTES)}).", _NAME_REMEDY)


def read_candles(path: Path) -> Candles:
    """Read a candle file.

    Raises:
        DataError: The file cannot be read, has other columns, or its rows are not in order of time; it names the row.
    """
    candles = read_rows(path)
    if not len(candles):
        raise DataError(f"{path}: it has no rows.", "Give a file with candles.")
    steps = np.diff(candles.open_ms)
    wrong = np.flatnonzero(steps <= 0)
    if len(wrong):
        row = int(wrong[0]) + 2
        problem = "repeats the time of the row before" if steps[wrong[0]] == 0 else "is older than the row before"
        remedy = "Sort the file by timestamp and drop what is there twice; bot data check lists it all."
        raise DataError(f"{path}: row {row} {problem}.", remedy)
    return candles


def read_rows(path: Path) -> Candles:
    """Read a candle file's rows as they are, in whatever order.

    Raises:
        DataError: The file cannot be read, or has other columns.
    """
    symbol, timeframe = parse_name(path)
    table = _table(path)
    names = set(table.column_names)
    if names != set(COLUMNS):
        wrong = [f"no column {name}" for name in COLUMNS if name not in names]
        wrong += [f"an unknown column {name}" for name in sorted(names - set(COLUMNS))]
        raise DataError(f"{path}: it has {', '.join(wrong)}.", f"Its columns must be {', '.join(COLUMNS)}.")
    prices = {name: _numbers(table, name, path) for name in COLUMNS[1:]}
    return Candles(market=symbol, timeframe=timeframe, open_ms=_millis(table, path), **prices)


def _table(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        match path.suffix:
            case ".parquet":
                return parquet.ParquetFile(path).read()
            case ".csv":
                return csv.read_csv(path)
            case _:
                raise DataError(f"{path}: neither a .parquet nor a .csv file.", _NAME_REMEDY)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: it cannot be read ({reason}).", "Check that the file exists and is whole.") from error


def _numbers(table: pa.Table, name: str, path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    import pyarrow as pa

    try:
        column = table.column(name).cast(pa.float64())
    except pa.ArrowException as error:
        raise DataError(
            f"{path}: column {name} is not all numbers.", "Mend the file, or leave the rows out."
        ) from error
    return np.array(column.to_numpy(), dtype=np.float64)


def _millis(table: pa.Table, path: Path) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    import pyarrow as pa

    column = table.column("timestamp")
    try:
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("ms", tz="UTC"), safe=False)
        elif not (pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
            raise DataError(
                f"{path}: column timestamp is {column.type}.", "Write milliseconds since 1970, or UTC times."
            )
        column = column.cast(pa.int64())
    except pa.ArrowException as error:
        raise DataError(f"{path}: column timestamp is not all times.", "Write milliseconds since 1970.") from error
    if column.null_count:
        row = column.is_null().to_pylist().index(True) + 1
        raise DataError(f"{path}: row {row} has no timestamp.", "Mend the row, or leave it out.")
    return np.array(column.to_numpy(), dtype=np.int64)


def write_candles(path: Path, candles: Candles) -> None:
    """Write a candle file, parquet or CSV by its suffix.

    Raises:
        DataError: The name does not say this market and timeframe, or the suffix is another one.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    if parse_name(path) != (candles.market, candles.timeframe):
        name = f"{candles.market.replace('/', '')}-{candles.timeframe}{path.suffix}"
        raise DataError(f"{path}: it would hold {candles.market} {candles.timeframe}.", f"Name it {name}.")
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

    Raises:
        DataError: The file cannot be read at all, or has other columns.
    """
    candles = read_rows(path)
    order = np.sort(candles.open_ms)
    return FileReport(
        market=candles.market,
        timeframe=candles.timeframe,
        rows=len(candles),
        first=from_millis(int(order[0])) if len(order) else None,
        last=from_millis(int(order[-1])) + candles.timeframe.duration if len(order) else None,
        findings=(*_order_findings(candles), *_gap_findings(candles), *_price_findings(candles)),
    )


def _order_findings(candles: Candles) -> list[Issue]:
    steps = np.diff(candles.open_ms)
    off_grid = candles.open_ms % min(candles.timeframe.millis, Timeframe.D1.millis) != 0
    return [
        *_listed("unsorted", np.flatnonzero(steps < 0) + 1, candles, "is older than the row before"),
        *_listed("duplicate", np.flatnonzero(steps == 0) + 1, candles, "repeats the time of the row before"),
        *_listed("off-grid", np.flatnonzero(off_grid), candles, f"does not open on a {candles.timeframe} boundary"),
    ]


def _gap_findings(candles: Candles) -> list[Issue]:
    times = np.unique(candles.open_ms)
    missing = np.diff(times) // candles.timeframe.millis - 1
    gaps = np.flatnonzero(missing > 0)
    found = [
        Issue(kind="gap", detail=f"{missing[at]} candles are missing after {_time(int(times[at]))}")
        for at in gaps[:_SHOWN]
    ]
    rest = gaps[_SHOWN:]
    if len(rest):
        found.append(Issue(kind="gap", detail=f"and {len(rest)} more gaps with {missing[rest].sum()} candles"))
    return found


def _price_findings(candles: Candles) -> list[Issue]:
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    columns = np.vstack([prices, candles.volume])
    absent = ~np.isfinite(columns).all(axis=0)
    negative = ~absent & ((prices <= 0).any(axis=0) | (candles.volume < 0))
    outside = (candles.high < prices.max(axis=0)) | (candles.low > prices.min(axis=0))
    return [
        *_listed("not a number", np.flatnonzero(absent), candles, "has a price or volume that is no number"),
        *_listed("negative", np.flatnonzero(negative), candles, "has a price or volume that cannot be"),
        *_listed("inconsistent", np.flatnonzero(outside & ~absent), candles, "opens or closes outside low to high"),
    ]


def _listed(kind: str, rows: np.ndarray[tuple[int], np.dtype[np.intp]], candles: Candles, what: str) -> list[Issue]:
    found = [
        Issue(kind=kind, detail=f"row {row + 1} ({_time(int(candles.open_ms[row]))}) {what}") for row in rows[:_SHOWN]
    ]
    if len(rows) > _SHOWN:
        found.append(Issue(kind=kind, detail=f"and {len(rows) - _SHOWN} more rows like these"))
    return found


def _time(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%d %H:%M}"
