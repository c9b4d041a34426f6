"""The App Home: status, positions and open approvals for whoever opens it, kept fresh while they may be looking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import chain

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from engine.domain.errors import GreenlightError
from engine.domain.messages import Card
from engine.ports import RetryAt
from engine.timing.clocks import monotonic
from engine.views.trading import Views
from handlers.access import Access
from handlers.cards import account, approval, errors, trades
from handlers.lanes import Lanes
from handlers.pacing import Pacer
from handlers.slack.blocks import Block, render
from handlers.slack.client import FAILURES
from handlers.slack.health import OUT_OF_ORDER, explained, reason, rest
from handlers.slack.pacing import HOME
from handlers.slack.reading import PLATFORM
from handlers.slack.speech import Speech

log = structlog.get_logger(__name__)

MOST_BLOCKS = 90
"""Blocks of a home, its last words aside; Slack takes 100."""
MOST_BYTES = 30_000
"""Bytes of a home's blocks: each press in it brings all of them back, and in a form they grow."""
WATCHED_FOR = 900.0
"""Seconds after it was opened for which a home is kept fresh; Slack does not say when it is closed."""
REST = 0.8
"""Seconds between two refreshes of one home."""
OUTAGE = 5.0
"""Seconds after which a home that Slack had no answer for is tried again."""
DIVIDER: Block = {"type": "divider"}

Board = Callable[[str], Awaitable[Sequence[Card] | None]]
"""What a user's home shows; ``None`` for strangers."""


def board(views: Views, access: Access) -> Board:
    """What people see at home: where things stand, what is held, and what they are asked."""

    async def cards(user: str) -> Sequence[Card] | None:
        if access.person(PLATFORM, user) is None:
            return None
        try:
            (status, held), asked = await views.status_and_positions(), await views.pending()
        except GreenlightError as error:
            return (errors.error(error),)
        approvals = [approval.card(view, status.equity, access.approvers) for view in asked]
        return (account.status(status), *approvals, trades.positions(held, status.now))

    return cards


def composed(cards: Sequence[Card], speech: Speech) -> list[Block]:
    """Cards one below the other, with lines between them; what is too much is left out, and that is said."""
    shown: list[Block] = []
    left = 0
    for card in cards:
        blocks = _blocks(card, speech)
        if len(shown) + len(blocks) >= MOST_BLOCKS or len(json.dumps([*shown, *blocks])) > MOST_BYTES:
            left += 1
        else:
            shown += [DIVIDER, *blocks] if shown else blocks
    if left:
        shown += _blocks(
            Card(title="", text=f"{left} more do not fit here: /pending and /positions show them."), speech
        )
    return shown


def _blocks(card: Card, speech: Speech) -> list[Block]:
    return list(chain.from_iterable(part.blocks for part in render(speech.shown(card))))


class Home:
    """Publishes homes.

    Args:
        client: The client.
        pacer: Gives each call its turn.
        cards: What a user's home shows.
        speech: How commands are written there.
    """

    def __init__(self, *, client: AsyncWebClient, pacer: Pacer, cards: Board, speech: Speech) -> None:
        self._client = client
        self._pacer = pacer
        self._cards = cards
        self._speech = speech
        self._opened: dict[str, float] = {}
        self._refreshing: set[str] = set()
        self._lanes = Lanes()
        self._comes_again = False

    async def open(self, user: str) -> None:
        """Show a home to somebody who opened it. Strangers are shown nothing."""
        cards = await self._cards(user)
        if cards is None:
            return
        self._opened[user] = monotonic()
        await self._publish(user, cards)

    def changed(self) -> None:
        """Something people see has changed: refresh the homes that may be looked at, soon."""
        now = monotonic()
        self._opened = {user: at for user, at in self._opened.items() if now - at < WATCHED_FOR}
        for user in self._opened.keys() - self._refreshing:
            self._refreshing.add(user)
            self._lanes.add(user, partial(self._refresh, user))

    async def stop(self) -> None:
        """Let go of what was to be refreshed."""
        await self._lanes.close(0)

    async def _refresh(self, user: str) -> None:
        await asyncio.sleep(REST)
        self._refreshing.discard(user)
        if (cards := await self._cards(user)) is not None:
            await self._publish(user, cards)

    async def _publish(self, user: str, cards: Sequence[Card]) -> None:
        blocks = composed(cards, self._speech)
        try:
            await self._pacer.turn(HOME)
            await self._client.views_publish(user_id=user, view={"type": "home", "blocks": blocks})
        except RetryAt as later:
            self._again(later.seconds)
        except FAILURES as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """What passes is tried again; what Slack refuses is told in the log."""
        seconds, word = rest(error), reason(error)
        if seconds is not None:
            self._pacer.hold(seconds)
        elif word and word not in OUT_OF_ORDER:
            log.warning("slack.home_not_shown", detail=explained(error))
            return
        self._again(seconds or OUTAGE)

    def _again(self, seconds: float) -> None:
        """Refresh all homes once more after a while; one such plan serves every home that could not be shown."""
        if self._comes_again:
            return
        self._comes_again = True

        async def later() -> None:
            await asyncio.sleep(seconds)
            self._comes_again = False
            self.changed()

        self._lanes.add("again", later)
