"""Candle dumps made into candle files: reading the CSV, writing ``SYMBOL-INTERVAL.parquet`` and its report.

The rules are in ``engine.analysis.cleaning``. The report, ``SYMBOL-INTERVAL.report.csv``, names every repair and every
refused row by its line in the dump.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.analysis.cleaning import Cleaned, clean, unusable
from engine.analysis.dump_rows import Clock, Finding, Record, plain
from engine.data.files import file_name, parse_name, write_candles
from engine.data.unreadable import unreadable
from engine.domain.errors import DataError
from engine.domain.market import Timeframe
from engine.domain.printable import printable

REPORT = ".report.csv"
"""How the name of a report ends, in the place of its candle file's suffix."""
_ALIASES = {
    "unix": ("unix", "unix timestamp", "timestamp"),
    "date": ("date", "datetime"),
    "symbol": ("symbol",),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
}
_PRICES = ("open", "high", "low", "close")
_PREAMBLE = 10
"""How many lines before the header are looked through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """A dump as text.

    Attributes:
        volumes: What its columns of volumes are called, as they stand.
        records: Its rows; the first column of volumes is taken for the base currency.
        findings: Lines that are no rows.
    """

    volumes: tuple[str, ...]
    records: tuple[Record, ...]
    findings: tuple[Finding, ...]

    @property
    def rows(self) -> int:
        """How many lines should have been rows."""
        return len(self.records) + sum(finding.refused for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a dump, and where it is now.

    Attributes:
        rows: How many lines of the dump should have been rows.
        path: The candle file.
        report: The file that names every finding.
    """

    rows: int
    path: Path
    report: Path
    cleaned: Cleaned


def import_dump(
    path: Path,
    out: Path,
    *,
    symbol: str | None = None,
    timeframe: Timeframe | None = None,
    trust: Clock | None = None,
    force: bool = False,
    taken: Collection[Path] = (),
) -> Imported:
    """Make a candle file of a dump, ``.csv`` or ``.csv.gz``.

    Args:
        path: The dump.
        out: The folder for the candle file and its report.
        symbol: The market, where the dump does not say it or holds several.
        timeframe: The length of a candle, where the rows do not tell it.
        trust: The column to believe where unix and date differ; without it such rows are refused.
        force: Whether files that are there are replaced.
        taken: Candle files that other dumps have just become; these are never replaced.

    Raises:
        DataError: The dump cannot be read, no row of it can be used, or the files are there already.
    """
    dump = read_dump(path)
    if not dump.rows:
        raise DataError(f"{path}: it has no rows.", "Give a file with candles.")
    market = _market(path, dump, symbol)
    try:
        cleaned = clean(_base_first(path, dump, market), market, timeframe, trust, dump.findings)
        if not len(cleaned.candles):
            raise unusable(cleaned.findings)
    except DataError as error:
        raise DataError(f"{path}: {error.message}", error.remedy) from None
    target = out / file_name(market, cleaned.candles.timeframe)
    report = target.with_suffix(REPORT)
    if target in taken:
        raise DataError(f"{path}: another of these dumps has just become {target}.", "Give it another --out.")
    _write(cleaned, target, report, force=force)
    return Imported(rows=dump.rows, path=target, report=report, cleaned=cleaned)


def read_dump(path: Path) -> Dump:
    """Read a dump's rows as text: finds the header, and names what is no row.

    Raises:
        DataError: The file cannot be read, or has no header with the columns that are needed.
    """
    reader = csv.reader(io.StringIO(_text(path)))
    findings: list[Finding] = []
    records: list[Record] = []
    columns, header = None, [""]
    try:
        for fields in reader:
            line, fields = reader.line_num, [field.strip() for field in fields]  # noqa: PLW2901 - the same, without blanks
            if columns is None:
                columns, header = _columns(fields, path), fields
                if columns is None:
                    findings.append(
                        Finding(line=line, kind="line before the header", detail=f"{_shown(fields)}; dropped")
                    )
                    if line >= _PREAMBLE:
                        break
            elif not any(fields):
                findings.append(Finding(line=line, kind="empty line", detail="dropped"))
            elif len(fields) != len(header):
                detail = f"has {len(fields)} fields, not {len(header)}: {_shown(fields)}"
                findings.append(Finding(line=line, kind="fields", detail=detail, refused=True))
            else:
                records.append(Record(line=line, **{name: fields[at] for name, at in columns.items()}))
    except csv.Error as error:
        raise DataError(
            f"{path}: line {reader.line_num} is no CSV ({error}).", "Check that the file is whole."
        ) from None
    if columns is None:
        remedy = "It needs unix or date, open, high, low, close and a volume."
        raise DataError(f"{path}: its first {_PREAMBLE} lines hold no header.", remedy)
    volumes = tuple(header[columns[name]] for name in ("volume", "quote_volume") if name in columns)
    return Dump(volumes=volumes, records=tuple(records), findings=tuple(findings))


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error


