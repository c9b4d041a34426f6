"""An id that can match nobody is refused where it is written, with where the right one is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from config.identities import SlackChannel, SlackMember, TelegramChat, TelegramUser, WebName
from config.loader import load
from engine.domain.errors import ConfigError

FOUND = {
    "telegram": "who writes to this bot stands with their id in its log and in /strangers",
    "slack": "Copy member ID",
}


def refused(folder: Path, yaml: str = "", **environ: str) -> list[str]:
    file = folder / "my.yaml"
    file.write_text(yaml, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(None, file, {}, environ, folder)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_names_are_no_ids_and_both_are_told_at_once(tmp_path: Path) -> None:
    people = [{"name": "Alice", "role": "admin", "telegram": "@alice", "slack": "alice"}]
    telegram, slack = refused(tmp_path, BOT_PEOPLE=json.dumps(people))
    assert telegram.startswith("environment (BOT_PEOPLE): people.0.telegram: must be a Telegram user id, a number")
    assert slack.startswith("environment (BOT_PEOPLE): people.0.slack: must be a Slack member id such as U0123456789")
    assert (FOUND["telegram"] in telegram, FOUND["slack"] in slack) == (True, True)
    assert "alice" not in telegram + slack


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("telegram", bad) for bad in ("alice", "+491711234567", "t.me/alice", "12 34", "0", "007", "1.5", "1e9")),
        *(("telegram", bad) for bad in ("١٢٣", "1" * 17)),
        *(("slack", bad) for bad in ("@U0123456789", "u0123456789", "<@U0123456789>", "U0123/456", "C0123456789", "U")),
        ("slack", "alice@example.org"),
        *(("web", bad) for bad in (r'"a\nb"', r'"a\u202eb"', "x" * 65)),
    ],
)
def test_each_id_has_the_form_of_its_platform(tmp_path: Path, key: str, value: str) -> None:
    quoted = value if value.startswith('"') else f'"{value}"'
    (line,) = refused(
        tmp_path, f"people:\n  - name: Ada\n    role: admin\n  - name: Bo\n    role: viewer\n    {key}: {quoted}"
    )
    assert line.startswith(f"my.yaml, line 6: people.1.{key}: must be a ")
    assert FOUND.get(key, "choose any") in line


def test_a_groups_id_is_no_persons(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, "people: [{name: Ada, role: admin, telegram: -1001234567890}]")
    assert "people.0.telegram: is the id of a group" in line
    assert FOUND["telegram"] in line


def test_a_followers_id_is_looked_at_as_well(tmp_path: Path) -> None:
    first, second = refused(tmp_path, BOT_VIEWER__FOLLOWERS='[123456789, "@bob", -5]')
    assert first.startswith("environment (BOT_VIEWER__FOLLOWERS): viewer.followers.1: must be a Telegram user id")
    assert second.startswith("environment (BOT_VIEWER__FOLLOWERS): viewer.followers.2: is the id of a group")


@pytest.mark.parametrize(
    "chat", ["@group", "https://t.me/c/1/2", "-", "0", "-100123/", "-100123/x", "-100123/0", "1/01"]
)
def test_where_cards_go_on_telegram_is_a_number(tmp_path: Path, chat: str) -> None:
    (line,) = refused(tmp_path, f"telegram:\n  chat_id: '{chat}'")
    assert line.startswith("my.yaml, line 2: telegram.chat_id: must be a chat's id such as 123456789 or -100123")
    assert "t.me/c/" in line


@pytest.mark.parametrize("channel", ["#general", "general", "c0123456789", "U0123456789", "https://x.slack.com/C1"])
def test_where_cards_go_on_slack_is_an_id(tmp_path: Path, channel: str) -> None:
    (line,) = refused(tmp_path, f"slack:\n  channel: '{channel}'")
    assert line.startswith("my.yaml, line 2: slack.channel: must be a channel's id such as C0123456789")
    assert "the channel's details" in line


@given(st.integers(1, 2**52))
def test_every_user_id_is_taken_as_number_and_as_text(user: int) -> None:
    taken = TypeAdapter(TelegramUser)
    assert taken.validate_python(user) == taken.validate_python(str(user)) == str(user)
    with pytest.raises(ValidationError):
        taken.validate_python(-user)
    assert TypeAdapter(TelegramChat).validate_python(-user) == str(-user)
    assert TypeAdapter(TelegramChat).validate_python(f"-{user}/45") == f"-{user}/45"


@given(st.from_regex(r"[A-Z0-9]{8,10}", fullmatch=True))
def test_every_id_of_slacks_is_taken(rest: str) -> None:
    assert {TypeAdapter(SlackMember).validate_python(first + rest)[0] for first in "UW"} == {"U", "W"}
    assert {TypeAdapter(SlackChannel).validate_python(first + rest)[0] for first in "CGD"} == {"C", "G", "D"}


def test_a_name_in_the_web_chat_is_anybodys_own(tmp_path: Path) -> None:
    assert TypeAdapter(WebName).validate_python("Zoë O'Hara 🚀") == "Zoë O'Hara 🚀"
    people = load(None, None, {"people": [{"name": "Z", "role": "viewer", "web": 7}]}, {}, tmp_path).settings.people
    assert people[0].web == "7"
