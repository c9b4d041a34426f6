"""Cards arrive on Telegram, once, whole and in order: the real client against the fake server."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from engine.domain.approvals import Verb
from engine.domain.messages import Button, Card, Destination, Lane, Ref, Table
from engine.ports import BadCard, Gone, RetryAt
from handlers.cards.telegram_html import LIMIT, utf16_units
from handlers.telegram.pacing import BURST
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_bot import Bot, make_bot, running, to

CHAT = 7
BUTTONS = tuple(Button(label=verb.title(), verb=verb, about="A17") for verb in Verb)
EMOJI = "Line 🚀 of a long report about 汉字 & <tags>\n"
LONG = EMOJI * (10_000 // len(EMOJI))


@pytest.fixture(scope="module")
def server() -> Iterator[FakeTelegram]:
    with FakeTelegram() as server:
        yield server


@pytest.fixture
def fake(server: FakeTelegram) -> FakeTelegram:
    server.reset()
    server.chat(CHAT)
    return server


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    async with running(fake, answer_timeout=timedelta(seconds=0.5)) as bot:
        await fake.wait_for(lambda: bot.platform.health == "ok")
        yield bot


def card(text: str = "", *, title: str = "Buy?", buttons: bool = False, topic: str = "approval:A17") -> Card:
    return Card(title=title, topic=topic, text=text, buttons=BUTTONS if buttons else ())


async def put(bot: Bot, shown: Card, ref: Ref | None = None) -> Ref:
    """Put as the outbox does: again and again while it is told to."""
    while True:
        try:
            return await bot.platform.put(to(CHAT), shown, ref)
        except RetryAt as later:
            await asyncio.sleep(later.seconds)


# What is shown


async def test_a_card_shows_its_markup_and_its_buttons(fake: FakeTelegram, bot: Bot) -> None:
    ref = await bot.platform.put(to(CHAT), card("now", buttons=True), None)
    (message,) = fake.messages(CHAT)
    assert ref == Ref(messages=(str(message.message_id),))
    assert message.text == "Buy?\nnow"
    assert message.entities == [{"offset": 0, "length": 4, "type": "bold"}]
    assert message.buttons == [{"text": b.label, "callback_data": b.data} for b in BUTTONS]


async def test_names_with_markup_in_them_are_shown_as_they_are(fake: FakeTelegram, bot: Bot) -> None:
    hostile = "<b>&lt; </pre><a href='tg://user?id=1'>"
    table = Table(head=(hostile,), rows=((hostile,),))
    await bot.platform.put(to(CHAT), Card(title=hostile, fields=((hostile, hostile),), table=table), None)
    assert fake.texts(CHAT) == [f"{hostile}\n{hostile}: {hostile}\n{hostile}\n{hostile}"]


async def test_quiet_cards_make_no_sound(fake: FakeTelegram, bot: Bot) -> None:
    for lane in Lane:
        await bot.platform.put(to(CHAT), Card(title=lane, lane=lane), None)
    assert {m.text: m.silent for m in fake.messages(CHAT)} == {"urgent": False, "normal": False, "quiet": True}


async def test_a_pinned_card_is_pinned_once(fake: FakeTelegram, bot: Bot) -> None:
    ref = await bot.platform.put(to(CHAT), Card(title="Try this", pinned=True), None)
    await bot.platform.put(to(CHAT), Card(title="Try that", pinned=True), ref)
    assert fake.chat(CHAT).pinned == [int(ref.messages[0])]


async def test_a_card_that_cannot_be_pinned_is_shown_all_the_same(fake: FakeTelegram, bot: Bot) -> None:
    fake.fail(Fault.BAD_GATEWAY, method="pinChatMessage")
    await bot.platform.put(to(CHAT), Card(title="Try this", pinned=True), None)
    assert fake.texts(CHAT) == ["Try this"]


async def test_markup_that_telegram_does_not_understand_is_left_out(fake: FakeTelegram, bot: Bot) -> None:
    fake.break_markup()
    ref = await bot.platform.put(to(CHAT), card("a < b", buttons=True), None)
    await bot.platform.put(to(CHAT), card("a > b", buttons=True), ref)
    (message,) = fake.messages(CHAT)
    assert (message.text, message.entities, len(message.buttons)) == ("Buy?\na > b", [], 3)


async def test_an_empty_card_is_refused_before_it_is_sent(fake: FakeTelegram, bot: Bot) -> None:
    with pytest.raises(BadCard):
        await bot.platform.put(to(CHAT), Card(title=" "), None)
    assert fake.called("sendMessage") == []


async def test_a_card_that_telegram_never_takes_is_a_bad_card(fake: FakeTelegram, bot: Bot) -> None:
    with pytest.raises(BadCard, match="inline keyboard button"):
        await bot.platform.put(to(CHAT), Card(title="x", buttons=(Button(label="", verb=Verb.HALF, about="1"),)), None)


# In place


async def test_a_card_is_edited_in_place(fake: FakeTelegram, bot: Bot) -> None:
    first = await bot.platform.put(to(CHAT), card("open", buttons=True), None)
    second = await bot.platform.put(to(CHAT), card("done"), first)
    assert second == first
    (message,) = fake.messages(CHAT)
    assert (message.text, message.buttons, len(message.edits)) == ("Buy?\ndone", [], 1)


async def test_a_card_that_is_shown_already_is_a_success(fake: FakeTelegram, bot: Bot) -> None:
    ref = await bot.platform.put(to(CHAT), card("open", buttons=True), None)
    assert await bot.platform.put(to(CHAT), card("open", buttons=True), ref) == ref
    assert fake.called("editMessageText")[-1].code == 400
    assert fake.messages(CHAT)[0].edits == []


async def test_a_long_card_arrives_whole_with_its_buttons_at_the_end(fake: FakeTelegram, bot: Bot) -> None:
    ref = await bot.platform.put(to(CHAT), card(LONG, buttons=True), None)
    messages = fake.messages(CHAT)
    assert [str(m.message_id) for m in messages] == list(ref.messages)
    assert [len(m.buttons) for m in messages] == [0] * (len(messages) - 1) + [3]
    assert all(utf16_units(m.text) <= LIMIT for m in messages)
    assert "\n".join(fake.texts(CHAT)) == f"Buy?\n{LONG}".strip()


async def test_a_card_that_shrinks_leaves_nothing_behind(fake: FakeTelegram, bot: Bot) -> None:
    ref = await bot.platform.put(to(CHAT), card(LONG, buttons=True), None)
    after = await bot.platform.put(to(CHAT), card("short", buttons=True), ref)
    assert after.messages == ref.messages[:1]
    assert fake.texts(CHAT) == ["Buy?\nshort"]
    assert len(fake.messages(CHAT)[0].buttons) == 3


async def test_a_card_that_grows_goes_on_in_new_messages(fake: FakeTelegram, bot: Bot) -> None:
    ref = await bot.platform.put(to(CHAT), card("short", buttons=True), None)
    after = await bot.platform.put(to(CHAT), card(LONG, buttons=True), ref)
    assert after.messages[:1] == ref.messages
    assert [len(m.buttons) for m in fake.messages(CHAT)] == [0] * (len(after.messages) - 1) + [3]
    assert "\n".join(fake.texts(CHAT)) == f"Buy?\n{LONG}".strip()


async def test_a_card_whose_message_somebody_deleted_is_gone_and_leaves_nothing_behind(
    fake: FakeTelegram, bot: Bot
) -> None:
    ref = await bot.platform.put(to(CHAT), card(LONG, buttons=True), None)
    fake.chat(CHAT).messages[int(ref.messages[1])].deleted = True
    with pytest.raises(Gone):
        await bot.platform.put(to(CHAT), card(LONG + "new"), ref)
    assert fake.texts(CHAT) == []
    await bot.platform.put(to(CHAT), card("anew"), None)
    assert fake.texts(CHAT) == ["Buy?\nanew"]


async def test_a_message_that_is_not_the_bots_own_cannot_be_edited_and_is_gone(fake: FakeTelegram, bot: Bot) -> None:
    fake.type(CHAT, CHAT, "mine")
    with pytest.raises(Gone):
        await bot.platform.put(to(CHAT), card(), Ref(messages=("1",)))


# Topics

GROUP = -100


async def test_cards_go_into_their_topic_and_are_edited_there(fake: FakeTelegram, bot: Bot) -> None:
    fake.topic(GROUP, 45)
    place = Destination(platform="telegram", address="-100/45")
    ref = await bot.platform.put(place, card("open", buttons=True), None)
    await bot.platform.put(place, card("done"), ref)
    (message,) = fake.messages(GROUP)
    assert (message.topic, message.text, len(message.edits)) == (45, "Buy?\ndone", 1)


@pytest.mark.parametrize("closed", [True, False])
async def test_a_topic_that_is_closed_or_gone_is_told_and_tried_again_later(
    fake: FakeTelegram,
    bot: Bot,
    *,
    closed: bool,
) -> None:
    topic = fake.topic(GROUP, 45)
    topic.closed = closed
    place = Destination(platform="telegram", address="-100/45" if closed else "-100/46")
    with pytest.raises(RetryAt) as later:
        await bot.platform.put(place, card(), None)
    assert later.value.seconds == 300
    assert f"chat {place.address}" in bot.platform.health
    topic.closed = False
    fake.topic(GROUP, 46)
    await bot.platform.put(place, card(), None)
    assert bot.platform.health == "ok"


async def test_a_group_that_became_a_supergroup_is_told_with_its_new_id(fake: FakeTelegram, bot: Bot) -> None:
    fake.chat(GROUP)
    ref = await bot.platform.put(to(GROUP), card(), None)
    fake.upgrade(GROUP, -1001234567890)
    for old in (None, ref):
        with pytest.raises(RetryAt):
            await bot.platform.put(to(GROUP), card("new"), old)
    assert bot.platform.health == (
        "The bot cannot write to the Telegram chat -100. "
        "The Telegram group has become a supergroup: set telegram.chat_id to -1001234567890 and restart."
    )


async def test_what_telegram_counts_as_one_chat_is_paced_as_one(fake: FakeTelegram, bot: Bot) -> None:
    for topic in (45, 46):
        fake.topic(GROUP, topic)
    for number in range(BURST):
        to_topic = Destination(platform="telegram", address=f"-100/{45 + number % 2}")
        await bot.platform.put(to_topic, card(str(number), topic=f"t:{number}"), None)
    with pytest.raises(RetryAt):
        await bot.platform.put(Destination(platform="telegram", address="-100/46"), card("x", topic="t:x"), None)


# Not now


async def test_a_chat_that_is_not_there_or_shut_is_tried_again_much_later(fake: FakeTelegram, bot: Bot) -> None:
    with pytest.raises(RetryAt) as unknown:
        await bot.platform.put(to(404), card(), None)
    fake.block(CHAT)
    with pytest.raises(RetryAt) as blocked:
        await bot.platform.put(to(CHAT), card(), None)
    assert (unknown.value.seconds, blocked.value.seconds) == (300, 300)
    assert "chat 404" in bot.platform.health
    assert "blocked by the user" in bot.platform.health
    fake.block(CHAT, blocked=False)
    fake.chat(404)
    await bot.platform.put(to(CHAT), card(), None)
    await bot.platform.put(to(404), card(), None)
    assert bot.platform.health == "ok"
    assert len(bot.troubles) == 2


async def test_a_flooded_chat_is_left_alone_for_as_long_as_it_asks(fake: FakeTelegram, bot: Bot) -> None:
    fake.limit(1, window=60, retry_after=30)
    await bot.platform.put(to(CHAT), card("1"), None)
    with pytest.raises(RetryAt) as refused:
        await bot.platform.put(to(CHAT), card("2"), None)
    assert refused.value.seconds == 30
    with pytest.raises(RetryAt) as held:
        await bot.platform.put(to(CHAT), card("3"), None)
    assert 0 < held.value.seconds <= 30
    assert [call.code for call in fake.called("sendMessage")] == [200, 429]
    fake.chat(8)
    await bot.platform.put(to(8), card("other chats go on"), None)


async def test_cards_come_in_order_through_a_flood(fake: FakeTelegram, bot: Bot) -> None:
    fake.limit(2, window=0.5, retry_after=1)
    for number in range(5):
        await put(bot, card(str(number), topic=f"alert:{number}"))
    assert fake.texts(CHAT) == [f"Buy?\n{number}" for number in range(5)]
    assert 429 in [call.code for call in fake.called("sendMessage")]


async def test_the_parts_of_cards_put_at_once_are_not_mixed(fake: FakeTelegram, bot: Bot) -> None:
    long = [card(str(number) * 9000, title=str(number), topic=str(number)) for number in range(2)]
    await asyncio.gather(*(bot.platform.put(to(CHAT), each, None) for each in long))
    assert "".join(text[0] for text in fake.texts(CHAT)) == "0" * 4 + "1" * 4


async def test_a_flood_in_the_middle_of_a_long_card_neither_loses_nor_repeats_a_part(
    fake: FakeTelegram, bot: Bot
) -> None:
    fake.limit(2, window=0.5, retry_after=1)
    ref = await put(bot, card(LONG, buttons=True))
    assert "\n".join(fake.texts(CHAT)) == f"Buy?\n{LONG}".strip()
    assert [str(m.message_id) for m in fake.messages(CHAT)] == list(ref.messages)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BAD_GATEWAY, Fault.HTML, Fault.HANG])
async def test_a_card_outlives_an_outage_which_is_told_once(fake: FakeTelegram, bot: Bot, fault: Fault) -> None:
    fake.fail(fault, method="sendMessage")
    for _ in range(2):
        with pytest.raises(RetryAt) as later:
            await bot.platform.put(to(CHAT), card(), None)
        assert later.value.seconds > 0
    assert bot.platform.health == "Telegram cannot be reached."
    fake.recover()
    await bot.platform.put(to(CHAT), card(), None)
    assert fake.texts(CHAT) == ["Buy?"]
    assert bot.platform.health == "ok"
    assert bot.troubles == ["Telegram cannot be reached."]


async def test_a_new_message_whose_answer_was_lost_is_there_and_comes_twice(fake: FakeTelegram, bot: Bot) -> None:
    fake.fail(Fault.LOST, method="sendMessage", times=1)
    ref = await put(bot, card())
    assert fake.texts(CHAT) == ["Buy?", "Buy?"]
    assert ref.messages == (str(fake.messages(CHAT)[-1].message_id),)


async def test_an_edit_whose_answer_was_lost_can_be_repeated(fake: FakeTelegram, bot: Bot) -> None:
    ref = await bot.platform.put(to(CHAT), card("open", buttons=True), None)
    fake.fail(Fault.LOST, method="editMessageText", times=1)
    assert await put(bot, card("done"), ref) == ref
    assert fake.texts(CHAT) == ["Buy?\ndone"]
    assert len(fake.messages(CHAT)[0].edits) == 1


async def test_a_wrong_token_gives_cards_back(fake: FakeTelegram) -> None:
    bot = make_bot(fake)
    fake.token, right = fake.token[:-1] + "9", fake.token
    try:
        await bot.platform.start()
        with pytest.raises(RetryAt) as later:
            await bot.platform.put(to(CHAT), card(), None)
        # Not even to a log that writes down the local names of every frame.
        assert later.value.__context__ is None
        ours = [frame for frame, _ in traceback.walk_tb(later.tb)][1:]
        assert right not in "".join(repr(frame.f_locals) for frame in ours)
    finally:
        fake.token = right
        await bot.platform.stop()
