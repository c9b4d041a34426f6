"""The webhook's side of the Bot API server: what it is told of a webhook, and how it calls one."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.fakes.plain import PLAIN
from tests.fakes.telegram_chats import Json, bad_request

PORTS = (443, 80, 88, 8443)
MOST_CONNECTIONS = 100
LONGEST_ANSWER = 60.0
TICK = 0.01
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two deliveries of what was not taken; the real ones are longer."""
LOCAL = ("127.0.0.1", "localhost")


@dataclass(kw_only=True)
class Hook:
    """What the server knows of a bot's webhook."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    allowed: list[str] = field(default_factory=list)
    error_at: int = 0
    error: str = ""

    def failed(self, message: str, now: float) -> None:
        """A delivery was not taken."""
        self.error, self.error_at = message, int(now)

    def info(self, waiting: int) -> Json:
        """What ``getWebhookInfo`` says."""
        body: Json = {"url": self.url, "has_custom_certificate": False, "pending_update_count": waiting}
        if self.url:
            body |= {"max_connections": self.max_connections, "ip_address": "203.0.113.7"}
            body |= {"allowed_updates": self.allowed} if self.allowed else {}
        if self.error:
            body |= {"last_error_date": self.error_at, "last_error_message": self.error}
        return body


def checked(params: Json, allowed: list[str]) -> Hook:
    """A webhook as ``setWebhook`` asks for it.

    Raises:
        ApiError: As the real server would. A server on loopback takes addresses on loopback without TLS, as one that
            somebody runs with ``--local`` does.
    """
    url, secret = str(params.get("url", "")), str(params.get("secret_token", ""))
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if url and parts.scheme == "https" and (parts.port or 443) not in PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise bad_request("secret token contains unallowed characters")
    connections = int(params.get("max_connections", 40))
    if not 1 <= connections <= MOST_CONNECTIONS:
        raise bad_request("max_connections must be between 1 and 100")
    return Hook(url=url, secret=secret, max_connections=connections, allowed=allowed)


class Courier:
    """Calls the webhook with what waits, a person's own in order, until it says 2xx.

    Args:
        api: The bot's side of the server.
    """

    def __init__(self, api: Any) -> None:
        self._api = api
        self._roads: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self.delivered: list[tuple[int, int]] = []
        """Every delivery: the update's id and the status it was answered with, 0 for no answer."""

    def leads(self, public: str, local: str) -> None:
        """A public name leads to a server on loopback, as a reverse proxy would have it."""
        self._roads[public] = local
        if self._thread is None:
            self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    async def _work(self) -> None:
        under_way: dict[int, asyncio.Task[None]] = {}
        async with httpx.AsyncClient(timeout=LONGEST_ANSWER, trust_env=False, verify=PLAIN) as client:
            while not self._stopped.is_set():
                for queue, updates in _queues(self._api.to_deliver()):
                    if queue not in under_way or under_way[queue].done():
                        under_way[queue] = asyncio.create_task(self._deliver(client, updates[0]))
                await asyncio.sleep(TICK)
            for task in under_way.values():
                task.cancel()
            await asyncio.gather(*under_way.values(), return_exceptions=True)

    async def _deliver(self, client: httpx.AsyncClient, update: Json) -> None:
        """Deliver one update again and again until it is taken, or the webhook is another."""
        hook, pause = self._api.hook, FIRST_PAUSE
        while self._api.hook is hook and hook.url:
            status, error = await self._call(client, hook, update)
            self.delivered.append((update["update_id"], status))
            if 200 <= status < 300:
                self._api.confirm(update)
                return
            hook.failed(error, time.time())
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _call(self, client: httpx.AsyncClient, hook: Hook, update: Json) -> tuple[int, str]:
        parts = urlsplit(hook.url)
        public = f"{parts.scheme}://{parts.netloc}"
        address = f"{self._roads.get(public, public)}{parts.path}"
        headers = {"host": parts.netloc} | ({"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {})
        try:
            answer = await client.post(address, json=update, headers=headers)
        except httpx.HTTPError:
            return 0, "Connection refused"
        return answer.status_code, f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"


def _queues(updates: Iterable[Json]) -> list[tuple[int, list[Json]]]:
    """Updates by the person they come from, each in order: other people's are delivered meanwhile."""
    found: dict[int, list[Json]] = {}
    for update in updates:
        body = next(value for key, value in update.items() if key != "update_id")
        found.setdefault(body.get("from", {}).get("id", 0), []).append(update)
    return list(found.items())
