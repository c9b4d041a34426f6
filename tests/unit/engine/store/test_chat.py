"""What the chat must remember."""

from __future__ import annotations

from engine.domain.messages import Card
from engine.domain.people import AuditEntry
from engine.store.chat import ChatMessage
from engine.store.database import Database
from tests.fakes.reports import ANSWERED, NOON


async def put(store: Database, text: str, *, audience: str = "", message_id: int | None = None) -> int:
    return await store.transact(
        lambda uow: uow.chat.put_message(
            message_id=message_id, audience=audience, author="bot", at=NOON, card=Card(title=text), text=text
        )
    )


async def seen(store: Database, audience: str = "ann", after: int = 0, limit: int = 200) -> list[ChatMessage]:
    return list(await store.read(lambda uow: uow.chat.messages(audience=audience, after=after, limit=limit)))


async def test_a_delivery_is_new_once(store: Database):
    assert await store.transact(lambda uow: uow.chat.delivered("telegram:7", NOON))
    assert not await store.transact(lambda uow: uow.chat.delivered("telegram:7", ANSWERED))
    assert await store.transact(lambda uow: uow.chat.delivered("telegram:8", NOON))
    assert await store.read(lambda uow: uow.chat.has_seen("telegram:8"))
    assert not await store.read(lambda uow: uow.chat.has_seen("telegram:9"))


async def test_what_people_did_is_kept_newest_first(store: Database):
    told = {"platform": "web", "user": "ann", "person": "Ann"}
    for action in ("/pause", "/resume"):
        await store.transact(
            lambda uow, action=action: uow.chat.audit(at=NOON, wall_at=ANSWERED, action=action, outcome="ok", **told)
        )
    assert await store.read(lambda uow: uow.chat.newest_audit(1)) == (
        AuditEntry(id="U2", at=NOON, wall_at=ANSWERED, action="/resume", outcome="ok", **told),
    )


async def test_everybody_sees_the_room_and_only_oneself_what_was_said_to_one(store: Database):
    await put(store, "to all")
    await put(store, "to Ann", audience="ann")
    await put(store, "to Bob", audience="bob")
    assert [message.text for message in await seen(store, "ann")] == ["to all", "to Ann"]
    assert [message.text for message in await seen(store, "bob")] == ["to all", "to Bob"]


async def test_an_edited_message_keeps_its_place_and_is_seen_again(store: Database):
    first, second = await put(store, "asked"), await put(store, "other")
    known = max(message.version for message in await seen(store))
    assert await put(store, "answered", message_id=first) == first
    assert [(message.id, message.text) for message in await seen(store)] == [(first, "answered"), (second, "other")]
    assert [message.text for message in await seen(store, after=known)] == ["answered"]
    assert (await seen(store))[0].card == Card(title="answered")


async def test_a_message_that_is_gone_is_put_anew(store: Database):
    assert await put(store, "back", message_id=41) == 41
    assert [message.text for message in await seen(store)] == ["back"]


async def test_of_many_the_newest_are_shown(store: Database):
    for number in range(5):
        await put(store, f"m{number}")
    assert [message.text for message in await seen(store, limit=2)] == ["m3", "m4"]


async def test_a_character_that_no_text_can_hold_is_left_out_on_either_database(store: Database):
    await put(store, "a\0b")
    told = {"platform": "web", "user": "a\0nn", "person": "Ann", "action": "/why \0", "outcome": "ok\0"}
    await store.transact(lambda uow: uow.chat.audit(at=NOON, wall_at=ANSWERED, **told))
    assert [message.text for message in await seen(store)] == ["ab"]
    (entry,) = await store.read(lambda uow: uow.chat.newest_audit(1))
    assert (entry.user, entry.action, entry.outcome) == ("ann", "/why ", "ok")
