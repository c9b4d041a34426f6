"""The venue's websocket: tickers of what was subscribed to, ten times a second; silent, refused or cut on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

Ticker = Callable[[str], dict[str, Any] | None]
EVERY = 0.1


class Socket:
    """Websockets of a venue in Binance's words.

    Args:
        ticker: The newest ticker of a market by its name, as the venue writes it.
    """

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self.silent = False
        """Whether connections stand and nothing comes."""
        self.refused = False
        """Whether new connections are turned away."""
        self.deaf = False
        """Whether nothing is read any more once something was subscribed to, a goodbye neither."""
        self.connected = 0
        self.open: set[web.WebSocketResponse] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.refused:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connected += 1
        self.open.add(socket)
        names: list[tuple[str, str]] = []
        telling = asyncio.create_task(self._tell(socket, names))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    asked = json.loads(message.data)
                    names += [
                        (name.upper(), kind) for name, _, kind in (each.partition("@") for each in asked["params"])
                    ]
                    await socket.send_json({"result": None, "id": asked["id"]})
                while self.deaf:  # noqa: ASYNC110 - it is set from outside
                    await asyncio.sleep(EVERY)
        finally:
            telling.cancel()
            self.open.discard(socket)
        return socket

    async def cut(self) -> None:
        """Hang up on everybody."""
        for socket in list(self.open):
            await socket.close()

    async def _tell(self, socket: web.WebSocketResponse, names: list[tuple[str, str]]) -> None:
        with suppress(ConnectionError, RuntimeError):
            while True:
                for name, kind in names:
                    found = self._ticker(name)
                    if found is not None and not self.silent:
                        await socket.send_json({"stream": f"{name.lower()}@{kind}", "data": _of_kind(found, kind)})
                await asyncio.sleep(EVERY)


def _of_kind(ticker: dict[str, Any], kind: str) -> dict[str, Any]:
    """What of a ticker a stream of some kind tells: the small one knows no bid and no ask."""
    if kind == "ticker":
        return ticker
    if kind == "bookTicker":
        return {"u": ticker["E"], **{key: ticker[key] for key in "sbBaA"}}
    return {"e": "24hrMiniTicker", **{key: ticker[key] for key in "EsohlvqC" if key in ticker}}
