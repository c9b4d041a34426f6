"""A halt in one line, and what ``/pause`` and ``/resume`` came to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.domain.halt_views import HaltView, Paused
from engine.domain.market import named
from engine.domain.messages import Card
from handlers.cards import alerts, phrases, wording


def line(view: HaltView) -> str:
    """A halt in one line: what stops entries, where, until when and why."""
    halt = view.halt
    end, where = phrases.end(halt), f"{named(halt.symbol, view.at)}: " if halt.symbol else ""
    known_as = f"{view.id}, " if view.id else ""
    return f"{known_as}{where}{phrases.HALTS[halt.kind]}{f' until {end}' if end else ''}: {halt.reason}"


def paused(report: Paused) -> Card:
    """What ``/pause`` came to: whose pause holds, until when, and what halts entries beside it."""
    card = alerts.halt(report.holds)
    held = "It was in force, and lasts at least as long as what you asked for: nothing was changed."
    return replace(
        card,
        text=wording.lines(
            "" if report.is_new else held,
            *(f"It takes the place of {line(view)}" for view in report.ended),
            card.text,
            *(f"Beside it: {line(view)}" for view in report.beside),
        ),
    )


_COUNTED_ANEW = (
    "The total limit counts from the equity of now on; the drawdown itself still counts from the peak, and entries are "
    "smaller until it has been made good."
)


def resumed(ended: Sequence[HaltView]) -> Card:
    """What ``/resume`` ended."""
    if not ended:
        return Card(title="Nothing was paused", text="/status shows whether anything else halts new entries.")
    names = wording.listing([f"{phrases.HALTS[view.halt.kind]} ({view.id})" for view in ended])
    total = any(view.halt.is_total for view in ended)
    return Card(
        title=f"Ended: {names}",
        text=wording.lines(_COUNTED_ANEW if total else "", "/status shows whether anything else halts new entries."),
    )
