"""What every test runs under, and what tests of several floors share."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.fakes.examples import examples

settings.register_profile("house", examples(100))
settings.load_profile("house")

# What structlog does unasked, but for tracebacks with every local in colours: one of them takes a second to draw.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """More workers than cores, for a story waits longer than it computes; fewer where the slow ones run too."""
    cores = yield
    return cores + (cores + 1) // 2 if os.environ.get("CI") else 5 * cores // 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let xdist's groups be heeded: xdist 3.8 adds a group to an id where pytest 9.2 no longer looks for it."""
    for item in items:
        if (grouped := vars(item).get("_nodeid")) is not None:
            from _pytest.nodeid import coerce_node_id  # only where it is needed is it there

            vars(item).pop("_nodeid")
            item._id = coerce_node_id(grouped)


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The test runs twice: its folder has a migrated database in SQLite, then in PostgreSQL. Gives the URL."""
    from tests.fakes import database, postgres  # slow to import, and few tests need them

    if request.param == "sqlite":
        database.new_file(tmp_path)
        yield database.url_of(tmp_path)
        return
    url = database.use_postgres(tmp_path)
    yield url
    postgres.drop(url)
