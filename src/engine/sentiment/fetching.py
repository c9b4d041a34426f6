"""One document of the web, fetched by conditional GET: within a time and a size, and never from this machine's own net.

An address that people configured is trusted wherever it is. One that a server redirects to is not: it must be of the
web, and not of a private network, by its name as by the address that answers.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from engine.domain.errors import DataError
from engine.support.capped_body import ACCEPTED, packing_of, read_raw

MOST_REDIRECTS = 3
_LONGEST_TAG = 1_024
"""Bytes of a validator that are sent back; a longer one is not kept."""
_HEADERS = ((b"Accept-Encoding", ACCEPTED.encode()), (b"User-Agent", b"greenlight (feed reader)"))

Resolve = Callable[[str], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server said of the document that it sent, byte for byte: it says whether there is a newer one by them."""

    etag: bytes = b""
    last_modified: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a server answered.

    Attributes:
        body: As it came, still packed; empty where nothing has changed.
        packed: How it is packed, as ``Content-Encoding`` says; empty for not at all.
        retry_after: What ``Retry-After`` says.
    """

    status: int
    body: bytes
    content_type: str
    packed: str
    validators: Validators
    retry_after: str


async def resolved(host: str) -> Sequence[str]:
    """The addresses that a name means now.

    Raises:
        OSError: It means none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def fetch(
    client: httpx.AsyncClient, url: str, known: Validators, *, most_bytes: int, resolve: Resolve = resolved
) -> Fetched:
    """Ask for a document, following a few redirects.

    Args:
        client: It follows no redirects by itself.
        url: Where people said that it is.
        known: What was said of the one that is there.
        most_bytes: The most that is read of it.
        resolve: Says what addresses a name means.

    Raises:
        DataError: It is too long, or where it is said to be nobody may look.
        httpx.HTTPError: The server cannot be reached, or breaks off.
        httpx.InvalidURL: An address is none.
    """
    home = httpx.URL(url)
    asked = home
    for _ in range(MOST_REDIRECTS + 1):
        is_home = _origin(asked) == _origin(home)
        if asked != home:
            await _check(asked, home, resolve)
        async with client.stream("GET", asked, headers=[*_HEADERS, *conditions(known)]) as response:
            if not is_home:
                _check_peer(response)
            if not response.has_redirect_location:
                return await _read(response, most_bytes)
            asked = asked.join(response.headers["Location"])
    raise DataError(f"it redirects more than {MOST_REDIRECTS} times")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def conditions(known: Validators) -> list[tuple[bytes, bytes]]:
    """The headers that ask for a document only where it is another one by now."""
    headers: list[tuple[bytes, bytes]] = []
    if known.etag:
        headers.append((b"If-None-Match", known.etag))
    if known.last_modified:
        headers.append((b"If-Modified-Since", known.last_modified))
    return headers


async def _check(asked: httpx.URL, home: httpx.URL, resolve: Resolve) -> None:
    """See whether a redirect may be followed."""
    if asked.scheme not in ("https", "http") or not asked.host:
        raise DataError(f"it redirects to {asked.scheme or 'nowhere'}:, which is not asked")
    if home.scheme == "https" and asked.scheme != "https":
        raise DataError("it redirects from https to http")
    if _origin(asked) == _origin(home):
        return
    try:
        found = await resolve(asked.host)
    except OSError:
        raise DataError(f"it redirects to {asked.host}, which is unknown") from None
    if not all(_is_public(address) for address in found):
        raise DataError(f"it redirects to {asked.host}, which is of a private network")


def _check_peer(response: httpx.Response) -> None:
    """See who really answers: a name may have meant another address a moment ago."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream is not None else None
    if not peer or not _is_public(str(peer[0])):
        raise DataError("it redirects to an address of a private network")


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global


async def _read(response: httpx.Response, most_bytes: int) -> Fetched:
    body = await read_raw(response, most_bytes) if response.status_code == httpx.codes.OK else b""
    return Fetched(
        status=response.status_code,
        body=body,
        content_type=response.headers.get("Content-Type", ""),
        packed=packing_of(response),
        validators=validators_of(response),
        retry_after=response.headers.get("Retry-After", ""),
    )


def validators_of(response: httpx.Response) -> Validators:
    """What a server says of the document that it sends."""
    sent = {name.lower(): value for name, value in response.headers.raw}
    return Validators(etag=_kept(sent.get(b"etag")), last_modified=_kept(sent.get(b"last-modified")))


def _kept(value: bytes | None) -> bytes:
    return value if value is not None and len(value) <= _LONGEST_TAG else b""
