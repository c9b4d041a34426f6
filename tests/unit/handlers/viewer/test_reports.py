"""Which days subscribers are sent: the real client against the fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.domain.digests import MOST_TOLD, Digest
from handlers.viewer.subscribers import Subscribers
from handlers.viewer.window import Window
from tests.fakes import reports
from tests.fakes.chat import FakeResults, FakeViews
from tests.fakes.telegram import FakeTelegram, Fault

if TYPE_CHECKING:
    from handlers.viewer.reports import Reports

pytestmark = [
    pytest.mark.skipif(find_spec("aiogram") is None, reason="the extra viewer is not installed"),
    pytest.mark.xdist_group("viewer bot"),  # aiogram takes seconds to load
]

ANN, BEN = 444, 555


class Ended(FakeViews):
    """So many days of January 2026 have ended, at six in the evening."""

    days = 0

    async def digests(self, count: int) -> tuple[Digest, ...]:
        return tuple(_day(number) for number in range(self.days, max(0, self.days - count), -1))


def _day(number: int) -> Digest:
    ends = datetime(2026, 1, number, 18, tzinfo=UTC)
    return reports.digest(id=name(number), begins=ends - timedelta(days=1), ends=ends)


def name(number: int) -> str:
    return f"2026-01-{number:02}"


def sent(fake: FakeTelegram, user: int) -> list[str]:
    return [text.partition(":")[0] for text in fake.texts(user)]


async def nothing(*_: object) -> bytes:
    """Neither to catch up with nor to draw."""
    return b""


@asynccontextmanager
async def reporting(
    folder: Path, fake: FakeTelegram, *, told_weekly: bool = False
) -> AsyncIterator[tuple[Ended, Subscribers, Reports]]:
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    from handlers.viewer.reports import Reports
    from handlers.viewer.sending import Sender

    views, subscribers = Ended(), Subscribers(folder / "viewer.sqlite")
    async with Bot(fake.token, session=AiohttpSession(api=TelegramAPIServer.from_base(fake.url))) as bot:
        for user in (ANN, BEN):
            fake.chat(user)
        window = Window(views=views, results=FakeResults(), catch_up=nothing, draw=nothing, told_weekly=told_weekly)
        followers = {str(ANN), str(BEN)}
        yield (
            views,
            subscribers,
            Reports(window=window, subscribers=subscribers, followers=followers, sender=Sender(bot)),
        )


@pytest.mark.slow
async def test_each_day_is_sent_once_and_those_that_come_late_together_each_by_itself(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, reporting(tmp_path, fake) as (views, subscribers, due):
        subscribers.add(str(BEN), datetime(2026, 1, 1, tzinfo=UTC))
        for views.days in (0, 1, 1, 4, 15, 15):
            await due.send_due()
            if views.days == 1:
                subscribers.add(str(ANN), _day(1).ends)
        late = range(15 - MOST_TOLD + 1, 16)
        assert sent(fake, BEN) == [name(number) for number in (1, 2, 3, 4, *late)]
        assert sent(fake, ANN) == [name(number) for number in (2, 3, 4, *late)]


@pytest.mark.slow
async def test_each_week_is_sent_once_where_weeks_are_told_of(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, reporting(tmp_path, fake, told_weekly=True) as (views, subscribers, reports_):
        subscribers.add(str(ANN), datetime(2025, 12, 31, tzinfo=UTC))
        for views.days in (6, 7, 8, 14):
            await reports_.send_due()
        assert sent(fake, ANN) == [f"Week 2026-W0{number}" for number in range(1, 3)]


@pytest.mark.slow
async def test_no_day_is_sent_before_one_that_could_not_be(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, reporting(tmp_path, fake) as (views, subscribers, due):
        subscribers.add(str(BEN), datetime(2026, 1, 1, tzinfo=UTC))
        views.days = 3
        fake.fail(Fault.BAD_GATEWAY, method="sendMessage", times=1)
        await due.send_due()
        assert sent(fake, BEN) == []
        await due.send_due()
        assert sent(fake, BEN) == [name(1), name(2), name(3)]
