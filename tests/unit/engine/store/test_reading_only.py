"""A reader of its own: it sees what the bot commits, and cannot change anything, whatever it tries."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain.errors import StoreError
from engine.store.connections import connect
from engine.store.database import Database, DatabaseReader
from tests.fakes.database import url_of


async def test_a_reader_sees_what_the_bot_has_committed(store: Database, tmp_path: Path):
    reader = DatabaseReader(url_of(tmp_path))
    await store.transact(lambda uow: uow.settings.set("a", "1"))
    assert await reader.read(lambda uow: uow.settings.get("a")) == "1"
    await reader.close()


async def test_its_connection_refuses_to_write(store: Database, tmp_path: Path):
    reader = DatabaseReader(url_of(tmp_path))
    with pytest.raises(StoreError, match=r"read-?only"):
        await reader.read(lambda uow: (uow.settings.set("a", "1"), uow.connection.commit()))
    await reader.close()
    assert await store.read(lambda uow: uow.settings.get("a")) is None


def test_a_reader_that_comes_before_the_bot_makes_no_file(tmp_path: Path):
    file = tmp_path / "var" / "greenlight.sqlite"
    with pytest.raises(StoreError, match="Start the bot first"):
        connect(f"sqlite:///{file}", read_only=True)
    assert not file.parent.exists()
