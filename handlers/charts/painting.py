"""A scene as a PNG, by matplotlib, which only fills and writes what is given its place already."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from handlers.charts.scene import Areas, Scene, Strokes, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PIXELS = 2.75
"""Pixels a unit: sharp on a phone."""
_INCH = 100
_POINT = 0.72
"""Points in a unit."""

_GREEN, _RED, _BLUE, _INK, _MUTED, _PALE = "#16784d", "#c0392f", "#1f5fa8", "#17201b", "#5d6a63", "#dfe5e1"
COLOURS = {
    "title": _INK,
    "axis": _MUTED,
    "grid": _PALE,
    "zero": _MUTED,
    "hold": _BLUE,
    "equity": _INK,
    "gain": _GREEN,
    "loss": _RED,
    "fall": _RED,
    "rise": _GREEN,
    "sink": _RED,
    "entry": _INK,
    "won": _GREEN,
    "lost": _RED,
    "exit": _BLUE,
    "stop": _RED,
    "target": _GREEN,
    "now": _MUTED,
    "moment": _MUTED,
    "leader": _MUTED,
}
_WIDTHS = {"equity": 1.6, "hold": 1.2, "stop": 1.2, "target": 1.2, "leader": 0.6, "grid": 0.6}
_FAINT = {"gain": 0.18, "loss": 0.18, "fall": 0.45}


def paint(scene: Scene) -> bytes:
    """The picture. It takes about a second, most of which is loading matplotlib."""
    from matplotlib.figure import Figure

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that the font does not have: they are shown as boxes
        figure = Figure(figsize=(scene.width / _INCH, scene.height / _INCH), dpi=_INCH * PIXELS)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, scene.width)
        axes.set_ylim(scene.height, 0)
        axes.set_axis_off()
        for order, shape in enumerate(scene.shapes):
            match shape:
                case Strokes():
                    _stroke(axes, shape, order)
                case Areas():
                    _fill(axes, shape, order)
                case Words():
                    _write(axes, shape, order)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png")
        return drawn.getvalue()


def _stroke(axes: Axes, shape: Strokes, order: int) -> None:
    from matplotlib.collections import LineCollection

    lines = LineCollection(
        list(shape.lines),
        colors=COLOURS[shape.role],
        linewidths=_WIDTHS.get(shape.role, 0.8) * _POINT * 1.2,
        linestyles="dashed" if shape.dashed else "solid",
        zorder=order,
    )
    axes.add_collection(lines, autolim=False)


def _fill(axes: Axes, shape: Areas, order: int) -> None:
    from matplotlib.collections import PolyCollection

    areas = PolyCollection(
        list(shape.shapes),
        facecolors=COLOURS[shape.role],
        edgecolors="none",
        alpha=_FAINT.get(shape.role, 1.0),
        zorder=order,
    )
    axes.add_collection(areas, autolim=False)


def _write(axes: Axes, shape: Words, order: int) -> None:
    axes.text(
        shape.x,
        shape.y,
        shape.text,
        color=COLOURS[shape.role],
        fontsize=shape.size * _POINT,
        ha={"start": "left", "middle": "center", "end": "right"}[shape.anchor],
        va="center",
        parse_math=False,  # a dollar sign is a dollar sign
        zorder=order,
    )
