"""Rows as CSV: what a spreadsheet reads is what was meant, and nobody else reads the file."""

import csv
import io
import os
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.csv_file import Cell, new_file, text, write
from engine.domain.errors import GreenlightError


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (Decimal("-1E-8"), "-0.00000001"),
        (Decimal("1E+3"), "1000"),
        (None, ""),
        (datetime(2026, 1, 3, 14, tzinfo=timezone(timedelta(hours=2))), "2026-01-03T12:00:00Z"),
        (datetime(2026, 1, 3, 14, 0, 0, 1, tzinfo=UTC), "2026-01-03T14:00:00.000001Z"),
        ("=HYPERLINK(A1)", "'=HYPERLINK(A1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),  # noqa: RUF001 - taken for the other by spreadsheets
        ("a=b", "a=b"),
    ],
)
def test_numbers_stay_numbers_and_no_text_is_a_formula(cell: Cell, written: str):
    assert text(cell) == written


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_what_is_written_is_read_again_whatever_is_in_it(rows: list[tuple[str, str]]):
    out = io.StringIO(newline="")
    assert write(out, ("a", "b"), rows) == len(rows)
    assert out.getvalue().startswith("a,b\r\n")
    read = list(csv.reader(io.StringIO(out.getvalue(), newline=""), strict=True))
    assert read == [["a", "b"], *([text(a), text(b)] for a, b in rows)]


def test_a_new_file_is_private_and_none_is_replaced_unasked(tmp_path: Path):
    file = tmp_path / "trades.csv"
    before = os.umask(0)
    try:
        with new_file(file, force=False) as out:
            out.write("1")
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(GreenlightError, match="--force"), new_file(file, force=False):
        pass
    with pytest.raises(ZeroDivisionError), new_file(file, force=True) as out:
        out.write(f"2{1 / 0}")
    assert file.read_text() == "1", "what could not be written whole takes nobody's place"
    with new_file(file, force=True) as out:
        out.write("2")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["2"]


def test_what_is_no_plain_file_is_left_alone(tmp_path: Path):
    (tmp_path / "link").symlink_to("/dev/null")
    for place in (tmp_path, tmp_path / "link"):
        with pytest.raises(GreenlightError, match="no plain file"), new_file(place, force=True):
            pass
    with pytest.raises(GreenlightError, match="cannot be written"), new_file(tmp_path / "no" / "a.csv", force=False):
        pass
