"""Where the real data is: beside the repository, or where GREENLIGHT_DATA says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("GREENLIGHT_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


def real_file(name: str) -> Path:
    """A file of the real data; the test is skipped where it is not present."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no real data at {path}; set GREENLIGHT_DATA to the folder that holds candles/")
    return path
