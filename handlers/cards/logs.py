"""The last warnings and errors of the log as a card. Pure.

A line holds any text, strangers' words among it. It is shown in characters of one width, where no platform makes a
command, a mention or a link of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC

from engine.domain.health import LogLine
from engine.domain.messages import Card, Table
from handlers.cards import wording
from handlers.cards.monospace import WIDTH, folded

LONGEST = 200
"""Characters of a line's text that are shown."""


def card(lines: Sequence[LogLine]) -> Card:
    """The card that ``/logs`` answers with, the newest line last."""
    if not lines:
        return Card(title="No warnings since the start", text="The log holds nothing but information.")
    rows = tuple((row,) for line in lines for row in _rows(line))
    return Card(
        title=f"The last {wording.count(len(lines), 'warning or error', 'warnings and errors')}",
        table=Table(head=("Newest last, by this machine's clock",), rows=rows),
    )


def _rows(line: LogLine) -> Iterator[str]:
    """When and where, and below that what, in as many rows as it needs."""
    head = f"{line.at.astimezone(UTC):%m-%d %H:%M:%SZ} {line.level} {line.logger}"
    said = line.text.replace("+00:00", "Z")  # a whole time fits a row
    text = said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
    yield from folded(head)
    yield from (f"  {row}" for row in folded(text, WIDTH - 2))
