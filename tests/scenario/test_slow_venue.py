"""A venue that does not answer: Telegram's webhook takes every update at once, and each is acted on once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from engine.domain.approvals import Approval
from engine.domain.messages import Person, Role
from engine.timing.clocks import wall
from handlers.access import Access, Identity
from handlers.answered import note_in
from handlers.commands import build_commands
from handlers.reception import Reception
from handlers.telegram import KeptUpdates, TelegramPlatform, WebhookAt
from tests.fakes.chat import no_backtest, no_logs
from tests.fakes.engine import Room, engine_room
from tests.fakes.panel import rules_alone
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_bot import serving

ANN, BEN = 7, 8
PUBLIC, SECRET = "https://bot.example.org", SecretStr("a-secret-of-enough-letters")
QUICKLY = 3.0
"""Wall seconds; what takes longer than one is kept."""


@asynccontextmanager
async def at_telegram(room: Room, fake: FakeTelegram) -> AsyncIterator[None]:
    """The room's people at Telegram, which calls us."""
    people = {ANN: Person(name="Ann", role=Role.TRADER), BEN: Person(name="Ben", role=Role.TRADER)}
    reception = Reception(
        access=Access([Identity(person=each, platform="telegram", user=str(user)) for user, each in people.items()]),
        commands=build_commands(
            views=room.views,
            results=room.results,
            risk=room.risk,
            venues=room.venue_reports,
            desk=room.desk,
            clock=room.clock,
            version="0",
            asker=rules_alone(),
            logs=no_logs,
            backtest=no_backtest,
        ),
        database=room.store,
        desk=room.desk,
        clock=room.clock,
        wall=wall,
        started_at=wall() - timedelta(days=1),
    )
    platform = TelegramPlatform(
        token=SecretStr(fake.token),
        api_url=fake.url,
        receive=reception.answer,
        recorded=reception.recorded,
        menu=(),
        messages_per_second=100.0,
        webhook=WebhookAt(url=PUBLIC, secret=SECRET),
        note=note_in(room.store),
        keep=KeptUpdates(room.store),
    )
    for user in people:
        fake.chat(user)
    async with serving(platform) as local:
        fake.leads(PUBLIC, local)
        await platform.start()
        try:
            await fake.wait_for(lambda: platform.health == "ok")
            yield
        finally:
            await platform.stop()


def typed(fake: FakeTelegram, approval: Approval) -> list[int]:
    """Two people do several things, a person's own in order."""
    said = ((ANN, f"/approve {approval.id}"), (ANN, "/status"), (BEN, f"/approve {approval.id}"), (BEN, "/pending"))
    return [fake.type(user, user, text) for user, text in said]


@pytest.mark.parametrize("hangs", ["book", "submit"])
async def test_every_update_is_taken_at_once_and_nothing_is_lost_or_done_twice(tmp_path: Path, hangs: str):
    async with engine_room(tmp_path) as room:
        with FakeTelegram() as fake:
            async with at_telegram(room, fake):
                approval = await room.ask()
                room.venue.hangs = hangs
                updates = typed(fake, approval)
                async with asyncio.timeout(QUICKLY * len(updates)):
                    await fake.wait_for(lambda: fake.api.unconfirmed == [])
                assert sorted(fake.courier.delivered) == [(update, 200) for update in updates]
                room.venue.answers.set()
                await fake.wait_for(lambda: len(fake.texts(ANN)) == 2 and len(fake.texts(BEN)) == 2)
                await room.approvals.finished()
            won, lost = sorted((fake.texts(ANN)[0], fake.texts(BEN)[0]), reverse=True)
            assert won.startswith(f"You approved {approval.id}: order O1 at ")
            assert lost.startswith(f"Too late: {approval.id} was approved by ")
            assert [purpose for purpose, _, _ in await room.orders()] == ["entry", "protection"]
            audited = await room.store.read(lambda uow: uow.chat.newest_audit(9))
            assert len(audited) == len(updates)
            assert await KeptUpdates(room.store).left() == {}


async def test_what_was_taken_when_the_program_was_cut_off_is_answered_by_the_next(tmp_path: Path):
    with FakeTelegram() as fake:
        async with engine_room(tmp_path) as room:
            approval = await room.ask()
            async with at_telegram(room, fake):
                room.venue.hangs = "book"
                update = fake.type(ANN, ANN, f"/approve {approval.id}")
                await fake.wait_for(lambda: fake.api.unconfirmed == [])
                assert list(await KeptUpdates(room.store).left()) == [update]
                room.clock.at += timedelta(minutes=1)
                for task in asyncio.all_tasks():
                    if "_after" in repr(task.get_coro()):
                        task.cancel()
            assert list(await KeptUpdates(room.store).left()) == [update]
        async with engine_room(tmp_path) as room:
            await room.approvals.recover()
            async with at_telegram(room, fake):
                await fake.wait_for(lambda: fake.texts(ANN))
                await fake.wait_for(lambda: fake.api.unconfirmed == [])
            assert await KeptUpdates(room.store).left() == {}
            assert [purpose for purpose, _, _ in await room.orders()] == ["entry", "protection"]
