"""The log in chat: whatever is in it is data, and fits a phone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handlers.cards import logs
from handlers.cards.monospace import WIDTH, aligned
from handlers.cards.telegram_html import render
from tests.fakes import reports


def test_a_line_says_when_where_and_what() -> None:
    card = logs.card((reports.log_line(),))
    assert card.title == "The last 1 warning or error"
    assert card.table is not None
    assert aligned(card.table) == [
        "Newest last, by this machine's clock",
        "01-03 12:00:00Z warning",
        "handlers.telegram.health",
        "  telegram.trouble detail=Conflict",
    ]


def test_a_time_stands_whole_in_one_row() -> None:
    stopped = reports.log_line(text="entries halted market_time=2026-01-08T20:00:00+00:00 halt=H1")
    table = logs.card((stopped,)).table
    assert table is not None
    assert [row for (row,) in table.rows[-3:]] == [
        "  entries halted",
        "  market_time=2026-01-08T20:00:00Z",
        "  halt=H1",
    ]


def test_a_log_without_warnings_says_so() -> None:
    assert logs.card(()).title == "No warnings since the start"


def test_what_a_stranger_calls_themselves_is_no_command_no_mention_and_no_link() -> None:
    """Telegram makes commands, mentions and links of what looks like them, but not in text of one width."""
    line = reports.log_line(text="a stranger wrote name=/emergency now @admin https://evil.example <b>")
    (part,) = render(logs.card((line,)))
    fixed = part.html[part.html.index("<pre>") : part.html.index("</pre>")]
    assert all(word in fixed for word in ("/emergency", "@admin", "https://evil.example", "&lt;b&gt;"))


@given(text=st.text(max_size=400), logger=st.text(max_size=80))
def test_any_text_fits(text: str, logger: str) -> None:
    table = logs.card((reports.log_line(text=text, logger=logger),)).table
    assert table is not None
    assert max(map(len, aligned(table))) <= WIDTH
    assert len(table.rows) < 40
