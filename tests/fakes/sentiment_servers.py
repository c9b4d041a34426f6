"""Reddit, X, Fear & Greed and market caps on one loopback server: strict about what is asked, able to misbehave."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
APP = ("app-id", "app-secret")
BEARER = "x-bearer-token"
BEGAN = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
"""When the first post was written; each later one a second after the one before."""

_LIMITS = {"x-ratelimit-remaining": "90.0", "x-ratelimit-used": "10", "x-ratelimit-reset": "300"}


@dataclass(kw_only=True)
class SentimentServers:
    """What the servers have, and what was asked of them.

    Attributes:
        value: Of the index, as its server writes it.
        posts: On Reddit, the newest last: titles, and texts.
        said: On X, the newest last.
        worth: What each coin is worth, by its ticker; all of them together come to twice as much.
        instead: What is answered in the place of what is right, by path.
    """

    url: str = ""
    began_at: datetime = BEGAN
    value: str = "25"
    posts: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    worth: dict[str, float | None] = field(default_factory=lambda: {"btc": 1.25e12, "eth": 3.5e11})
    instead: dict[str, Answer] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)

    def paths(self) -> list[str]:
        """What was asked, in order."""
        return [request.path for request in self.asked]

    async def _index(self, _: web.Request) -> web.Response:
        day = {"value": self.value, "value_classification": "Fear", "timestamp": str(int(self.began_at.timestamp()))}
        return web.json_response({"name": "Fear and Greed Index", "data": [day], "metadata": {"error": None}})

    async def _token(self, request: web.Request) -> web.Response:
        basic = "Basic " + base64.b64encode(":".join(APP).encode()).decode()
        if request.headers.get("authorization") != basic:
            return web.json_response({"message": "Unauthorized", "error": 401}, status=401)
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        return web.json_response({"access_token": "t0", "token_type": "bearer", "expires_in": 86400, "scope": "*"})

    async def _new(self, request: web.Request) -> web.Response:
        if request.headers.get("authorization") != "bearer t0":
            return web.json_response({"message": "Unauthorized", "error": 401}, status=401)
        here = [self._post(number, *post) for number, post in enumerate(self.posts)][::-1]
        listing = {"after": None, "before": None, "children": here[: int(request.query.get("limit", "25"))]}
        return web.json_response({"kind": "Listing", "data": listing}, headers=_LIMITS)

    async def _search(self, request: web.Request) -> web.Response:
        if request.headers.get("authorization") != f"Bearer {BEARER}":
            return web.json_response({"title": "Unauthorized", "status": 401}, status=401)
        query = request.query
        unknown = set(query) - {"query", "max_results", "since_id", "tweet.fields"}
        if unknown or len(query["query"]) > 512 or not 10 <= int(query["max_results"]) <= 100:
            return web.json_response({"errors": [{"message": "invalid"}]}, status=400)
        since = int(query.get("since_id", "0"))
        there = [
            {"id": str(100 + n), "text": text, "created_at": self._written(n).strftime("%Y-%m-%dT%H:%M:%S.000Z")}
            for n, text in enumerate(self.said)
            if 100 + n > since
        ][::-1]
        return web.json_response({"data": there, "meta": {"result_count": len(there)}} if there else {"meta": {}})

    async def _whole(self, request: web.Request) -> web.Response:
        if request.query:
            return web.json_response({"error": "Could not find path"}, status=404)
        whole = 2 * sum(each or 0.0 for each in self.worth.values())
        shares = {name: 100 * (each or 0.0) / whole for name, each in self.worth.items()} if whole else {}
        data = {
            "active_cryptocurrencies": 17_000,
            "total_market_cap": {"btc": 2.4e7, "usd": whole},
            "market_cap_percentage": shares,
            "market_cap_change_percentage_24h_usd": -1.5,
            "updated_at": int(self.began_at.timestamp()),
        }
        return self._known(request, {"data": data})

    async def _coins(self, request: web.Request) -> web.Response:
        query = request.query
        if set(query) - {"vs_currency", "symbols", "per_page"} or query.get("vs_currency") != "usd":
            return web.json_response({"error": "invalid vs_currency"}, status=422)
        asked = query["symbols"].split(",")
        at = self.began_at.strftime("%Y-%m-%dT%H:%M:%S.123Z")
        found = [
            {"id": name, "symbol": name, "name": name, "market_cap": worth, "last_updated": at, "current_price": 1.0}
            for name, worth in self.worth.items()
            if name in asked
        ]
        return self._known(request, found)

    def _known(self, request: web.Request, body: Any) -> web.Response:
        """What an answer is known by, and nothing for who has it."""
        etag = f'W/"{hashlib.sha256(repr(body).encode()).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            return web.Response(status=304, headers={"etag": etag})
        return web.json_response(body, headers={"etag": etag})

    def _post(self, number: int, title: str, text: str) -> dict[str, Any]:
        data = {
            "id": f"p{number}",
            "name": f"t3_p{number}",
            "title": title,
            "selftext": text,
            "created_utc": self._written(number).timestamp(),
            "permalink": f"/r/CryptoCurrency/comments/p{number}/",
            "subreddit": "CryptoCurrency",
            "author": "somebody",
        }
        return {"kind": "t3", "data": data}

    def _written(self, number: int) -> datetime:
        return self.began_at + timedelta(seconds=number)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        path = request.path
        if path in self.instead:
            return await self.instead[path](request)
        match path.strip("/").split("/"):
            case ["fng"]:
                return await self._index(request)
            case ["api", "v1", "access_token"] if request.method == "POST":
                return await self._token(request)
            case ["r", _, "new"]:
                return await self._new(request)
            case ["2", "tweets", "search", "recent"]:
                return await self._search(request)
            case ["global"]:
                return await self._whole(request)
            case ["coins", "markets"]:
                return await self._coins(request)
        return web.Response(status=404)


def answers(
    text: str | bytes = "", *, status: int = 200, kind: str = "application/json", headers: dict[str, str] | None = None
) -> Answer:
    """An answer that is always the same."""

    async def answer(_: web.Request) -> web.Response:
        body = text.encode() if isinstance(text, str) else text
        return web.Response(body=body, status=status, content_type=kind, headers=headers)

    return answer


def drips(seconds: float) -> Answer:
    """An answer that comes a byte at a time."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        for _ in range(round(seconds / 0.02)):
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    return answer


@asynccontextmanager
async def sentiment_servers(**changes: Any) -> AsyncIterator[SentimentServers]:
    """The servers, listening."""
    servers = SentimentServers(**changes)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", servers._answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    servers.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield servers
    finally:
        await runner.cleanup()
