"""The note of the running instance."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.instance import Instance, note_file, read, write
from config.loader import load

HERE = Instance(url="http://127.0.0.1:8080", token=SecretStr("a-token-for-tests"))


def test_what_was_written_is_read(tmp_path: Path):
    file = tmp_path / "deep" / "instance.json"
    write(file, HERE)
    assert read(file) == HERE


def test_nobody_else_can_read_it_even_where_an_old_one_was_open_to_all(tmp_path: Path):
    file = tmp_path / "instance.json"
    file.write_text("{}")
    file.chmod(0o644)
    write(file, HERE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_link_that_somebody_laid_there_is_not_followed(tmp_path: Path):
    other = tmp_path / "precious"
    other.write_text("mine")
    file = tmp_path / "instance.json"
    file.symlink_to(other)
    write(file, HERE)
    assert other.read_text() == "mine"


@pytest.mark.parametrize("text", [None, "", "not json", "{}", '{"url": "http://x"}', "[]", "3"])
def test_a_note_that_is_missing_or_broken_is_no_note(tmp_path: Path, text: str | None):
    file = tmp_path / "instance.json"
    if text is not None:
        file.write_text(text)
    assert read(file) is None


def test_it_lies_beside_the_database(tmp_path: Path):
    settings = load(
        None, None, {"database": {"url": f"sqlite:///{tmp_path}/mine/greenlight.sqlite"}}, {}, tmp_path
    ).settings
    assert note_file(settings) == tmp_path / "mine" / "instance.json"
