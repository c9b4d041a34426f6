"""The files that the program keeps: which they are, and that nobody else may read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.instance import note_file
from bot.lock import account_files, lock_file
from bot.viewer import subscribers_file
from config.settings import Settings, secrets
from config.sources import ours
from engine.support import private_files

DOTENV = Path(".env")
SWEEPS = "sweeps"
"""Where sweeps that were stopped are kept, beside the register of trials."""
TRAININGS = "trainings"
"""Where trainings that were stopped are kept, beside it."""
POLICIES = "policies"
"""Where policies that were trained anew are, beside it."""
_VAR = "var"
"""The program's own folder, below which nobody else keeps anything."""


def own_files(settings: Settings) -> Iterator[Path]:
    """Every file that the program keeps, whether it is there or not."""
    for file in (*account_files(settings), subscribers_file(settings)):
        yield from private_files.with_sides(file)
    yield from map(lock_file, account_files(settings))
    yield note_file(settings)
    yield settings.backtest.trials
    yield from (settings.backtest.trials.parent / SWEEPS).glob("*.jsonl")
    yield from (settings.backtest.trials.parent / TRAININGS).glob("*.pt")
    yield from (settings.backtest.trials.parent / TRAININGS).glob("*.jsonl")
    yield from (settings.backtest.trials.parent / POLICIES).glob("retrained-*")
    if settings.logs.file:
        yield settings.logs.file


def narrow_own_files(settings: Settings) -> None:
    """Take from all others what an earlier version, a copy or a restore has left readable to them.

    A folder is narrowed where it is one of the program's own.
    """
    for file in own_files(settings):
        if private_files.is_wider(file):
            private_files.narrow(file)
    for folder in {file.parent for file in account_files(settings)}:
        if is_own_folder(folder):
            private_files.narrow(folder)


def is_own_folder(folder: Path) -> bool:
    """Whether a folder is one of the program's own, below ``var/``: any other may be shared."""
    return Path(_VAR).absolute() in folder.resolve().parents


def wider_files(settings: Settings) -> tuple[Path, ...]:
    """Those of the program's files that others may read or write, and what holds secrets: ``.env``, files of them."""
    dotenv = [DOTENV] if _has_secrets(settings) else []
    return tuple(
        file for file in (*own_files(settings), *dotenv, *_secret_files(settings)) if private_files.is_wider(file)
    )


def wider_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders of the account in which others see what files there are, or may even reach them."""
    folders = {file.parent for file in account_files(settings)}
    return tuple(sorted(folder for folder in folders if private_files.is_wider_folder(folder)))


def _secret_files(settings: Settings) -> Iterator[Path]:
    """The files of secrets that are this user's own; the modes of what is mounted are not ours to judge."""
    if folder := settings.secrets_dir:
        yield from (file for file in ours(folder.expanduser()) if file.stat().st_uid == os.getuid())


def _has_secrets(settings: Settings) -> bool:
    """Whether a secret that is in force stands in ``.env``; one of the environment's may stand nowhere."""
    try:
        text = DOTENV.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(secret.get_secret_value() in text for secret in secrets(settings))


def open_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders of the account in which others may put another file in the place of one of ours."""
    return tuple(sorted({file.parent for file in account_files(settings) if _is_open(file.parent)}))


def _is_open(folder: Path) -> bool:
    """Whether others may rename what is in a folder: a sticky one lets them only add to it.

    A group that is this user's own is nobody else.
    """
    try:
        found = folder.stat()
    except OSError:
        return False
    others = stat.S_IWOTH if found.st_gid == os.getegid() else stat.S_IWOTH | stat.S_IWGRP
    return bool(found.st_mode & others) and not found.st_mode & stat.S_ISVTX
