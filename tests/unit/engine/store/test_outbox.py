"""What each destination should show, and what it shows."""

from __future__ import annotations

from engine.domain.messages import Destination, Ref
from engine.store.database import Database
from engine.store.outbox import Showing, emergency_answer_topic, halt_id_of
from engine.store.unit_of_work import UnitOfWork

ROOM, CHAT = Destination(platform="web", address="room"), Destination(platform="telegram", address="-100")
REF = Ref(messages=("7", "8"))


async def want(store: Database, *wanted: tuple[str, Destination]) -> None:
    def work(uow: UnitOfWork) -> None:
        for topic, destination in wanted:
            uow.outbox.want(topic, destination)

    await store.transact(work)


async def due(store: Database) -> list[tuple[str, str, int, int]]:
    found = await store.read(lambda uow: uow.outbox.due())
    return [(each.topic, each.destination.platform, each.wanted_version, each.sent_version) for each in found]


async def first(store: Database) -> Showing:
    return (await store.read(lambda uow: uow.outbox.due()))[0]


async def test_what_is_wanted_often_is_one_thing_to_show(store: Database):
    await want(store, ("approval:A1", ROOM), ("approval:A1", ROOM), ("approval:A1", CHAT))
    assert await due(store) == [("approval:A1", "web", 2, 0), ("approval:A1", "telegram", 1, 0)]


async def test_topics_keep_the_order_they_came_up_in(store: Database):
    await want(store, ("approval:A1", ROOM), ("trade:T1", ROOM), ("approval:A1", ROOM))
    assert [topic for topic, *_ in await due(store)] == ["approval:A1", "trade:T1"]


async def test_what_was_sent_is_not_due_and_keeps_its_ref(store: Database):
    await want(store, ("approval:A1", ROOM))
    showing = await first(store)
    await store.transact(lambda uow: uow.outbox.sent(showing, REF))
    assert await due(store) == []
    await want(store, ("approval:A1", ROOM))
    assert (await first(store)).ref == REF


async def test_what_was_wanted_while_it_was_sent_stays_due(store: Database):
    await want(store, ("approval:A1", ROOM))
    showing = await first(store)
    await want(store, ("approval:A1", ROOM))
    await store.transact(lambda uow: uow.outbox.sent(showing, REF))
    assert await due(store) == [("approval:A1", "web", 2, 1)]


async def test_an_older_showing_never_takes_a_newer_one_back(store: Database):
    await want(store, ("approval:A1", ROOM))
    old = await first(store)
    await want(store, ("approval:A1", ROOM))
    new = await first(store)
    await store.transact(lambda uow: uow.outbox.sent(new, REF))
    await store.transact(lambda uow: uow.outbox.sent(old, REF))
    assert await due(store) == []


async def test_a_message_that_was_lost_is_registered_and_brought_up_to_date(store: Database):
    await want(store, ("approval:A1", ROOM))
    assert await store.transact(lambda uow: uow.outbox.register("approval:A1", ROOM, REF))
    assert (await first(store)).ref == REF
    assert await due(store) == [("approval:A1", "web", 2, 0)]


async def test_a_message_that_shows_another_topic_is_not_taken_from_it_by_a_forged_press(store: Database):
    await want(store, ("welcome:1", ROOM))
    showing = await first(store)
    await store.transact(lambda uow: uow.outbox.sent(showing, REF))
    await want(store, ("approval:A1", ROOM))
    assert not await store.transact(lambda uow: uow.outbox.register("approval:A1", ROOM, REF))
    assert (await first(store)).ref is None


async def test_a_message_that_is_known_is_not_replaced_by_a_press_on_another(store: Database):
    await want(store, ("approval:A1", ROOM))
    showing = await first(store)
    await store.transact(lambda uow: uow.outbox.sent(showing, REF))
    assert not await store.transact(lambda uow: uow.outbox.register("approval:A1", ROOM, Ref(messages=("9",))))
    assert not await store.transact(lambda uow: uow.outbox.register("approval:A2", ROOM, REF))
    assert await due(store) == []


async def test_a_change_is_wanted_wherever_its_topic_is_shown(store: Database):
    await store.transact(lambda uow: uow.outbox.changed("approval:A1", [CHAT]))
    assert await store.transact(lambda uow: uow.outbox.step_in("approval:A1", [ROOM, CHAT]))
    await store.transact(lambda uow: uow.outbox.changed("approval:A1", [CHAT]))
    assert await due(store) == [("approval:A1", "telegram", 2, 0), ("approval:A1", "web", 2, 0)]


async def test_who_shows_a_topic_already_does_not_step_in(store: Database):
    await want(store, ("approval:A1", ROOM))
    assert not await store.transact(lambda uow: uow.outbox.step_in("approval:A1", [ROOM]))
    assert await due(store) == [("approval:A1", "web", 1, 0)]
    assert await store.read(lambda uow: uow.outbox.shows("approval:A1", "web"))
    assert not await store.read(lambda uow: uow.outbox.shows("approval:A1", "telegram"))


