"""The whole program in Slack, over a socket and over HTTP, against a server as strict as Slack's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import App
from config.loader import load
from config.settings import Settings
from tests.fakes.plain import PLAIN
from tests.fakes.program import FALLEN, VERBS, Files, Json, address, environ, running, write_config
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_delivery import Act, Signing
from tests.fakes.slack_state import Message

pytestmark = pytest.mark.slow

CHANNEL = "C1"
ANN, EVE, STRANGER = "U1", "U2", "U9"
PEOPLE: list[Json] = [
    {"name": "Ann", "role": "trader", "slack": ANN, "web": "ann"},
    {"name": "Eve", "role": "viewer", "slack": EVE},
]
SOON = (0.3, 0.3, 0.3)
"""Seconds before each time that the fake tries an event again."""


def settings_for(folder: Path, fake: FakeSlack, mode: str = "socket", **changes: Any) -> Settings:
    slack = {"mode": mode, "api_url": fake.api_url, "channel": CHANNEL, "messages_per_second": 20, "ping_interval": 1}
    config = write_config(folder, people=PEOPLE, slack=slack, **changes)
    secrets = {
        "BOT_SLACK__BOT_TOKEN": fake.bot_token,
        "BOT_SLACK__APP_TOKEN": fake.app_token,
        "BOT_SLACK__SIGNING_SECRET": fake.signing_secret,
    }
    return load(None, config, {}, environ() | secrets, folder).settings


@dataclass(frozen=True, kw_only=True)
class Slack:
    """A workspace with a program in it, and the program's files."""

    fake: FakeSlack
    files: Files

    def cards(self) -> list[Message]:
        """What stands in the channel itself, not in a thread."""
        return [message for message in self.fake.messages(CHANNEL) if not message.thread_ts and not message.only_for]

    def thread(self, parent: Message) -> list[str]:
        return [message.text for message in self.fake.messages(CHANNEL) if message.thread_ts == parent.ts]

    async def question(self) -> Message:
        """The question, once it is asked."""
        await self.fake.wait_for(lambda: any(card.buttons for card in self.cards()), timeout=30)
        return next(card for card in self.cards() if card.buttons)

    def audit(self) -> list[tuple[str, str, str]]:
        rows = self.files.rows('SELECT "user", action, outcome FROM audit ORDER BY id')
        return [(row["user"], row["action"], row["outcome"]) for row in rows]


@asynccontextmanager
async def living(slack: Slack, mode: str = "socket", **changes: Any) -> AsyncIterator[App]:
    """One life of the program, which Slack can reach."""
    async with running(settings_for(slack.files.folder, slack.fake, mode, **changes)) as app:
        if mode == "http":
            slack.fake.delivers_to(f"{address(app)}/hooks/slack")
        await slack.fake.wait_for(lambda: _is_well(app))
        yield app


def _is_well(app: App) -> bool:
    return bool(app.program) and all(platform.health == "ok" for platform in app.program.chat.remote)


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[Slack]:
    async with FakeSlack(retry_after=SOON) as fake:
        fake.channel(CHANNEL, ANN, EVE, STRANGER)
        yield Slack(fake=fake, files=Files(folder=tmp_path))
        assert fake.at.complaints == []


async def acked(act: Act | None) -> Act:
    """Something a person did, once Slack knows that it arrived."""
    assert act is not None
    await act.finished()
    assert act.acked, act
    return act


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_trade_lives_in_the_thread_of_its_question(slack: Slack, mode: str) -> None:
    fake = slack.fake
    async with living(slack, mode, replay={"end": FALLEN.isoformat()}):
        question = await slack.question()
        assert question.labels == list(VERBS)
        await acked(fake.user(ANN).press(question, "Approve half"))
        await fake.wait_for(lambda: not question.buttons and "Approved half by Ann" in question.text)
        await fake.wait_for(lambda: any("closed" in text and "Closed by" in text for text in slack.thread(question)))
        await fake.wait_for(slack.files.is_quiet)
    thread = slack.thread(question)
    assert any(text.startswith(f"@{ANN}\nYou approved half of A1: order O1") for text in thread), thread
    assert any(text.startswith("T1: BTC/USDT closed") for text in thread), thread
    assert [card for card in slack.cards() if "T1" in card.text.partition("\n")[0]] == []
    assert "/bot why A1" in question.text
    assert fake.doubles(CHANNEL) == []
    assert slack.files.complaints() == []


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_everybody_is_answered_where_they_asked_and_strangers_nowhere(slack: Slack, mode: str) -> None:
    fake, ann, stranger = slack.fake, slack.fake.user(ANN), slack.fake.user(STRANGER)
    async with living(slack, mode):
        question = await slack.question()
        before = len(fake.messages(CHANNEL))
        await acked(ann.command("status", CHANNEL))
        await fake.wait_for(lambda: len(fake.messages(CHANNEL)) > before)
        private = fake.messages(CHANNEL)[-1]
        assert (private.only_for, private.text.partition("\n")[0][:7]) == (ANN, "Trading")
        await acked(ann.say("status"))
        await fake.wait_for(lambda: any(message.text.startswith("Trading") for message in ann.messages()))
        await acked(ann.mention("pending", CHANNEL))
        await fake.wait_for(lambda: "A1" in fake.messages(CHANNEL)[-1].text)
        assert fake.messages(CHANNEL)[-1].thread_ts not in {None, question.ts}
        await acked(fake.user(EVE).press(question, "Reject"))
        await fake.wait_for(lambda: any("needs the role trader" in text for text in slack.thread(question)))

        shown = len(fake.messages(CHANNEL))
        for act in (
            stranger.command("status", CHANNEL),
            stranger.say("status"),
            stranger.mention("status", CHANNEL),
            stranger.press(question, "Approve"),
        ):
            await acked(act)
        await fake.wait_for(lambda: len([row for row in slack.audit() if row[0] == STRANGER]) == 4)
        assert len(fake.messages(CHANNEL)) == shown
        assert stranger.messages() == []
        assert question.buttons
    assert {row[2] for row in slack.audit() if row[0] == STRANGER} == {"stranger: no answer"}


