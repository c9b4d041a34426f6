"""What followers can look at: cards of the operators' bot, made from the same views."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from engine.domain.days import Period
from engine.domain.digests import MOST_TOLD, Digest
from engine.domain.messages import Card
from engine.domain.weeks import ended
from engine.views.account import AccountViews
from engine.views.results import Results
from handlers.cards import account, alerts, figures, pictures
from handlers.charts.illustrating import Draw, Illustrated, illustrated

CHART_DAYS, MOST_DAYS = 30, 365
DAYS_OF_WEEKS = 7 * (MOST_TOLD + 1)
"""Days among which the newest weeks are whole, wherever the running one has got to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Reads for followers.

    Attributes:
        views: What is kept, on a connection that cannot write.
        results: The figures, on the same.
        catch_up: Takes the views' clock to what the bot has reached; asked before every look.
        draw: Makes charts.
        told_weekly: Whether followers are sent weeks instead of days.
    """

    views: AccountViews
    results: Results
    catch_up: Callable[[], Awaitable[None]]
    draw: Draw
    told_weekly: bool = False

    @property
    def told_of(self) -> Period:
        """What followers are sent when it ends."""
        return Period.WEEK if self.told_weekly else Period.DAY

    async def status(self) -> Card:
        """The bot at a glance."""
        await self.catch_up()
        return account.status(await self.views.status(), hints=False)

    async def daily(self, days: int) -> Card:
        """The running day, and the last ones."""
        shown = await self.periods(Period.DAY, days)
        running = alerts.digest(await self.views.latest_digest())
        return replace(running, table=shown.table)

    async def periods(self, period: Period, count: int) -> Card:
        """The last days, weeks or months, the running one included."""
        await self.catch_up()
        return figures.periods(await self.results.periods(period, count), period)

    async def performance(self) -> Card:
        """The closed trades by market and by strategy."""
        await self.catch_up()
        return figures.performance(await self.results.performance())

    async def stats(self) -> Card:
        """How trades ended."""
        await self.catch_up()
        return figures.stats(await self.results.stats())

    async def newest_digest(self) -> Digest | None:
        """The newest day or week that has ended and is told of; ``None`` before the first."""
        return next(reversed(await self._told()), None)

    async def days_since(self, seen: datetime) -> tuple[Digest, ...]:
        """The newest days, or weeks, that have ended after a time, oldest first."""
        return tuple(day for day in await self._told() if day.ends > seen)

    async def _told(self) -> tuple[Digest, ...]:
        """What people are told of, oldest first."""
        if not self.told_weekly:
            return (await self.views.digests(MOST_TOLD))[::-1]
        return ended((await self.views.digests(DAYS_OF_WEEKS))[::-1])[-MOST_TOLD:]

    async def chart(self, days: int) -> Illustrated:
        """The equity of so many days as a picture.

        Raises:
            UnknownId: There is nothing to draw yet.
        """
        await self.catch_up()
        card = pictures.equity(await self.views.curve(days), days, self.views.days.zone)
        return await illustrated(card, self.draw)
