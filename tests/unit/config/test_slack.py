"""Settings of Slack that contradict one another are named before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loader import load
from config.settings import Settings, secrets
from engine.domain.errors import ConfigError

TOKENS = {
    "BOT_SLACK__BOT_TOKEN": "xoxb-bot-secret",
    "BOT_SLACK__APP_TOKEN": "xapp-app-secret",
    "BOT_SLACK__SIGNING_SECRET": "signing-secret",
}
PEOPLE = [{"name": "Ada", "role": "trader", "slack": "U1"}]


def read(folder: Path, environ: dict[str, str], **slack: Any) -> Settings:
    sections: dict[str, Any] = {"people": PEOPLE, "slack": {"channel": "C0123456789"} | slack}
    web = sections["slack"].pop("web", None)
    sections |= {"web": web} if web else {}
    people = sections["slack"].pop("people", None)
    return load(None, None, sections if people is None else sections | {"people": people}, environ, folder).settings


def test_a_whole_set_is_taken_and_its_secrets_are_known(tmp_path: Path) -> None:
    settings = read(tmp_path, TOKENS, api_url="http://127.0.0.1:9003/api/", command="/green")
    assert [secret.get_secret_value() for secret in secrets(settings)] == list(TOKENS.values())
    assert settings.slack.api_url == "http://127.0.0.1:9003/api"
    assert (settings.slack.mode, settings.slack.command) == ("socket", "/green")


def test_without_a_token_slack_is_off_and_nothing_is_asked(tmp_path: Path) -> None:
    assert load(None, None, {}, {}, tmp_path).settings.slack.bot_token is None


@pytest.mark.parametrize(
    ("without", "slack", "named"),
    [
        ("APP_TOKEN", {}, ("slack.app_token", "slack.mode socket needs it")),
        ("SIGNING_SECRET", {"mode": "http"}, ("slack.signing_secret", "slack.mode http needs it")),
        ("BOT_TOKEN", {}, ("slack.app_token", "without slack.bot_token")),
        ("", {"mode": "http", "web": {"enabled": False}}, ("slack.mode", "needs the web server")),
        ("", {"channel": None}, ("slack.channel", "must be set")),
        ("", {"channel": "#trading"}, ("slack.channel", "C0123456789")),
        ("", {"command": "bot"}, ("slack.command", "/bot")),
        ("", {"command": "/Bot me"}, ("slack.command", "small letters")),
        ("", {"people": []}, ("people", "chat token")),
        ("", {"ping_interval": 0}, ("slack.ping_interval", "above 0")),
        ("", {"mode": "sockets"}, ("slack.mode",)),
    ],
)
def test_a_contradiction_names_its_setting(
    tmp_path: Path, without: str, slack: dict[str, Any], named: tuple[str, ...]
) -> None:
    environ = {name: value for name, value in TOKENS.items() if name != f"BOT_SLACK__{without}"}
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, environ, **slack)
    assert [word for word in named if word not in str(refused.value)] == []
    assert [value for value in TOKENS.values() if value in str(refused.value)] == []


@pytest.mark.parametrize(("name", "prefix"), [("BOT_TOKEN", "xoxb-"), ("APP_TOKEN", "xapp-")])
def test_a_token_of_another_kind_is_told_and_not_repeated(tmp_path: Path, name: str, prefix: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, TOKENS | {f"BOT_SLACK__{name}": "xoxp-of-a-person"})
    assert f"must begin with {prefix}" in str(refused.value)
    assert "of-a-person" not in str(refused.value)
