"""What people do on Slack, by socket and by HTTP: acknowledged first, handled once, through all that sockets do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette

from engine.domain.closing import Choice
from engine.domain.messages import Button, Card, Destination, Incoming, Ref
from handlers.web.server import listen
from tests.fakes.noting import Receive, say_nothing, words
from tests.fakes.patience import until
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_bot import CHANNEL, Bot, running, to
from tests.fakes.slack_http import Fault


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(retry_after=(0.1, 0.3, 0.3)) as fake:
        fake.channel(CHANNEL, "U1", "U2")
        yield fake
        assert fake.at.complaints == []


@asynccontextmanager
async def served(fake: FakeSlack, *, receive: Receive = say_nothing) -> AsyncIterator[Bot]:
    """A bot that Slack calls, on a web server of its own."""
    async with running(fake, receive=receive, http=True) as bot:
        config = uvicorn.Config(Starlette(routes=bot.platform.hooks), log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        sockets = [listen("127.0.0.1", 0)]
        serving = asyncio.create_task(server.serve(sockets=sockets))
        fake.delivers_to(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/hooks/slack")
        await until(lambda: server.started)
        try:
            yield bot
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def reached(mode: str, fake: FakeSlack, receive: Receive = say_nothing) -> AsyncIterator[Bot]:
    if mode == "http":
        async with served(fake, receive=receive) as bot:
            yield bot
    else:
        async with running(fake, receive=receive) as bot:
            yield bot


both = pytest.mark.parametrize("mode", ["socket", "http"])


@both
async def test_everything_is_acknowledged_while_it_is_still_being_handled(fake: FakeSlack, mode: str) -> None:
    free = asyncio.Event()

    async def busy(heard: Incoming) -> Card:
        await free.wait()
        return Card(title=f"{words(heard)} done")

    async with reached(mode, fake, busy) as bot:
        person = fake.user("U1")
        acts = [person.command("status", CHANNEL), person.say("status"), person.mention("status", CHANNEL)]
        for act in acts:
            assert act is not None
            await act.finished()
            assert act.acked
        assert len(bot.heard) == 1, "a person's own in order"
        assert fake.texts(CHANNEL) == []
        free.set()
        await until(lambda: len(bot.heard) == 3 and len(fake.messages(CHANNEL)) == 2)


@both
async def test_a_persons_own_is_handled_in_order_and_others_beside_it(fake: FakeSlack, mode: str) -> None:
    free = asyncio.Event()
    done: list[str] = []

    async def slow_for_one(heard: Incoming) -> None:
        if heard.user == "U1":
            await free.wait()
        done.append(f"{heard.user} {words(heard)}")

    async with reached(mode, fake, slow_for_one):
        for text in ("status", "why A1"):
            act = fake.user("U1").command(text, CHANNEL)
            await act.finished()
        await fake.user("U2").command("status", CHANNEL).finished()
        await until(lambda: done == ["U2 /status"])
        free.set()
        await until(lambda: len(done) == 3)
    assert done == ["U2 /status", "U1 /status", "U1 /why A1"]


@both
async def test_what_the_bot_itself_writes_and_commands_of_others_are_nothing(fake: FakeSlack, mode: str) -> None:
    fake.subscriptions |= {"message.channels"}
    fake.scopes.add("channels:history")
    async with reached(mode, fake) as bot:
        await bot.platform.put(to(), Card(title="hello"), None)
        act = fake.user("U1").command("status", CHANNEL, name="/other")
        await act.finished()
        said = fake.user("U1").say("no mention", CHANNEL)
        assert said is not None
        await said.finished()
        mention = fake.user("U1").mention("status", CHANNEL)
        assert mention is not None
        await mention.finished()
        await until(lambda: bot.said == ["/status"])
        assert all(act.acked for act in fake.acts)


@both
async def test_a_receiver_that_fails_stops_nothing(fake: FakeSlack, mode: str) -> None:
    async def broken(heard: Incoming) -> Card:
        if words(heard) == "/why A1":
            raise RuntimeError("no")
        return Card(title="fine")

    async with reached(mode, fake, broken):
        for text in ("why A1", "status"):
            await fake.user("U1").command(text, CHANNEL).finished()
        await until(lambda: fake.texts(CHANNEL) == ["fine"])


# Replies


SECRET = Card(title="The log", private=True)


async def tell_a_secret(heard: Incoming) -> Card:
    del heard
    return SECRET


async def test_what_is_for_one_person_is_answered_in_person_and_the_channel_is_told_where(fake: FakeSlack) -> None:
    async with running(fake, receive=tell_a_secret):
        fake.user("U1").mention("status", CHANNEL)
        await until(lambda: fake.texts(CHANNEL))
    assert [message.text for message in fake.user("U1").messages()] == ["The log"]
    (told,) = fake.texts(CHANNEL)
    assert told == "The answer is in your direct messages with me"


async def test_where_there_is_no_way_to_a_person_the_channel_is_told_how_to_ask(fake: FakeSlack) -> None:
    fake.at.messages_tab = False
    async with running(fake, receive=tell_a_secret):
        fake.user("U1").mention("status", CHANNEL)
        await until(lambda: fake.texts(CHANNEL))
    (told,) = fake.texts(CHANNEL)
    assert "I cannot write to you in private yet" in told
    assert "Send /bot with the command after it: only you see that answer." in told
    assert "The log" not in told


async def test_what_only_one_person_reads_already_is_answered_there(fake: FakeSlack) -> None:
    async with running(fake, receive=tell_a_secret):
        await fake.user("U1").command("status", CHANNEL).finished()
        await until(lambda: fake.texts(CHANNEL))
        fake.user("U1").say("status")
        await until(lambda: fake.user("U1").messages())
    assert [(message.text, message.only_for) for message in fake.messages(CHANNEL)] == [("The log", "U1")]
    assert [message.text for message in fake.user("U1").messages()] == ["The log"]


async def test_once_a_reply_stands_there_it_is_told(fake: FakeSlack) -> None:
    told: list[tuple[str, int]] = []

    def note(heard: Incoming) -> None:
        told.append((words(heard), len(fake.texts(CHANNEL))))

    async with running(fake, receive=tell_a_secret, shown=note):
        await fake.user("U1").command("status", CHANNEL).finished()
        await until(lambda: told)
    assert told == [("/status", 1)]


async def test_what_arrives_is_told_before_its_turn_comes(fake: FakeSlack) -> None:
    free, arrived, done = asyncio.Event(), list[str](), list[str]()

    async def slow(heard: Incoming) -> None:
        await free.wait()
        done.append(words(heard))

    async with running(fake, receive=slow, arrived=lambda heard: arrived.append(words(heard))):
        for text in ("status", "why A1"):
            await fake.user("U1").command(text, CHANNEL).finished()
        await until(lambda: arrived == ["/status", "/why A1"])
        assert done == []
        free.set()


WISH = Card(title="Close T1?", topic="closing:C1", buttons=(Button(label="Close T1", verb=Choice.CLOSE, about="C1"),))


async def ask(heard: Incoming) -> Card:
    del heard
    return WISH


async def test_what_waits_for_a_press_is_asked_where_it_can_be_edited(fake: FakeSlack) -> None:
    """A slash command's answer cannot: it comes in person, and where it was given that is said."""
    noted: list[tuple[Destination, Ref]] = []

    async def note(card: Card, to: Destination, ref: Ref | None) -> None:
        assert card == WISH
        if ref is not None:
            noted.append((to, ref))

    async with running(fake, receive=ask, note=note) as bot:
        await fake.user("U1").command("status", CHANNEL).finished()
        await until(lambda: fake.texts(CHANNEL))
        fake.user("U1").mention("status", CHANNEL)
        await until(lambda: len(noted) == 2)
        for to_, ref in noted:
            await bot.platform.put(to_, Card(title="Time is up", topic="closing:C1"), ref)
    assert [(message.text, message.only_for) for message in fake.messages(CHANNEL) if message.only_for] == [
        ("The answer is in your direct messages with me", "U1")
    ]
    assert fake.texts(CHANNEL)[1:] == ["Time is up"]
    assert [message.text for message in fake.user("U1").messages()] == ["Time is up"]


