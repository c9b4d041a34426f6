"""A whole story in one process: the program, a Telegram server, people who answer at market times; told as JSON.

    python -m tests.fakes.story DIRECTORY '{"replay": {"start": "2022-05-01", ...}}'

Its end is a file ``told.json`` in the directory; the database, the venue's file and the log stay beside it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot import logs
from bot.app import App
from bot.engine import Engine
from config.loader import load
from config.settings import Settings, secrets
from engine.jobs.table import Job
from tests.fakes.people import ADA, BEN, PEOPLE, STRANGER, VIC, People
from tests.fakes.telegram import FakeTelegram
from tests.fakes.told import DATABASE, LOG, TOLD


def settings_of(directory: Path, overrides: Mapping[str, Any], fake: FakeTelegram) -> Settings:
    """The demo's settings with a Telegram server and people; everything else as the overrides say."""
    environ = {
        "BOT_DIGEST__EVERY": "day",
        "BOT_DATABASE__URL": f"sqlite:///{directory / DATABASE}",
        "BOT_LOGS__FILE": str(directory / LOG),
        "BOT_PEOPLE": json.dumps(PEOPLE),
        "BOT_TELEGRAM__API_URL": fake.url,
        "BOT_TELEGRAM__CHAT_ID": str(ADA),
        "BOT_TELEGRAM__MESSAGES_PER_SECOND": "30",
        "BOT_TELEGRAM__TOKEN": fake.token,
        "BOT_WEB__PORT": "0",
    }
    return load("demo", None, overrides, environ, directory).settings


async def tell(directory: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Let a story happen, and say what was printed, played, shown and called."""
    lines: list[str] = []
    people: list[People] = []

    def more_jobs(engine: Engine) -> list[Job]:
        people.append(People(fake, engine.store, engine.approvals.finished))
        return [each.job() for each in people]

    async with FakeTelegram() as fake:
        for chat in (ADA, BEN, VIC, STRANGER):
            fake.chat(chat)
        settings = settings_of(directory, overrides, fake)
        logs.configure(settings.logs, secrets(settings))
        await App(settings, announce=lines.append, more_jobs=more_jobs).run()
        return {
            "lines": [line for text in lines for line in text.splitlines()],
            "played": people[0].told(),
            "shown": {chat: [_shown(message) for message in fake.messages(chat)] for chat in fake.api.chats},
            "calls": [{"method": call.method, "code": call.code, "params": call.params} for call in fake.calls],
        }


def _shown(message: Any) -> dict[str, Any]:
    return {"text": message.text, "buttons": message.labels, "edits": len(message.edits), "reply_to": message.reply_to}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / TOLD).write_text(json.dumps(asyncio.run(tell(folder, json.loads(sys.argv[2])))))
