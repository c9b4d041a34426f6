"""Where a database is, read from its URL in one place: what is locked is what is opened, and the rest lies beside it.

    sqlite:///var/demo/greenlight.sqlite     a file below the working directory
    sqlite:////srv/greenlight/bot.sqlite     a file from the root
    postgresql://user:password@host/name     a server

``%20`` and its like are the characters that they stand for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from engine.domain.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy import URL

_FORM = "write sqlite:///FOLDER/FILE for one below the working directory, sqlite:////FOLDER/FILE for one from the root"
_DRIVERS = {"sqlite": ("sqlite", "sqlite+pysqlite"), "postgresql": ("postgresql", "postgresql+psycopg")}
_SPOKEN = {"postgres": "postgresql", "pgsql": "postgresql", "sqlite3": "sqlite", "file": "sqlite"}
"""How other programs call them."""
_NO_NAME = {"", ".", ".."}


def location(url: str) -> Path | URL:
    """The file of an SQLite database, or the URL of a server with the driver that we ship with.

    Raises:
        BadInput: It is none that can be used; the message goes on after its name, and never repeats the URL: a password
            may be in it.
    """
    scheme, colon, rest = url.partition(":")
    kind = scheme.partition("+")[0].lower()
    if not colon or _SPOKEN.get(kind, kind) not in _DRIVERS:
        raise BadInput("must be a database URL such as sqlite:///var/demo/greenlight.sqlite")
    if kind not in _DRIVERS or scheme not in _DRIVERS[kind]:
        raise BadInput(f"must begin with {_SPOKEN.get(kind, kind)}://, without another word or driver")
    return _file(rest) if kind == "sqlite" else _server(url)


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; ``None`` for a server.

    Raises:
        BadInput: As ``location``.
    """
    found = location(url)
    return found if isinstance(found, Path) else None


def url_of(file: Path) -> str:
    """The URL of a file, as ``location`` reads it."""
    return f"sqlite:///{re.sub('[%?]', lambda found: f'%{ord(found[0]):02X}', str(file))}"


def _file(rest: str) -> Path:
    if not rest.startswith("///"):
        raise BadInput(f"must have three slashes before its file, or four: {_FORM}")
    written, _, parameters = rest.removeprefix("///").partition("?")
    try:
        name = unquote(written, errors="strict")
    except UnicodeDecodeError:
        raise BadInput("has a % that begins no character: write %25 for a % itself") from None
    if name == ":memory:":
        raise BadInput(f"must be a file: an account in memory would end with the program; {_FORM}")
    if parameters or rest.endswith("?"):
        raise BadInput("must have no parameters after a ?: the program sets them; write %3F for a ? in a file's name")
    if name.startswith(("file:", "~")) or "\0" in name:
        raise BadInput(f"must have a plain path, without file: or ~ before it: {_FORM}")
    if name.rpartition("/")[2] in _NO_NAME:
        raise BadInput(f"must name a file, not a folder: {_FORM}")
    return Path(re.sub("^/+", "/", name))


def _server(url: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise BadInput("cannot be read: write postgresql://user:password@host:port/name") from None
    if "@" in (parsed.host or ""):
        raise BadInput("has a password with an @ in it: write %40 in its place")
    return parsed.set(drivername="postgresql+psycopg")
