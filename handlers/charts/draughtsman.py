"""Has pictures painted in processes of their own: matplotlib is large, slow to load, and holds up nobody there."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import structlog

from engine.domain.charts import Chart
from engine.domain.errors import GreenlightError
from handlers.charts.scene import Scene
from handlers.charts.scenes import scene_of

log = structlog.get_logger(__name__)

WITHIN = 20.0
"""Wall seconds a picture may take, with those that are painted before it."""
_CALM = 10
"""By how much painting steps back behind everything else on this machine."""
_SPAWN = multiprocessing.get_context("spawn")


class NoPicture(GreenlightError):
    """There is no picture; everything else can be shown."""


class Draughtsman:
    """Paints one picture at a time, each in a process that ends with it.

    Args:
        within: Wall seconds a picture may take.
        library: What must be installed for it.
    """

    def __init__(self, within: float = WITHIN, library: str = "matplotlib") -> None:
        self._within = within
        self._library = library
        self._turn = asyncio.Lock()
        self._working: SpawnProcess | None = None
        self._closed = False

    async def draw(self, chart: Chart) -> bytes:
        """A chart as a PNG.

        Raises:
            NoPicture: matplotlib is not installed, it took too long, or the painting failed.
        """
        if find_spec(self._library) is None:
            raise NoPicture(
                f"Pictures need {self._library}.", "Install it: .venv/bin/pip install -c constraints.txt -e '.[charts]'"
            )
        scene = scene_of(chart)
        try:
            async with asyncio.timeout(self._within), self._turn:
                png = await self._painted(scene)
        except TimeoutError:
            raise NoPicture("The picture took too long to draw.", "Try again in a minute.") from None
        if not png:
            raise NoPicture("The picture could not be drawn.", "Try again in a minute.")
        return png

    def close(self) -> None:
        """Give up what is being painted; nothing more will be."""
        self._closed = True
        self._end()

    async def _painted(self, scene: Scene) -> bytes:
        """The PNG; nothing where the process ended without one."""
        if self._closed:
            return b""
        ours, theirs = _SPAWN.Pipe(duplex=False)
        self._working = _SPAWN.Process(target=_work, args=(theirs, scene), daemon=True)
        try:
            self._working.start()
            theirs.close()
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, _received, ours))
        except asyncio.CancelledError:
            self._end()
            raise
        finally:
            self._end()

    def _end(self) -> None:
        """End the process, wherever it is: who waits for it then reads that nothing comes."""
        process, self._working = self._working, None
        if process is not None and process.pid is not None:
            process.kill()
            process.join()
            process.close()


def _received(ours: Connection) -> bytes:
    with ours, suppress(EOFError, OSError):
        return ours.recv_bytes()
    return b""


def _work(theirs: Connection, scene: Scene) -> None:
    """What the process does."""
    from handlers.charts.painting import paint

    with suppress(OSError):
        os.nice(_CALM)
    theirs.send_bytes(paint(scene))
