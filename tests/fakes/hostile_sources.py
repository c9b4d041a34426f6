"""A server in a process of its own whose every answer is out to harm: by ``/ATTACK/CLIENT`` in front of the path.

praw keeps no path of its server's address: there the subreddit says which attack it is.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.connection import Connection

MANY = 50_000
DRIPS_FOR = 8.0
"""Seconds."""
_TOKEN = json.dumps({"access_token": "t0", "token_type": "bearer", "expires_in": 86400, "scope": "*"}).encode()
_TIME = "2026-11-30T12:00:00Z"
_ITEM = b"<item><title>BTC</title><pubDate>Mon, 30 Nov 2026 12:00:00 GMT</pubDate></item>"
_ONE: dict[str, tuple[bytes, bytes, bytes]] = {
    "news": (b'<rss version="2.0"><channel>', _ITEM, b"</channel></rss>"),
    "reddit": (
        b'{"kind":"Listing","data":{"children":[',
        b'{"kind":"t3","data":{"id":"a","title":"BTC","created_utc":1,"permalink":"/"}},',
        b'{"kind":"t3","data":{"id":"a","title":"BTC","created_utc":1,"permalink":"/"}}]}}',
    ),
    "x": (b'{"data":[', f'{{"id":"1","text":"BTC","created_at":"{_TIME}"}},'.encode(), b"7]}"),
    "fear_greed": (b'{"data":[', b'{"value":"5","timestamp":"1"},', b"7]}"),
    "futures": (b"[", b'{"symbol":"BTCUSDT"},', b"7]"),
    "market_caps": (b'{"data":{"total_market_cap":{', b'"usd":1,', b'"usd":1}}}'),
}
CLIENTS = tuple(_ONE)


def _many(client: str, count: int) -> bytes:
    begin, each, end = _ONE[client]
    return begin + each * count + end


@lru_cache
def _bomb(client: str) -> bytes:
    return gzip.compress(_many(client, 3_000_000), 6)


BODIES: dict[str, Callable[[str], bytes]] = {
    "bomb": _bomb,
    "10 MB": lambda client: _many(client, 10_000_000 // len(_ONE[client][1])),
    "50,000 items": lambda client: _many(client, MANY),
    "as long as may be": lambda client: _many(client, LONGEST[client] // len(_ONE[client][1]) - 2),
    "deep": lambda client: (b"<a>" if client == "news" else b"[") * (LONGEST[client] // 4),
    "bad bytes": lambda client: _ONE[client][0] + b"\xff\xfe\x00\xed\xa0\x80" * 1_000,
}
LONGEST = {
    "news": 2_097_152, "reddit": 1_048_576, "x": 1_048_576, "fear_greed": 65_536, "futures": 65_536,
    "market_caps": 524_288,
}  # fmt: skip
"""Bytes that each client reads at most."""
REDIRECTS = {"to loopback": "http://127.0.0.1:9/", "to a file": "file:///etc/passwd"}
ATTACKS = (*BODIES, "drip", *REDIRECTS)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    path = head.split(" ", 2)[1].partition("?")[0]
    if path.endswith("access_token"):
        return await _send(writer, _TOKEN, "content-type: application/json\r\n")
    first, second = path.strip("/").split("/")[:2]
    number, client = (second, "reddit") if first == "r" else (first, second)
    attack = ATTACKS[int(number)]
    kind = "application/rss+xml" if client == "news" else "application/json"
    if attack in REDIRECTS:
        return await _send(writer, b"", f"location: {REDIRECTS[attack]}\r\n", "302 Found")
    if attack == "drip":
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode())
        for _ in range(round(DRIPS_FOR / 0.02)):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()
        return None
    packed = "content-encoding: gzip\r\n" if attack == "bomb" else ""
    return await _send(writer, BODIES[attack](client), f"content-type: {kind}\r\n{packed}")


async def _send(writer: asyncio.StreamWriter, body: bytes, headers: str, status: str = "200 OK") -> None:
    writer.write(f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode())
    writer.write(body)
    await writer.drain()
    writer.close()


async def _serve(told: Connection) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    told.send(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


def _run(told: Connection) -> None:
    asyncio.run(_serve(told))


@contextmanager
def hostile_server() -> Iterator[str]:
    """The server's address, while it runs."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_run, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.kill()
        process.join()
