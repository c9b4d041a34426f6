"""The columns of a candle file as arrays; what is no time or no number is refused with its row."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.candle_times import MILLISECONDS, UNITS, BadTime, TimeUnit, date_of, millis_of, number_of
from engine.data.unreadable import unreadable
from engine.domain.errors import DataError
from engine.domain.printable import printable

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from engine.domain.market import Floats, Millis

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
SUFFIXES = (".parquet", ".csv", ".csv.gz")
_TIME_REMEDY = (
    "Write times as UTC dates, or as numbers since 1970 in one unit; bot data import reads dumps that mix them."
)
_WIDTH_REMEDY = "Write numbers with a point, and close what a quotation mark opens."
_UNIT_OF = {"s": UNITS[0], "ms": UNITS[1], "us": UNITS[2], "ns": UNITS[3]}


def read_columns(path: Path) -> tuple[Millis, dict[str, Floats]]:
    """When each candle opens, and the numbers of every other column by its name.

    Raises:
        DataError: The file cannot be read, has other columns, or a row holds what is no time or no number.
    """
    table, names = _table(path)
    if sorted(names) != sorted(COLUMNS):
        wrong = [f"no column {name}" for name in COLUMNS if name not in names]
        wrong += [f"an unknown column {name}" for name in sorted(set(names) - set(COLUMNS))]
        wrong += [f"{names.count(name)} columns {name}" for name in COLUMNS if names.count(name) > 1]
        raise DataError(f"{path}: it has {printable(', '.join(wrong))}.", f"Its columns must be {', '.join(COLUMNS)}.")
    numbers = {name: _numbers(table.column(name), name, path) for name in COLUMNS[1:]}
    return _millis(table.column("timestamp"), path), numbers


def _table(path: Path) -> tuple[pa.Table, list[str]]:
    import pyarrow as pa
    from pyarrow import csv, parquet

    if not path.name.endswith(SUFFIXES):
        raise DataError(f"{path}: it ends in none of {', '.join(SUFFIXES)}.", "Give a candle file.")
    try:
        table = parquet.ParquetFile(path).read() if path.suffix == ".parquet" else csv.read_csv(path)
        return table, list(table.column_names)
    except pa.ArrowInvalid as error:
        raise _other_width(path) or unreadable(path, error) from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error


def _other_width(path: Path) -> DataError | None:
    """The refusal of the first row with more or fewer fields than the header; only a single thread counts rows."""
    import pyarrow as pa
    from pyarrow import csv

    found: list[csv.InvalidRow] = []

    def note(row: csv.InvalidRow) -> str:
        found.append(row)
        return "error"

    if path.suffix != ".parquet":
        with suppress(pa.ArrowInvalid):
            csv.read_csv(path, csv.ReadOptions(use_threads=False), csv.ParseOptions(invalid_row_handler=note))
    for row in found[:1]:
        said = f"it has {row.actual_columns} fields, not {row.expected_columns}: {row.text!r:.80}"
        return DataError(f"{path}: row {row.number - 1}: {said}.", _WIDTH_REMEDY)
    return None


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> Floats:
    import pyarrow as pa

    try:
        if pa.types.is_boolean(column.type):
            raise pa.ArrowInvalid(f"{name} is {column.type}")
        return np.array(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    except pa.ArrowException as error:
        row, value = next((at, each) for at, each in enumerate(column.to_pylist(), 1) if not _is_number(each))
        raise DataError(
            f"{path}: row {row}: its {name} is {str(value)!r:.80}, which is no number.",
            "Mend the row, or leave it out.",
        ) from error


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return value is None
    return not isinstance(value, bool)


def _millis(column: pa.ChunkedArray, path: Path) -> Millis:
    if column.null_count:
        row = column.is_null().to_pylist().index(True) + 1
        raise DataError(f"{path}: row {row} has no timestamp.", "Mend the row, or leave it out.")
    try:
        times, unit = _times(column, path)
        return millis_of(times, unit)
    except BadTime as bad:
        raise DataError(f"{path}: row {bad.index + 1} {bad.detail}.", _TIME_REMEDY) from None


def _times(column: pa.ChunkedArray, path: Path) -> tuple[NDArray[Any], TimeUnit | None]:
    """The times as numbers, and their unit where the column's type tells it."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        return column.cast(pa.int64()).to_numpy(), _UNIT_OF[kind.unit]
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy(), _UNIT_OF["s"]
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column.to_numpy(), None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(column.to_pylist())
    if pa.types.is_null(kind):
        return np.empty(0, dtype=np.int64), None
    raise DataError(f"{path}: column timestamp is {kind}.", _TIME_REMEDY)


def _texts(texts: list[str]) -> tuple[NDArray[Any], TimeUnit]:
    """Times that are text: all of them dates, or all of them numbers in one unit."""
    found = []
    first: TimeUnit | None = None
    for index, text in enumerate(texts):
        millis, unit = _text(text.strip(), index)
        first = first or unit
        if unit != first:
            raise BadTime(index, f"has the time {text!r}, which is in {unit.name}; the rows before are in {first.name}")
        found.append(millis)
    return np.array(found, dtype=np.int64), MILLISECONDS


_DATES = TimeUnit(name="dates", times=1, millis=1)


def _text(text: str, index: int) -> tuple[int, TimeUnit]:
    try:
        return number_of(text) if text.replace(".", "", 1).lstrip("-").isdigit() else (date_of(text), _DATES)
    except ValueError as error:
        raise BadTime(index, f"has the time {text!r}, which {error}") from None
