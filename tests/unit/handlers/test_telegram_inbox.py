"""What the listening remembers of updates and chats: enough to know a repetition, and no more however long it runs."""

from __future__ import annotations

from telegram import Update

from engine.domain.messages import Card, Incoming
from handlers.telegram.intake import Intake
from handlers.telegram.listening import Inbox
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_bot import make_bot


def updates(*ids: int) -> list[Update]:
    return [Update(id_) for id_ in ids]


def taken(inbox: Inbox, *ids: int) -> list[int]:
    """Which of a delivery are new to it."""
    return [update.update_id for update in inbox.fresh(updates(*ids))]


def test_what_was_handled_meanwhile_is_known_when_it_is_delivered_again():
    inbox = Inbox()
    assert taken(inbox, 5, 6) == [5, 6]
    inbox.done(6)
    assert inbox.offset == 5
    assert taken(inbox, 5, 6, 7) == [7]


def test_what_was_handled_while_a_poll_was_under_way_is_known_though_nothing_is_left_to_do():
    inbox = Inbox()
    taken(inbox, 5, 6)
    inbox.done(5)
    inbox.done(6)
    assert taken(inbox, 5, 6) == []
    assert inbox.offset == 7


def test_after_a_week_of_silence_numbers_begin_anew():
    inbox = Inbox()
    taken(inbox, 900)
    inbox.done(900)
    taken(inbox)
    assert taken(inbox, 3) == [3]
    inbox.done(3)
    assert inbox.offset == 4


def test_however_long_it_is_busy_it_remembers_only_what_may_be_delivered_again():
    inbox = Inbox()
    taken(inbox, 0)
    for number in range(1, 1000):
        assert taken(inbox, number - 1, number) == [number]
        inbox.done(number - 1)
        assert inbox.busy
    assert len(inbox._done) <= 2


async def test_nothing_is_kept_of_the_chats_of_people_who_were_answered_or_are_strangers():
    async def answer(heard: Incoming) -> Card | None:
        return Card(title="Hello") if heard.user == "1" else None

    with FakeTelegram() as fake:
        bot = make_bot(fake, receive=answer)
        await bot.platform.start()
        for user in range(1, 30):
            fake.type(user, user, "hello")
        await fake.wait_for(lambda: not fake.api.unconfirmed and len(bot.heard) == 29)
        intake: Intake = bot.platform._listener._intake
        await bot.platform.stop()
    assert not intake._owed
    assert not intake._lanes._last
