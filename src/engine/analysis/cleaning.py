"""A candle dump's rows made into candles: repaired where that is certain, refused where it is not, all of it named.

    records ─▶ rows ─▶ grid ─▶ order ─▶ one row a candle ─▶ no stray open ─▶ candles

Nothing is filled in. A missing candle stays missing, and a wrong open takes its candle with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.analysis.dump_rows import Clock, Finding, Record, Row, read_row
from engine.domain.errors import DataError
from engine.domain.figures import plain as digits
from engine.domain.market import Candles, Timeframe, from_millis

_STRAY = 2.0
"""From this ratio to the prices around it, an open is looked at."""
_TRADED_THERE = 0.01
"""A share of the volume that, had it traded at the open, makes the open real."""
_CARRIED = 0.8
"""From this share of opens equal to the close before, they are no first trades."""
_FEWEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What became of a dump.

    Attributes:
        candles: What is left, oldest first, one row a candle.
        findings: Every repair and every refused row, by line.
        remarks: What holds for the candles as a whole and could not be changed.
    """

    candles: Candles
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]


def clean(
    records: Iterable[Record],
    symbol: str,
    timeframe: Timeframe | None = None,
    trust: Clock | None = None,
    found: Sequence[Finding] = (),
) -> Cleaned:
    """Make candles of a dump's rows.

    Args:
        records: The rows as text, in the order of the file.
        symbol: The market, ``BASE/QUOTE``.
        timeframe: The length of a candle; told by the distance of the rows where it is not given.
        trust: The column to believe where unix and date differ; without it such rows are refused.
        found: What was found already while the file was read: these are findings as well.

    Raises:
        DataError: The timeframe cannot be told.
    """
    findings = list(found)
    rows: list[Row] = []
    for record in records:
        row, of_row = read_row(record, symbol, trust)
        findings += of_row
        rows += [row] if row else []
    timeframe = timeframe or told_timeframe(rows, findings)
    rows = _on_grid(rows, timeframe, findings)
    rows = _sorted(rows, findings)
    rows = _merged(rows, timeframe, findings)
    rows = _without_stray_opens(rows, timeframe, findings)
    return Cleaned(
        candles=_candles(rows, symbol, timeframe),
        findings=tuple(_told_once(findings)),
        remarks=tuple(_remarks(rows, timeframe)),
    )


def unusable(findings: Iterable[Finding]) -> DataError:
    """The refusal of a dump of which no row is left, with the reason of the first."""
    refused = _refusals(findings)
    if not refused:
        return DataError("it has no rows.", "Give a file with candles.")
    return DataError(f"none of its {len(refused)} rows can be used. {_first(refused)}", "Mend the file.")


def _refusals(findings: Iterable[Finding]) -> list[Finding]:
    return sorted((each for each in findings if each.refused), key=lambda each: each.line or 0)


def _first(refused: Sequence[Finding]) -> str:
    return f"The first, line {refused[0].line}: {refused[0].detail}."


def told_timeframe(rows: Sequence[Row], findings: Iterable[Finding] = ()) -> Timeframe:
    """The timeframe that more than half of the rows are apart.

    Args:
        rows: Those that could be read.
        findings: Those that could not, which may be why the others tell nothing.

    Raises:
        DataError: There is none.
    """
    if not rows:
        raise unusable(findings)
    times = sorted({row.open_ms for row in rows})
    steps = Counter(after - before for before, after in pairwise(times))
    step, count = steps.most_common(1)[0] if steps else (0, 0)
    found = next((each for each in Timeframe if each.millis == step), None)
    if found is None or 2 * count <= steps.total():
        raise _untold(len(times), len(rows), _refusals(findings))
    return found


def _untold(times: int, rows: int, refused: Sequence[Finding]) -> DataError:
    what = f"rows of {times} different times do not tell how long a candle is."
    if not refused:
        return DataError(f"the {what}", "Give --timeframe, e.g. 1h.")
    words = f"{len(refused)} of its {rows + len(refused)} rows are refused. {_first(refused)} The other {what}"
    return DataError(words, "Mend the file, or give --timeframe, e.g. 1h.")


def _on_grid(rows: list[Row], timeframe: Timeframe, findings: list[Finding]) -> list[Row]:
    grid = min(timeframe.millis, Timeframe.D1.millis)
    findings += [
        _refused(row, "off grid", f"{_time(row)} is no {timeframe} boundary") for row in rows if row.open_ms % grid
    ]
    return [row for row in rows if row.open_ms % grid == 0]


def _sorted(rows: list[Row], findings: list[Finding]) -> list[Row]:
    steps = [after.open_ms - before.open_ms for before, after in pairwise(rows)]
    if any(step < 0 for step in steps):
        words = "newest first" if all(step <= 0 for step in steps) else "in no order"
        findings.append(Finding(line=None, kind="order", detail=f"the rows came {words}; sorted, oldest first"))
    return sorted(rows, key=lambda row: row.open_ms)


def _merged(rows: list[Row], timeframe: Timeframe, findings: list[Finding]) -> list[Row]:
    by_time: dict[int, list[Row]] = {}
    for row in rows:
        by_time.setdefault(row.open_ms, []).append(row)
    merged = []
    for open_ms, same in by_time.items():
        before = {row.close for row in by_time.get(open_ms - timeframe.millis, ())}
        best = max(same, key=lambda row: (row.decimals, -row.line))
        others = [row for row in same if row is not best]
        if all(_repeats(row, best, before) for row in others):
            merged.append(best)
            findings += [_repeated(row, best) for row in others]
        else:
            findings += [_contradicted(row, same) for row in same]
    return merged