async def test_what_waits_for_a_press_is_asked_there_if_nowhere_else_it_can_be(fake: FakeSlack) -> None:
    fake.at.messages_tab = False
    async with running(fake, receive=ask) as bot:
        await fake.user("U1").command("status", CHANNEL).finished()
        await until(lambda: fake.texts(CHANNEL))
        assert bot.platform.health == "ok"
    assert [(message.text, message.only_for) for message in fake.messages(CHANNEL)] == [("Close T1?", "U1")]


async def test_a_reply_waits_out_a_flood_and_comes_once(fake: FakeSlack) -> None:
    async def answer(heard: Incoming) -> Card:
        return Card(title="Status")

    async with running(fake, receive=answer):
        fake.fail(Fault.RATE_LIMITED, method="chat.postMessage", times=1)
        fake.user("U1").say("status")
        await until(lambda: [message.text for message in fake.user("U1").messages()] == ["Status"])


async def test_a_long_private_reply_keeps_to_what_a_response_url_takes(fake: FakeSlack) -> None:
    async def answer(heard: Incoming) -> Card:
        return Card(title="Status", text="word " * 10_000)

    async with running(fake, receive=answer):
        await fake.user("U1").command("status", CHANNEL).finished()
        await until(lambda: len(fake.messages(CHANNEL)) == 5)
    assert {message.only_for for message in fake.messages(CHANNEL)} == {"U1"}


