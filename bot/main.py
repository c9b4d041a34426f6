"""What the script ``bot`` starts: the manners of a process first, then the command line, which is slow to load."""

from __future__ import annotations

from bot import terminal


def main() -> None:
    """Run a command to its end, whatever it was started at and whenever it is interrupted."""
    with terminal.prepared():
        with terminal.interrupted_at_once():
            from bot.cli import app
        app()
