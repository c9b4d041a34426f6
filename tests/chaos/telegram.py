"""Telegram within the simulation: the state of the strict fake server behind a transport, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from random import Random
from typing import Protocol
from urllib.parse import parse_qsl

import httpx

from tests.chaos.faults import Faults
from tests.chaos.loop import LIFE
from tests.fakes.telegram_chats import ApiError, Json
from tests.fakes.telegram_state import BotApi

LONGEST_POLL = 50.0
PAGE = b"<html><head><title>502 Bad Gateway</title></head></html>"


class Around(Protocol):
    """What lies around the wires: whether it is all over, what goes wrong, and who writes down what happens."""

    closed: bool
    faults: Faults

    def note(self, *what: object) -> None:
        """Write down what happened."""


class AroundTelegram(Around, Protocol):
    """The same with the server."""

    @property
    def telegram(self) -> BotApi:
        """The server's state."""
        ...


class Wire(httpx.AsyncBaseTransport):
    """Carries requests to the server, as well as the faults allow."""

    def __init__(self, world: AroundTelegram, chance: Random) -> None:
        self._world = world
        self._api = world.telegram
        self._chance = chance

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2].lower()
        params: Json = dict(request.url.params) | dict(parse_qsl((await request.aread()).decode()))
        patience = request.extensions["timeout"]["read"]
        if self._world.closed:
            raise httpx.ConnectError("the run is over")
        fault = self._world.faults.draw("telegram")
        self._world.note("telegram", method, params.get("text", "")[:60].replace("\n", " | "), fault)
        await asyncio.sleep(self._latency())
        return await self._with(fault, method, params, patience)

    async def _with(self, fault: str, method: str, params: Json, patience: float) -> httpx.Response:
        match fault:
            case "cut":
                raise httpx.ConnectError("refused")
            case "hang":
                await asyncio.sleep(patience)
                raise httpx.ReadTimeout("no answer")
            case "late":
                do_late(patience, method, lambda: self._do(method, params))
                await asyncio.sleep(patience)
                raise httpx.ReadTimeout("no answer yet")
            case "bad gateway":
                return httpx.Response(502, content=PAGE)
            case "html":
                return httpx.Response(200, content=PAGE)
            case "flood":
                return _refusal(ApiError(429, "Too Many Requests: retry after 3", retry_after=3))
        answer = await self._answer(method, params)
        await asyncio.sleep(self._latency())
        if fault == "slow":
            await asyncio.sleep(min(3.0, patience))
        if fault == "lost":
            raise httpx.ReadError("the connection was cut")
        return answer

    def _latency(self) -> float:
        return self._chance.choice((0.0, 0.001, 0.02, 0.1))

    def _do(self, method: str, params: Json) -> None:
        """Do what nobody waits for any more."""
        with suppress(ApiError):
            if method != "getupdates":
                self._api.call(method, params)

    async def _answer(self, method: str, params: Json) -> httpx.Response:
        try:
            result = await self._updates(params) if method == "getupdates" else self._api.call(method, params)
        except ApiError as error:
            return _refusal(error)
        return httpx.Response(200, json={"ok": True, "result": result})

    async def _updates(self, params: Json) -> list[Json]:
        loop = asyncio.get_running_loop()
        poll, limit = self._api.start_poll(params), int(params.get("limit", 100))
        deadline = loop.time() + min(float(params.get("timeout", 0)), LONGEST_POLL)
        while not (updates := self._api.ready(poll, limit)) and loop.time() < deadline:  # noqa: ASYNC110 - it costs no time
            await asyncio.sleep(0.1)
        return updates


def do_late(patience: float, method: str, do: Callable[[], object]) -> None:
    """Have a request done after the program has given up on it.

    Edits are done just before, or as the power of who asked goes: nothing helps against one that overtakes its
    successor, but looking again.

    Args:
        patience: Seconds after which the program gives up.
    """
    is_edit = method.lower() in ("editmessagetext", "chat.update")
    waiting: list[Callable[[], object]] = [do]

    def once() -> None:
        if waiting:
            waiting.pop()()

    seconds = patience - 0.001 if is_edit else patience + 1.0
    asyncio.get_running_loop().call_later(seconds, once, context=Context())
    if is_edit and (life := LIFE.get()) is not None:
        life.at_death.append(once)


def _refusal(error: ApiError) -> httpx.Response:
    return httpx.Response(error.code, json=error.answer())
