"""How commands are written on Slack."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.domain.messages import Card, Item, Table
from handlers.cards import wording
from handlers.slack.blocks import render
from handlers.slack.speech import Speech

SPEECH = Speech("/bot", ("help", "status", "why"))


@pytest.mark.parametrize(
    ("text", "ours"),
    [("status", "/status"), ("  why A1 ", "/why A1"), ("/status", "/status"), ("", "/help"), ("statsu", "/statsu")],
)
def test_what_stands_after_the_slash_command_is_a_command(text: str, ours: str) -> None:
    assert SPEECH.after_command(text) == ours


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("status", "/status"),
        ("Status", "/Status"),
        ("/status", "/status"),
        ("/bot status", "/status"),
        ("my password is hunter2", "my password is hunter2"),
        ("statsu", "statsu"),
        ("", ""),
    ],
)
def test_a_message_may_leave_the_slash_out_before_what_is_a_command(text: str, ours: str) -> None:
    assert SPEECH.typed(text) == ours


def test_cards_name_commands_as_they_can_be_written_there() -> None:
    card = SPEECH.shown(
        Card(
            title="Send /why A1.",
            fields=(("Open approvals", "2 (/status)"),),
            text="/help lists what there is, </status> and a/why and /whyever and ./why do not.\n/unknown stays",
            items=(Item(title="store: ok", text="see /status"),),
        )
    )
    assert card.title == "Send /bot why A1."
    assert card.fields == (("Open approvals", "2 (/bot status)"),)
    assert card.text == (
        "/bot help lists what there is, </status> and a/why and /whyever and ./why do not.\n/unknown stays"
    )
    assert card.items == (Item(title="store: ok", text="see /bot status"),)


@pytest.mark.parametrize(
    ("zone", "told"),
    [(None, "2026-10-24 23:30 UTC"), ("Asia/Kolkata", "2026-10-25 05:00 Asia/Kolkata")],
)
def test_a_title_tells_its_time_by_the_clock_that_days_end_by(zone: str | None, told: str) -> None:
    """Slack shows each reader their own zone's everywhere but there."""
    at = wording.moment(datetime(2026, 10, 24, 23, 30, tzinfo=UTC))
    speech = Speech("/bot", (), ZoneInfo(zone)) if zone else SPEECH
    shown = speech.shown(Card(title=f"The emergency stop as of {at} (H1)", fields=(("Called", at),), text=at))
    assert shown == Card(title=f"The emergency stop as of {told} (H1)", fields=(("Called", at),), text=at)
    (part,) = render(shown)
    assert part.blocks[0]["text"]["text"] == shown.title


def test_what_somebody_else_said_stays_as_they_said_it() -> None:
    """A table is data: a line of the log, what a stranger calls themselves."""
    table = Table(head=("Newest last",), rows=(("name=/why the bot",),))
    assert SPEECH.shown(Card(title="The log", table=table)).table == table


def test_a_line_that_becomes_too_long_is_broken_where_it_reads_well() -> None:
    speech = Speech("/bot", ("digest", "forceexit", "fx", "forcesell", "close"))
    text = (
        "also /forceexit, /fx, /forcesell\n"
        "To close something yourself: /close.\n"
        "What is longer than that anyway is left as it is: /close."
    )
    assert speech.shown(Card(title="", text=text, items=(Item(title="", text=text),))).text.splitlines() == [
        "also /bot forceexit, /bot fx,",
        "/bot forcesell",
        "To close something yourself:",
        "/bot close.",
        "What is longer than that anyway is left as it is: /bot close.",
    ]
