"""``bot run`` in a process of its own, whose orders go to fake venues through ccxt, and the admin who lets it begin."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.fakes.lives import BOT
from tests.fakes.patience import until
from tests.fakes.program import Files
from tests.fakes.real_account import names_of
from tests.fakes.venues.binance import FakeBinance
from tests.fakes.venues.kraken import FakeKraken

ASKED = "SELECT * FROM confirmations WHERE stage = 'asked'"
AGREED = "SELECT * FROM confirmations WHERE stage = 'agreed'"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/enter/[\w-]+")


Venue = FakeBinance | FakeKraken


def name_of(fake: Venue) -> str:
    """What the settings call a venue."""
    return "kraken" if isinstance(fake, FakeKraken) else "binance"


def write(folder: Path, *fakes: Venue, **more: Any) -> Path:
    """Profile paper with real orders, and nobody asked; of several venues each entry may go to any of them."""
    venues = {name_of(fake): fake.url for fake in fakes}
    usual = {"orders": "real", "poll_every": 0.3, "answer_within": 5}
    context = {"name": "trend", "strategy": "momentum", "timeframe": "1m", "higher": [], "venues": list(venues)}
    sections: dict[str, Any] = {
        "extends": "paper",
        "live_trading": "I understand",
        "database": {"url": f"sqlite:///{folder}/greenlight.sqlite"},
        "web": {"port": 0},
        "capital": {"stages": [100, 500]},
        "sentiment": {"enabled": False},
        "exchanges": {name: {**usual, "api_url": url} for name, url in venues.items()},
        "approval": {"auto_above": 0, "ask_above": 0, "max_price_drift": 0.05},
        "contexts": [{**context, "markets": [next(iter(names_of(fakes[0])))]}],
    }
    file = folder / "live.yaml"
    file.write_text(json.dumps(sections | more))  # JSON is YAML
    return file


def environ_at(*fakes: Venue) -> dict[str, str]:
    """The environment of a program that has the keys of the accounts."""
    keys = {}
    for fake in fakes:
        at = f"BOT_EXCHANGES__{name_of(fake).upper()}"
        keys |= {f"{at}__API_KEY": fake.keys.key, f"{at}__SECRET": fake.keys.secret}
    return {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | keys


@contextmanager
def started(config: Path, *fakes: Venue) -> Iterator[subprocess.Popen[bytes]]:
    """The program as the command line starts it; killed at the end, unless it is dead by then."""
    with (config.parent / "log").open("a") as log:
        process = subprocess.Popen(
            [BOT, "run", "--config", config], cwd=config.parent, env=environ_at(*fakes), stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(20)


async def go(files: Files, accounts: int = 1) -> None:
    """Let the admin in by the printed link, and press what the bot asks before it enters anything at each account."""
    log = files.folder / "log"
    await until(lambda: LINK.search(log.read_text()) and len(rows(files, ASKED)) == accounts, seconds=120)
    link = LINK.findall(log.read_text())[-1]
    home = link.partition("/enter")[0]
    async with httpx.AsyncClient(headers={"origin": home}, timeout=30) as browser:
        await until(lambda: '"event": "started"' in log.read_text(), seconds=60)
        assert (await browser.get(link)).status_code == 303
        for asked in rows(files, ASKED):
            press = {"data": f"yes:{asked['id']}", "delivery_id": str(uuid4())}
            pressed = await browser.post(f"{home}/chat/press", json=press)
            assert pressed.status_code == 204, pressed.text
    await until(lambda: len(rows(files, AGREED)) == accounts, seconds=20)


def rows(files: Files, query: str) -> list[dict[str, Any]]:
    """Rows of the program's database; none while it is not there."""
    try:
        return files.rows(query)
    except Exception:  # noqa: BLE001 - it is made while we look
        return []
