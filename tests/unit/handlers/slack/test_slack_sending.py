"""Cards on Slack: in place, in threads, in parts, through floods, outages and closed externals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from engine.domain.messages import Card, Lane, Ref
from engine.ports import BadCard, Gone, RetryAt
from handlers.slack.sending import CLOSED_FOR
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_bot import CHANNEL, Bot, running, to
from tests.fakes.slack_http import Fault

CARD = Card(title="Bought", topic="trade:T1", text="0.1 BTC")


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        fake.channel(CHANNEL, "U1")
        yield fake
        assert fake.at.complaints == []


@pytest.fixture
async def bot(fake: FakeSlack) -> AsyncIterator[Bot]:
    async with running(fake) as bot:
        yield bot


async def shown(bot: Bot, card: Card, ref: Ref | None = None, under: Ref | None = None) -> Ref:
    """Put a card as the outbox does: again when it is asked to."""
    for _ in range(50):
        try:
            return await bot.platform.put(to(), card, ref, under)
        except RetryAt as later:
            await asyncio.sleep(later.seconds)
    raise AssertionError("never shown")


async def test_a_card_under_another_stands_in_its_thread_and_an_urgent_one_in_the_channel_too(
    fake: FakeSlack, bot: Bot
) -> None:
    parent = await bot.platform.put(to(), Card(title="Buy?", topic="approval:A1"), None)
    await bot.platform.put(to(), CARD, None, parent)
    await bot.platform.put(to(), Card(title="No stop!", topic="unprotected:T1", lane=Lane.URGENT), None, parent)
    assert [message.thread_ts for message in fake.messages(CHANNEL)] == [None, *parent.messages, *parent.messages]
    broadcast = [call.params.get("reply_broadcast") for call in fake.called("chat.postMessage")]
    assert broadcast == [None, None, True]


async def test_where_the_thread_is_gone_the_card_stands_alone(fake: FakeSlack, bot: Bot) -> None:
    parent = await bot.platform.put(to(), Card(title="Buy?"), None)
    fake.channel(CHANNEL).messages[parent.messages[0]].deleted = True
    await bot.platform.put(to(), CARD, None, parent)
    assert [(message.text, message.thread_ts) for message in fake.messages(CHANNEL)] == [("Bought\n0.1 BTC", None)]


async def test_the_welcome_is_pinned_once(fake: FakeSlack, bot: Bot) -> None:
    welcome = Card(title="Hello", topic="welcome:1", pinned=True)
    ref = await bot.platform.put(to(), welcome, None)
    await bot.platform.put(to(), welcome, ref)
    assert fake.channel(CHANNEL).pinned == list(ref.messages)


async def test_a_lost_permission_to_pin_loses_no_card(fake: FakeSlack, bot: Bot) -> None:
    fake.scopes.discard("pins:write")
    await bot.platform.put(to(), Card(title="Hello", pinned=True), None)
    assert fake.texts(CHANNEL) == ["Hello"]


async def test_blocks_that_slack_refuses_arrive_as_text(fake: FakeSlack, bot: Bot) -> None:
    fake.methods.messages.refuse_blocks = True
    ref = await bot.platform.put(to(), CARD, None)
    await bot.platform.put(to(), Card(title="Sold & gone", topic="trade:T1"), ref)
    assert fake.texts(CHANNEL) == ["Sold & gone"]
    assert fake.messages(CHANNEL)[0].blocks == []


async def test_in_a_flood_nothing_is_sent_meanwhile_and_the_card_is_shown_once(fake: FakeSlack, bot: Bot) -> None:
    fake.fail(Fault.RATE_LIMITED, times=1)
    with pytest.raises(RetryAt) as later:
        await bot.platform.put(to(), CARD, None)
    assert later.value.seconds == 1
    calls = len(fake.calls)
    for _ in range(3):
        with pytest.raises(RetryAt):
            await bot.platform.put(to(), CARD, None)
    assert len(fake.calls) == calls
    await shown(bot, CARD)
    assert fake.texts(CHANNEL) == ["Bought\n0.1 BTC"]


async def test_a_burst_and_then_a_message_a_second_is_all_that_a_channel_sees(fake: FakeSlack) -> None:
    fake.limits.set("chat.postMessage", 4, 1.4)
    async with running(fake, messages_per_second=1.0) as bot:
        for number in range(5):
            await shown(bot, Card(title=f"Alert {number}"))
    assert fake.texts(CHANNEL) == [f"Alert {number}" for number in range(5)]
    assert [call.outcome for call in fake.calls if call.outcome == "ratelimited"] == []


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.UNAVAILABLE, Fault.HTML, Fault.INTERNAL])
async def test_through_an_outage_the_card_is_shown_once(fake: FakeSlack, bot: Bot, fault: Fault) -> None:
    fake.fail(fault, times=2)
    await shown(bot, CARD)
    assert fake.texts(CHANNEL) == ["Bought\n0.1 BTC"]
    assert bot.troubles == ["Slack cannot be reached."]
    assert bot.platform.health == "ok"


async def test_a_server_that_hangs_is_given_up_in_time(fake: FakeSlack) -> None:
    async with running(fake, answer_timeout=timedelta(seconds=0.3)) as bot:
        fake.fail(Fault.HANG, method="chat.postMessage")
        with pytest.raises(RetryAt):
            await bot.platform.put(to(), CARD, None)
        assert "cannot be reached" in bot.platform.health
        fake.recover()
        await shown(bot, CARD)
    assert len(fake.called("chat.postMessage")) <= 2  # the first may not even have got there in that time
    assert len(fake.texts(CHANNEL)) == 1


async def test_a_lost_answer_is_not_repeated_by_the_library(fake: FakeSlack, bot: Bot) -> None:
    fake.fail(Fault.LOST, method="chat.postMessage", times=1)
    with pytest.raises(RetryAt):
        await bot.platform.put(to(), CARD, None)
    assert fake.texts(CHANNEL) == ["Bought\n0.1 BTC"]
    ref = await bot.platform.put(to(), Card(title="Sold"), None)
    fake.fail(Fault.LOST, method="chat.update", times=1)
    assert await shown(bot, Card(title="Sold again"), ref) == ref


@pytest.mark.parametrize(
    ("trouble", "word"), [("remove", "invite"), ("archive", "unarchive"), ("scope", "manifest"), ("missing", "invite")]
)
async def test_a_closed_channel_is_told_with_what_to_do_and_no_card_is_lost(
    fake: FakeSlack, bot: Bot, trouble: str, word: str
) -> None:
    channel = fake.channel(CHANNEL)
    match trouble:
        case "remove":
            fake.remove_bot(CHANNEL)
        case "archive":
            channel.archived = True
        case "scope":
            fake.scopes.discard("chat:write")
        case _:
            fake.at.channels.pop(CHANNEL)
    with pytest.raises(RetryAt) as later:
        await bot.platform.put(to(), CARD, None)
    assert later.value.seconds == CLOSED_FOR
    assert CHANNEL in bot.platform.health
    assert word in bot.platform.health
    assert len(bot.troubles) == 1


async def test_a_message_that_is_not_ours_is_shown_anew(fake: FakeSlack, bot: Bot) -> None:
    said = fake.user("U1").mention("hello", CHANNEL)
    assert said is not None
    with pytest.raises(Gone):
        await bot.platform.put(to(), CARD, Ref(messages=(said.payload["event"]["ts"],)))


async def test_of_a_card_in_parts_whose_first_is_gone_the_rest_is_taken_away(fake: FakeSlack, bot: Bot) -> None:
    long = Card(title="Long", topic="trade:T1", text="word " * 2000)
    ref = await bot.platform.put(to(), long, None)
    assert len(ref.messages) > 2
    fake.channel(CHANNEL).messages[ref.messages[0]].deleted = True
    with pytest.raises(Gone):
        await bot.platform.put(to(), long, ref)
    assert fake.messages(CHANNEL) == []


async def test_parts_that_a_failed_put_has_posted_are_used_by_the_next(fake: FakeSlack, bot: Bot) -> None:
    long = Card(title="Long", topic="trade:T1", text="word " * 2000)
    fake.limits.set("chat.postMessage", 2, 60, 0.5)
    with pytest.raises(RetryAt):
        await bot.platform.put(to(), long, None)
    fake.limits.lift()
    ref = await shown(bot, long)
    assert [message.ts for message in fake.messages(CHANNEL)] == list(ref.messages)


async def test_an_empty_card_is_never_taken(bot: Bot) -> None:
    with pytest.raises(BadCard):
        await bot.platform.put(to(), Card(title=" "), None)


async def test_no_token_is_in_what_is_logged(fake: FakeSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    fake.fail(Fault.CUT, times=2)
    await shown(bot, CARD)
    text = caplog.text + repr(bot.logs)
    assert fake.bot_token not in text
    assert fake.app_token not in text
