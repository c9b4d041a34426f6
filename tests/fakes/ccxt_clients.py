"""The real ccxt before a venue of ours on loopback, without its own pacing: what the fakes are tried with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from engine.exchanges.ccxt.wire import redirected

SPOT_ONLY = {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False}


@asynccontextmanager
async def ccxt_before(
    url: str, *, exchange: str = "binance", key: str | None, secret: str | None, streams: bool = False, **options: Any
) -> AsyncIterator[Any]:
    """A client with its markets loaded.

    Args:
        url: The venue's root.
        exchange: ccxt's id of the venue whose words it speaks.
        streams: Whether it is the client with websockets.
        options: What is added to ccxt's own options.
    """
    import ccxt.async_support as plain
    from ccxt import pro

    config: dict[str, Any] = {"enableRateLimit": False, "options": {**SPOT_ONLY, **options}}
    if key is not None:
        config |= {"apiKey": key, "secret": secret}
    client = getattr(pro if streams else plain, exchange)(config)
    client.timeout_on_exit = 0  # it sleeps before it lets go
    client.urls["api"] = redirected(client.urls["api"], url)
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()
