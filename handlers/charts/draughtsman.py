"""Has pictures painted in processes of their own: matplotlib is large, slow to load, and holds up nobody there."""

from __future__ import annotations

from importlib.util import find_spec

import structlog

from engine.domain.charts import Chart
from engine.domain.errors import GreenlightError
from engine.domain.extras import install
from engine.support.faults import fault_id
from engine.support.side_process import SideProcess, WorkFailed
from handlers.charts.scene import Scene
from handlers.charts.scenes import scene_of

_log = structlog.get_logger(__name__)

WITHIN = 20.0
"""Wall seconds a picture may take, with those that are painted before it."""


class NoPicture(GreenlightError):
    """There is no picture; everything else can be shown."""


class Draughtsman:
    """Paints one picture at a time.

    Args:
        within: Wall seconds a picture may take.
        library: What must be installed for it.
    """

    def __init__(self, within: float = WITHIN, library: str = "matplotlib") -> None:
        self._library = library
        self._painting = SideProcess(within)

    async def draw(self, chart: Chart) -> bytes:
        """A chart as a PNG.

        Raises:
            NoPicture: matplotlib is not installed, it took too long, or the painting failed.
        """
        if find_spec(self._library) is None:
            raise NoPicture(f"Pictures need {self._library}.", install("charts"))
        try:
            png = await self._painting.do(_painted, scene_of(chart))
        except TimeoutError:
            raise NoPicture("The picture took too long to draw.", "Try again in a minute.") from None
        except WorkFailed as error:
            _log.error("a picture could not be painted", reference=(reference := fault_id()), exc_info=error)
            raise NoPicture(f"The picture could not be drawn ({reference}).", "The log says why.") from None
        if not png:
            raise NoPicture("The picture could not be drawn.", "Try again in a minute.")
        return png

    def close(self) -> None:
        """Give up what is being painted; nothing more will be."""
        self._painting.close()


def _painted(scene: Scene) -> bytes:
    from handlers.charts.painting import paint

    return paint(scene)
