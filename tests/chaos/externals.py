"""Two externals of a simulated program: a database that the power may be cut from, and a web server without a port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine

from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from tests.chaos.world import World

T = TypeVar("T")

_FIRST: dict[str, Engine] = {}


class Page:
    """The web server without a port: people reach what is behind it as its routes do."""

    def __init__(self, app: Any, *, host: str, port: int) -> None:  # noqa: ARG002 - it has neither
        self.services = app.state.services
        self.hooks = {route.path: route.endpoint for route in app.router.routes if hasattr(route, "endpoint")}
        self.port = 0

    async def start(self) -> None:
        self.port = 8080

    async def stop(self) -> None:
        self.port = 0


def store_in(world: World) -> type[Database]:
    """The database, at whose door the power may be cut."""

    class Store(Database):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            for engine in (self._write_engine, self._read_engine):
                _share_compiled(engine)
            world.stores.append(self)

        async def transact(self, work: Callable[[UnitOfWork], T]) -> T:
            world.moment()
            result = await super().transact(work)
            world.moment()
            await asyncio.sleep(0)
            return result

        def _shut(self) -> None:
            for pool in (self._writer, self._readers):
                world.loop.finish(pool)
            super()._shut()

    return Store


def _share_compiled(engine: Engine) -> None:
    """Let a run use the statements that earlier ones have compiled: that takes longer than everything else."""
    first = _FIRST.setdefault("engine", engine)
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
