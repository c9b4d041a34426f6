"""The app's manifest says what the code calls, listens to and is set to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import handlers.slack
from config.platforms import SlackSettings
from handlers.slack.checkup import SCOPES
from tests.fakes.slack import SUBSCRIPTIONS
from tests.fakes.slack_people import SCOPE_OF


@pytest.fixture
def manifest() -> Any:
    return yaml.safe_load((Path(handlers.slack.__file__).with_name("manifest.yaml")).read_text())


def test_it_asks_for_the_scopes_that_the_code_needs_and_no_others(manifest: Any) -> None:
    asked = manifest["oauth_config"]["scopes"]["bot"]
    assert asked == sorted(SCOPES)
    assert {SCOPE_OF[event] for event in SUBSCRIPTIONS if event in SCOPE_OF} <= SCOPES


def test_it_subscribes_to_what_is_listened_to(manifest: Any) -> None:
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == SUBSCRIPTIONS


def test_its_command_and_its_way_in_are_the_defaults(manifest: Any) -> None:
    assert [each["command"] for each in manifest["features"]["slash_commands"]] == [SlackSettings().command]
    assert manifest["settings"]["socket_mode_enabled"] == (SlackSettings().mode == "socket")


def test_people_can_press_write_and_look_at_home(manifest: Any) -> None:
    home = manifest["features"]["app_home"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert (home["home_tab_enabled"], home["messages_tab_enabled"]) == (True, True)
    assert not home["messages_tab_read_only_enabled"]