async def test_a_reply_that_cannot_be_shown_is_given_up_and_no_trouble_of_the_platform(fake: FakeSlack) -> None:
    free = asyncio.Event()

    async def answer(heard: Incoming) -> Card:
        await free.wait()
        return Card(title="Status")

    fake.channel("C2", "U1")
    async with running(fake, receive=answer) as bot:
        fake.user("U1").mention("status", "C2")
        await until(lambda: bool(bot.heard))
        fake.remove_bot("C2")
        free.set()
        await until(lambda: "slack.reply_refused" in [entry["event"] for entry in bot.logs])
        assert bot.platform.health == "ok"


async def test_stopping_finishes_what_is_under_way(fake: FakeSlack) -> None:
    begun = asyncio.Event()

    async def slow(heard: Incoming) -> Card:
        begun.set()
        await asyncio.sleep(0.3)
        return Card(title="done")

    async with running(fake, receive=slow):
        fake.user("U1").command("status", CHANNEL)
        await begun.wait()
    assert fake.texts(CHANNEL) == ["done"]
    await until(lambda: not fake.sockets.connections)


async def test_what_takes_long_is_announced_at_once_and_answered_after_that(fake: FakeSlack) -> None:
    free = asyncio.Event()

    async def slow(heard: Incoming) -> Card:
        await free.wait()
        return Card(title="done")

    async with running(fake, receive=slow, interim=lambda _: Card(title="begun")):
        fake.user("U1").command("backtest", CHANNEL)
        await until(lambda: fake.texts(CHANNEL) == ["begun"])
        free.set()
        await until(lambda: fake.texts(CHANNEL) == ["begun", "done"])


async def test_a_platform_that_is_started_again_goes_on(fake: FakeSlack) -> None:
    async def answer(heard: Incoming) -> Card:
        return Card(title="Status")

    async with running(fake, receive=answer) as bot:
        await bot.platform.stop()
        said = fake.user("U1").say("status")
        assert said is not None
        await bot.platform.start()
        assert (await said.finished()).acked
        await until(lambda: [message.text for message in fake.user("U1").messages()] == ["Status"])
        assert bot.platform.health == "ok"


