"""What every platform owes the outbox: the port ``Platform``, tried on each member of the family."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from engine.domain.approvals import Verb
from engine.domain.messages import Button, Card, Destination, Person, Ref, Role, Table
from engine.ports import Gone, Platform, RetryAt
from handlers.web.caller import Caller
from handlers.web.chat import ROOM, WebChat
from handlers.web.rendering import render
from tests.fakes import slack_bot
from tests.fakes.database import new_database
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_http import Fault as SlackFault
from tests.fakes.slack_state import BOT_USER
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_bot import make_bot


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message as people see it."""

    text: str
    buttons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Room:
    """A platform with somebody looking on."""

    platform: Platform
    to: Destination
    seen: Callable[[], Awaitable[Sequence[Seen]]]


@dataclass(frozen=True, kw_only=True)
class DistantRoom(Room):
    """One on somebody else's server, which can be out of reach and where messages can be removed."""

    remove: Callable[[Ref], None]
    break_down: Callable[[], None]
    recover: Callable[[], None]
    close: Callable[[], None]
    """Nobody lets the bot write there any more."""
    reopen: Callable[[], None]
    health: Callable[[], str]


@asynccontextmanager
async def telegram() -> AsyncIterator[DistantRoom]:
    async with FakeTelegram() as fake:
        fake.chat(7)
        platform = make_bot(fake).platform
        await platform.start()

        def remove(ref: Ref) -> None:
            for message in ref.messages:
                fake.chat(7).messages[int(message)].deleted = True

        async def seen() -> Sequence[Seen]:
            return [Seen(text=m.text, buttons=tuple(m.labels)) for m in fake.messages(7)]

        yield DistantRoom(
            platform=platform,
            to=Destination(platform="telegram", address="7"),
            seen=seen,
            remove=remove,
            break_down=lambda: fake.fail(Fault.BAD_GATEWAY),
            recover=fake.recover,
            close=lambda: fake.block(7),
            reopen=lambda: fake.block(7, blocked=False),
            health=lambda: platform.health,
        )
        await platform.stop()


@asynccontextmanager
async def slack() -> AsyncIterator[DistantRoom]:
    async with FakeSlack() as fake:
        channel = fake.channel(slack_bot.CHANNEL)
        async with slack_bot.running(fake) as bot:

            def remove(ref: Ref) -> None:
                for message in ref.messages:
                    channel.messages[message].deleted = True

            async def seen() -> Sequence[Seen]:
                return [Seen(text=m.text, buttons=tuple(m.labels)) for m in fake.messages(channel.id)]

            yield DistantRoom(
                platform=bot.platform,
                to=slack_bot.to(),
                seen=seen,
                remove=remove,
                break_down=lambda: fake.fail(SlackFault.UNAVAILABLE),
                recover=fake.recover,
                close=lambda: fake.remove_bot(channel.id),
                reopen=lambda: channel.members.add(BOT_USER),
                health=lambda: bot.platform.health,
            )
        assert fake.at.complaints == []


@asynccontextmanager
async def web() -> AsyncIterator[Room]:
    with TemporaryDirectory() as folder:
        database = new_database(Path(folder))

        async def nobody(_: object) -> None:
            """Nobody types here."""

        chat = WebChat(database=database, receive=nobody, wall=lambda: datetime(2026, 1, 3, tzinfo=UTC))

        ann = Caller(platform="web", user="Ann", person=Person(name="Ann", role=Role.TRADER))

        async def seen() -> Sequence[Seen]:
            messages = await chat.since("Ann", 0)
            return [read(render("message.html", message=message, caller=ann)) for message in messages]

        yield Room(platform=chat, to=Destination(platform="web", address=ROOM), seen=seen)
        await database.close()


