import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from engine.domain.messages import Card, Person, Ref, Role
from handlers.web.caller import Caller
from handlers.web.chat import WebChat
from tests.fakes.web import ROOM, WebRoom, new_database, wall

ANN = Caller(platform="web", user="Ann", person=Person(name="Ann", role=Role.ADMIN))
TOM = Caller(platform="web", user="Tom", person=Person(name="Tom", role=Role.TRADER))
CARD = Card(title="A17", topic="approval:A17")


@pytest.fixture
async def room(tmp_path):
    database = new_database(tmp_path)
    yield WebRoom(database)
    await database.close()


def titles(messages):
    return [message.card.title if message.card else message.text for message in messages]


async def test_everybody_sees_a_card(room):
    await room.chat.put(ROOM, CARD, None)
    assert titles(await room.chat.since("Ann", 0)) == titles(await room.chat.since("Tom", 0)) == ["A17"]


async def test_a_card_is_replaced_where_it_stands(room):
    ref = await room.chat.put(ROOM, CARD, None)
    await room.chat.put(ROOM, Card(title="later"), None)
    assert await room.chat.put(ROOM, replace(CARD, title="A17 approved"), ref) == ref
    assert titles(await room.chat.since("Ann", 0)) == ["A17 approved", "later"]


async def test_a_change_comes_again_to_who_has_seen_the_message_before(room):
    ref = await room.chat.put(ROOM, CARD, None)
    (seen,) = await room.chat.since("Ann", 0)
    assert await room.chat.since("Ann", seen.version) == ()
    await room.chat.put(ROOM, replace(CARD, title="edited"), ref)
    assert titles(await room.chat.since("Ann", seen.version)) == ["edited"]


async def test_a_card_whose_ref_was_lost_in_a_crash_is_found_by_its_topic(room):
    first = await room.chat.put(ROOM, CARD, None)
    assert await room.chat.put(ROOM, CARD, None) == first
    assert await room.chat.put(ROOM, replace(CARD, topic="approval:A18"), None) != first


async def test_cards_without_a_topic_are_never_taken_for_one_another(room):
    first = await room.chat.put(ROOM, Card(title="one"), None)
    assert await room.chat.put(ROOM, Card(title="two"), None) != first


async def test_only_who_asked_sees_the_question_and_the_reply(room):
    await room.chat.say(ANN, "/version", uuid4())
    assert len(await room.chat.since("Ann", 0)) == 2
    assert await room.chat.since("Tom", 0) == ()


async def test_a_command_needs_no_slash_where_nobody_else_reads(room):
    await room.chat.say(ANN, "version", uuid4())
    assert titles(await room.chat.since("Ann", 0)) == ["version", "Greenlight 1.2.3"]


async def test_what_arrives_twice_has_one_effect(room):
    delivery = UUID(int=7)
    for _ in range(3):
        await room.chat.say(ANN, "/version", delivery)
    assert len(await room.chat.since("Ann", 0)) == 2


async def test_nobody_can_use_up_the_delivery_of_somebody_else(room):
    await room.chat.say(TOM, "/version", UUID(int=7))
    await room.chat.say(ANN, "/version", UUID(int=7))
    assert len(await room.chat.since("Ann", 0)) == 2


async def test_a_press_is_answered_once_and_edits_the_card(room):
    await room.ask()
    delivery = uuid4()
    await room.chat.press(TOM, "approve:A17", delivery)
    await room.chat.press(TOM, "approve:A17", delivery)
    card, reply = await room.chat.since("Tom", 0)
    assert not card.card.buttons
    assert reply.audience == "Tom"
    assert room.views.approvals_by_id["A17"].status == "ordered"


async def test_a_viewer_may_not_answer(room):
    await room.ask()
    vic = Caller(platform="web", user="Vic", person=Person(name="Vic", role=Role.VIEWER))
    await room.chat.press(vic, "approve:A17", uuid4())
    assert room.views.approvals_by_id["A17"].status == "pending"
    assert "role" in (await room.chat.since("Vic", 0))[-1].card.plain


@pytest.mark.parametrize("data", ["approve", "buy:A17", "approve:A99", ":", "approve:A17:x"])
async def test_a_forged_press_has_no_effect(room, data):
    await room.ask()
    await room.chat.press(TOM, data, uuid4())
    assert room.views.approvals_by_id["A17"].status == "pending"


async def test_the_bell_rings_at_every_change_and_when_the_chat_closes(room):
    bell = room.chat.bell()
    assert not bell.is_set()
    await room.chat.put(ROOM, CARD, None)
    assert bell.is_set()
    waiting = asyncio.create_task(room.chat.bell().wait())
    await asyncio.sleep(0)
    room.chat.close()
    assert await waiting
    assert room.chat.closed


async def test_a_page_is_given_no_more_than_the_newest_messages(room):
    for number in range(210):
        await room.chat.put(ROOM, Card(title=str(number)), None)
    shown = titles(await room.chat.since("Ann", 0))
    assert (len(shown), shown[-1]) == (200, "209")


async def test_a_ref_of_a_message_that_is_gone_shows_the_card_anew(room):
    chat = WebChat(database=room.database, receive=room.reception.receive, wall=wall)
    assert await chat.put(ROOM, CARD, Ref(messages=("40",))) == Ref(messages=("40",))
    assert titles(await chat.since("Ann", 0)) == ["A17"]


async def test_what_takes_long_is_announced_at_once_and_answered_after_that(room):
    async def slow(incoming):
        seen = titles(await chat.since("Ann", 0))
        return Card(title=f"done after {seen[-1]}")

    chat = WebChat(database=room.database, receive=slow, wall=wall, interim=lambda _: Card(title="begun"))
    await chat.say(ANN, "/backtest", uuid4())
    assert titles(await chat.since("Ann", 0))[-2:] == ["begun", "done after begun"]
    assert "begun" not in titles(await chat.since("Tom", 0))