async def test_only_what_was_never_shown_is_news(store: Database):
    await want(store, ("approval:A1", ROOM))
    showing = await first(store)
    assert showing.is_news
    await store.transact(lambda uow: uow.outbox.sent(showing, REF))
    await want(store, ("approval:A1", ROOM))
    assert not (await first(store)).is_news


async def test_a_place_that_was_left_is_owed_nothing_more_and_keeps_its_messages(store: Database):
    await want(store, ("approval:A1", CHAT), ("approval:A1", ROOM), ("trade:T1", CHAT))
    showing = (await store.read(lambda uow: uow.outbox.due()))[0]
    await store.transact(lambda uow: uow.outbox.sent(showing, REF))
    assert await store.transact(lambda uow: uow.outbox.leave(CHAT)) == (2, 1)
    assert await store.read(lambda uow: uow.outbox.all_places()) == (ROOM,)
    await store.transact(lambda uow: uow.outbox.changed("approval:A1", [ROOM]))
    await store.transact(lambda uow: uow.outbox.changed("trade:T1", []))
    assert await due(store) == [("approval:A1", "web", 2, 0)]
    assert await store.read(
        lambda uow: (bool(uow.outbox.places("trade:T1")), uow.outbox.shows("approval:A1", "telegram"))
    ) == (
        False,
        False,
    )
    await want(store, ("approval:A1", CHAT))
    again = next(each for each in await store.read(lambda uow: uow.outbox.due()) if each.destination == CHAT)
    assert (again.ref, again.is_news) == (REF, False)


async def test_a_press_at_a_place_that_was_left_makes_nothing_due_there(store: Database):
    await want(store, ("approval:A1", CHAT))
    await store.transact(lambda uow: uow.outbox.leave(CHAT))
    assert not await store.transact(lambda uow: uow.outbox.register("approval:A1", CHAT, REF))
    assert await due(store) == []


async def test_an_answer_is_edited_where_it_is_shown_and_nowhere_else(store: Database):
    """Where somebody asked is no place where cards go: it is neither taken nor left."""

    def note(uow: UnitOfWork) -> None:
        uow.outbox.answered("closing:C1", CHAT, REF)
        uow.outbox.want("trade:T1", ROOM)

    await store.transact(note)
    assert await due(store) == [("trade:T1", "web", 1, 0)]
    assert await store.read(lambda uow: uow.outbox.all_places()) == (ROOM,)
    assert await store.transact(lambda uow: uow.outbox.leave(CHAT)) == (0, 0)
    await store.transact(lambda uow: uow.show_anew("closing:C1"))
    await store.transact(lambda uow: uow.show_anew("closing:C2"))
    assert await due(store) == [("closing:C1", "telegram", 2, 1), ("trade:T1", "web", 1, 0)]
    assert (await first(store)).ref == REF


async def test_of_two_messages_with_one_answer_the_pressed_one_takes_the_place_of_the_other(store: Database):
    """Where the platform's answer was lost it was shown twice: the other is named after it, and taken away."""
    await store.transact(lambda uow: uow.answered("closing:C1", CHAT, Ref(messages=("4",))))
    assert await store.transact(lambda uow: uow.outbox.register("closing:C1", CHAT, Ref(messages=("3",))))
    assert not await store.transact(lambda uow: uow.outbox.register("closing:C1", CHAT, Ref(messages=("4",))))
    assert (await first(store)).ref == Ref(messages=("3", "4"))


async def test_what_was_noted_while_it_was_sent_is_not_forgotten(store: Database):
    """An answer that comes late, when its end was shown already in another message."""
    await store.transact(lambda uow: uow.outbox.answer("closing:C1", CHAT))
    assert await due(store) == []
    await store.transact(lambda uow: uow.show_anew("closing:C1"))
    showing = await first(store)
    await store.transact(lambda uow: uow.answered("closing:C1", CHAT, Ref(messages=("3",))))
    await store.transact(lambda uow: uow.outbox.sent(showing, Ref(messages=("4",))))
    assert (await first(store)).ref == Ref(messages=("4", "3"))
    again = await first(store)
    await store.transact(lambda uow: uow.outbox.sent(again, Ref(messages=("4",))))
    assert await due(store) == []
    assert await store.read(lambda uow: uow.outbox.ref("closing:C1", CHAT)) == Ref(messages=("4",))


async def test_the_answers_about_an_emergency_stop_are_those_of_no_other(store: Database):
    for topic in ("emergency_answer:H1/web:5", "emergency_answer:H1/telegram:7", "emergency_answer:H12/web:5"):
        await store.transact(lambda uow, topic=topic: uow.answered(topic, CHAT, Ref(messages=(topic,))))
    found = await store.read(lambda uow: uow.outbox.beginning(emergency_answer_topic("H1")))
    assert found == ("emergency_answer:H1/telegram:7", "emergency_answer:H1/web:5")
    assert halt_id_of("H1/web:5") == "H1"
