"""What ``bot doctor`` finds out about a bot on Slack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import Case, Line, Verdict, examine, people, slack
from config.loader import load
from config.settings import Settings
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_http import Fault

PEOPLE = [{"name": "Ada", "role": "admin", "slack": "U1"}]


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.channel("C1", name="trading")
        yield fake


def settings_of(folder: Path, fake: FakeSlack, token: str = "", **changes: Any) -> Settings:
    asked = {"api_url": fake.api_url, "channel": "C1"} | changes
    environ = {
        "BOT_SLACK__BOT_TOKEN": token or fake.bot_token,
        "BOT_SLACK__APP_TOKEN": fake.app_token,
        "BOT_SLACK__SIGNING_SECRET": fake.signing_secret,
    }
    return load(None, None, {"slack": asked, "people": PEOPLE}, environ, folder).settings


def wall() -> datetime:
    return datetime.now(UTC)


def looked(settings: Settings, *, now: Any = wall) -> dict[str, Line]:
    return {line.name: line for line in examine(Case(settings=settings, wall=now), slack.CHECKS)}


def wrong(lines: dict[str, Line]) -> list[str]:
    return [line.name for line in lines.values() if line.verdict is Verdict.WRONG]


def test_a_bot_on_slack_is_well_and_not_disturbed(tmp_path: Path, fake: FakeSlack) -> None:
    lines = looked(settings_of(tmp_path, fake))
    assert wrong(lines) == []
    assert "@greenlight in Greenlight" in lines["slack token"].text
    assert lines["slack channel"].text == "cards go to #trading"
    assert lines["slack way in"].text == "a socket can be opened"
    assert "agrees" in lines["slack clock"].text
    assert fake.sockets.opened == 0
    assert fake.messages("C1") == []


def test_where_ids_are_found_is_told(tmp_path: Path, fake: FakeSlack) -> None:
    settings = settings_of(tmp_path, fake)
    lines = {line.name: line for line in examine(Case(settings=settings, wall=wall), people.CHECKS)}
    assert lines["slack ids"].text == (
        "of a person: Copy member ID, under ⋮ in their profile; "
        "of a channel: it stands at the end of what the channel's details show"
    )
    nobody = settings.model_copy(update={"people": (settings.people[0].model_copy(update={"slack": None}),)})
    lines = {line.name: line for line in examine(Case(settings=nobody, wall=wall), people.CHECKS)}
    assert lines["people"].remedy == "Give them theirs: Copy member ID, under ⋮ in their profile."


def test_in_mode_http_no_socket_is_asked_for(tmp_path: Path, fake: FakeSlack) -> None:
    settings = settings_of(tmp_path, fake, mode="http")
    assert wrong(looked(settings)) == ["slack way in"], "Slack would call a name that the web server does not go by"
    named = settings.web.model_copy(update={"allowed_hosts": ("bot.example.com",)})
    lines = looked(settings.model_copy(update={"web": named}))
    assert wrong(lines) == []
    assert "/hooks/slack" in lines["slack way in"].text
    assert fake.called("apps.connections.open") == []


def test_without_a_token_nothing_is_asked(tmp_path: Path) -> None:
    lines = looked(load(None, None, {"people": PEOPLE}, {}, tmp_path).settings)
    assert {name: line.text for name, line in lines.items()} == {"slack token": "off: no token is set"}


def test_a_wrong_token_is_told_and_never_shown(tmp_path: Path, fake: FakeSlack) -> None:
    lines = looked(settings_of(tmp_path, fake, token="xoxb-another-bots-token"))
    assert wrong(lines) == ["slack token"]
    assert lines["slack channel"].verdict is Verdict.SKIPPED
    assert "BOT_SLACK__BOT_TOKEN" in lines["slack token"].remedy
    assert "another-bots-token" not in repr(lines)


def test_missing_scopes_are_named(tmp_path: Path, fake: FakeSlack) -> None:
    fake.scopes.discard("im:history")
    lines = looked(settings_of(tmp_path, fake))
    assert wrong(lines) == ["slack scopes"]
    assert lines["slack scopes"].text == "The bot lacks the scopes im:history."
    assert "manifest.yaml" in lines["slack scopes"].remedy


def test_a_channel_where_the_bot_cannot_write_is_wrong(tmp_path: Path, fake: FakeSlack) -> None:
    fake.remove_bot("C1")
    lines = looked(settings_of(tmp_path, fake))
    assert (wrong(lines), lines["slack channel"].text) == (["slack channel"], "The bot is not in #trading.")
    fake.channel("C2", name="attic", archived=True)
    assert "archived" in looked(settings_of(tmp_path, fake, channel="C2"))["slack channel"].text
    assert wrong(looked(settings_of(tmp_path, fake, channel="C9"))) == ["slack channel"]


@pytest.mark.parametrize(("off", "way"), [(timedelta(minutes=3), "ahead of"), (-timedelta(minutes=3), "behind")])
def test_a_clock_that_differs_from_slacks_is_wrong(tmp_path: Path, fake: FakeSlack, off: timedelta, way: str) -> None:
    lines = looked(settings_of(tmp_path, fake), now=lambda: wall() + off)
    assert wrong(lines) == ["slack clock"]
    assert way in lines["slack clock"].text


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.UNAVAILABLE, Fault.HTML])
def test_a_server_out_of_order_is_wrong(tmp_path: Path, fake: FakeSlack, fault: Fault) -> None:
    fake.fail(fault)
    lines = looked(settings_of(tmp_path, fake))
    assert (wrong(lines), lines["slack token"].text) == (["slack token"], "Slack cannot be reached.")
