"""A venue's newest bids and asks over its websocket, through ccxt.pro, where it has them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import aiohttp

from engine.domain.errors import VenueError
from engine.exchanges.ccxt.parsing import Quote, quote
from engine.exchanges.ccxt.wire import hear_all, let_go, redirected

PER_SOCKET = 100
"""Markets that are watched over one connection; venues refuse more than a few hundred."""
_KINDS = {"watchTickers": ("watch_tickers", "tickers"), "watchBidsAsks": ("watch_bids_asks", "bidsasks")}
"""What is watched, by what ccxt says that a venue has: tickers come once a second, bids and asks at each change."""


class QuoteStream:
    """The newest quotes of some markets, for as long as its connections hold.

    Args:
        venue: ccxt's client of the venue, with its markets; it is this stream's own.
        session: What it connects with; also its own.
        watch: The method of the client that waits for news.
        kept: The attribute in which it keeps them, by symbol.
    """

    def __init__(self, venue: Any, session: aiohttp.ClientSession, watch: str, kept: str) -> None:
        self._venue = venue
        self._session = session
        self._watch = getattr(venue, watch)
        self._kept = kept

    async def news(self, symbols: Sequence[str], within: float) -> list[Quote]:
        """Wait until one of some markets has news, unless one came since the last time; the newest quote of each.

        Raises:
            VenueError: The connection is lost, nothing has come for so many seconds, or what came is nonsense.
        """
        from ccxt.base import errors

        name = self._venue.id
        try:
            kept = getattr(self._venue, self._kept)
            if not any(symbol in kept for symbol in symbols):
                async with asyncio.timeout(within):
                    await self._watch(list(symbols))
            return [found for symbol in symbols if symbol in kept and (found := quote(symbol, kept.pop(symbol)))]
        except TimeoutError:
            raise VenueError(f"{name}'s websocket has said nothing for {within:.0f} s.") from None
        except errors.BaseError as error:
            raise VenueError(f"{name}'s websocket is lost ({type(error).__name__}).") from None
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise VenueError(f"{name}'s websocket tells nonsense ({type(error).__name__}).") from None

    async def close(self) -> None:
        """Let go of every connection."""
        await let_go(self._venue, self._session)


def open_stream(name: str, markets: Iterable[Mapping[str, Any]], root: str | None, within: float) -> QuoteStream | None:
    """A stream of a venue's quotes; ``None`` where ccxt knows none of it. Nothing is connected yet.

    Args:
        name: The venue's id in ccxt.
        markets: Its markets, as ccxt has parsed them.
        root: Another server in its place; ``None`` for the venue's own.
        within: Seconds for one connection.
    """
    if find_spec(f"ccxt.pro.{name}") is None:
        return None
    made = getattr(import_module(f"ccxt.pro.{name}"), name)
    kind = next((own for each, own in _KINDS.items() if made().has.get(each)), None)
    if kind is None:
        return None
    session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
    venue = made(
        {
            "session": session,
            "ssl_context": ssl.create_default_context(),
            "timeout": int(within * 1000),
            "options": {"watchTickers": {"name": "ticker"}},  # Binance's usual ones have no bid and ask
        }
    )
    venue.set_markets(list(markets))
    hear_all(venue)
    if root:
        venue.urls["api"] = redirected(venue.urls["api"], root)
    return QuoteStream(venue, session, *kind)
