"""Socket Mode's side of the server: tickets, websockets, envelopes and their acknowledgements, and what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import time
from dataclasses import dataclass, field
from uuid import uuid4

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.slack_blocks import Json
from tests.fakes.slack_delivery import COMMANDS, EVENTS, FAILED, INTERACTIVE, TICK, TIMEOUT, Act, Attempt, Patience
from tests.fakes.slack_state import APP

TICKET_LIVES = 30.0
GOODBYE = struct.pack("!H", WSCloseCode.OK)
GOODBYE_WITHIN = 5.0
"""Seconds that a client has to close too, until its connection is cut."""
HOST = {"host": "applink-1"}


@dataclass(kw_only=True, eq=False)
class Connection:
    """One websocket; a stalled one stays open, and nothing goes through; one that is leaving gets nothing more."""

    name: str
    socket: web.WebSocketResponse
    transport: asyncio.Transport
    flowing: asyncio.Event
    pinged: int = 0
    ponged: int = 0
    leaving: bool = False

    async def send(self, message: Json) -> None:
        """Send a message; into the void where the connection is stalled or gone."""
        if self.flowing.is_set():
            with contextlib.suppress(ConnectionError):
                await self.socket.send_str(json.dumps(message))

    async def flows(self) -> None:
        """Return once the connection carries something again, or is gone."""
        while not (self.flowing.is_set() or self.transport.is_closing()):  # noqa: ASYNC110 - the transport has no event
            await asyncio.sleep(TICK)

    async def leave(self) -> None:
        """Say goodbye; what the client sends before it closes too is still heard (RFC 6455, 1.4)."""
        self.leaving = True
        with contextlib.suppress(ConnectionError):
            await self.socket.send_frame(GOODBYE, WSMsgType.CLOSE)
        asyncio.get_running_loop().call_later(GOODBYE_WITHIN, self.transport.abort)

    def cut(self) -> None:
        """Break the connection without a word."""
        self.transport.abort()
        self.flowing.set()


@dataclass
class _Waiting:
    act: Act
    attempt: Attempt
    over: Connection
    acked: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(kw_only=True)
class SocketLine:
    """All connections of the app, and what waits for an acknowledgement. Everything runs in the server's loop."""

    patience: Patience
    complaints: list[str]
    address: str = ""
    most: int = 10
    ping_every: float = 10.0
    connections: list[Connection] = field(default_factory=list)
    opened: int = 0
    sent: list[Json] = field(default_factory=list)
    """Every envelope, oldest first."""
    _tickets: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _turn: int = 0

    def ticket(self) -> str:
        """A URL that lets one connection in, soon."""
        ticket = str(uuid4())
        self._tickets[ticket] = time.monotonic() + TICKET_LIVES
        return f"{self.address}/link/?ticket={ticket}&app_id={APP}"

    # A connection's life

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Let a client in that has a ticket, and listen to it until it goes."""
        if self._tickets.pop(request.query.get("ticket", ""), 0.0) < time.monotonic():
            return web.Response(status=403, text="invalid ticket")
        socket = web.WebSocketResponse(autoping=False, autoclose=False, compress=False)
        await socket.prepare(request)
        self.opened += 1
        flowing = asyncio.Event()
        flowing.set()
        assert isinstance(request.transport, asyncio.Transport)
        connection = Connection(
            name=f"socket {self.opened}", socket=socket, transport=request.transport, flowing=flowing
        )
        if len(self.connections) >= self.most:
            await connection.send({"type": "disconnect", "reason": "too_many_websockets", "debug_info": HOST})
            await socket.close()
            return socket
        await self._live(connection)
        return socket

    async def _live(self, connection: Connection) -> None:
        self.connections.append(connection)
        pinging = asyncio.create_task(self._ping(connection))
        try:
            await connection.send(
                {
                    "type": "hello",
                    "num_connections": len(self.connections),
                    "debug_info": {**HOST, "build_number": 10, "approximate_connection_time": 18060},
                    "connection_info": {"app_id": APP},
                }
            )
            await self._listen(connection)
        finally:
            pinging.cancel()
            self._forget(connection)

    async def _listen(self, connection: Connection) -> None:
        while True:
            message = await connection.socket.receive()
            await connection.flows()
            match message.type:
                case WSMsgType.TEXT:
                    self._acknowledged(str(message.data))
                case WSMsgType.PING:
                    with contextlib.suppress(ConnectionError):
                        await connection.socket.pong(message.data)
                case WSMsgType.PONG:
                    connection.ponged += 1
                case _:
                    await connection.socket.close()
                    return

    async def _ping(self, connection: Connection) -> None:
        """Ping, and give a connection up on which nobody answers."""
        while True:
            await asyncio.sleep(self.ping_every)
            if connection.pinged - connection.ponged >= 3:
                connection.cut()
                return
            connection.pinged += 1
            with contextlib.suppress(ConnectionError):
                await connection.socket.ping(f"Ping from {HOST['host']}".encode())

    def _forget(self, connection: Connection) -> None:
        self.connections.remove(connection)
        for waiting in self._waiting.values():
            if waiting.over is connection:
                waiting.acked.set()

    # Envelopes

    async def deliver(self, act: Act, attempt: Attempt) -> str:
        """Send an envelope over one of the connections, each in its turn, and wait for its acknowledgement."""
        usable = [connection for connection in self.connections if not connection.leaving]
        if not usable:
            return FAILED
        self._turn += 1
        over = usable[self._turn % len(usable)]
        attempt.by, envelope_id = over.name, str(uuid4())
        waiting = self._waiting[envelope_id] = _Waiting(act, attempt, over)
        envelope = _envelope(act, attempt, envelope_id)
        self.sent.append(envelope)
        await over.send(envelope)
        try:
            await asyncio.wait_for(waiting.acked.wait(), self.patience.ack_within)
        except TimeoutError:
            return TIMEOUT
        return "" if attempt.acked_at is not None else FAILED

    def _acknowledged(self, text: str) -> None:
        answer = json.loads(text)
        waiting = self._waiting.get(answer.get("envelope_id", ""))
        if waiting is None:
            self.complaints.append(f"an acknowledgement of nothing: {text}")
            return
        if waiting.attempt.acked_at is not None:
            self.complaints.append(f"acknowledged twice: {text}")
            return
        payload = answer.get("payload") or {}
        if payload and waiting.act.kind == EVENTS:
            self.complaints.append(f"a response where none is accepted: {text}")
        waiting.attempt.acked_at, waiting.attempt.response = time.monotonic(), payload
        waiting.acked.set()

    # Trouble

    def cut(self) -> None:
        """Break every connection."""
        for connection in list(self.connections):
            connection.cut()

    def stall(self) -> None:
        """Let nothing more through the connections there are; they stay open."""
        for connection in self.connections:
            connection.flowing.clear()

    async def disconnect(self, reason: str, grace: float) -> None:
        """Announce the end of every connection there is, and end it after a while."""
        ending = list(self.connections)
        for connection in ending:
            await connection.send({"type": "disconnect", "reason": reason, "debug_info": HOST})
        await asyncio.sleep(grace)
        for connection in ending:
            await connection.leave()


def _envelope(act: Act, attempt: Attempt, envelope_id: str) -> Json:
    envelope: Json = {
        "envelope_id": envelope_id,
        "type": act.kind,
        "payload": act.payload,
        "accepts_response_payload": act.kind in {COMMANDS, INTERACTIVE},
    }
    if act.kind == EVENTS:
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason.replace("http_", "")}
    return envelope
