"""Coinbase as it was recorded: its books over REST, and every word of its websocket, in order; then it is silent."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

Words = list[dict[str, Any]]


def recorded(file: Path) -> Words:
    """What a venue said, oldest first; what was said to it is left out."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        said = [line.partition(": ")[2] for line in lines if line[0].isdigit()]
    return [json.loads(each) for each in said]


class RecordedCoinbase:
    """A server of Coinbase's on loopback.

    Attributes:
        books: The book of each product that is told over REST: as recorded, until a test sets another.
        looks: How often a book was asked for.
        played: Set once all was said.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self.books = {each["product_id"]: each for each in words if each["type"] == "snapshot"}
        self.looks = 0
        self.connected = 0
        self.played = asyncio.Event()
        self.url = ""

    @property
    def tickers(self) -> dict[str, dict[str, Any]]:
        """The last ticker of each product."""
        return {each["product_id"]: each for each in self._words if each["type"] == "ticker"}

    async def _products(self, _: web.Request) -> web.Response:
        names = [(each, *each.split("-")) for each in self.books]
        return web.json_response([_product(*each) for each in names])

    async def _book(self, request: web.Request) -> web.Response:
        self.looks += 1
        book = self.books[request.match_info["id"]]
        sides = {side: [[*level, 1] for level in book[side][:50]] for side in ("bids", "asks")}
        return web.json_response({"sequence": self.looks, **sides})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connected += 1
        telling: asyncio.Task[None] | None = None
        async for message in socket:
            if message.type is WSMsgType.TEXT and telling is None:
                telling = asyncio.create_task(self._tell(socket))
        if telling is not None:
            telling.cancel()
        return socket

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        with suppress(ConnectionError, RuntimeError):
            for number, word in enumerate(self._words if not self.played.is_set() else ()):
                await socket.send_json(word)
                if number % 50 == 0:
                    await asyncio.sleep(0.01)
            self.played.set()


@asynccontextmanager
async def listening(words: Words) -> AsyncIterator[RecordedCoinbase]:
    """A server that plays what was recorded to the first who subscribes."""
    fake = RecordedCoinbase(words)
    app = web.Application()
    app.router.add_get("/products", fake._products)
    app.router.add_get("/products/{id}/book", fake._book)
    app.router.add_get("/", fake._socket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def _product(name: str, base: str, quote: str) -> dict[str, Any]:
    return {
        "id": name,
        "base_currency": base,
        "quote_currency": quote,
        "quote_increment": "0.0000001",
        "base_increment": "0.0001",
        "min_market_funds": "0.0001",
        "status": "online",
        "status_message": "",
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "trading_disabled": False,
        "margin_enabled": False,
        "fx_stablecoin": False,
    }
