"""What people do on Telegram reaches the receiver: the real client against the fake server."""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from engine.domain.closing import Choice
from engine.domain.messages import Button, Card, Destination, Incoming, Pressed, Ref, Typed
from engine.ports import BadCard
from handlers.lanes import Lanes
from handlers.telegram.listening import BATCH
from tests.fakes.noting import say_nothing, words
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_bot import MENU, make_bot, running, to

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("GREENLIGHT_DATA", ROOT.parent / "shared" / "data")) / "telegram" / "nutgram" / "Updates"
ANN, BEN, GROUP = 7, 8, -100


@pytest.fixture(scope="module")
def server() -> Iterator[FakeTelegram]:
    with FakeTelegram() as server:
        yield server


@pytest.fixture
def fake(server: FakeTelegram) -> FakeTelegram:
    server.reset()
    for chat in (ANN, BEN, GROUP):
        server.chat(chat)
    return server


def question(fake: FakeTelegram, chat: int = ANN) -> int:
    """A message of the bot's with a button; returns its id."""
    keyboard = json.dumps({"inline_keyboard": [[{"text": "Approve", "callback_data": "approve:A1"}]]})
    sent = fake.api.call("sendMessage", {"chat_id": str(chat), "text": "Buy?", "reply_markup": keyboard})
    return sent["message_id"]


async def caught_up(fake: FakeTelegram) -> None:
    """Return once the bot has read what waited for it: it polls a second time."""
    await fake.wait_for(lambda: fake.api.poll > 1)


async def echo(heard: Incoming) -> Card:
    return Card(title=f"echo {words(heard)}")


class Slow:
    """A receiver that keeps every text starting with ``slow`` waiting."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.done: list[str] = []

    async def __call__(self, heard: Incoming) -> None:
        if words(heard).startswith("slow"):
            await self.go.wait()
        self.done.append(words(heard))


# Hearing and answering


async def test_a_message_becomes_something_a_person_typed(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        update = fake.type(GROUP, ANN, "/why A17 now", date=1_700_000_000)
        await fake.wait_for(lambda: bot.heard)
    assert bot.heard == [
        Incoming(
            platform="telegram",
            user="7",
            delivery_id=str(update),
            sent_at=datetime.fromtimestamp(1_700_000_000, UTC),
            address="-100",
            action=Typed(text="/why A17 now"),
            name="User 7 (@user7)",
        )
    ]


@pytest.mark.parametrize(("chat", "private"), [(ANN, True), (GROUP, False)])
async def test_what_nobody_else_reads_is_told_from_what_a_group_reads(
    fake: FakeTelegram, chat: int, *, private: bool
) -> None:
    async with running(fake) as bot:
        fake.type(chat, ANN, "status")
        await fake.wait_for(lambda: bot.heard)
    assert [heard.is_private for heard in bot.heard] == [private]


async def test_a_press_of_what_its_message_does_not_have_is_told_apart(fake: FakeTelegram) -> None:
    """A client of somebody's own may send anything: an answer to that takes the place of no message."""
    message = question(fake, chat=GROUP)
    async with running(fake) as bot:
        await caught_up(fake)
        fake.press(GROUP, message, BEN, "close:C1", forged=True)
        await fake.wait_for(lambda: bot.heard)
    assert [heard.is_carried for heard in bot.heard] == [False]


async def test_a_press_becomes_something_a_person_pressed_with_the_message_it_was_on(fake: FakeTelegram) -> None:
    message = question(fake, chat=GROUP)
    async with running(fake) as bot:
        await caught_up(fake)
        update = fake.press(GROUP, message, BEN, "Approve")
        await fake.wait_for(lambda: bot.heard)
    assert bot.heard == [
        Incoming(
            platform="telegram",
            user="8",
            delivery_id=str(update),
            sent_at=None,
            address="-100",
            action=Pressed(data="approve:A1"),
            ref=Ref(messages=(str(message),)),
            name="User 8 (@user8)",
        )
    ]


async def test_what_takes_long_is_announced_at_once_and_answered_after_that(fake: FakeTelegram) -> None:
    free = asyncio.Event()

    async def slow(heard: Incoming) -> Card:
        await free.wait()
        return Card(title="done")

    async with running(fake, receive=slow, interim=lambda _: Card(title="begun")):
        fake.type(ANN, ANN, "/backtest")
        await fake.wait_for(lambda: "begun" in [each.text for each in fake.messages(ANN)])
        free.set()
        await fake.wait_for(lambda: "done" in [each.text for each in fake.messages(ANN)])


