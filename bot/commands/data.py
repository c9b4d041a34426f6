"""The commands under ``bot data``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import PydanticCustomError

from bot.commands import data_history
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from config.kinds import parse_duration
from engine.analysis.cleaning import Cleaned
from engine.analysis.dump_rows import Clock, Finding
from engine.domain.errors import BadInput, GreenlightError
from engine.domain.market import Timeframe

app = typer.Typer(help="Download, make, import and check candle files.", no_args_is_help=True)
app.command()(data_history.download)
app.command("list")(data_history.list_)
_SHOWN = 3
"""How many findings of one kind are shown; the report has them all."""


@app.command()
def generate(
    out: Annotated[Path, typer.Argument(help="A folder; one file a market is written there.")],
    profile: ProfileOption = None,
    config: ConfigOption = None,
    length: Annotated[str, typer.Option(help="How much market time, e.g. 90d.")] = "90d",
    seed: Annotated[int | None, typer.Option(help="Another seed, another market.")] = None,
    kind: Annotated[str, typer.Option(help="parquet or csv.")] = "parquet",
) -> None:
    """Write the generated market of a profile as candle files, SYMBOL-INTERVAL."""
    from bot.markets import generated_feed
    from engine.data.files import write_candles

    settings = load_or_exit(profile, config, {} if seed is None else {"market": {"seed": seed}}).settings
    try:
        span = _length(length)
        feed = generated_feed(settings)
        until = settings.market.start + span
        for symbol, market in feed.markets.items():
            candles = feed.candles(symbol, feed.timeframe, until, int(span / feed.timeframe.duration))
            path = out / f"{market.base}{market.quote}-{feed.timeframe}.{kind}"
            out.mkdir(parents=True, exist_ok=True)
            write_candles(path, candles)
            typer.echo(f"{path}: {len(candles)} candles")
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Candle files, and folders of them; all that is downloaded.")
    ] = None,
) -> None:
    """Say what is in candle files, and everything that is wrong with them."""
    from engine.data.files import check_file

    failed = False
    for path in _files(files or [data_history.FOLDER]):
        try:
            report = check_file(path)
        except GreenlightError as error:
            typer.echo(str(error), err=True)
            failed = True
            continue
        told = f"{report.rows} candles, {_day(report.first)} to {_day(report.last)}" if report.rows else "no candles"
        typer.echo(f"{path}: {told}")
        for finding in report.findings:
            typer.echo(f"  {finding.kind}: {finding.detail}")
        failed = failed or bool(report.findings)
    if failed:
        raise typer.Exit(1)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Dumps, .csv or .csv.gz, as CryptoDataDownload makes them.")],
    out: Annotated[Path, typer.Option(help="The folder for candle files and reports.")] = Path(),
    symbol: Annotated[str | None, typer.Option(help="The market, where a dump does not say it: BTC/USDT.")] = None,
    timeframe: Annotated[
        Timeframe | None, typer.Option(help="How long a candle is, where its rows do not tell.")
    ] = None,
    trust: Annotated[Clock | None, typer.Option(help="Which column to believe where unix and date differ.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Make candle files of CSV dumps; every repair and every refused row is named.

    The report beside each candle file, SYMBOL-INTERVAL.report.csv, has all of them; here are the first of each kind.
    """
    from engine.data.importing import import_dump

    failed = False
    written: list[Path] = []
    for path in files:
        try:
            done = import_dump(path, out, symbol=symbol, timeframe=timeframe, trust=trust, force=force, taken=written)
        except GreenlightError as error:
            typer.echo(str(error), err=True)
            failed = True
            continue
        written.append(done.path)
        typer.echo(f"{done.path}: {len(done.cleaned.candles)} candles of {done.rows} rows in {path}")
        for line in _outcome(done.cleaned):
            typer.echo(f"  {line}")
        typer.echo(f"  all of it: {done.report}")
    if failed:
        raise typer.Exit(REFUSED)


def _files(places: Sequence[Path]) -> Iterator[Path]:
    """The files that are named, and those in the folders that are."""
    for place in places:
        if not place.is_dir():
            yield place
        else:
            yield from sorted(path for path in place.rglob("*") if _is_candles(path))


def _is_candles(path: Path) -> bool:
    """Whether a file of a folder is one of candles, and not what an import has told of one."""
    from engine.data.importing import REPORT

    is_one = path.name.endswith((".parquet", ".csv", ".csv.gz"))
    return is_one and not path.name.startswith(".") and not path.name.endswith(REPORT)


def _outcome(cleaned: Cleaned) -> Iterator[str]:
    """The count of each kind of finding with its first rows, then what holds for all."""
    for word, refused in (("refused", True), ("repaired", False)):
        kinds: dict[str, list[Finding]] = {}
        for finding in cleaned.findings:
            if finding.refused == refused:
                kinds.setdefault(finding.kind, []).append(finding)
        for kind, found in kinds.items():
            yield f"{word}, {kind}: {len(found)}"
            for finding in found[:_SHOWN]:
                yield f"  {f'line {finding.line}: ' if finding.line else ''}{finding.detail}"
    yield from (f"note: {remark}" for remark in cleaned.remarks)


def _length(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except PydanticCustomError:
        raise BadInput(f"--length {text!r} is no length of time.", "Write it like 90d or 12h.") from None


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
