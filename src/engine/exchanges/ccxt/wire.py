"""How a real venue's REST interface is called: within its limits, and with limits of ours on its answers.

ccxt is handed a session of this kind. What ccxt would take as an answer although it is none (a page of HTML under
status 200, half a JSON text, a hundred megabytes) ends here; and where a venue asks for quiet there is no call at all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from engine.domain.errors import VenueError
from engine.exchanges.ccxt.venue_time import VenueTime
from engine.exchanges.headers import Quiet

MOST_BYTES = 64 * 1024 * 1024
"""The longest answer that is read; the list of all markets of a large venue has some 20 MB."""
_CHUNK = 64 * 1024
_WEIGHTS = ("X-MBX-USED-WEIGHT-1M", "X-SAPI-USED-IP-WEIGHT-1M")
"""The headers in which venues tell what was used of a minute's weight: Binance's."""
_BROKEN = 500
"""From this status on nobody knows what the venue did."""
_MOST_WORDS = 300
_CLOSE_WITHIN = 1.0
"""Wall seconds that a venue has to say goodbye: one that hangs must not hold up the end of the program."""


class Gate:
    """Lets requests through unless the venue asked for quiet; reads the venue's time off its answers.

    Args:
        name: The venue, for people.
        monotonic: Wall seconds, for pacing.
        now: The time of this machine.
        quiet: For how long the venue wants to be left alone, where others ask it from here too; ``None`` for its own.
    """

    def __init__(
        self, name: str, *, monotonic: Callable[[], float], now: Callable[[], datetime], quiet: Quiet | None = None
    ) -> None:
        self._name = name
        self._hosts: frozenset[str] | None = None
        self._quiet = quiet or Quiet(name, monotonic=monotonic, now=now)
        self.time = VenueTime(monotonic=monotonic, now=now)
        self.used = ""
        """How much of its limits the venue last said was used; empty where it says nothing of it."""

    def allow(self, hosts: frozenset[str]) -> None:
        """Let requests go to these hosts alone: a key of a test net never reaches the venue's own, nor the reverse."""
        self._hosts = hosts

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass a request on, as a middleware of aiohttp.

        Raises:
            VenueError: The venue wants to be left alone, or this is another host than its own.
        """
        self.check()
        if self._hosts is not None and request.url.authority not in self._hosts:
            raise VenueError(f"{self._name} is not at {request.url.authority}: nothing was sent there.")
        response = await handler(request)
        self._note(response)
        return response

    def check(self) -> None:
        """See whether the venue may be called.

        Raises:
            VenueError: It wants to be left alone.
        """
        self._quiet.check()

    def _note(self, response: aiohttp.ClientResponse) -> None:
        self._quiet.note(response.status, response.headers.get("Retry-After", ""))
        self.time.read(response.headers.get("Date", ""))
        told = next((response.headers[each] for each in _WEIGHTS if each in response.headers), "")
        self.used = f"{told} used this minute" if told.isdecimal() else self.used


class JsonResponse(aiohttp.ClientResponse):
    """An answer that is JSON, whole and of a bearable length, or an error of aiohttp, which ccxt understands."""

    async def read(self) -> bytes:
        """The body.

        Raises:
            aiohttp.ClientPayloadError: It is too long, or, under a status that says success, no JSON.
            aiohttp.ClientConnectionError: The venue says that something broke there.
        """
        if self._body is None:
            body = bytearray()
            async for chunk in self.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > MOST_BYTES:
                    self.close()
                    raise aiohttp.ClientPayloadError(f"the answer is longer than {MOST_BYTES} bytes")
            self._body = bytes(body)
            self._check(self._body)
        return await super().read()

    def _check(self, body: bytes) -> None:
        if self.status >= _BROKEN:
            # What was asked for may be done all the same: no words under such a status are a refusal.
            words = body[:_MOST_WORDS].decode(errors="replace")
            raise aiohttp.ClientConnectionError(words or f"status {self.status}")
        if not self.ok:
            return
        try:
            json.loads(body)
        except (ValueError, RecursionError):
            raise aiohttp.ClientPayloadError("the answer is no JSON") from None


def redirected(urls: Any, root: str) -> Any:
    """Every URL of ccxt's tree at another server, its path kept, and whether it is a websocket."""
    if isinstance(urls, dict):
        return {name: redirected(each, root) for name, each in urls.items()}
    if not isinstance(urls, str):
        return urls
    parts = urlsplit(urls)
    return f"{root.replace('http', 'ws', 1) if parts.scheme.startswith('ws') else root}{parts.path}"


def hosts(urls: Any, hostname: str) -> frozenset[str]:
    """Every host of ccxt's tree of URLs, with its port where it has one.

    Args:
        urls: The tree.
        hostname: What stands for ``{hostname}`` in it.
    """
    return frozenset(urlsplit(url.replace("{hostname}", hostname)).netloc for url in _leaves(urls))


def _leaves(urls: Any) -> Iterator[str]:
    if isinstance(urls, dict):
        for each in urls.values():
            yield from _leaves(each)
    elif isinstance(urls, str):
        yield urls


def session(gate: Gate) -> aiohttp.ClientSession:
    """A session through a gate; it reads no proxy from the environment and keeps no cookies."""
    return aiohttp.ClientSession(
        middlewares=(gate,),
        response_class=JsonResponse,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


def hear_all(venue: Any) -> None:
    """Have the end of all that a client of ccxt.pro waits for heard: some of it ccxt never asks, which asyncio logs.

    Args:
        venue: The client; its connections are made after this.
    """
    connected, known = venue.client, dict[str, Any]()

    def client(url: str) -> Any:
        found = connected(url)
        if known.get(url) is not found:
            known[url] = found
            found.future = _heard(found.future)
        return found

    venue.client = client


def _heard(wait_for: Callable[[str], asyncio.Future[Any]]) -> Callable[[str], asyncio.Future[Any]]:
    def future(message: str) -> asyncio.Future[Any]:
        waited = wait_for(message)
        waited.remove_done_callback(_hear)  # it may be one that is waited for already
        waited.add_done_callback(_hear)
        return waited

    return future


def _hear(waited: asyncio.Future[Any]) -> None:
    if not waited.cancelled():
        waited.exception()


async def let_go(venue: Any, connections: aiohttp.ClientSession) -> None:
    """Let go of every websocket.

    Args:
        venue: ccxt's client that has them.
        connections: What it connects with.
    """
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN):
                await venue.close()
    finally:  # ccxt sleeps at its end: who is cancelled there lets go all the same
        venue.session = None
        await connections.close()
