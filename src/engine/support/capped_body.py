"""Answers of servers that are not to be trusted: read, and unpacked, up to so many bytes and no further.

httpx unpacks each piece that comes as a whole: of 64 kB that can be 64 MB, while everybody else waits.
"""

from __future__ import annotations

import zlib

import httpx

from engine.domain.errors import DataError

ACCEPTED = "gzip, deflate"
"""What is asked for in ``Accept-Encoding``."""
PACKED = ("gzip", "deflate")
_EITHER = zlib.MAX_WBITS | 32
"""Lets zlib see for itself whether it is gzip or deflate."""


async def read_raw(response: httpx.Response, most_bytes: int) -> bytes:
    """An answer's body as it comes, still packed.

    Raises:
        DataError: It has more bytes than that.
        httpx.HTTPError: The server breaks off.
    """
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most_bytes:
            raise DataError(f"it sends more than {most_bytes:,} bytes")
    return bytes(body)


async def read_capped(response: httpx.Response, most_bytes: int) -> bytes:
    """An answer's body, unpacked.

    Raises:
        DataError: It has more bytes than that, packed or not, or cannot be unpacked.
        httpx.HTTPError: The server breaks off.
    """
    body, packed = await read_raw(response, most_bytes), packing_of(response)
    if packed and packed not in PACKED:
        raise DataError("it is packed in a way that was not asked for")
    return unpacked(body, most_bytes) if packed else body


def packing_of(response: httpx.Response) -> str:
    """How an answer is packed, as ``Content-Encoding`` says; empty for not at all."""
    return str(response.headers.get("Content-Encoding", "")).strip().lower().replace("identity", "")


def unpacked(body: bytes, most_bytes: int) -> bytes:
    """What was packed by gzip or deflate.

    Raises:
        DataError: It has more bytes than that, or cannot be unpacked.
    """
    try:
        whole = zlib.decompressobj(_EITHER).decompress(body, most_bytes + 1)
    except zlib.error:
        raise DataError("what it sends cannot be unpacked") from None
    if len(whole) > most_bytes:
        raise DataError(f"it sends more than {most_bytes:,} bytes, unpacked")
    return whole
