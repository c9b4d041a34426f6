"""Bring a database to the newest layout, or say how far behind it is. Alembic, shipped with the program.

Alembic itself is only loaded where there is something to change: most starts find the database as it has to be, and a
new one is made as the tables are now.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import CreateIndex, CreateTable

import migrations
from engine.domain.errors import StoreError
from engine.store import tables
from engine.store.connections import connect, first_line, in_words, is_sqlite, located

if TYPE_CHECKING:
    from alembic.config import Config

_REVISION = re.compile(r"""^revision = ["'](\w+)["']$""", re.MULTILINE)
_ALEMBICS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic notes a database's revision."""
_FOLLOWS = re.compile(r"""^down_revision = ["'](\w+)["']$""", re.MULTILINE)


def config(url: str) -> Config:
    """Alembic's configuration for a database."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> None:
    """Apply every migration that is missing; an empty database gets the tables at once.

    Raises:
        StoreError: A migration failed, or the database is newer than the program; nothing was changed.
    """
    found = _refuse_damaged_or_newer(url)
    if found == head():
        return
    try:
        _create(url) if found is None else _migrate(url)
    except DatabaseError as error:
        raise StoreError(
            f"The database could not be brought up to date: {first_line(error)}.", "Nothing was changed; keep a backup."
        ) from error


def _create(url: str) -> None:
    """Make all the tables in one transaction. A test sees to it that the migrations lead to the same."""
    engine = connect(url, writer=True)
    try:
        with engine.begin() as connection:
            for table in (_ALEMBICS, *tables.Setting.metadata.sorted_tables):
                connection.execute(CreateTable(table))
                for index in sorted(table.indexes, key=lambda index: str(index.name)):
                    connection.execute(CreateIndex(index))
            connection.execute(_ALEMBICS.insert().values(version_num=head()))
    finally:
        engine.dispose()


def _migrate(url: str) -> None:
    from alembic import command

    command.upgrade(config(url), "head")


def versions(url: str, *, read_only: bool = False) -> tuple[str, str]:
    """The database's revision (empty when new) and the program's.

    Args:
        url: Where it is.
        read_only: Whether it must be there already, and stay as it is.

    Raises:
        StoreError: The database cannot be used, or is damaged.
    """
    engine = connect(url, read_only=read_only)
    try:
        with in_words(), engine.connect() as connection:
            return _revision(connection), head()
    finally:
        engine.dispose()


def refuse_other_version(url: str) -> None:
    """Refuse a database that is not of the program's own revision; nothing in it is changed.

    Raises:
        StoreError: It is of another one, is not there, or cannot be used.
    """
    found, wanted = versions(url, read_only=True)
    if found != wanted:
        raise StoreError(
            f"The database has revision {found or 'none'}, this program reads {wanted}.",
            "Bring it up to date: bot db upgrade.",
        )


def head() -> str:
    """The revision that the program needs: the one that no other follows."""
    scripts = _scripts()
    followed = {found for script in scripts for found in _FOLLOWS.findall(script)}
    (last,) = _revisions(scripts) - followed
    return last


def _scripts() -> list[str]:
    versions = Path(migrations.__file__).parent / "versions"
    return [path.read_text(encoding="utf-8") for path in versions.glob("*.py")]


def _revisions(scripts: list[str]) -> set[str]:
    return {found for script in scripts for found in _REVISION.findall(script)}


def _revision(connection: Connection) -> str:
    """The revision of a database; empty when it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


def _refuse_damaged_or_newer(url: str) -> str | None:
    """Look before anything is touched; the revision of the database, ``None`` where nothing is in it."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one() if is_sqlite(url) else "ok"
            found = _revision(connection) if inspect(connection).get_table_names() else None
    except DatabaseError as error:
        raise _damaged(url, first_line(error)) from None
    finally:
        engine.dispose()
    if damage != "ok":
        raise _damaged(url, str(damage).splitlines()[-1])
    _refuse_newer(found)
    return found


def _damaged(url: str, what: str) -> StoreError:
    place = located(url)
    return StoreError(
        f"The database {place if isinstance(place, Path) else place.database} is damaged: {what}.",
        "Nothing was changed. Move the file away and put a backup in its place: bot db restore.",
    )


def _refuse_newer(found: str | None) -> None:
    if found and found not in _revisions(_scripts()):
        raise StoreError(
            f"The database was written by a newer version of the program (revision {found}).",
            "Update the program, or set BOT_DATABASE__URL to another file.",
        )


def integrity(url: str) -> list[str]:
    """What is damaged in an SQLite file, by its own checks; other databases look after themselves."""
    if not is_sqlite(url):
        return []
    engine = connect(url)
    try:
        with engine.connect() as connection:
            damage = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except DatabaseError as error:  # so damaged that even looking ends in the middle
        return [first_line(error)]
    finally:
        engine.dispose()
    return [text for text in damage if text != "ok"] + [f"{row[0]}: a row refers to nothing" for row in orphans]
