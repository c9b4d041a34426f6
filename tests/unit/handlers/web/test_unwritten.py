"""What is shown past the database, and how it gives way to what is written down."""

import pytest

from engine.domain.messages import Card
from handlers.web.chat import WebChat
from tests.fakes.web import ROOM, WebRoom, new_database, wall

STOPPED = Card(title="No new entries")
OVER = Card(title="It has ended", topic="halt:H1")


@pytest.fixture
async def room(tmp_path):
    database = new_database(tmp_path)
    yield WebRoom(database)
    await database.close()


def titles(messages):
    return [message.card.title for message in messages]


async def test_it_is_shown_without_the_database_and_rings(room):
    await room.database.close()
    bell = room.chat.bell()
    await room.chat.unwritten.put(ROOM, STOPPED, None)
    assert titles(room.chat.unwritten.messages) == ["No new entries"]
    assert bell.is_set()


async def test_a_card_is_replaced_where_it_stands(room):
    ref = await room.chat.unwritten.put(ROOM, STOPPED, None)
    assert await room.chat.unwritten.put(ROOM, OVER, ref) == ref
    assert titles(room.chat.unwritten.messages) == ["It has ended"]


async def test_what_is_written_down_takes_its_place(room):
    ref = await room.chat.unwritten.put(ROOM, STOPPED, None)
    other = await room.chat.unwritten.put(ROOM, STOPPED, None)
    assert ref != other
    written = await room.chat.put(ROOM, OVER, ref)
    assert titles(await room.chat.since("Ann", 0)) == ["It has ended"]
    assert len(room.chat.unwritten.messages) == 1
    assert await room.chat.put(ROOM, OVER, written) == written


async def test_what_an_earlier_run_has_shown_is_written_anew(room):
    ref = await room.chat.unwritten.put(ROOM, STOPPED, None)
    chat = WebChat(database=room.database, receive=room.reception.receive, wall=wall)
    written = await chat.put(ROOM, OVER, ref)
    assert written != ref
    assert titles(await chat.since("Ann", 0)) == ["It has ended"]
    assert await chat.put(ROOM, OVER, ref) == written, "a crash lost the note of where it is"
