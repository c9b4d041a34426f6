"""One instance per account."""

import os
import socket
from pathlib import Path

import pytest

from bot.lock import account_files, holder, only_instance
from config.loader import load
from config.settings import Settings
from engine.domain.errors import StoreError
from engine.store.connections import connect


def settings_of(folder: Path, database: str = "greenlight.sqlite", venue: str | None = None) -> Settings:
    changes = {"database": {"url": f"sqlite:///{folder}/{database}"}}
    return load(None, None, changes | ({"venue": {"file": str(folder / venue)}} if venue else {}), {}, folder).settings


def test_a_second_instance_is_refused_with_the_name_of_the_first(tmp_path):
    with (
        only_instance(settings_of(tmp_path)),
        pytest.raises(StoreError, match=f"pid {os.getpid()} on {socket.gethostname()}"),
        only_instance(settings_of(tmp_path)),
    ):
        pass


@pytest.mark.parametrize(
    ("second", "shared"),
    [
        ({"venue": "other.sqlite"}, "greenlight.sqlite is in use"),
        ({"database": "other.sqlite"}, "venue.sqlite is in use"),
    ],
    ids=["database", "venue"],
)
def test_either_of_the_two_files_in_common_is_enough(tmp_path, second, shared):
    with (
        only_instance(settings_of(tmp_path)),
        pytest.raises(StoreError) as refused,
        only_instance(settings_of(tmp_path, **second)),
    ):
        pass
    assert shared in refused.value.message
    with only_instance(settings_of(tmp_path, **second)):
        assert holder(tmp_path / second.get("venue", "venue.sqlite"))


@pytest.mark.parametrize("name", ["my%20bot/a%C3%BC.sqlite", "my bot/aü.sqlite"])
def test_what_is_locked_is_what_is_opened_and_the_venue_lies_beside(tmp_path, name):
    settings = settings_of(tmp_path, name)
    folder = tmp_path / "my bot"
    with only_instance(settings):
        connect(settings.database.url).dispose()
        assert {file.name for file in folder.iterdir()} >= {"aü.sqlite", "aü.sqlite.lock", "venue.sqlite.lock"}
    assert [path.name for path in tmp_path.iterdir()] == ["my bot"]


def test_a_link_to_the_same_folder_is_the_same_account(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with (
        only_instance(settings_of(tmp_path / "real")),
        pytest.raises(StoreError, match="is in use"),
        only_instance(settings_of(tmp_path / "link")),
    ):
        pass


def test_two_accounts_run_side_by_side_and_the_locks_are_free_afterwards(tmp_path):
    one, other = settings_of(tmp_path / "one"), settings_of(tmp_path / "other")
    with only_instance(one), only_instance(other):
        assert all(holder(file) for file in (*account_files(one), *account_files(other)))
    assert [holder(file) for file in account_files(one)] == ["", ""]


def test_nobody_holds_what_was_never_locked(tmp_path):
    assert holder(tmp_path / "venue.sqlite") == ""
    assert not (tmp_path / "venue.sqlite.lock").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/venue\.sqlite\.lock"), only_instance(settings_of(tmp_path / "file")):
        pass
