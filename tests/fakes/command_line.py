"""The program as the command line runs it, and what somebody finds on its page."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx

BOT = Path(sys.executable).with_name("bot")
PATIENCE = 60.0


def bot(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with no settings of whoever runs the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | more
    return subprocess.run(
        [BOT, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


async def question_in(page: httpx.AsyncClient) -> str:
    """The id of the one open question, once it is asked."""
    async with asyncio.timeout(PATIENCE):
        while not (found := (await page.get("/api/approvals")).json()):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.05)
    return str(found[0]["id"])