def _repeats(row: Row, best: Row, closes_before: set[float]) -> bool:
    """Whether a row says nothing that a finer one does not.

    Some dumps round volumes and put the close before in place of the open, which high and low then reach to.
    """
    if row.values == best.values:
        return True
    return (
        row.close == best.close
        and (row.open == best.open or row.open in closes_before)
        and row.high == max(best.high, row.open)
        and row.low == min(best.low, row.open)
        and row.decimals < best.decimals
        and _rounds_to(best, row)
    )


def _rounds_to(fine: Row, coarse: Row) -> bool:
    base_error, quote_error = coarse.rounding
    slack = 1 + 1e-6  # a half, in floating point
    return (
        abs(fine.volume - coarse.volume) <= base_error * slack
        and abs((fine.quote_volume or 0) - (coarse.quote_volume or 0)) <= quote_error * slack
    )


def _repeated(row: Row, best: Row) -> Finding:
    if row.values == best.values:
        return Finding(line=row.line, kind="duplicate", detail=f"{_time(row)} is line {best.line} once more; dropped")
    detail = f"{_time(row)} is line {best.line} rounded; kept the finer one"
    return Finding(line=row.line, kind="duplicate, rounded", detail=detail)


def _contradicted(row: Row, same: Sequence[Row]) -> Finding:
    others = ", ".join(str(other.line) for other in same if other is not row)
    return _refused(row, "conflict", f"{_time(row)} has other values in line {others}")


def _without_stray_opens(rows: list[Row], timeframe: Timeframe, findings: list[Finding]) -> list[Row]:
    kept: list[Row] = []
    before: Row | None = None
    for row in rows:
        last = before.close if before and before.open_ms == row.open_ms - timeframe.millis else None
        if _is_stray(row, last):
            near = f"{digits(last, 12)} before and " if last else ""
            findings.append(
                _refused(row, "stray open", f"{_time(row)} opens at {digits(row.open, 12)}, {near}{_traded(row)}")
            )
        else:
            kept.append(row)
        before = row
    return kept


def _is_stray(row: Row, close_before: float | None) -> bool:
    """Whether an open agrees with nothing: not its own close, not the close before, not what was traded."""
    far = all(_ratio(row.open, price) > _STRAY for price in (row.close, close_before) if price)
    return far and (not row.quote_volume or not row.volume or _share_at_open(row) <= _TRADED_THERE)


def _ratio(one: float, other: float) -> float:
    return max(one / other, other / one)


def _share_at_open(row: Row) -> float:
    """The greatest share of the volume that can have traded at the open, given the average price of all of it."""
    average = (row.quote_volume or 0) / row.volume
    far_end = row.low if row.open > average else row.high
    return abs(average - far_end) / abs(row.open - far_end) if row.open != far_end else 1.0


def _traded(row: Row) -> str:
    if not row.quote_volume or not row.volume:
        return f"closes at {digits(row.close, 12)}"
    return f"closes at {digits(row.close, 12)}; at most {_share_at_open(row):.1%} of its volume can have traded there"


def _candles(rows: Sequence[Row], symbol: str, timeframe: Timeframe) -> Candles:
    columns = {
        name: np.array([getattr(row, name) for row in rows], dtype=np.float64)
        for name in ("open", "high", "low", "close", "volume")
    }
    times = np.array([row.open_ms for row in rows], dtype=np.int64)
    return Candles(symbol=symbol, timeframe=timeframe, open_ms=times, **columns)


def _told_once(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by line; a row that was refused in the end was not repaired."""
    refused = {finding.line for finding in findings if finding.refused}
    kept = [finding for finding in findings if finding.refused or finding.line not in refused]
    return sorted(kept, key=lambda finding: finding.line or 0)


def _remarks(rows: Sequence[Row], timeframe: Timeframe) -> Iterable[str]:
    steps = [(after.open_ms - before.open_ms) // timeframe.millis for before, after in pairwise(rows)]
    gaps = [step - 1 for step in steps if step > 1]
    if gaps:
        yield f"Candles missing: {sum(gaps)}, in gaps: {len(gaps)}; bot data check says where."
    idle = sum(row.volume == 0 for row in rows)
    if idle:
        yield f"Candles that traded nothing: {idle}."
    carried = sum(after.open == before.close for before, after in pairwise(rows))
    if len(rows) >= _FEWEST and carried >= _CARRIED * len(rows):
        yield f"{carried} of {len(rows)} opens are the close before to the last digit: hardly first trades."
    if rows and rows[0].quote_volume is None:
        yield "There is one volume column only: that it is in the base currency could not be checked."
    if rows:
        yield f"The newest candle, {_time(rows[-1])}, may not have been closed when the dump was made; nothing says."


def _refused(row: Row, kind: str, detail: str) -> Finding:
    return Finding(line=row.line, kind=kind, detail=detail, refused=True)


def _time(row: Row) -> str:
    return f"{from_millis(row.open_ms):%Y-%m-%d %H:%M} UTC"
