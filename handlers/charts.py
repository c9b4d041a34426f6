"""Pictures for cards, drawn in a process of their own: matplotlib is large, slow to load, and holds up nobody there."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from datetime import datetime
from typing import Any

Points = Sequence[tuple[datetime, float, float]]
"""UTC times, values, and how far each is below the account's peak of its time, as a fraction."""

MOST_POINTS = 1000
"""More than a picture has columns."""
_SIZE_INCHES = (8, 4.5)
_LINE, _FALL = "#1f7a4d", "#b3372f"


class Draughtsman:
    """Draws in a worker process, which is started with the first picture."""

    def __init__(self) -> None:
        self._pool = _one_worker()

    async def equity(self, points: Points, title: str) -> bytes:
        """Draw values over time with their drawdowns, as a PNG.

        Args:
            points: Oldest first; at least two.
            title: What stands above.
        """
        pool = self._pool
        try:
            return await _drawn(pool, thinned(points), title)
        except BrokenExecutor:  # the worker was killed, as a machine without memory does
            self._pool = _one_worker() if self._pool is pool else self._pool
        return await _drawn(self._pool, thinned(points), title)

    def close(self) -> None:
        """End the worker."""
        self._pool.shutdown(cancel_futures=True)


def _one_worker() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn"))


async def _drawn(pool: ProcessPoolExecutor, points: Points, title: str) -> bytes:
    return await asyncio.get_running_loop().run_in_executor(pool, draw_equity, points, title)


def thinned(points: Points) -> Points:
    """At most ``MOST_POINTS`` of them at even steps, the newest always among them."""
    step = -(-len(points) // MOST_POINTS)
    return points[::-1][::step][::-1]


def draw_equity(points: Points, title: str) -> bytes:
    """The picture itself; see ``Draughtsman.equity``."""
    import io

    import matplotlib.dates
    from matplotlib.figure import Figure

    untyped: Any = matplotlib.dates
    times, values, below_peak = zip(*points, strict=True)
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    above.plot(times, values, color=_LINE, linewidth=1.6)
    above.set_title(title, loc="left")
    below.fill_between(times, [-100 * drawdown for drawdown in below_peak], color=_FALL, alpha=0.5, linewidth=0)
    below.set_ylabel("drawdown, %")
    locator = untyped.AutoDateLocator()
    below.xaxis.set_major_locator(locator)
    below.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator))
    for axes in (above, below):
        axes.grid(visible=True, alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0)
        axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    return drawn.getvalue()
