"""The program as the command line runs it, and what somebody finds on its page."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.fakes.forks import FORKS

BOT = Path(sys.executable).with_name("bot")
PATIENCE = 60.0


def begin(folder: Path, out: Path, err: Path, *words: str, **more: str) -> ForkServerProcess:
    """Start a command in a folder, with no settings of whoever runs the tests: in a process that has imported it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | more
    process: ForkServerProcess = FORKS.Process(target=_run, args=(folder, words, environment, out, err))
    process.start()
    return process


def bot(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder to its end."""
    with TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        process = begin(folder, out, err, *words, **more)
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(["bot", *words], PATIENCE, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(["bot", *words], process.exitcode, out.read_text(), err.read_text())


def _run(folder: Path, words: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
    """What the script ``bot`` does, where and with what it would have been started."""
    from bot.main import main

    signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background ignores it
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for file, stream in ((out, sys.stdout), (err, sys.stderr)):
        with file.open("a") as opened:
            os.dup2(opened.fileno(), stream.fileno())
    sys.argv = ["bot", *words]
    main()


async def question_in(page: httpx.AsyncClient) -> str:
    """The id of the one open question, once it is asked."""
    async with asyncio.timeout(PATIENCE):
        while not (found := (await page.get("/api/approvals")).json()):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.05)
    return str(found[0]["id"])
