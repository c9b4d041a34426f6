"""What tests of the models share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.store.database import Database
from tests.fakes.database import new_database


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated database of its own."""
    opened = new_database(tmp_path)
    yield opened
    await opened.close()
