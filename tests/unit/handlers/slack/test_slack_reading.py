"""What Slack sends, in our own words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.messages import Pressed, Ref, Typed
from handlers.slack import reading
from handlers.slack.listening import UNREADABLE
from handlers.slack.reading import Place, Us
from handlers.slack.speech import Speech

US = Us(team="T1", user="UBOT")
SPEECH = Speech("/bot", ("help", "status", "why"))
AT = datetime(2026, 1, 3, 12, tzinfo=UTC)

COMMAND: dict[str, Any] = {
    "team_id": "T1",
    "channel_id": "C1",
    "user_id": "U1",
    "command": "/bot",
    "text": "why A1",
    "response_url": "https://hooks.example/1",
    "trigger_id": "1.2.abc",
}
PRESS: dict[str, Any] = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1", "team_id": "T1"},
    "container": {"type": "message", "message_ts": "5.000001", "channel_id": "C1", "is_ephemeral": False},
    "channel": {"id": "C1"},
    "trigger_id": "1.2.abc",
    "actions": [{"type": "button", "value": "approve:A1", "action_ts": "1767441600.25"}],
}


def message(**changes: Any) -> dict[str, Any]:
    said = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "text": "status", "ts": "5.000001"}
    said |= {"team": "T1"}
    return {"team_id": "T1", "event_id": "Ev1", "event_time": 1767441600, "event": said | changes}


def mention(text: str, **changes: Any) -> dict[str, Any]:
    return message(type="app_mention", channel_type=None, channel="C1", text=text, **changes)


def test_a_slash_command_is_one_of_ours_and_answered_for_its_writer_alone() -> None:
    heard = reading.command(COMMAND, US, SPEECH, AT)
    assert heard.incoming.action == Typed(text="/why A1")
    assert (heard.incoming.user, heard.incoming.delivery_id, heard.incoming.sent_at) == ("U1", "1.2.abc", AT)
    assert (heard.incoming.address, heard.incoming.ref) == ("C1", None)
    assert heard.place == Place(channel="C1", response_url="https://hooks.example/1")


def test_what_people_call_themselves_is_told_where_slack_says_it() -> None:
    named = reading.press(PRESS | {"user": PRESS["user"] | {"username": "ann"}}, US)
    assert named is not None
    assert named.incoming.name == "ann"
    assert reading.command(COMMAND | {"user_name": "ann"}, US, SPEECH, AT).incoming.name == "ann"
    assert reading.command(COMMAND, US, SPEECH, AT).incoming.name == ""


def test_a_press_carries_its_message_and_its_own_time_and_is_answered_in_its_thread() -> None:
    heard = reading.press(PRESS, US)
    assert heard is not None
    assert heard.incoming.action == Pressed(data="approve:A1")
    assert heard.incoming.ref == Ref(messages=("5.000001",))
    assert heard.incoming.sent_at == AT.replace(microsecond=250_000)
    assert heard.incoming.delivery_id == "1.2.abc"
    assert heard.place == Place(channel="C1", thread="5.000001", pressed="5.000001", person="U1")


def test_a_press_on_a_message_in_a_thread_is_answered_in_that_thread() -> None:
    container = PRESS["container"] | {"thread_ts": "4.000001"}
    heard = reading.press(PRESS | {"container": container}, US)
    assert heard is not None
    assert heard.place.thread == "4.000001"


def test_a_press_at_home_has_no_message_and_is_answered_in_the_conversation() -> None:
    at_home = {key: value for key, value in PRESS.items() if key != "channel"} | {
        "container": {"type": "view", "view_id": "V1"}
    }
    heard = reading.press(at_home, US)
    assert heard is not None
    assert (heard.incoming.ref, heard.incoming.address, heard.place) == (None, "U1", Place(channel="U1"))


def test_a_press_on_an_ephemeral_message_has_no_message_to_edit_and_is_answered_as_privately() -> None:
    private = {"container": PRESS["container"] | {"is_ephemeral": True}, "response_url": "https://hooks.example/2"}
    heard = reading.press(PRESS | private, US)
    assert heard is not None
    assert heard.incoming.ref is None
    assert heard.place == Place(channel="C1", response_url="https://hooks.example/2")


def test_a_button_that_carries_nothing_is_nothing() -> None:
    assert reading.press(PRESS | {"actions": [{"type": "button", "action_ts": "1.0"}]}, US) is None


def test_a_direct_message_is_answered_where_it_stands() -> None:
    heard = reading.event(message(), US, SPEECH)
    assert heard is not None
    assert (heard.incoming.action, heard.incoming.delivery_id) == (Typed(text="/status"), "Ev1")
    assert (heard.incoming.sent_at, heard.place) == (AT, Place(channel="D1"))


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("<@UBOT> status", "/status"),
        ("<@UBOT|greenlight>   /why A1", "/why A1"),
        (" <@UBOT>\n/bot why A1", "/why A1"),
        ("<@UBOT> hello there", "hello there"),
        ("<@UBOT>", ""),
        ("a &lt; b &amp; c", "a < b & c"),
    ],
)
def test_the_bots_own_name_is_no_part_of_what_is_said(text: str, understood: str) -> None:
    heard = reading.event(mention(text), US, SPEECH)
    assert heard is not None
    assert heard.incoming.action == Typed(text=understood)


def test_a_mention_is_answered_in_its_thread() -> None:
    for more, thread in ({}, "5.000001"), ({"thread_ts": "4.000001"}, "4.000001"):
        heard = reading.event(mention("<@UBOT> status", **more), US, SPEECH)
        assert heard is not None
        assert heard.place == Place(channel="C1", thread=thread)


@pytest.mark.parametrize(
    "changes",
    [
        {"subtype": "message_changed"},
        {"subtype": "channel_join"},
        {"subtype": "file_share"},
        {"bot_id": "B1"},
        {"edited": {"user": "U1", "ts": "6.0"}},
        {"user": None},
        {"text": ""},
        {"channel_type": "channel"},
        {"type": "reaction_added"},
    ],
)
def test_what_is_not_said_to_the_bot_by_a_person_is_nothing(changes: dict[str, Any]) -> None:
    assert reading.event(message(**changes), US, SPEECH) is None


def test_people_of_another_workspace_are_nobody_we_know() -> None:
    foreign = [
        reading.command(COMMAND | {"team_id": "T2"}, US, SPEECH, None),
        reading.press(PRESS | {"team": {"id": "T2"}}, US),
        reading.press(PRESS | {"user": {"id": "U1", "team_id": "T2"}}, US),
        reading.event(message() | {"team_id": "T2"}, US, SPEECH),
        reading.event(message(user_team="T2"), US, SPEECH),
        reading.event(message(team="T2"), US, SPEECH),
    ]
    assert {heard.incoming.user for heard in foreign if heard} == {"T2/U1"}
    assert None not in foreign


def test_only_the_home_tab_is_a_home() -> None:
    body = message() | {"event": {"type": "app_home_opened", "user": "U1", "tab": "home"}}
    assert reading.home_opened(body, US) == "U1"
    assert reading.home_opened(body | {"event": body["event"] | {"tab": "messages"}}, US) is None
    assert reading.home_opened(body | {"team_id": "T2"}, US) == "T2/U1"
    assert reading.home_opened(message(), US) is None


def anything() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(sorted(PRESS)), inner, max_size=3),
        max_leaves=5,
    )


@given(
    base=st.sampled_from([COMMAND, PRESS, message(), mention("<@UBOT> x")]),
    changes=st.dictionaries(st.sampled_from(sorted({*COMMAND, *PRESS, *message()})), anything()),
)
def test_bodies_of_any_other_shape_are_refused_as_unreadable(base: dict[str, Any], changes: dict[str, Any]) -> None:
    for read in (
        lambda body: reading.command(body, US, SPEECH, None),
        lambda body: reading.press(body, US),
        lambda body: reading.event(body, US, SPEECH),
        lambda body: reading.home_opened(body, US),
    ):
        try:
            read(base | changes)
        except UNREADABLE:
            continue
