"""What is quoted of others is shown and never obeyed."""

import pytest

from engine.domain.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("BTC/USDT, 5 %, Ärger, 涨", "BTC/USDT, 5 %, Ärger, 涨"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nb\tc\x7f\x9b", r"a\nb\tc\x7f\x9b"),
        ("\u202egnp", r"\u202egnp"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_cannot_be_seen_is_written_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown
