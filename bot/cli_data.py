"""The commands under ``bot data``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import PydanticCustomError

from bot.cli_config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from config.kinds import parse_duration
from engine.domain.errors import BadInput, GreenlightError

app = typer.Typer(help="Make and check candle files.", no_args_is_help=True)


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
    from engine.exchanges.files import write_candles

    settings = load_or_exit(profile, config, {"market": {"seed": seed}}).settings
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
def check(files: Annotated[list[Path], typer.Argument(help="Candle files.")]) -> None:
    """Say what is in candle files, and everything that is wrong with them."""
    from engine.exchanges.files import check_file

    failed = False
    for path in files:
        try:
            report = check_file(path)
        except GreenlightError as error:
            typer.echo(str(error), err=True)
            failed = True
            continue
        typer.echo(f"{path}: {report.rows} candles, {_day(report.first)} to {_day(report.last)}")
        for finding in report.findings:
            typer.echo(f"  {finding.kind}: {finding.detail}")
        failed = failed or bool(report.findings)
    if failed:
        raise typer.Exit(1)


def _length(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except PydanticCustomError:
        raise BadInput(f"--length {text!r} is no length of time.", "Write it like 90d or 12h.") from None


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else "never"
