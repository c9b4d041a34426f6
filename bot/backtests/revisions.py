"""A strategy's file as it was at another time, by git: ``./strategies/breakout.py@HEAD~1:Breakout``."""

from __future__ import annotations

import subprocess
from pathlib import Path

from engine.domain.errors import BadInput

_HINT = "Name one like HEAD~1, a tag or a hash, of a file that git knows."


def at_revision(name: str, folder: Path) -> str:
    """The name of a strategy without its revision; where it has one, its file is written into a folder as it was.

    Args:
        name: As somebody types it.
        folder: One of ours, for as long as the strategy is used.

    Raises:
        BadInput: git knows no such file or revision.
    """
    place, _, kind = name.rpartition(":")
    path, at, revision = place.rpartition("@")
    if not at or not path.endswith(".py"):
        return name
    file = Path(path).expanduser()
    command = ["git", "-C", f"{file.parent}", "show", f"{revision}:./{file.name}"]
    try:
        told = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - no shell, and no option
    except FileNotFoundError:
        raise BadInput("A revision needs git, which is not there.", "Install git.") from None
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip().removeprefix("fatal: ").removesuffix(".")
        raise BadInput(f"{path} at {revision}: {why}.", _HINT) from None
    own = folder / revision.replace("/", "_") / file.name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_bytes(told)
    return f"{own}:{kind}"
