"""``docs/live.md`` followed literally, as far as loopback goes: each of its commands, on its files."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config import sealed
from tests.fakes.told import BOT, quiet
from tests.fakes.venues.binance import FakeBinance

TEXT = (Path(__file__).parents[2] / "docs" / "live.md").read_text()
PASSPHRASE = "five words nobody would guess"
TYPED = 2
"""How many of its commands ask for keys."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    return [line.partition(" #")[0].strip() for line in block.splitlines()]


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    venue = FakeBinance(balances={"USDT": "10000"})
    await venue.start()
    yield venue
    await venue.stop()


class Reader:
    """Somebody who types what the document says, in a folder of their own."""

    def __init__(self, folder: Path, fake: FakeBinance) -> None:
        self.folder = folder
        self._fake = fake
        (folder / ".venv").mkdir()
        (folder / ".venv" / "bin").symlink_to(BOT.parent)

    async def type(self, command: str) -> str:
        """What a command says; it must go well."""
        environ = quiet() | {
            "BOT_KEYS_PASSPHRASE": PASSPHRASE,
            "BOT_EXCHANGES__BINANCE__API_URL": self._fake.url,
            "BOT_SENTIMENT__ENABLED": "false",
            "BOT_WEB__PORT": "0",
            "PATH": os.environ["PATH"],
        }
        keys = f"{self._fake.keys.key}\n{self._fake.keys.secret}\n\n" if " keys set " in command else ""
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", command, cwd=self.folder, env=environ, stdin=PIPE, stdout=PIPE, stderr=STDOUT
        )
        said = (await process.communicate(keys.encode()))[0].decode()
        assert process.returncode == 0, f"{command}\n{said}"
        assert self._fake.keys.secret not in said
        return said


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_each_step_goes_as_it_says(tmp_path: Path, fake: FakeBinance) -> None:
    reader = Reader(tmp_path, fake)
    for name, block in zip(("test.yaml", "live.yaml"), blocks("yaml"), strict=True):
        (tmp_path / name).write_text(block)
    said = {command: await reader.type(command) for block in blocks("sh") for command in commands(block)}
    assert sum(" keys set " in command for command in said) == TYPED
    kept = sealed.read(tmp_path / "var" / "live.sealed", PASSPHRASE)
    assert kept["binance"]["secret"] == fake.keys.secret
    (test_net,) = [text for command, text in said.items() if "doctor --config test.yaml" in command]
    (live,) = [text for command, text in said.items() if "doctor --config live.yaml" in command]
    end = fake.keys.key[-4:]
    assert f"binance, test net, key ends in {end}" in test_net
    assert f"binance, real money, key ends in {end}: it is taken, and cannot withdraw" in live
    (order,) = [text for command, text in said.items() if "--dry-run" in command]
    assert f"To binance, real money, key ends in {end}" in order
    assert "Nothing was sent." in order
    assert dict(fake.matching.accepted) == {}


def test_what_it_says_that_is_said_stands_in_the_program() -> None:
    """The rows of its last table begin with words of the program's own."""
    rows = re.findall(r"^\| `(.+?)`", TEXT.partition("## When it says no")[2], flags=re.MULTILINE)
    house = Path(__file__).parents[2]
    sources = "\n".join(
        file.read_text() for folder in ("bot", "config", "handlers", "src") for file in (house / folder).rglob("*.py")
    )
    assert rows
    parts = (
        "nobody has agreed to that",
        "must name an admin",
        "must have a first stage",
        "does not take the key",
        "can withdraw",
        "its first go with the key",
        "there is no room left",
        "a breach, no more entries",
        "without it nothing would protect",
        "it is being asked",
        "the passphrase is another one",
        "is sealed",
        "nothing explains it",
        "another bot uses the account",
        "less is free there than it takes",
    )
    assert [part for part in parts if part not in sources] == []
