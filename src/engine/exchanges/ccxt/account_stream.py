"""What a venue tells by itself of an account's orders, over its websocket, through ccxt.pro, where it has one.

It only says that something happened in a market. What happened is read off the account's trades, as at every look: a
stream may lose, double and reorder.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import aiohttp

from engine.domain.errors import VenueError
from engine.exchanges.ccxt.keys import VenueKeys
from engine.exchanges.ccxt.wire import Gate, hear_all, hosts, let_go, redirected


class AccountStream:
    """The news of an account, for as long as its connection holds.

    Args:
        name: The venue, for people.
        venue: ccxt's client of the venue, with keys and markets; it is this stream's own.
        session: What it connects with; also its own.
    """

    def __init__(self, name: str, venue: Any, session: aiohttp.ClientSession) -> None:
        self._name = name
        self._venue = venue
        self._session = session

    async def news(self) -> frozenset[str]:
        """Wait until something happens to an order; the markets where it did.

        Raises:
            VenueError: The connection is lost, or what came is nonsense.
        """
        from ccxt.base import errors

        try:
            return frozenset(str(each["symbol"]) for each in await self._venue.watch_orders())
        except errors.BaseError as error:
            raise VenueError(f"{self._name}'s stream of orders is lost ({type(error).__name__}).") from None
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise VenueError(f"{self._name}'s stream of orders tells nonsense ({type(error).__name__}).") from None

    async def close(self) -> None:
        """Let go of every connection."""
        await let_go(self._venue, self._session)


def open_account_stream(
    *,
    name: str,
    exchange: str,
    keys: VenueKeys,
    markets: Iterable[Mapping[str, Any]],
    root: str | None,
    sandbox: bool,
    behind_ms: int,
    gate: Gate,
) -> AccountStream | None:
    """The stream of an account's orders; ``None`` where ccxt knows none. Nothing is connected yet.

    Args:
        name: The venue, for people.
        exchange: Its id in ccxt.
        keys: Those of the account.
        markets: Its markets, as ccxt has parsed them.
        root: Another server in its place; ``None`` for the venue's own.
        sandbox: Whether its test net is meant.
        behind_ms: How far the venue's clock is behind ours, in milliseconds.
        gate: Lets connections go to the venue's hosts alone.
    """
    if find_spec(f"ccxt.pro.{exchange}") is None:
        return None
    made = getattr(import_module(f"ccxt.pro.{exchange}"), exchange)
    if made().has.get("watchOrders") is not True:
        return None
    session = aiohttp.ClientSession(middlewares=(gate,), trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
    venue = made({**keys.as_ccxt_has_them(), "session": session, "ssl_context": ssl.create_default_context()})
    venue.newUpdates = True
    venue.options["timeDifference"] = behind_ms
    if sandbox and not root:
        venue.set_sandbox_mode(True)
    if root:
        venue.urls["api"] = redirected(venue.urls["api"], root)
    gate.allow(hosts(venue.urls["api"], venue.hostname or ""))
    venue.set_markets(list(markets))
    hear_all(venue)
    return AccountStream(name, venue, session)
