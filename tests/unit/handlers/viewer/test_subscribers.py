"""Who wants the daily report: kept in a file of the viewer's own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.domain.errors import StoreError
from handlers.viewer.subscribers import Subscribers

DAY = datetime(2026, 1, 2, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


def test_a_subscriber_waits_for_days_that_end_after_the_subscription(tmp_path: Path):
    subscribers = Subscribers(tmp_path / "viewer.sqlite")
    assert subscribers.add("7", DAY)
    assert subscribers.waiting_for(DAY) == ()
    assert subscribers.waiting_for(NEXT) == (("7", DAY),)


def test_subscribing_twice_changes_nothing(tmp_path: Path):
    subscribers = Subscribers(tmp_path / "viewer.sqlite")
    subscribers.add("7", DAY)
    assert not subscribers.add("7", NEXT)
    assert subscribers.waiting_for(NEXT) == (("7", DAY),)


def test_a_day_that_was_sent_is_not_waited_for_again_after_a_restart(tmp_path: Path):
    Subscribers(tmp_path / "viewer.sqlite").add("7", DAY)
    Subscribers(tmp_path / "viewer.sqlite").sent("7", NEXT)
    assert Subscribers(tmp_path / "viewer.sqlite").waiting_for(NEXT) == ()


def test_who_unsubscribes_waits_for_nothing(tmp_path: Path):
    subscribers = Subscribers(tmp_path / "viewer.sqlite")
    subscribers.add("7", DAY)
    assert subscribers.remove("7")
    assert not subscribers.remove("7")
    assert subscribers.waiting_for(NEXT) == ()


def test_a_file_that_is_something_else_is_named(tmp_path: Path):
    file = tmp_path / "viewer.sqlite"
    file.write_text("my diary, which is no database, and long enough to be looked into " * 20)
    with pytest.raises(StoreError, match=r"viewer\.sqlite"):
        Subscribers(file)
    assert file.read_text().startswith("my diary")
