"""A venue's history on this machine: which series are wanted, and filling them from the venue, without a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from bot.lock import locked
from config.markets import ExchangeSettings
from config.settings import Settings
from engine.data.downloading import Downloader, Filled
from engine.data.history import HistoryFile
from engine.data.history_series import Series, series_of
from engine.domain.errors import BadInput, DataError
from engine.domain.market import Timeframe
from engine.exchanges.ccxt.client import VenueClient, check_exchange, known_exchanges
from engine.exchanges.ccxt.parsing import Listing
from engine.timing.clocks import WallClock

USUAL_VENUE = "binance"
USUAL_SHARE = 0.3
"""How much of what the venue allows a download uses: the rest is for a bot that runs on the same address."""
_JUST_CLOSED = timedelta(seconds=5)
"""How long after its close a candle is left for the next download: venues are a little late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be downloaded.

    Attributes:
        markets: Symbols, and patterns of them such as ``*/USDT``; none for those that the contexts trade.
        since: From when on; ``None`` for what a file has, and ``usual`` where there is none.
        usual: From when on a series is wanted that is not there yet.
        until: Up to when; ``None`` for now.
        share: How much of what the venue allows is used, as a fraction.
    """

    venue: str
    markets: Sequence[str]
    timeframes: Sequence[Timeframe]
    since: datetime | None
    usual: datetime
    until: datetime | None
    folder: Path
    share: float = USUAL_SHARE


def venue_of(settings: Settings, asked: str | None) -> str:
    """The venue that is meant: as it is said, else the one that the contexts trade on."""
    return asked or settings.exchange[0] or USUAL_VENUE


def history_client(settings: Settings, venue: str, share: float) -> VenueClient:
    """The way to a venue for its history.

    Raises:
        ConfigError: ccxt does not know it.
    """
    asked = settings.exchanges.get(venue, ExchangeSettings())
    check_exchange(asked.venue or venue, known_exchanges())
    return VenueClient(
        exchange=asked.venue or venue,
        api_url=asked.api_url,
        answer_within=asked.answer_within,
        clock=WallClock(),
        share=share,
    )


async def download(
    client: VenueClient,
    asked: Asked,
    *,
    is_stopped: Callable[[], bool],
    on_begin: Callable[[Sequence[Series]], None],
    on_done: Callable[[int], None],
    on_wait: Callable[[str], None],
) -> list[Filled]:
    """Fill every series that is asked for, up to now.

    Args:
        client: The way to the venue; it is closed afterwards.
        asked: What is to be downloaded.
        is_stopped: Whether somebody wants it to end.
        on_begin: Told which series there are, before the first candle.
        on_done: As of ``Downloader``.
        on_wait: As of ``Downloader``.

    Raises:
        GreenlightError: The venue cannot be reached or has no such market or timeframe, or a file cannot be read.
    """
    try:
        await client.open()
        listed = await client.listings()
        _check_timeframes(asked.timeframes, client)
        now = WallClock().now() + timedelta(seconds=min(client.skew or 0.0, 0.0)) - _JUST_CLOSED
        series = list(_series(asked, chosen(asked.markets, listed, client.name), min(asked.until or now, now)))
        on_begin(series)
        filling = Downloader(source=client, is_stopped=is_stopped, on_done=on_done, on_wait=on_wait)
        return await filling.fill(series)
    finally:
        await client.close()


@contextmanager
def only_download(folder: Path, venue: str) -> Iterator[None]:
    """Be the only one who downloads from a venue into a folder.

    Raises:
        DataError: Another one does.
    """
    message = "The files are being written: another download ({}) is at work in {}."

    def in_use(who: str) -> DataError:
        return DataError(message.format(who, folder / venue), "Wait for it, or stop it.")

    with locked(folder / venue, in_use):
        yield


def chosen(asked: Iterable[str], listed: Mapping[str, Listing], venue: str) -> list[str]:
    """The markets that are meant, each once: those that are named, and those traded now that match a pattern.

    Raises:
        BadInput: There is none of a name, or nothing matches a pattern.
    """
    found: list[str] = []
    for each in asked:
        word = each.upper()
        if "*" in word or "?" in word:
            matching = sorted(name for name, own in listed.items() if own.trading and fnmatchcase(name, word))
            if not matching:
                raise BadInput(f"{venue} trades no market like {each}.", "Write a pattern like '*/USDT'.")
            found += matching
        elif word in listed:
            found.append(word)
        else:
            near = get_close_matches(word, listed, n=1)
            raise BadInput(
                f"{venue} has no market {each}.", f"Did you mean {near[0]}?" if near else "Write it like BTC/USDT."
            )
    return list(dict.fromkeys(found))


def _check_timeframes(asked: Iterable[Timeframe], client: VenueClient) -> None:
    for timeframe in asked:
        if timeframe not in client.timeframes:
            has = ", ".join(each for each in Timeframe if each in client.timeframes)
            raise BadInput(f"{client.name} has no {timeframe} candles.", f"It has {has}.")


def _series(asked: Asked, markets: Iterable[str], until: datetime) -> Iterator[Series]:
    for symbol in markets:
        for timeframe in asked.timeframes:
            file = HistoryFile(folder=asked.folder, venue=asked.venue, symbol=symbol, timeframe=timeframe)
            since = asked.since or (None if file.path.exists() else asked.usual)
            yield series_of(file, since, until)
