"""The program as a user starts it, on the demo's market, watched from outside: its CPU, its memory, what it answers."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.program import CHAT, TOKEN
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.fakes.told import BOT, quiet

PATIENCE = 60.0
BEGINS = date(2026, 1, 1)
"""The first day of the demo's market."""
PERSON = {"name": "Ada", "role": "admin", "telegram": 1001, "web": "ada"}
ANSWERS = {"/status": "Last decision cycle", "/resume": "Nothing was paused"}
"""What is in the answer to a command: one that only reads, and one that is on record before it is done."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A running program."""

    process: subprocess.Popen[bytes]
    folder: Path
    fake: FakeTelegram

    def cpu(self) -> float:
        """Seconds of processor time it has used, in all of its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Megabytes that are resident now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    def url(self) -> str:
        """Where its web answers; empty until it does."""
        notes = list(self.folder.glob("**/instance.json"))
        return str(json.loads(notes[0].read_text())["url"]) if notes else ""

    async def ask(self, text: str = "/status") -> float:
        """Ask for the status on Telegram, or say something else of ``ANSWERS``; seconds until the answer is there."""
        before, began = len(self.answers(text)), time.monotonic()
        self.fake.type(CHAT, 1001, text)
        await self.fake.wait_for(lambda: len(self.answers(text)) > before, PATIENCE)
        return self.answers(text)[before] - began

    def answers(self, text: str = "/status") -> list[float]:
        """When each answer was shown on Telegram."""
        sent = self.fake.called("sendMessage")
        return [call.at for call in sent if ANSWERS[text] in str(call.params.get("text"))]


async def ask_web(client: httpx.AsyncClient) -> float:
    """Ask for the status on the web; seconds until the answer is there."""
    began = time.perf_counter()
    (await client.get("/api/status")).raise_for_status()
    return time.perf_counter() - began


@contextmanager
def watched(folder: Path, fake: FakeTelegram, slack: FakeSlack | None = None, **replay: Any) -> Iterator[Watched]:
    """Start the demo with Telegram, the web and, where it is given, Slack; killed in the end."""
    fake.chat(CHAT)
    sections: dict[str, Any] = {
        "extends": "demo",
        "people": [PERSON],
        "web": {"port": 0},
        "replay": replay,
        "telegram": {"api_url": fake.url, "chat_id": CHAT, "messages_per_second": 30},
    }
    secrets = {"BOT_WEB__TOKEN": TOKEN, "BOT_TELEGRAM__TOKEN": fake.token}
    if slack is not None:
        slack.channel("C0BENCH")
        sections["slack"] = {"api_url": slack.api_url, "channel": "C0BENCH"}
        secrets |= {"BOT_SLACK__BOT_TOKEN": slack.bot_token, "BOT_SLACK__APP_TOKEN": slack.app_token}
    config = folder / "greenlight.yaml"
    config.write_text(json.dumps(sections))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [BOT, "run", "--config", config], cwd=folder, env=quiet() | secrets, stdout=log, stderr=log
        )
        try:
            yield Watched(process=process, folder=folder, fake=fake)
        finally:
            process.kill()
            process.wait()


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay took: closed candles, each counted once for every context that decides on it."""

    cycles: int
    wall: float
    cpu: float
    fingerprint: str


def replay(
    folder: Path, days: int, arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Replayed:
    """Replay the demo up to that day at full speed, with nobody watching; an account that is there goes on."""
    folder.mkdir(exist_ok=True)
    env = quiet() | {"BOT_WEB__ENABLED": "false", **(environ or {})}
    command = [BOT, "run", "--speed", "max", "--end", f"{BEGINS + timedelta(days=days)}", "--until-end", *arguments]
    before = os.times()
    done = subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, text=True)
    after = os.times()
    lines = {line.partition(" ")[0]: line for line in done.stdout.splitlines()}
    _, candles, _, wall, *_ = lines["candles"].split()
    return Replayed(
        cycles=3 * int(candles),
        wall=float(wall),
        cpu=after.children_user + after.children_system - before.children_user - before.children_system,
        fingerprint=lines["history"].rpartition(" ")[2],
    )


def percentile(taken: Sequence[float], share: float) -> float:
    """The value that this share of all lies at or below."""
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
