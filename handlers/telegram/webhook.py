"""The webhook: Telegram calls the program's own web server with what people do.

    POST /hooks/telegram ──▶ secret right? ──▶ ``Intake.take`` ──▶ handled, or kept (``kept_updates``) ──▶ 200
                                  │ 401                                 │ stopping, or it cannot be kept: 503

Only a 200 makes Telegram forget an update, and a 200 is said once it was handled; what takes longer, because a venue is
slow, is kept in the database first. Anything else, a crash included, makes Telegram deliver it again, and the receiver
knows it by its ``delivery_id``. While the program is away the webhook stays: what people do meanwhile waits there.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot, Update, WebhookInfo

from engine.timing.clocks import monotonic
from handlers.outages import Health
from handlers.telegram.connecting import LISTENING, greet, keep_going
from handlers.telegram.intake import Intake
from handlers.telegram.kept_updates import Holding, read
from handlers.telegram.reading import WANTED

log = structlog.get_logger(__name__)

PATH = "/hooks/telegram"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
HANDLED_WITHIN = 1.0
"""Seconds that Telegram waits for us; what takes longer is kept, and Telegram may forget it."""
CATCHING_UP = 0.5
"""Seconds between two looks at what still waits after a start."""
CATCH_UP_LIMIT = 10.0
"""Seconds after which what still waits is a sign that Telegram cannot reach us."""
LOOK_EVERY = 20.0
"""Seconds between two looks whether the webhook is still ours and works."""
TAKEN_AWAY = "Another program has taken the bot's webhook away: stop it, or give each its own bot."


def address(url: str) -> str:
    """Where Telegram calls a web server with this public address."""
    return f"{url.rstrip('/')}{PATH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAt:
    """Where Telegram is to call, and what it must show there.

    Attributes:
        url: The public address of the web server.
        secret: What must be in the header of every call.
        patience: Seconds that Telegram waits for an answer, at most, while an update is being handled.
        look_every: Seconds between two looks whether the webhook is still ours and works.
    """

    url: str
    secret: SecretStr
    patience: float = HANDLED_WITHIN
    look_every: float = LOOK_EVERY

    @property
    def full_url(self) -> str:
        """The whole address, with the path of the route."""
        return address(self.url)


class Webhook:
    """The route, and the care for what Telegram knows of it.

    Args:
        bot: The client.
        intake: Handles what people do.
        health: Where trouble is told.
        menu: Commands and their help, for Telegram's own menu.
        at: Where Telegram calls.
        holding: Holds what takes long.
    """

    def __init__(
        self,
        *,
        bot: Bot,
        intake: Intake,
        health: Health,
        menu: Sequence[tuple[str, str]],
        at: WebhookAt,
        holding: Holding,
    ) -> None:
        self._bot = bot
        self._intake = intake
        self._health = health
        self._menu = menu
        self._at = at
        self._holding = holding
        self._open = False
        self._set_at: float | None = None
        self._error_of_the_past: datetime | None = None
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self.route = Route(PATH, self._called, methods=["POST"])
        self.caught_up = asyncio.Event()
        """Set once everything that waited for the start has come in."""

    async def run(self) -> None:
        """Set the webhook, and look after it until cancelled."""
        await keep_going(self._round, health=self._health, failed=lambda _: None)

    async def stop(self) -> None:
        """Take nothing more, and let what is under way end within a few seconds. The webhook stays set."""
        self._open = False
        await self._intake.close()
        await self._holding.stop()

    async def _round(self) -> None:
        if self._set_at is None:
            await greet(self._bot, self._menu, self._health)
            await self._holding.resume()
            await self._set()
            self._open, self._set_at = True, monotonic()
            log.info("telegram.connected", bot=self._bot.username, by="webhook", url=self._at.full_url)
        self._judge(found := await self._bot.get_webhook_info())
        if found.url != self._at.full_url:
            await self._set()
        await asyncio.sleep(self._at.look_every if self.caught_up.is_set() else CATCHING_UP)

    async def _set(self) -> None:
        await self._bot.set_webhook(
            self._at.full_url,
            secret_token=self._at.secret.get_secret_value(),
            allowed_updates=WANTED,
            drop_pending_updates=False,
        )

    def _judge(self, found: WebhookInfo) -> None:
        """Say whether Telegram calls us, and whether it gets through."""
        waiting = found.pending_update_count
        late = self._set_at is not None and monotonic() - self._set_at > CATCH_UP_LIMIT
        if found.url != self._at.full_url:
            self._health.trouble(LISTENING, TAKEN_AWAY, found.url)
            log.warning("telegram.webhook_taken_away", url=found.url)
        elif waiting and self._is_news(found) and (late or self.caught_up.is_set()):
            self._health.trouble(LISTENING, f"Telegram cannot call the bot: {found.last_error_message}.")
        elif not waiting or not late:
            self._health.well(LISTENING)
        if not waiting:
            self._error_of_the_past = found.last_error_date
            self.caught_up.set()

    def _is_news(self, found: WebhookInfo) -> bool:
        """Whether a call has failed since nothing waited: Telegram tells of the last failure for ever."""
        return bool(found.last_error_message) and found.last_error_date != self._error_of_the_past

    async def _called(self, request: Request) -> Response:
        shown = request.headers.get(SECRET_HEADER, "")
        if not secrets.compare_digest(shown.encode(), self._at.secret.get_secret_value().encode()):
            log.info("telegram.webhook_refused")
            return Response(status_code=401)
        body = await request.body()  # capped by the app
        if not self._open:
            return Response(status_code=503)
        update = read(self._bot, body)
        if update is None:
            return Response(status_code=200)  # delivered again, it would be no better
        return Response(status_code=200 if await self._is_safe(update, body) else 503)

    async def _is_safe(self, update: Update, body: bytes) -> bool:
        """Whether it is handled, now or by an earlier delivery of it that is still under way, or kept until it is."""
        task = self._under_way.get(update.update_id)
        if task is None:
            task = self._intake.take(update, waited=not self.caught_up.is_set())
            self._under_way[update.update_id] = task
            task.add_done_callback(lambda _: self._under_way.pop(update.update_id, None))
        done, _ = await asyncio.wait({task}, timeout=self._at.patience)
        if done:
            return not task.cancelled()
        return await self._holding.hold(update.update_id, body, task)
