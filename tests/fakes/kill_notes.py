"""What outlives a life beside the program's own files: notes of what reached others, written as it happens.

A life is only ever killed at a line of the program, so a note is there exactly if what it says has happened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

SENT, PRESSES, STRANGERS, TELEGRAM, SLACK = "sent", "presses", "strangers", "telegram", "slack"
"""Orders that left for the venue, deliveries of the web chat, and all that happened at the servers of the others."""
NOTES = (SENT, PRESSES, STRANGERS, TELEGRAM, SLACK)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
"""What the wall clock says: the same cut leaves the same files."""


def note(folder: Path, name: str, line: str) -> None:
    """Write a line that outlives this process."""
    with (folder / name).open("a") as file:
        file.write(f"{line}\n")


def noted(folder: Path, name: str) -> list[str]:
    """Every such line."""
    file = folder / name
    return file.read_text().splitlines() if file.exists() else []