async def test_the_home_shows_where_things_stand_and_answers_there(slack: Slack) -> None:
    fake, ann = slack.fake, slack.fake.user(ANN)
    async with living(slack):
        await slack.question()
        await acked(fake.user(STRANGER).open_home())
        await acked(ann.open_home())
        await fake.wait_for(lambda: fake.home(ANN))
        home = fake.home(ANN)
        assert home is not None
        assert home.labels == list(VERBS)
        assert home.text.startswith("Trading")
        assert "No open positions" in home.text
        await acked(ann.press_at_home("Approve"))
        await fake.wait_for(lambda: any("You approved A1" in message.text for message in ann.messages()))
        await fake.wait_for(lambda: (view := fake.home(ANN)) and not view.labels and "1 open position" in view.text)
        assert fake.home(STRANGER) is None
        assert not any(card.buttons for card in slack.cards())
        await fake.wait_for(slack.files.is_quiet)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_what_is_delivered_twice_has_one_effect_also_across_a_restart(slack: Slack, mode: str) -> None:
    fake, ann = slack.fake, slack.fake.user(ANN)
    async with living(slack, mode):
        question = await slack.question()
        acts = [ann.press(question, "Approve"), await acked(ann.say("whoami")), ann.command("version", CHANNEL)]
        for act in acts:
            await acked(act)
            await acked(fake.redeliver(act))
        await fake.wait_for(lambda: len(slack.audit()) == 3)
        await fake.wait_for(slack.files.is_quiet)
    shown = (fake.texts(CHANNEL), [message.text for message in ann.messages()])
    async with living(slack, mode):
        for act in acts:
            await acked(fake.redeliver(act))
        await acked(ann.say("health"))
        await fake.wait_for(lambda: len(slack.audit()) == 4)
    assert len(slack.files.rows("SELECT id FROM orders WHERE decision_id IS NOT NULL AND type != 'oco'")) == 1
    assert (fake.texts(CHANNEL), [message.text for message in ann.messages()][:-1]) == shown
    assert fake.doubles(CHANNEL) == []
    assert slack.files.complaints() == []


@pytest.mark.parametrize("mode", ["socket", pytest.param("http", marks=pytest.mark.slow)])
async def test_what_is_said_while_the_program_is_away_is_answered_once_it_is_back(slack: Slack, mode: str) -> None:
    fake, ann = slack.fake, slack.fake.user(ANN)
    async with living(slack, mode):
        await slack.question()
    fake.patience.retry_after = (0.1, 2.5, 3.0)
    said = ann.say("status")
    assert said is not None
    await asyncio.sleep(1.1)  # Slack's times are whole seconds
    async with living(slack, mode):
        await said.finished()
        await fake.wait_for(ann.messages)
    assert [message.text.partition(";")[0] for message in ann.messages()] == ["That was sent while I was away"]
    assert len(said.attempts) > 1


async def test_a_request_that_slack_did_not_sign_has_no_effect(slack: Slack) -> None:
    fake, ann = slack.fake, slack.fake.user(ANN)
    async with living(slack, "http"):
        question = await slack.question()
        assert await fake.verify_url()
        with fake.held():
            act = ann.press(question, "Approve")
        for signing in (Signing.NONE, Signing.WRONG, Signing.OLD):
            assert await fake.knock(act, signing) == 401
        assert slack.audit() == []
        assert question.buttons
        assert await fake.knock(act, Signing.RIGHT) == 200
        await fake.wait_for(lambda: not question.buttons)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_presses_that_are_late_twice_or_forged_change_nothing_and_are_told_so(slack: Slack, mode: str) -> None:
    fake, ann = slack.fake, slack.fake.user(ANN)
    async with living(slack, mode):
        question = await slack.question()
        await acked(ann.press(question, "approve:A99", forged=True))
        await acked(ann.press(question, "take the money", forged=True))
        await acked(ann.press(question, "Reject"))
        await fake.wait_for(lambda: not question.buttons)
        await acked(ann.press(question, "Approve", forged=True))
        await fake.wait_for(lambda: len(slack.thread(question)) == 4)
        await fake.wait_for(slack.files.is_quiet)
    unknown, nonsense, declined, late = slack.thread(question)
    assert "A99" in unknown
    assert declined.startswith(f"@{ANN}\nYou declined A1")
    assert late.startswith(f"@{ANN}\nToo late: A1 was declined by Ann")
    assert len({unknown, nonsense, declined, late}) == 4
    assert slack.files.approval()["status"] == "declined"
    assert slack.files.rows("SELECT id FROM orders") == []


async def test_a_request_that_is_too_long_or_for_another_host_is_refused(slack: Slack) -> None:
    async with living(slack, "http") as app, httpx.AsyncClient(base_url=address(app), verify=PLAIN) as client:
        long = await client.post("/hooks/slack", content=b"x" * 300_000)
        assert long.status_code == 413
        assert (await client.post("/hooks/slack", headers={"host": "elsewhere.example"})).status_code == 400
        assert (await client.post("/hooks/slack", content=b"")).status_code == 401
        assert (await client.get("/hooks/slack")).status_code == 405
        assert (await client.post("/hooks/slack", content=_drip())).status_code == 413


async def _drip() -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(3):
        yield b"x"