async def test_the_reply_comes_to_where_the_message_was_written(fake: FakeTelegram) -> None:
    async with running(fake, receive=echo):
        fake.type(ANN, ANN, "hello")
        await fake.wait_for(lambda: fake.texts(ANN) == ["echo hello"])
    assert fake.messages(ANN)[0].reply_to is None


async def test_once_a_reply_stands_there_or_cannot_it_is_told(fake: FakeTelegram) -> None:
    told: list[tuple[str, int]] = []

    def note(heard: Incoming) -> None:
        told.append((words(heard), len(fake.called("sendMessage"))))

    async with running(fake, receive=echo, shown=note):
        fake.type(ANN, ANN, "hello")
        await fake.wait_for(lambda: told)
        fake.block(ANN)
        fake.type(ANN, ANN, "again")
        await fake.wait_for(lambda: len(told) > 1)
    assert [what for what, _ in told] == ["hello", "again"]
    assert told[0][1] == 1


async def test_what_arrives_is_told_before_its_turn_comes(fake: FakeTelegram) -> None:
    arrived, slow = list[str](), Slow()
    async with running(fake, receive=slow, arrived=lambda heard: arrived.append(words(heard))):
        for text in ("slow", "next"):
            fake.type(ANN, ANN, text)
        await fake.wait_for(lambda: arrived == ["slow", "next"])
        assert slow.done == []
        slow.go.set()


async def test_the_reply_to_a_press_hangs_under_the_card(fake: FakeTelegram) -> None:
    message = question(fake)
    async with running(fake, receive=echo):
        fake.press(ANN, message, ANN, "Approve")
        await fake.wait_for(lambda: len(fake.messages(ANN)) == 2)
    assert (fake.messages(ANN)[-1].text, fake.messages(ANN)[-1].reply_to) == ("echo approve:A1", message)


async def tell_a_secret(heard: Incoming) -> Card:
    del heard
    return Card(title="The log", private=True)


async def test_what_is_for_one_person_is_answered_in_private_and_the_group_is_told_where(fake: FakeTelegram) -> None:
    async with running(fake, receive=tell_a_secret):
        fake.type(GROUP, ANN, "/logs")
        await fake.wait_for(lambda: fake.texts(GROUP))
        fake.type(ANN, ANN, "/logs")
        await fake.wait_for(lambda: len(fake.texts(ANN)) == 2)
    assert fake.texts(ANN) == ["The log", "The log"]
    assert fake.texts(GROUP) == ["The answer is in your direct messages with me"]


@pytest.mark.parametrize("blocked", [True, False])
async def test_where_there_is_no_private_chat_yet_the_group_is_told_how_to_open_one(
    fake: FakeTelegram,
    blocked: bool,  # noqa: FBT001
) -> None:
    if blocked:
        fake.block(BEN)
    else:
        del fake.api.chats[BEN]
    async with running(fake, receive=tell_a_secret) as bot:
        fake.type(GROUP, BEN, "/logs")
        await fake.wait_for(lambda: fake.texts(GROUP))
        assert bot.platform.health == "ok"
    (told,) = fake.texts(GROUP)
    assert "I cannot write to you in private yet" in told
    assert "Write to @greenlight_bot alone, press Start there, and ask again." in told


WISH = Card(title="Close T1?", topic="closing:C1", buttons=(Button(label="Close T1", verb=Choice.CLOSE, about="C1"),))


async def test_where_an_answer_is_that_waits_for_a_press_is_noted(fake: FakeTelegram) -> None:
    noted: list[tuple[str, Destination, Ref]] = []

    async def ask(heard: Incoming) -> Card:
        del heard
        return WISH

    async def note(card: Card, to: Destination, ref: Ref | None) -> None:
        if ref is None:
            assert not fake.messages(GROUP), "it is noted before it is sent"
        else:
            noted.append((card.topic, to, ref))

    async with running(fake, receive=ask, note=note) as bot:
        fake.type(GROUP, ANN, "/close T1")
        await fake.wait_for(lambda: noted)
        (topic, to, ref), shown = noted[0], fake.messages(GROUP)[0]
        assert (topic, to.address, ref.messages) == ("closing:C1", str(GROUP), (str(shown.message_id),))
        await bot.platform.put(to, replace(WISH, title="Time is up", buttons=()), ref)
        assert (fake.messages(GROUP)[0].text, fake.messages(GROUP)[0].buttons) == ("Time is up", [])