def _columns(fields: Sequence[str], path: Path) -> Mapping[str, int] | None:
    """Where each column is; ``None`` where this line is no header."""
    names = [field.lower() for field in fields]
    if not set(_PRICES) <= set(names):
        return None
    found = {
        column: names.index(name) for column, aliases in _ALIASES.items() for name in aliases[::-1] if name in names
    }
    volumes = [at for at, name in enumerate(names) if name.partition(" ")[0] == "volume"]
    if not volumes or len(volumes) > len(("base", "quote")) or not found.keys() & {"unix", "date"}:
        remedy = "It needs unix or date, and volume in the base currency, alone or with that in the quote currency."
        raise DataError(f"{path}: its columns are {printable(', '.join(fields))}.", remedy)
    return found | dict(zip(("volume", "quote_volume"), volumes, strict=False))


def _market(path: Path, dump: Dump, given: str | None) -> str:
    said = {plain(record.symbol): record.symbol for record in dump.records if record.symbol}
    if given is None and len(said) != 1:
        what = (
            f"holds {printable(', '.join(sorted(said.values())[:5]))}" if said else "does not say which market it is of"
        )
        raise DataError(f"{path}: it {what}.", "Say which with --symbol, e.g. BTC/USDT.")
    text = given or next(iter(said.values()))
    try:
        return parse_name(Path(f"{text.replace('/', '_').replace('-', '_')}-{Timeframe.H1}.csv"))[0]
    except DataError:
        raise DataError(f"{path}: {text!r} is no market.", "Say it with --symbol, e.g. BTC/USDT.") from None


def _base_first(path: Path, dump: Dump, symbol: str) -> Sequence[Record]:
    """The rows with their volumes as the header calls them; whether it is right, the prices tell later."""
    base = plain(symbol.partition("/")[0])
    currencies = [plain(name.partition(" ")[2]) for name in dump.volumes]
    if currencies[0] in {"", base}:
        return dump.records
    if len(currencies) == 1:
        raise DataError(f"{path}: its only volume is {dump.volumes[0]!r}.", f"It needs a volume in {base}.")
    if currencies[1] not in {"", base}:
        raise DataError(f"{path}: neither {' nor '.join(map(repr, dump.volumes))} is in {base}.", "Check --symbol.")
    return [replace(each, volume=each.quote_volume or "", quote_volume=each.volume) for each in dump.records]


def _write(cleaned: Cleaned, target: Path, report: Path, *, force: bool) -> None:
    """Write both files, or none of them."""
    there = [str(path) for path in (target, report) if path.exists()]
    if there and not force:
        raise DataError(f"{' and '.join(there)}: already there.", "Give --force to replace, or another --out.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".import-") as folder:
            candles, findings = Path(folder) / target.name, Path(folder) / report.name
            write_candles(candles, cleaned.candles)
            _write_report(findings, cleaned)
            findings.replace(report)
            candles.replace(target)
    except OSError as error:
        raise DataError(f"{target}: it cannot be written ({error}).", "Give another --out.") from error


def _write_report(path: Path, cleaned: Cleaned) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "outcome", "kind", "detail"))
        for each in cleaned.findings:
            writer.writerow((each.line or "", "refused" if each.refused else "repaired", each.kind, each.detail))
        for remark in cleaned.remarks:
            writer.writerow(("", "remark", "", remark))


def _shown(fields: Sequence[str]) -> str:
    text = ",".join(fields)
    return repr(text if len(text) <= 80 else f"{text[:77]}...")  # noqa: PLR2004 - a line of a terminal