class Page(HTMLParser):
    """What stands on a page, without its markup, times of messages and drawings."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.buttons: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's signature
        if tag not in ("line", "path", "polyline", "polygon", "circle", "br"):
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not data.strip() or {"footer", "svg"} & set(self._within):
            return
        (self.buttons if "button" in self._within else self.words).append(data.strip())


def read(html: str) -> Seen:
    page = Page()
    page.feed(html)
    return Seen(text="\n".join(page.words), buttons=tuple(page.buttons))


ROOMS: list[Callable[[], AbstractAsyncContextManager[Room]]] = [telegram, slack, web]
DISTANT_ROOMS: list[Callable[[], AbstractAsyncContextManager[DistantRoom]]] = [telegram, slack]


@pytest.fixture(params=ROOMS, ids=lambda room: room.__name__)
async def room(request: pytest.FixtureRequest) -> AsyncIterator[Room]:
    async with request.param() as room:
        yield room


@pytest.fixture(params=DISTANT_ROOMS, ids=lambda room: room.__name__)
async def distant(request: pytest.FixtureRequest) -> AsyncIterator[DistantRoom]:
    async with request.param() as room:
        yield room


QUESTION = Card(
    title="Buy 0.1 BTC/USDT?",
    topic="approval:A17",
    fields=(("Agreement", "4 of 6"), ("Stop", "41,000.00")),
    text="The averages crossed.\nVolume agrees.",
    table=Table(head=("Market", "Held"), rows=(("ETH/USDT", "1.5"),)),
    graph=(1.0, 2.0, 3.0),
    buttons=tuple(Button(label=verb.title(), verb=verb, about="A17") for verb in Verb),
)
HOSTILE = "<script>alert('&amp;')</script> *bold* _x_ `y` 😀"


async def test_it_goes_by_the_name_its_destinations_have(room: Room) -> None:
    assert room.platform.name == room.to.platform


async def test_everything_on_a_card_is_seen(room: Room) -> None:
    await room.platform.put(room.to, QUESTION, None)
    (seen,) = await room.seen()
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
    (seen,) = await room.seen()
    assert seen.text.count(HOSTILE) == 4


async def test_a_card_with_a_ref_takes_the_place_of_the_old_one(room: Room) -> None:
    ref = await room.platform.put(room.to, QUESTION, None)
    after = await room.platform.put(room.to, replace(QUESTION, text="Approved by Ann.", buttons=()), ref)
    assert after == ref
    (seen,) = await room.seen()
    assert "Approved by Ann." in seen.text
    assert "The averages crossed." not in seen.text
    assert seen.buttons == ()


async def test_putting_the_same_card_again_changes_nothing(room: Room) -> None:
    ref = await room.platform.put(room.to, QUESTION, None)
    before = await room.seen()
    assert await room.platform.put(room.to, QUESTION, ref) == ref
    assert await room.seen() == before


async def test_cards_are_seen_in_the_order_in_which_they_were_put(room: Room) -> None:
    for number in range(3):
        await room.platform.put(room.to, Card(title=f"Alert {number}"), None)
    assert [seen.text for seen in await room.seen()] == ["Alert 0", "Alert 1", "Alert 2"]


async def test_a_card_under_another_is_seen_as_it_is(room: Room) -> None:
    parent = await room.platform.put(room.to, QUESTION, None)
    ref = await room.platform.put(room.to, Card(title="Bought", topic="trade:T1"), None, parent)
    await room.platform.put(room.to, Card(title="Sold", topic="trade:T1"), ref, parent)
    assert [seen.text for seen in await room.seen()][1:] == ["Sold"]


async def test_a_card_of_any_length_is_seen_whole_and_can_become_short(room: Room) -> None:
    words = " ".join(f"word{number}🚀" for number in range(1500))
    ref = await room.platform.put(room.to, replace(QUESTION, text=words), None)
    assert " ".join(" ".join(seen.text for seen in await room.seen()).split()).count("🚀") == 1500
    assert [seen.buttons for seen in await room.seen()][-1] == ("Approve", "Half", "Reject")
    await room.platform.put(room.to, Card(title="Done"), ref)
    assert [seen.text for seen in await room.seen()] == ["Done"]


async def test_a_card_that_was_removed_is_gone_and_can_be_shown_anew(distant: DistantRoom) -> None:
    ref = await distant.platform.put(distant.to, QUESTION, None)
    distant.remove(ref)
    with pytest.raises(Gone):
        await distant.platform.put(distant.to, replace(QUESTION, text="new"), ref)
    await distant.platform.put(distant.to, QUESTION, None)
    assert len(await distant.seen()) == 1


async def test_in_an_outage_it_asks_to_be_tried_again_and_then_shows_the_card_once(distant: DistantRoom) -> None:
    distant.break_down()
    with pytest.raises(RetryAt) as later:
        await distant.platform.put(distant.to, QUESTION, None)
    assert later.value.seconds > 0
    distant.recover()
    await distant.platform.put(distant.to, QUESTION, None)
    assert len(await distant.seen()) == 1


async def test_a_place_that_lets_nobody_write_is_told_by_its_name_until_it_does(distant: DistantRoom) -> None:
    ref = await distant.platform.put(distant.to, QUESTION, None)
    distant.close()
    with pytest.raises(RetryAt):
        await distant.platform.put(distant.to, Card(title="An alert"), None)
    assert distant.to.address in distant.health()
    distant.reopen()
    await distant.platform.put(distant.to, replace(QUESTION, text="new"), ref)
    assert distant.health() == "ok"