# Sockets


TROUBLES: Sequence[tuple[str, Callable[[FakeSlack], None]]] = (
    ("cut", lambda fake: fake.cut_sockets()),
    ("stalled", lambda fake: fake.stall_sockets()),
    ("refresh", lambda fake: fake.refresh_sockets("refresh_requested", grace=0.5)),
    ("warning", lambda fake: fake.refresh_sockets("warning", grace=0.5)),
)


@pytest.mark.parametrize(("name", "trouble"), TROUBLES, ids=[name for name, _ in TROUBLES])
async def test_a_socket_that_ends_is_opened_again_and_nothing_is_lost(
    fake: FakeSlack, name: str, trouble: Callable[[FakeSlack], None]
) -> None:
    async with running(fake) as bot:
        trouble(fake)
        wanted = []
        for number in range(8):
            fake.user("U1").say(f"status {number}")
            wanted.append(f"/status {number}")
            await asyncio.sleep(0.1)
        await until(lambda: sorted(set(bot.said)) == wanted)
        await until(lambda: bot.platform.health == "ok")
        assert fake.sockets.opened >= 2
        assert bool(bot.troubles) == (name in {"cut", "stalled"})
    await until(lambda: not fake.sockets.connections)


async def test_while_a_socket_is_refreshed_no_press_falls_in_between(fake: FakeSlack) -> None:
    async with running(fake) as bot:
        for number in range(20):
            if number % 5 == 0:
                fake.refresh_sockets("warning", grace=0.3)
            act = fake.user("U1").command(f"why A{number}", CHANNEL)
            await act.finished()
            assert act.acked, act
            await asyncio.sleep(0.02)
        await until(lambda: len(bot.heard) == 20)


async def test_what_comes_just_before_slacks_goodbye_is_acknowledged(fake: FakeSlack) -> None:
    async with running(fake):
        act = fake.user("U1").command("why A1", CHANNEL)
        fake.refresh_sockets("warning", grace=0)
        await act.finished()
        assert act.acked, act
        await until(lambda: len(fake.sockets.connections) == 1 and fake.sockets.opened == 2)


async def test_an_outage_is_told_and_the_socket_comes_back_with_the_server(fake: FakeSlack) -> None:
    async with running(fake) as bot:
        await asyncio.to_thread(fake.stop)
        await until(lambda: bot.platform.health != "ok")
        await asyncio.sleep(0.5)
        await asyncio.to_thread(fake.start)
        await until(lambda: bot.platform.health == "ok")
        fake.user("U1").say("status")
        await until(lambda: bot.said == ["/status"])


async def test_a_socket_mode_that_is_switched_off_is_told(fake: FakeSlack) -> None:
    async with running(fake) as bot:
        fake.refresh_sockets("link_disabled", grace=0.1)
        await until(lambda: "Socket Mode is switched off for the app." in bot.troubles)


@pytest.mark.parametrize("wrong", ["bot_token", "app_token"])
async def test_a_wrong_token_is_told_and_a_start_does_not_wait_for_it(fake: FakeSlack, wrong: str) -> None:
    prefix = "xoxb" if wrong == "bot_token" else "xapp"
    began = time.monotonic()
    async with running(fake, **{wrong: SecretStr(f"{prefix}-another")}) as bot:
        assert time.monotonic() - began < 10
        await until(lambda: "Slack refuses the bot's token (invalid_auth)" in bot.platform.health)
        assert "another" not in repr(bot.logs)


async def test_a_server_that_is_not_there_at_the_start_is_found_later(fake: FakeSlack) -> None:
    await asyncio.to_thread(fake.stop)
    async with running(fake, answer_timeout=timedelta(seconds=1)) as bot:
        assert "cannot be reached" in bot.platform.health
        await asyncio.to_thread(fake.start)
        await until(lambda: bot.platform.health == "ok")
