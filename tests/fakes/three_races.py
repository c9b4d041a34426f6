"""A press on each of three platforms at the same moment, over and over: who won, and when everybody saw it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fakes import postgres
from tests.fakes.database import use_postgres
from tests.fakes.program import Json
from tests.fakes.three_platforms import Everywhere, asked

PRESSERS = {"telegram": "Tom", "slack": "Sue", "web": "Ann"}
PER_PROGRAM = 5
"""Questions of one program: more edits than these bring the bot takes its time over, as Slack's limits want it."""
HEAD_START = 0.008
"""Seconds that a press on Telegram or Slack is ahead in some races, or the page, which is nearest, would always win:
Telegram's server hands over what happened every 5 ms."""


@dataclass(frozen=True, kw_only=True)
class Race:
    """How one went: the winner, the entries it made, what each was told, and when the cards ceased to ask.

    Attributes:
        within: Seconds between the first press and the last.
        edited: Seconds from the first press to the first edit without buttons, by platform.
    """

    winner: str
    orders: int
    told: dict[str, list[str]]
    titles: tuple[str, ...]
    within: float
    edited: dict[str, float]

    @property
    def everywhere(self) -> float:
        """Seconds until the last platform showed it."""
        return max(self.edited.values())


ROOM = {"risk_per_trade": 0.0004, "max_position": 0.7}
"""For many positions in one coin: each is some five per cent of equity."""


def questions(count: int) -> Json:
    """A configuration in which so many questions come at once."""
    trend = {"strategy": "momentum", "markets": ["BTC/USDT"], "timeframe": "1h", "higher": []}
    return {"contexts": [trend | {"name": f"trend {n}"} for n in range(count)], "risk": ROOM}


async def run_races(folder: Path, races: int, rng: random.Random, *, on_postgres: bool = False) -> list[Race]:
    """So many races, a few in each program."""
    found: list[Race] = []
    while len(found) < races:
        count = min(PER_PROGRAM, races - len(found))
        inner = folder / f"program {len(found)}"
        inner.mkdir()
        url = use_postgres(inner) if on_postgres else ""
        async with asked(inner, **questions(count)) as at:
            for number in range(1, count + 1):
                await at.until(lambda number=number: at.say("?", f"A{number}"))
                found.append(await race(at, f"A{number}", rng))
            await at.until(at.files.is_quiet)
            assert at.files.complaints() == []
            assert at.slack.at.complaints == []
        if url:
            postgres.drop(url)
    return found


async def race(at: Everywhere, approval_id: str, rng: random.Random) -> Race:
    """Let one person on each platform press, in any order, within a moment."""
    verbs = {platform: rng.choice(("approve", "half")) for platform in PRESSERS}
    platforms = list(PRESSERS)
    rng.shuffle(platforms)
    pages: list[asyncio.Task[None]] = []
    times = []
    for platform in platforms:
        times.append(time.monotonic())
        press = at.press(platform, PRESSERS[platform], f"{verbs[platform]}:{approval_id}")
        if platform == "web":
            pages.append(asyncio.create_task(press))
        else:
            await press  # it only hands over: nothing is waited for
        if platform == platforms[0] != "web":
            await asyncio.sleep(rng.choice((0, HEAD_START)))
    await asyncio.gather(*pages)
    await at.until(lambda: at.settled(approval_id) and all(map(len, at.answers(approval_id).values())))
    approval = at.files.approval(approval_id)
    await at.until(lambda: all("filled" in seen.title for seen in at.cards(approval_id).values()))
    edited = {platform: when - times[0] for platform, when in at.edited_at(approval_id).items()}
    return Race(
        winner=approval["state"]["votes"][0]["person"],
        orders=sum(order["approval_id"] == approval_id for order in at.orders()),
        told={platform: _plain(texts) for platform, texts in at.answers(approval_id).items()},
        titles=tuple(seen.title for seen in at.cards(approval_id).values()),
        within=times[-1] - times[0],
        edited=edited,
    )


def _plain(texts: Sequence[str]) -> list[str]:
    return [text.partition("\n")[2] if text.startswith("@") else text for text in texts]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def summary(races: Sequence[Race]) -> str:
    """Who won how often, how close the presses were, and how long it took until the cards were edited, in words."""
    winners = Counter(race.winner for race in races).most_common()
    by_platform = {platform: [race.edited[platform] for race in races] for platform in PRESSERS}
    rows = {
        "between the first press and the last": [race.within for race in races],
        **{f"card edited on {platform}": values for platform, values in by_platform.items()},
        "edited everywhere": [race.everywhere for race in races],
    }
    told = [
        f"{name} {percentile(values, 0.5) * 1000:.1f}/{percentile(values, 0.99) * 1000:.1f}"
        for name, values in rows.items()
    ]
    return f"{len(races)} races, won by {dict(winners)}; p50/p99 in ms: {', '.join(told)}"
