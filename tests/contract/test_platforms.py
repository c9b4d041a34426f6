"""What every platform owes the outbox: the port ``Platform``, tried on each member of the family."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from engine.domain.approvals import Verb
from engine.domain.messages import Button, Card, Destination, Ref, Table
from engine.ports import Gone, Platform, RetryAt
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_bot import make_bot


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message as people see it."""

    text: str
    buttons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Room:
    """A platform with somebody looking on; the last three are ``None`` where a platform has no such thing."""

    platform: Platform
    to: Destination
    seen: Callable[[], Sequence[Seen]]
    remove: Callable[[Ref], None] | None
    break_down: Callable[[], None] | None
    recover: Callable[[], None] | None


@asynccontextmanager
async def telegram() -> AsyncIterator[Room]:
    async with FakeTelegram() as fake:
        fake.chat(7)
        platform = make_bot(fake).platform
        await platform.start()

        def remove(ref: Ref) -> None:
            for message in ref.messages:
                fake.chat(7).messages[int(message)].deleted = True

        yield Room(
            platform=platform,
            to=Destination(platform="telegram", address="7"),
            seen=lambda: [Seen(text=m.text, buttons=tuple(m.labels)) for m in fake.messages(7)],
            remove=remove,
            break_down=lambda: fake.fail(Fault.BAD_GATEWAY),
            recover=fake.recover,
        )
        await platform.stop()


ROOMS: list[Callable[[], AbstractAsyncContextManager[Room]]] = [telegram]


@pytest.fixture(params=ROOMS, ids=lambda room: room.__name__)
async def room(request: pytest.FixtureRequest) -> AsyncIterator[Room]:
    async with request.param() as room:
        yield room


QUESTION = Card(
    title="Buy 0.1 BTC/USDT?",
    topic="approval:A17",
    fields=(("Agreement", "4 of 6"), ("Stop", "41,000.00")),
    text="The averages crossed.\nVolume agrees.",
    table=Table(head=("Market", "Held"), rows=(("ETH/USDT", "1.5"),)),
    graph=(1.0, 2.0, 3.0),
    buttons=tuple(Button(label=verb.title(), verb=verb, approval_id="A17") for verb in Verb),
)
HOSTILE = "<script>alert('&amp;')</script> *bold* _x_ `y` 😀"


async def test_it_goes_by_the_name_its_destinations_have(room: Room) -> None:
    assert room.platform.name == room.to.platform


async def test_everything_on_a_card_is_seen(room: Room) -> None:
    await room.platform.put(room.to, QUESTION, None)
    (seen,) = room.seen()
    wanted = [
        "Buy 0.1 BTC/USDT?",
        "Agreement",
        "4 of 6",
        "Stop",
        "41,000.00",
        "The averages crossed.",
        "ETH/USDT",
        "1.5",
    ]
    assert [word for word in wanted if word not in seen.text] == []
    assert seen.buttons == ("Approve", "Half", "Reject")


async def test_text_is_never_taken_for_markup(room: Room) -> None:
    card = Card(title=HOSTILE, fields=((HOSTILE, HOSTILE),), text=HOSTILE)
    await room.platform.put(room.to, card, None)
    (seen,) = room.seen()
    assert seen.text.count(HOSTILE) == 4


async def test_a_card_with_a_ref_takes_the_place_of_the_old_one(room: Room) -> None:
    ref = await room.platform.put(room.to, QUESTION, None)
    after = await room.platform.put(room.to, replace(QUESTION, text="Approved by Ann.", buttons=()), ref)
    assert after == ref
    (seen,) = room.seen()
    assert "Approved by Ann." in seen.text
    assert "The averages crossed." not in seen.text
    assert seen.buttons == ()


async def test_putting_the_same_card_again_changes_nothing(room: Room) -> None:
    ref = await room.platform.put(room.to, QUESTION, None)
    before = room.seen()
    assert await room.platform.put(room.to, QUESTION, ref) == ref
    assert room.seen() == before


async def test_cards_are_seen_in_the_order_in_which_they_were_put(room: Room) -> None:
    for number in range(3):
        await room.platform.put(room.to, Card(title=f"Alert {number}"), None)
    assert [seen.text for seen in room.seen()] == ["Alert 0", "Alert 1", "Alert 2"]


async def test_a_card_of_any_length_is_seen_whole_and_can_become_short(room: Room) -> None:
    words = " ".join(f"word{number}🚀" for number in range(1500))
    ref = await room.platform.put(room.to, replace(QUESTION, text=words), None)
    assert " ".join(" ".join(seen.text for seen in room.seen()).split()).count("🚀") == 1500
    assert [seen.buttons for seen in room.seen()][-1] == ("Approve", "Half", "Reject")
    await room.platform.put(room.to, Card(title="Done"), ref)
    assert [seen.text for seen in room.seen()] == ["Done"]


async def test_a_card_that_was_removed_is_gone_and_can_be_shown_anew(room: Room) -> None:
    if room.remove is None:
        pytest.skip("on this platform nobody can remove a message")
    ref = await room.platform.put(room.to, QUESTION, None)
    room.remove(ref)
    with pytest.raises(Gone):
        await room.platform.put(room.to, replace(QUESTION, text="new"), ref)
    await room.platform.put(room.to, QUESTION, None)
    assert len(room.seen()) == 1


async def test_in_an_outage_it_asks_to_be_tried_again_and_then_shows_the_card_once(room: Room) -> None:
    if room.break_down is None or room.recover is None:
        pytest.skip("this platform is part of the program and cannot be out of reach")
    room.break_down()
    with pytest.raises(RetryAt) as later:
        await room.platform.put(room.to, QUESTION, None)
    assert later.value.seconds > 0
    room.recover()
    await room.platform.put(room.to, QUESTION, None)
    assert len(room.seen()) == 1
