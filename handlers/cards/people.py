"""Who somebody is to the bot, and who wrote without being listed. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.domain.messages import Card, Person, Role, Table
from engine.domain.people import Stranger
from handlers.cards import alerts, wording
from handlers.cards.monospace import WIDTH, folded


def start(person: Person) -> Card:
    """The welcome, to one person."""
    return replace(alerts.welcome(), title=f"Hello {person.name}, Greenlight is running", pinned=False)


def whoami(person: Person, platform: str) -> Card:
    """Who the bot takes somebody for."""
    return Card(title=f"Signed in as {person.name}", fields=(("Role", person.role), ("Here by", platform)))


def strangers(newest_first: Sequence[Stranger]) -> Card:
    """Who wrote and got no answer, and how to let them in. What they call themselves is any text of theirs."""
    if not newest_first:
        return Card(title="No strangers", text="Nobody has written who is not listed in people.")
    listable = [each for each in newest_first if "/" not in each.user]  # who has one is of another workspace
    return Card(
        title=f"{wording.count(len(newest_first), 'stranger')} wrote and got no answer",
        table=Table(
            head=("ID, and what they call themselves",),
            rows=tuple((row,) for each in newest_first for row in _stranger_rows(each)),
        ),
        text=f"To let one in, add a line to people and restart: {_listed(listable[0])}" if listable else "",
    )


def _stranger_rows(each: Stranger) -> Iterator[str]:
    """Of one width: so no platform makes a command, a mention or a link of what they call themselves."""
    first, last = wording.moment(each.first_at), wording.moment(each.last_at)
    yield from folded(each.user)
    said = (
        f"{each.platform}, {wording.count(each.times, 'message')}",
        each.name,
        f"last {last}",
        *([f"first {first}"] if first != last else []),
    )
    yield from (f"  {row}" for line in said for row in folded(line, WIDTH - 2))


def _listed(stranger: Stranger) -> str:
    """How somebody would be listed, in YAML and JSON alike; their admin gives them their name."""
    return json.dumps({"name": "THEIR NAME", "role": str(Role.VIEWER), stranger.platform: stranger.user})
