"""How a real venue's public REST interface is called: within its limits, and with limits of ours on its answers.

ccxt is handed a session of this kind. What ccxt would take as an answer although it is none (a page of HTML under
status 200, half a JSON text, a hundred megabytes) ends here; and where a venue asks for quiet there is no call at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import aiohttp

from engine.domain.errors import VenueError
from engine.exchanges.ccxt.venue_time import VenueTime, parse_date

MOST_BYTES = 64 * 1024 * 1024
"""The longest answer that is read; the list of all markets of a large venue has some 20 MB."""
_CHUNK = 64 * 1024
_QUIET = {429: 60.0, 418: 300.0, 403: 60.0}
"""Seconds without a call after these answers, where the venue names none: too fast, banned, kept out by a firewall."""
_LONGEST_QUIET = 3 * 24 * 3600.0
"""The longest ban that Binance knows."""


class Gate:
    """Lets requests through unless the venue asked for quiet; reads the venue's time off its answers.

    Args:
        name: The venue, for people.
        monotonic: Wall seconds, for pacing.
        now: The time of this machine.
    """

    def __init__(self, name: str, *, monotonic: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._now = now
        self._quiet_until = float("-inf")
        self._quiet_words = ""
        self.time = VenueTime(monotonic=monotonic, now=now)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass a request on, as a middleware of aiohttp.

        Raises:
            VenueError: The venue wants to be left alone.
        """
        self.check()
        response = await handler(request)
        self._note(response)
        return response

    def check(self) -> None:
        """See whether the venue may be called.

        Raises:
            VenueError: It wants to be left alone.
        """
        left = self._quiet_until - self._monotonic()
        if left > 0:
            raise VenueError(self._quiet_words, retry_after=left)

    def _note(self, response: aiohttp.ClientResponse) -> None:
        asked = response.headers.get("Retry-After", "")
        usual = _QUIET.get(response.status)
        if usual is not None or (response.status >= 500 and asked):  # noqa: PLR2004 - the class of a status
            self._leave_alone(min(_seconds(asked, self._now()) or usual or 0.0, _LONGEST_QUIET))
        self.time.read(response.headers.get("Date", ""))

    def _leave_alone(self, seconds: float) -> None:
        until = self._monotonic() + seconds
        if until > self._quiet_until:
            self._quiet_until = until
            again = self._now() + timedelta(seconds=seconds)
            self._quiet_words = f"{self._name} asked for quiet; it is asked again at {again:%Y-%m-%d %H:%M:%S} UTC."


class JsonResponse(aiohttp.ClientResponse):
    """An answer that is JSON, whole and of a bearable length, or an error of aiohttp, which ccxt understands."""

    async def read(self) -> bytes:
        """The body.

        Raises:
            aiohttp.ClientPayloadError: It is too long, or, under a status that says success, no JSON.
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
        if not self.ok:
            return
        try:
            json.loads(body)
        except (ValueError, RecursionError):
            raise aiohttp.ClientPayloadError("the answer is no JSON") from None


def session(gate: Gate) -> aiohttp.ClientSession:
    """A session through a gate; it reads no proxy from the environment and keeps no cookies."""
    return aiohttp.ClientSession(
        middlewares=(gate,),
        response_class=JsonResponse,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


def _seconds(text: str, now: datetime) -> float | None:
    """How long ``Retry-After`` says to wait: seconds, or a date."""
    if text.strip().isdigit():
        return float(text)
    at = parse_date(text)
    return max(0.0, (at - now).total_seconds()) if at else None
