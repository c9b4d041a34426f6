"""What every test runs under, and what tests of several floors share."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from decimal import Context, localcontext
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.compiling import compile_changed
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


@pytest.fixture(autouse=True)
def own_decimals() -> Iterator[None]:
    """How numbers are rounded is each test's own: ccxt, asked by itself, leaves it changed."""
    with localcontext(Context()):
        yield


gc.disable()  # until all is collected: what is imported stays


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Where workers are about to start, what each would compile for itself is compiled before."""
    if session.config.pluginmanager.hasplugin("dsession"):
        gc.enable()  # the workers collect, this process does not
        compile_changed(Path(__file__).parent, session.config)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage among what the tests make, not among a million of things that stay to the end."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """More workers than cores, for a story waits longer than it computes; fewer where the slow ones run too."""
    cores = yield
    return cores + (cores + 1) // 2 if os.environ.get("CI") else 7 * cores // 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let xdist's groups be heeded: xdist 3.8 adds a group to an id where pytest 9.2 no longer looks for it."""
    for item in items:
        if (grouped := vars(item).get("_nodeid")) is not None:
            from _pytest.nodeid import coerce_node_id  # only where it is needed is it there

            vars(item).pop("_nodeid")
            item._id = coerce_node_id(grouped)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
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
