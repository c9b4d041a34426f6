"""A note of the running instance beside its database, so that ``bot status`` on this machine can ask it.

Where the note went with the files, whoever answers at the port still says whether it is a bot.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from config.settings import Settings
from engine.support import private_files

NAME = "instance.json"
ANSWER_WITHIN = 2.0
"""Wall seconds that a running bot has to say that it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Where a running bot answers, and what it wants to be shown."""

    url: str
    token: SecretStr


def local_url(host: str, port: int) -> str:
    """Where a web server that listens at an address answers on this machine."""
    at = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{at}]:{port}" if ":" in at else f"http://{at}:{port}"


def note_file(settings: Settings) -> Path:
    """Where the note is: beside the venue's file, which is beside the database."""
    return settings.venue_file.parent / NAME


def write(file: Path, instance: Instance) -> None:
    """Write the note, readable by this user only."""
    private_files.make_folder(file.parent)
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.FILE_MODE)
    with os.fdopen(handle, "w") as note:
        json.dump({"url": instance.url, "token": instance.token.get_secret_value()}, note)


def remove(file: Path, instance: Instance) -> None:
    """Take the note of an instance away; another one may have written its own in its place."""
    if read(file) == instance:
        file.unlink(missing_ok=True)


def read(file: Path) -> Instance | None:
    """The note, where there is one that can be read."""
    try:
        found = json.loads(file.read_text())
        return Instance(url=found["url"], token=SecretStr(found["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def parts_at(url: str) -> Mapping[str, str] | None:
    """How each part of the bot is that answers at a URL, ``ok`` or ``failing``; ``None`` where no bot answers."""
    try:
        # It is on this machine: a proxy of the environment's is asked for nothing.
        found = httpx.get(f"{url}/health", timeout=ANSWER_WITHIN, trust_env=False).json()
        return {str(part["name"]): str(part["status"]) for part in found["parts"]}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return None
