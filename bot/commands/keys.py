"""The commands under ``bot keys``: what venues' accounts are opened with, sealed at rest. Keys are never arguments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.config import PASSPHRASE_VARIABLE, REFUSED
from engine.domain.errors import ConfigError

app = typer.Typer(help="Keep the keys of venues in a file that is sealed with a passphrase.", no_args_is_help=True)

USUAL = Path("var/keys.sealed")
_LEAST = 12
"""Characters of a passphrase."""

_FILE_HELP = "The sealed file; BOT_KEYS_FILE, else var/keys.sealed."
FileOption = Annotated[Path | None, typer.Option("--file", help=_FILE_HELP, show_default=False)]
NameArgument = Annotated[str, typer.Argument(metavar="VENUE", help="Its name in exchanges, e.g. binance.")]


@app.command("set")
def set_keys(venue: NameArgument, file: FileOption = None) -> None:
    """Ask for a venue's keys, and seal them. A key should read and trade, and nothing else."""
    from bot.live import end_of
    from config import sealed

    place = _place(file)
    with _told():
        passphrase = _passphrase(new=not place.exists())
        kept = sealed.read(place, passphrase)
        found = {name: _asked(name) for name in sealed.NAMES}
        if not (found["api_key"] and found["secret"]):
            raise ConfigError("A key and its secret belong together: nothing was kept.", "Begin again.")
        kept[venue] = {name: value for name, value in found.items() if value}
        sealed.write(place, kept, passphrase)
    typer.echo(f"Sealed in {place}: {venue}, key ends in {end_of(found['api_key'])}.")
    typer.echo(f"Runs read it with BOT_KEYS_FILE={place}; its passphrase is {PASSPHRASE_VARIABLE}, or asked for.")


@app.command("list")
def list_keys(file: FileOption = None) -> None:
    """Name the venues whose keys are kept, and how each key ends."""
    from bot.live import end_of
    from config import sealed

    place = _place(file)
    with _told():
        kept = sealed.read(place, _passphrase()) if place.exists() else {}
    lines = [f"{venue}: key ends in {end_of(each.get('api_key', ''))}" for venue, each in sorted(kept.items())]
    typer.echo("\n".join(lines or [f"{place} keeps no keys."]))


@app.command()
def forget(venue: NameArgument, file: FileOption = None) -> None:
    """Let a venue's keys go. At the venue they stay good: delete them there too."""
    from config import sealed

    place = _place(file)
    with _told():
        passphrase = _passphrase()
        kept = sealed.read(place, passphrase)
        if kept.pop(venue, None) is None:
            raise ConfigError(f"{place} keeps no keys of {venue}.", "bot keys list names those it has.")
        sealed.write(place, kept, passphrase)
    typer.echo(f"{place} keeps no keys of {venue} any more.")


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong in plain lines, and exit."""
    try:
        yield
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def _place(file: Path | None) -> Path:
    return file or Path(os.environ.get("BOT_KEYS_FILE") or USUAL)


def _passphrase(*, new: bool = False) -> str:
    """The passphrase, from its variable or from whoever is at the terminal; a new one twice.

    Raises:
        ConfigError: A new one is too short.
    """
    asked: str = os.environ.get(PASSPHRASE_VARIABLE) or typer.prompt(
        "Passphrase", hide_input=True, confirmation_prompt=new
    )
    if new and len(asked) < _LEAST:
        raise ConfigError(f"A passphrase has at least {_LEAST} characters.", "Five words that nobody would guess do.")
    return asked


def _asked(name: str) -> str:
    """One of a venue's keys, from whoever is at the terminal; nothing of it is shown."""
    more = " (okx and some others; else press Enter)" if name == "password" else ""
    return str(typer.prompt(f"{name}{more}", hide_input=True, default="", show_default=False)).strip()
