"""What the script ``bot`` starts: the manners of a process first, then the command line, which is slow to load."""

from __future__ import annotations

import gc

from bot import terminal

COLLECT_EVERY = 20_000
"""New objects after which garbage is looked for; Python's own 700 cost a tenth of the start, which makes none."""


def main() -> None:
    """Run a command to its end, whatever it was started at and whenever it is interrupted."""
    gc.set_threshold(COLLECT_EVERY)
    with terminal.prepared():
        with terminal.interrupted_at_once():
            from typer.main import get_command

            from bot.cli import app

            command = get_command(app)
        command()
