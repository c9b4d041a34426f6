"""Times are found in what people read, and nothing else is taken for one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.cards import wording
from handlers.cards.times import marked, pieces

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds it
    lambda at: at.replace(second=0, microsecond=0)
)


@given(at=MOMENTS, before=st.text("a 1:-(", max_size=9), after=st.text(" .,)", max_size=3))
def test_every_time_that_cards_write_is_found_where_it_stands(at: datetime, before: str, after: str) -> None:
    text = f"{before} {wording.moment(at)}{after}"
    assert [found for _, found in pieces(text) if found] == [at]
    assert "".join(piece for piece, _ in pieces(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-13-40 99:99 UTC",
        "12026-01-03 14:00 UTC",
        "2026-01-03 14:00 UTCX",
        "2026-01-03",
        "²026-01-03 14:00 UTC",
    ],
)
def test_what_is_no_time_is_left_as_it_is(text: str) -> None:
    assert list(pieces(text)) == [(text, None)]


def test_what_is_no_time_is_escaped_and_what_is_one_is_marked() -> None:
    shown = marked(
        "<b> 2026-01-03 14:00 UTC <i>", lambda piece: piece.replace("<", "&lt;"), lambda words, _: f"[{words}]"
    )
    assert shown == "&lt;b> [2026-01-03 14:00 UTC] &lt;i>"