async def test_an_answer_in_a_chat_that_was_blocked_since_is_given_up_and_no_trouble_of_the_platform(
    fake: FakeTelegram,
) -> None:
    async with running(fake) as bot:
        await caught_up(fake)
        fake.block(BEN)
        with pytest.raises(BadCard):
            await bot.platform.put(to(BEN), WISH, Ref(messages=("3",)))
        assert bot.platform.health == "ok"


async def test_a_command_for_another_bot_is_not_heard_and_ours_loses_its_address(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        fake.type(GROUP, ANN, "/status@other_bot")
        fake.type(GROUP, ANN, "/status@Greenlight_Bot now")
        fake.type(GROUP, ANN, "mail me@greenlight_bot")
        await fake.wait_for(lambda: len(bot.heard) == 2)
    assert bot.said == ["/status now", "mail me@greenlight_bot"]


async def test_edits_channel_posts_other_bots_and_texts_without_words_are_not_heard(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        await fake.wait_for(lambda: fake.api.poll)
        base = {"message_id": 1, "chat": fake.chat(ANN).payload, "date": 1}
        robot = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
        fake.deliver("edited_message", {**base, "from": fake.api.person(ANN), "edit_date": 2, "text": "edited"})
        fake.deliver("channel_post", {**base, "chat": {"id": -9, "type": "channel", "title": "c"}, "text": "post"})
        fake.deliver("message", {**base, "from": robot, "text": "anonymous"})
        fake.deliver("message", {**base, "from": fake.api.person(ANN), "new_chat_title": "x"})
        fake.type(ANN, ANN, "end")
        await fake.wait_for(lambda: bot.heard)
    assert bot.said == ["end"]


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded updates are not here (GREENLIGHT_DATA)")
async def test_no_recorded_update_stops_the_listening(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        await fake.wait_for(lambda: fake.api.poll)
        for file in sorted(DATA.glob("*.json")):
            update = json.loads(file.read_text())
            kind = next(key for key in update if key != "update_id")
            # Whatever their kind: the server may deliver what was queued before the bot said what it wants.
            fake.api._allowed.add(kind)
            fake.deliver(kind, update[kind])
        fake.type(ANN, ANN, "end")
        await fake.wait_for(lambda: "end" in bot.said)
    assert bot.troubles == []
    assert {"Ciao", "/register HR John Doe", "thedata", "aaaa"} < set(bot.said)
    assert not {"/test@bar", "Editing this message"} & set(bot.said)


# Order


async def test_a_press_is_acknowledged_before_anything_is_done_about_it(fake: FakeTelegram) -> None:
    acknowledged: list[int] = []

    async def look(heard: Incoming) -> None:
        acknowledged.append(len(fake.api.answered))

    message = question(fake)
    async with running(fake, receive=look):
        fake.press(ANN, message, ANN, "Approve")
        await fake.wait_for(lambda: acknowledged)
    assert acknowledged == [1]


async def test_a_press_is_acknowledged_even_while_its_person_waits_for_something_else(fake: FakeTelegram) -> None:
    message = question(fake)
    slow = Slow()
    async with running(fake, receive=slow) as bot:
        fake.type(ANN, ANN, "slow")
        fake.press(ANN, message, ANN, "Approve")
        await fake.wait_for(lambda: fake.api.answered)
        assert bot.said == ["slow"]
        slow.go.set()
        await fake.wait_for(lambda: len(slow.done) == 2)


async def test_a_press_whose_acknowledgement_fails_is_still_handled(fake: FakeTelegram) -> None:
    message = question(fake)
    fake.fail(Fault.BAD_GATEWAY, method="answerCallbackQuery")
    async with running(fake) as bot:
        fake.press(ANN, message, ANN, "Approve")
        await fake.wait_for(lambda: bot.said == ["approve:A1"])


async def test_what_a_person_did_is_handled_in_order_and_other_people_do_not_wait(fake: FakeTelegram) -> None:
    slow = Slow()
    for user, text in ((ANN, "slow 1"), (ANN, "2"), (BEN, "3"), (ANN, "4")):
        fake.type(user, user, text)
    async with running(fake, receive=slow):
        await fake.wait_for(lambda: slow.done == ["3"])
        slow.go.set()
        await fake.wait_for(lambda: len(slow.done) == 4)
    assert slow.done == ["3", "slow 1", "2", "4"]


async def test_news_is_fetched_while_something_is_still_being_handled(fake: FakeTelegram) -> None:
    slow = Slow()
    async with running(fake, receive=slow) as bot:
        first = fake.type(ANN, ANN, "slow")
        await fake.wait_for(lambda: bot.heard)
        fake.type(BEN, BEN, "quick")
        await fake.wait_for(lambda: slow.done == ["quick"])
        assert first in fake.api.unconfirmed
        slow.go.set()
        await fake.wait_for(lambda: len(slow.done) == 2)
    assert bot.said == ["slow", "quick"]


async def test_a_receiver_that_fails_does_not_stop_what_comes_after(fake: FakeTelegram) -> None:
    async def fail_at_first(heard: Incoming) -> Card:
        if words(heard) == "bad":
            raise ValueError("a bug")
        return await echo(heard)

    async with running(fake, receive=fail_at_first):
        fake.type(ANN, ANN, "bad")
        fake.type(ANN, ANN, "good")
        await fake.wait_for(lambda: fake.texts(ANN) == ["echo good"])
    assert fake.api.unconfirmed == []


async def test_somebody_who_blocks_the_bot_gets_no_answer_and_is_nobody_elses_trouble(fake: FakeTelegram) -> None:
    async with running(fake, receive=echo) as bot:
        fake.block(ANN)
        fake.type(ANN, ANN, "/status")
        await fake.wait_for(lambda: [call.code for call in fake.called("sendMessage")] == [403])
        fake.type(BEN, BEN, "/status")
        await fake.wait_for(lambda: fake.texts(BEN) == ["echo /status"])
        assert bot.platform.health == "ok"
    assert [call.code for call in fake.called("sendMessage")] == [403, 200]


# Topics


async def test_the_reply_comes_into_the_topic_where_the_message_was_written(fake: FakeTelegram) -> None:
    fake.topic(GROUP, 45)
    async with running(fake, receive=echo) as bot:
        fake.type(GROUP, ANN, "/status", topic=45)
        await fake.wait_for(lambda: fake.messages(GROUP))
    assert (fake.messages(GROUP)[0].text, fake.messages(GROUP)[0].topic) == ("echo /status", 45)
    assert bot.heard[0].address == "-100/45"


async def test_a_press_in_a_topic_is_heard_from_there_and_answered_there(fake: FakeTelegram) -> None:
    fake.topic(GROUP, 45)
    keyboard = json.dumps({"inline_keyboard": [[{"text": "Approve", "callback_data": "approve:A1"}]]})
    params = {"chat_id": str(GROUP), "text": "Buy?", "reply_markup": keyboard, "message_thread_id": "45"}
    message = fake.api.call("sendMessage", params)["message_id"]
    async with running(fake, receive=echo) as bot:
        fake.press(GROUP, message, BEN, "Approve")
        await fake.wait_for(lambda: len(fake.messages(GROUP)) == 2)
    reply = fake.messages(GROUP)[-1]
    assert (reply.topic, reply.reply_to, bot.heard[0].address) == (45, message, "-100/45")


async def test_a_thread_of_replies_in_a_group_without_topics_is_no_topic(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        await fake.wait_for(lambda: fake.api.poll)
        base = {"message_id": 9, "chat": fake.chat(GROUP).payload, "date": 1, "message_thread_id": 3}
        fake.deliver("message", {**base, "from": fake.api.person(ANN), "text": "a reply"})
        await fake.wait_for(lambda: bot.heard)
    assert bot.heard[0].address == "-100"


# Crowds


async def test_in_a_crowd_every_press_is_told_its_outcome_though_messages_are_few(fake: FakeTelegram) -> None:
    """Forty presses at once in a group, where three messages are free and each further one takes 3.5 s."""
    message = question(fake, chat=GROUP)
    async with running(fake, receive=echo, messages_per_second=30.0):
        await caught_up(fake)
        for person in range(1, 41):
            fake.press(GROUP, message, person, "Approve")

        def told() -> list[str]:
            by_message = [shown.text for shown in fake.messages(GROUP) if shown.reply_to == message]
            return [*by_message, *(text for text in fake.api.told.values() if text)]

        await fake.wait_for(lambda: len(told()) == 40)
        assert len(fake.api.answered) == 40, "and every button has stopped spinning"
    assert set(told()) == {"echo approve:A1"}


async def test_in_a_crowd_a_press_that_takes_long_is_acknowledged_in_time_and_told_by_message(
    fake: FakeTelegram,
) -> None:
    message, slow = question(fake, chat=GROUP), asyncio.Event()

    async def slowly(heard: Incoming) -> Card:
        await slow.wait()
        return await echo(heard)

    fake.chat(GROUP)
    async with running(fake, receive=slowly) as bot:
        await caught_up(fake)
        for person in range(1, 5):
            fake.press(GROUP, message, person, "Approve")
        await fake.wait_for(lambda: len(fake.api.answered) == 4)
        assert [text for text in fake.api.told.values() if text] == []
        slow.set()
        await fake.wait_for(lambda: len(fake.messages(GROUP)) == 1 + 4, timeout=20)
    assert len(bot.heard) == 4


async def test_what_is_too_long_for_an_acknowledgement_is_cut(fake: FakeTelegram) -> None:
    message = question(fake, chat=GROUP)

    async def at_length(heard: Incoming) -> Card:
        return Card(title="Too late: " + "x" * 300)

    async with running(fake, receive=at_length):
        await caught_up(fake)
        for person in range(1, 11):
            fake.press(GROUP, message, person, "Approve")
        await fake.wait_for(lambda: len(fake.api.answered) == 10)
    assert {len(text) for text in fake.api.told.values()} == {0, 200}


# Confirming


async def test_what_was_handled_is_confirmed_and_not_delivered_to_the_next_instance(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        fake.type(ANN, ANN, "one")
        await fake.wait_for(lambda: bot.heard)
    assert fake.api.unconfirmed == []
    async with running(fake) as after:
        fake.type(ANN, ANN, "two")
        await fake.wait_for(lambda: after.heard)
    assert after.said == ["two"]


async def test_a_message_from_while_the_bot_was_down_carries_its_own_time(fake: FakeTelegram) -> None:
    fake.type(ANN, ANN, "early", date=1_700_000_000)
    async with running(fake) as bot:
        await fake.wait_for(lambda: bot.heard)
    assert bot.heard[0].sent_at == datetime.fromtimestamp(1_700_000_000, UTC)


async def test_presses_that_waited_for_the_start_are_older_than_the_message_they_are_on(fake: FakeTelegram) -> None:
    message = question(fake)
    asked = datetime.fromtimestamp(fake.chat(ANN).messages[message].date, UTC)
    for _ in range(BATCH + 5):
        fake.press(ANN, message, ANN, "Approve")
    async with running(fake) as bot:
        await fake.wait_for(lambda: not fake.api.unconfirmed)
        fake.press(ANN, message, ANN, "Approve")
        await fake.wait_for(lambda: len(bot.heard) == BATCH + 6)
    assert [heard.sent_at for heard in bot.heard] == [asked - timedelta(seconds=1)] * (BATCH + 5) + [None]


async def test_a_press_during_an_outage_of_telegram_is_not_taken_for_one_before_the_start(fake: FakeTelegram) -> None:
    message = question(fake)
    async with running(fake, poll_timeout=timedelta(seconds=0.1)) as bot:
        await caught_up(fake)
        fake.fail(Fault.CUT, method="getUpdates")
        await fake.wait_for(lambda: bot.troubles)
        fake.press(ANN, message, ANN, "Approve")
        fake.recover()
        await fake.wait_for(lambda: bot.heard)
    assert bot.heard[0].sent_at is None


async def test_the_first_poll_after_an_outage_does_not_wait_for_news(fake: FakeTelegram) -> None:
    async with running(fake, poll_timeout=timedelta(seconds=50)) as bot:
        await caught_up(fake)
        fake.fail(Fault.BAD_GATEWAY, method="getUpdates", times=1)
        fake.type(ANN, ANN, "hello")  # ends the open poll; the next one fails
        await fake.wait_for(lambda: bot.troubles)
        await fake.wait_for(lambda: bot.platform.health == "ok")


async def test_a_delivery_that_is_repeated_bears_the_same_id(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        update = fake.type(ANN, ANN, "once")
        await fake.wait_for(lambda: bot.heard and not fake.api.unconfirmed)
        fake.type(ANN, ANN, "more")
        await fake.wait_for(lambda: len(bot.heard) == 2 and not fake.api.unconfirmed)
        fake.redeliver(update)
        await fake.wait_for(lambda: len(bot.heard) == 3)
    assert bot.heard[0] == bot.heard[2]


CRASH = """
import asyncio, sys
from datetime import timedelta
from pydantic import SecretStr
from handlers.telegram import TelegramPlatform

async def receive(heard):
    if heard.action.text == "deadly":
        print("fetched", file=sys.stderr)
        await asyncio.sleep(60)

async def main():
    platform = TelegramPlatform(
        token=SecretStr(sys.argv[1]), api_url=sys.argv[2], receive=receive, menu=(),
        poll_timeout=timedelta(seconds=5),
    )
    await platform.start()
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_crash_between_fetching_and_handling_loses_nothing(fake: FakeTelegram) -> None:
    fake.type(ANN, ANN, "handled")
    deadly = fake.type(ANN, ANN, "deadly")
    command = [sys.executable, "-c", CRASH, fake.token, fake.url]
    victim = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=DEVNULL, stderr=PIPE)
    assert victim.stderr
    try:
        assert await victim.stderr.readline() == b"fetched\n"
    finally:
        victim.kill()
        await victim.communicate()
    async with running(fake) as bot:
        await fake.wait_for(lambda: "deadly" in bot.said)
    assert bot.heard[-1].delivery_id == str(deadly)


# Trouble


async def test_the_menu_is_set_and_a_forgotten_webhook_removed(fake: FakeTelegram) -> None:
    fake.api.webhook = "https://example.org/hook"
    async with running(fake) as bot:
        await fake.wait_for(lambda: bot.platform.health == "ok")
    assert fake.api.webhook == ""
    assert [(c["command"], c["description"]) for c in fake.api.commands] == list(MENU)


async def test_a_menu_that_is_refused_is_told_and_the_bot_listens_all_the_same(fake: FakeTelegram) -> None:
    async with running(fake, menu=(("Not-Allowed", "x"),)) as bot:
        fake.type(ANN, ANN, "hello")
        await fake.wait_for(lambda: bot.heard)
        assert "menu" in bot.platform.health
    assert len(bot.troubles) == 1


async def test_a_second_poller_is_told_as_trouble_and_listening_goes_on_when_it_has_left(fake: FakeTelegram) -> None:
    async with running(fake) as bot:
        await fake.wait_for(lambda: fake.api.poll)
        async with running(fake) as other:
            await fake.wait_for(lambda: bot.troubles or other.troubles)
            assert "Another program" in (bot.troubles + other.troubles)[0]
        fake.type(ANN, ANN, "still there?")
        await fake.wait_for(lambda: "still there?" in bot.said)
        await fake.wait_for(lambda: bot.platform.health == "ok")


@pytest.mark.parametrize("token", ["999999999:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1", "nonsense-secret"])
async def test_a_wrong_token_is_told_and_never_shown(
    fake: FakeTelegram, token: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(fake, token=SecretStr(token)) as bot:
        await fake.wait_for(lambda: bot.troubles)
        assert bot.platform.health == "Telegram refuses the bot's token: check telegram.token."
    assert bot.troubles == [bot.platform.health]
    assert token.rpartition(":")[2] not in f"{caplog.text}{capsys.readouterr()}{bot.logs}"


async def test_the_token_is_in_no_log_line_of_a_bot_that_works(
    fake: FakeTelegram, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(fake, receive=echo, poll_timeout=timedelta(seconds=0.1)) as bot:
        fake.type(ANN, ANN, "hello")
        await fake.wait_for(lambda: fake.texts(ANN))
        fake.fail(Fault.BAD_GATEWAY)
        await fake.wait_for(lambda: bot.troubles)
    assert "sendMessage" in caplog.text
    assert fake.token.rpartition(":")[2] not in f"{caplog.text}{capsys.readouterr()}{bot.logs}"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.LOST, Fault.BAD_GATEWAY, Fault.HTML, Fault.HANG])
async def test_an_outage_is_told_once_and_survived(fake: FakeTelegram, fault: Fault) -> None:
    options = {"poll_timeout": timedelta(seconds=0.1), "answer_timeout": timedelta(seconds=0.3)}
    async with running(fake, **options) as bot:
        await fake.wait_for(lambda: bot.platform.health == "ok")
        fake.fail(fault, method="getUpdates")
        fake.type(ANN, ANN, "in the outage")
        await fake.wait_for(lambda: bot.platform.health == "Telegram cannot be reached.")
        before = len(fake.calls)
        if fault is not Fault.HANG:
            await fake.wait_for(lambda: len(fake.calls) > before)
        fake.recover()
        await fake.wait_for(lambda: bot.said == ["in the outage"])
        await fake.wait_for(lambda: bot.platform.health == "ok")
    assert bot.troubles == ["Telegram cannot be reached."]


async def test_a_bot_started_before_its_server_connects_when_the_server_is_there() -> None:
    async with FakeTelegram() as fake:
        await asyncio.to_thread(fake.stop)
        async with running(fake) as bot:
            await fake.wait_for(lambda: bot.troubles)
            assert bot.platform.health == "Telegram cannot be reached."
            await asyncio.to_thread(fake.start)
            fake.type(ANN, ANN, "at last")
            await fake.wait_for(lambda: bot.said == ["at last"])


# Stopping


async def test_stopping_lets_what_is_under_way_end_and_its_reply_go_out(fake: FakeTelegram) -> None:
    async def slowly(heard: Incoming) -> Card:
        await asyncio.sleep(0.2)
        return await echo(heard)

    async with running(fake, receive=slowly) as bot:
        fake.type(ANN, ANN, "last words")
        await fake.wait_for(lambda: bot.heard)
    assert fake.texts(ANN) == ["echo last words"]
    assert fake.api.unconfirmed == []


async def test_stopping_does_not_wait_for_the_open_poll(fake: FakeTelegram) -> None:
    bot = make_bot(fake, receive=say_nothing, poll_timeout=timedelta(seconds=50))
    await bot.platform.start()
    await caught_up(fake)
    await bot.platform.stop()
    assert fake.api.poll == 2, "the open poll was not answered, and no other begun"
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_bot_that_was_never_started_can_be_stopped(fake: FakeTelegram) -> None:
    bot = make_bot(fake)
    assert bot.platform.health == "Telegram is not connected yet."
    await bot.platform.stop()


async def test_a_reply_survives_a_short_outage(fake: FakeTelegram) -> None:
    fake.fail(Fault.CUT, method="sendMessage", times=1)
    async with running(fake, receive=echo):
        fake.type(ANN, ANN, "hello")
        await fake.wait_for(lambda: fake.texts(ANN) == ["echo hello"])


async def test_replies_through_a_flood_come_all_once_and_in_order(fake: FakeTelegram) -> None:
    fake.limit(1, window=0.5, retry_after=1)
    async with running(fake, receive=echo):
        for number in range(4):
            fake.type(ANN, ANN, str(number))
        await fake.wait_for(lambda: len(fake.messages(ANN)) == 4, timeout=20)
    assert fake.texts(ANN) == [f"echo {number}" for number in range(4)]
    assert 429 in [call.code for call in fake.called("sendMessage")]


async def test_what_comes_between_two_lives_of_the_platform_is_answered_once_by_the_second(fake: FakeTelegram) -> None:
    async with running(fake, receive=echo):
        fake.type(ANN, ANN, "before")
        await fake.wait_for(lambda: fake.texts(ANN) == ["echo before"])
    message = question(fake)
    fake.type(ANN, ANN, "between")
    fake.press(ANN, message, BEN, "Approve")
    async with running(fake, receive=echo):
        await fake.wait_for(lambda: len(fake.messages(ANN)) == 4 and not fake.api.unconfirmed)
    assert sorted(fake.texts(ANN)) == ["Buy?", "echo approve:A1", "echo before", "echo between"]
    assert len(fake.api.answered) == 1


async def test_a_reply_that_telegram_will_never_take_is_dropped(fake: FakeTelegram) -> None:
    async def empty(heard: Incoming) -> Card:
        return Card(title="") if words(heard) == "empty" else await echo(heard)

    async with running(fake, receive=empty):
        fake.type(ANN, ANN, "empty")
        fake.type(ANN, ANN, "full")
        await fake.wait_for(lambda: fake.texts(ANN) == ["echo full"])


async def test_work_in_a_lane_waits_also_for_work_that_failed_before_it() -> None:
    lanes, done = Lanes(), []

    async def fail() -> None:
        await asyncio.sleep(0)
        done.append("failed")
        raise ValueError("first")

    async def follow() -> None:
        done.append("followed")

    failed = lanes.add("a", fail)
    await lanes.add("a", follow)
    assert done == ["failed", "followed"]
    assert isinstance(failed.exception(), ValueError)
