"""A publisher on loopback: feeds by path, as a server sends them, with validators, and answers that are out to harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

FRIDAY = datetime(2026, 9, 25, 14, 41, 53, tzinfo=UTC)


def rss(*titles: str, at: datetime = FRIDAY) -> bytes:
    """A feed with an item for each title."""
    items = (
        f"<item><title>{title}</title><link>https://news.example/{number}</link>"
        f"<pubDate>{format_datetime(at)}</pubDate><description>About {title}.</description></item>"
        for number, title in enumerate(titles)
    )
    channel = f"<channel><title>News</title>{''.join(items)}</channel>"
    return f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0">{channel}</rss>'.encode()


@dataclass(kw_only=True)
class Page:
    """What is answered at a path.

    Attributes:
        drip: Seconds between bytes; 0 sends all at once.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/rss+xml"
    drip: float = 0.0


@dataclass(kw_only=True)
class Publisher:
    """The running server."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """The path of each request, and its headers as they came."""

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.raw_headers}
        self.asked.append((request.path, sent))
        page = self.pages.get(request.path, Page(status=404))
        tag, stamp = page.headers.get("ETag"), page.headers.get("Last-Modified")
        if page.status == 200 and (
            (tag and sent.get("If-None-Match") == tag) or (not tag and stamp and sent.get("If-Modified-Since") == stamp)
        ):
            return web.Response(status=304)
        headers = {"Content-Type": page.content_type, **page.headers}
        if not page.drip:
            return web.Response(status=page.status, body=page.body, headers=headers)
        response = web.StreamResponse(status=page.status, headers=headers)
        await response.prepare(request)
        for byte in page.body:
            await response.write(bytes([byte]))
            await asyncio.sleep(page.drip)
        return response


@asynccontextmanager
async def publishing(pages: Mapping[str, Page]) -> AsyncIterator[Publisher]:
    """A publisher that listens, until the block ends."""
    publisher = Publisher(pages=dict(pages))
    app = web.Application()
    app.router.add_get("/{path:.*}", publisher.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        publisher.url = f"http://{host}:{port}"
        yield publisher
    finally:
        await runner.cleanup()
