"""A key reaches the hosts of its venue alone: those of the venue itself, or those of its test net."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import import_module

import pytest
from aiohttp import web
from pydantic import SecretStr

from engine.domain.errors import ConfigError, VenueError
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.keys import VenueKeys
from engine.exchanges.ccxt.wire import Gate, hosts, session
from engine.timing.clocks import WallClock

KEYS = VenueKeys(api_key=SecretStr("key-of-an-account-9Zx1"), secret=SecretStr("the-secret"))


def account(exchange: str, url: str | None = None, *, sandbox: bool = False) -> VenueAccount:
    return VenueAccount(
        exchange=exchange,
        api_url=url,
        answer_within=timedelta(seconds=5),
        clock=WallClock(),
        keys=KEYS,
        sandbox=sandbox,
    )


@asynccontextmanager
async def server(answer: web.Response | None = None) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server on loopback that gives one answer to everything, and what it was asked."""
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request)
        return answer or web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("exchange", ["binance", "bybit"])
async def test_a_venue_and_its_test_net_have_no_host_in_common(exchange: str) -> None:
    made = getattr(import_module("ccxt"), exchange)
    live, test = made(), made()
    test.set_sandbox_mode(True)
    own, net = (hosts(each.urls["api"], each.hostname or "") for each in (live, test))
    assert own
    assert net
    assert not own & net


async def test_nothing_is_sent_to_another_host() -> None:
    clock = WallClock()
    gate = Gate("binance", monotonic=clock.monotonic, now=clock.now)
    async with server() as (own, _), server() as (other, asked), session(gate) as connections:
        gate.allow(frozenset({own.removeprefix("http://")}))
        assert (await connections.get(own)).status == 200
        with pytest.raises(VenueError, match="nothing was sent there"):
            await connections.get(other)
        assert asked == []


async def test_a_key_does_not_follow_a_redirect_to_another_host() -> None:
    async with server() as (other, asked):
        async with server(web.Response(status=307, headers={"Location": other})) as (own, _):
            venue = account("binance", own)
            with pytest.raises(VenueError):
                await venue.open()
            await venue.close()
        assert asked == []


async def test_where_ccxt_knows_no_test_net_none_is_made_up() -> None:
    venue = account("kraken", sandbox=True)
    with pytest.raises(ConfigError, match=r"exchanges.kraken.sandbox: ccxt knows no test net"):
        await venue.open()
    await venue.close()


def test_of_a_key_the_last_four_are_shown_and_of_a_short_one_nothing() -> None:
    assert KEYS.last_four == "9Zx1"
    assert VenueKeys(api_key=SecretStr("0123456"), secret=SecretStr("s")).last_four == ""
    assert "9Zx1" not in repr(KEYS)
    assert "the-secret" not in repr(KEYS)
