"""What tests of the engine share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.engine import Room, engine_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """An engine on a market that goes nowhere, a day after it began."""
    async with engine_room(tmp_path) as opened:
        yield opened
