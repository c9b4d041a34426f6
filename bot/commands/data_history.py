"""``bot data download`` and ``bot data list``: a venue's history as candle files on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_or_exit
from bot.progress import INTERRUPTED, Progress, stopped_by_ctrl_c
from bot.run_options import DATES
from engine.domain.errors import BadInput, GreenlightError
from engine.domain.market import Timeframe

if TYPE_CHECKING:  # what is slow to import
    from bot.history import Asked
    from config.settings import Settings
    from engine.data.downloading import Filled
    from engine.data.history_series import Series

FOLDER = Path("var/candles")
_USUAL = timedelta(days=730)
"""How far back a series goes that nobody said anything of."""


def download(
    markets: Annotated[
        list[str] | None,
        typer.Argument(
            help="BTC/USDT, or patterns: '*/USDT'; without any, what the contexts trade.", show_default=False
        ),
    ] = None,
    timeframes: Annotated[str, typer.Option(help="Which candles, e.g. 1h,4h,1d.")] = "1h",
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=DATES, show_default=False, help="From when on (UTC); two years, or where a file begins or ends."
        ),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=DATES, show_default=False, help="Up to when (UTC); until now.")
    ] = None,
    venue: Annotated[
        str | None, typer.Option(help="Its id in ccxt; the one that is traded on, else binance.", show_default=False)
    ] = None,
    share: Annotated[
        float,
        typer.Option(min=0.01, max=1.0, help="How much of the venue's limits to use; a running bot has the rest."),
    ] = 0.3,
    out: Annotated[Path, typer.Option(help="The folder; each venue has one of its own in it.")] = FOLDER,
    profile: ProfileOption = None,
    config: ConfigOption = None,
) -> None:
    """Fetch a venue's history as candle files, without a key: only what is not there yet.

    Ctrl-C stops it in good order; the same command goes on where it was, however it ended.
    """
    from bot.history import Asked, only_download, venue_of

    settings = load_or_exit(profile, config, {}).settings
    try:
        asked = Asked(
            venue=venue_of(settings, venue),
            markets=markets or _traded(settings),
            timeframes=_timeframes(timeframes),
            since=_utc(since),
            usual=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - _USUAL,
            until=_utc(until),
            folder=out,
            share=share,
        )
        with only_download(out, asked.venue), stopped_by_ctrl_c() as is_stopped:
            found = _downloaded(settings, asked, is_stopped)
            stopped = is_stopped()
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    _tell(found, stopped=stopped)
    if stopped:
        raise typer.Exit(INTERRUPTED)
    if any(each.error for each in found):
        raise typer.Exit(1)


def list_(
    folder: Annotated[Path, typer.Argument(help="The folder of bot data download.")] = FOLDER,
) -> None:
    """Say which history there is: how much of each series, from when to when, and how much is missing."""
    from engine.data.history import history_files

    try:
        rows = [_row(each.venue, each.symbol, each.timeframe, each.path) for each in history_files(folder)]
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    if not rows:
        typer.echo(f"Nothing has been downloaded to {folder} yet: bot data download BTC/USDT --timeframes 1h,1d")
        return
    header = ("venue", "market", "candles", "count", "from", "to", "missing", "kB")
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (
            cell.rjust(width) if at in _NUMBERS else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        typer.echo("  ".join(cells).rstrip())


_NUMBERS = (3, 6, 7)
"""Which columns of the list are numbers."""


def _row(venue: str, symbol: str, timeframe: Timeframe, path: Path) -> tuple[str, ...]:
    from engine.data.history import extent

    held = extent(path, timeframe)
    size = path.stat().st_size / 1000
    missing = f"{held.missing:,}{' + a hole' if held.holes else ''}"
    ends = (f"{each:%Y-%m-%d %H:%M}" for each in (held.first, held.last))
    return (venue, symbol, timeframe.value, f"{held.rows:,}", *ends, missing, f"{size:,.0f}")


def _timeframes(text: str) -> list[Timeframe]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    wrong = [word for word in words if word not in set(Timeframe)]
    if wrong or not words:
        named = repr(wrong[0] if wrong else text)
        raise BadInput(f"--timeframes: {named} is no timeframe.", f"There are {', '.join(Timeframe)}.")
    return [Timeframe(word) for word in dict.fromkeys(words)]


def _traded(settings: Settings) -> list[str]:
    found = [symbol for context in settings.contexts for symbol in context.markets]
    if not found:
        raise BadInput("No market is named, and no context trades one.", "Name some: bot data download BTC/USDT.")
    return found


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _downloaded(settings: Settings, asked: Asked, is_stopped: Callable[[], bool]) -> list[Filled]:
    """Download with a line of progress, until it is done or Ctrl-C is pressed."""
    from bot.history import download as fill
    from bot.history import history_client

    progress = Progress(0)

    def on_begin(series: Sequence[Series]) -> None:
        nonlocal progress
        count = sum(each.count for each in series)
        typer.echo(f"{len(series)} series from {asked.venue}, {count:,} candles at most that are not here yet")
        progress = Progress(count)

    def on_done(count: int) -> None:
        progress.done(count)

    def on_wait(words: str) -> None:
        progress.done(0, f"; {words}")

    async def run() -> list[Filled]:
        return await fill(
            history_client(settings, asked.venue, asked.share),
            asked,
            is_stopped=is_stopped,
            on_begin=on_begin,
            on_done=on_done,
            on_wait=on_wait,
        )

    try:
        return asyncio.run(run())
    finally:
        progress.close()


def _tell(found: Sequence[Filled], *, stopped: bool) -> None:
    for each in found:
        if each.dropped:
            typer.echo(f"{each.file.path}: {each.dropped} rows left out that can be no candles", err=True)
        if each.error:
            typer.echo(f"{each.file.path}: {each.error}", err=True)
    done = [each for each in found if not each.error]
    typer.echo(f"{sum(each.new for each in found):,} new candles in {len(done)} series")
    if stopped:
        typer.echo("Stopped; the same command goes on from here.")
    elif len(done) < len(found):
        typer.echo(f"{len(found) - len(done)} series are not whole; the same command tries again.", err=True)
