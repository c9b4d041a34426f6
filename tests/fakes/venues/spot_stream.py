"""The fake Binance's user stream: by websocket API or listen key; doubled, reordered, lost or cut on demand."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.venues.spot_guard import Keys, check_key, check_signed
from tests.fakes.venues.spot_orders import Refused

Json = Any
Order = Callable[[list[Json]], list[Json]]


class UserStream:
    """Tells an account's events to all who are subscribed.

    Args:
        keys: The account's.
        now_ms: The venue's clock.
    """

    def __init__(self, keys: Keys, now_ms: Callable[[], int]) -> None:
        self._keys, self._now_ms = keys, now_ms
        self.listen_keys: set[str] = set()
        self.told: list[Json] = []
        """Every event that there was, whether it reached anybody or not."""
        self.copies = 1
        """How often each event is sent."""
        self.lose = 0
        """How many of the next events reach nobody."""
        self.refused = False
        """Whether new connections are turned away."""
        self.subscribed = 0
        """How many subscriptions there were in all."""
        self._held: list[Json] | None = None
        self._queues: dict[asyncio.Queue[Json], bool] = {}
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def listeners(self) -> int:
        return len(self._queues)

    def new_key(self) -> str:
        key = uuid.uuid4().hex * 2
        self.listen_keys.add(key)
        return key

    def tell(self, event: Json) -> None:
        """Tell all who are subscribed, unless events are held back or lost now."""
        self.told.append(event)
        if self._held is not None:
            self._held.append(event)
        elif self.lose:
            self.lose -= 1
        else:
            self._send(event)

    def hold(self) -> None:
        """Keep events back until they are released."""
        self._held = []

    def release(self, order: Order = list) -> None:
        """Send what was held back, in an order of the test's choice."""
        held, self._held = self._held or [], None
        for event in order(held):
            self._send(event)

    async def cut(self) -> None:
        """Hang up on everybody."""
        for socket in list(self._sockets):
            await socket.close()

    async def listen(self, request: web.Request) -> web.StreamResponse:
        """A connection by a listen key: events come as they are."""
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self._subscribe(queue, wrapped=False)
        return await self._serve(request, queue)

    async def api(self, request: web.Request) -> web.StreamResponse:
        """A connection of the websocket API: events come once it subscribed, wrapped with its subscription."""
        return await self._serve(request, asyncio.Queue())

    def _send(self, event: Json) -> None:
        for queue, wrapped in self._queues.items():
            for _ in range(self.copies):
                queue.put_nowait({"subscriptionId": 0, "event": event} if wrapped else event)

    def _subscribe(self, queue: asyncio.Queue[Json], *, wrapped: bool) -> None:
        self.subscribed += 1
        self._queues[queue] = wrapped

    async def _serve(self, request: web.Request, queue: asyncio.Queue[Json]) -> web.StreamResponse:
        if self.refused:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        sending = asyncio.create_task(_pump(socket, queue))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    queue.put_nowait(self._answer(json.loads(message.data), queue))
        finally:
            sending.cancel()
            self._queues.pop(queue, None)
            self._sockets.discard(socket)
        return socket

    def _answer(self, asked: Json, queue: asyncio.Queue[Json]) -> Json:
        try:
            return {"id": asked["id"], "status": 200, "result": self._do(asked, queue), "rateLimits": []}
        except Refused as refused:
            error = {"code": refused.code, "msg": refused.message}
            return {"id": asked["id"], "status": refused.status, "error": error, "rateLimits": []}

    def _do(self, asked: Json, queue: asyncio.Queue[Json]) -> Json:
        method, sent = asked["method"], asked.get("params", {})
        if method == "ping":
            return {}
        if method == "time":
            return {"serverTime": self._now_ms()}
        if method == "userDataStream.unsubscribe":
            self._queues.pop(queue, None)
            return {}
        if method != "userDataStream.subscribe.signature":
            raise Refused(-1, f"Unknown method {method!r}.")
        self._check(sent)
        if queue in self._queues:
            raise Refused(-2035, "User Data Stream subscription already active.")
        self._subscribe(queue, wrapped=True)
        return {"subscriptionId": 0}

    def _check(self, sent: Mapping[str, Any]) -> None:
        texts = {name: str(value) for name, value in sent.items()}
        check_key(texts.get("apiKey"), self._keys)
        signed = "&".join(f"{name}={texts[name]}" for name in sorted(texts) if name != "signature")
        check_signed(f"{signed}&signature={texts.get('signature', '')}", texts, self._keys, self._now_ms())


async def _pump(socket: web.WebSocketResponse, queue: asyncio.Queue[Json]) -> None:
    with suppress(ConnectionError, RuntimeError):
        while True:
            await socket.send_json(await queue.get())
