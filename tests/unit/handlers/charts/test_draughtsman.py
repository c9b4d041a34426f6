"""Pictures are drawn beside everything else, in time, or a word says why not."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import replace
from importlib.util import find_spec

import pytest

from engine.domain.charts import Chart
from engine.domain.errors import GreenlightError
from engine.domain.messages import Card
from handlers.charts.draughtsman import Draughtsman
from handlers.charts.illustrating import illustrated
from tests.fakes.charts import HOSTILE, equity_chart, trade_chart

needs_matplotlib = pytest.mark.skipif(find_spec("matplotlib") is None, reason="the extra charts is not installed")
CURVE = equity_chart(100.0, 102.0, 99.0, hold=(100.0, None, 101.0))


async def workers() -> list[multiprocessing.Process]:
    """Who draws, once somebody does."""
    while not (found := multiprocessing.active_children()):  # noqa: ASYNC110 - they tell nobody
        await asyncio.sleep(0.01)
    return found


@needs_matplotlib
@pytest.mark.parametrize("chart", [CURVE, replace(trade_chart(), title=HOSTILE)], ids=["equity", "trade"])
async def test_a_chart_becomes_a_png_whatever_its_texts_are(chart: Chart):
    png = await Draughtsman().draw(chart)
    assert png.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (990, 825)
    assert len(png) < 200_000
    assert multiprocessing.active_children() == []


@needs_matplotlib
async def test_one_that_takes_too_long_or_is_killed_is_given_up_and_the_next_is_drawn():
    with pytest.raises(GreenlightError, match="took too long"):
        await Draughtsman(within=0.05).draw(CURVE)
    assert multiprocessing.active_children() == []
    draughtsman = Draughtsman()
    drawing = asyncio.create_task(draughtsman.draw(CURVE))
    (worker,) = await workers()
    worker.kill()
    with pytest.raises(GreenlightError, match="could not be drawn"):
        await drawing
    assert (await draughtsman.draw(CURVE)).startswith(b"\x89PNG")


@needs_matplotlib
async def test_an_end_in_the_middle_leaves_nobody_behind():
    draughtsman = Draughtsman()
    drawing = asyncio.create_task(draughtsman.draw(CURVE))
    await workers()
    draughtsman.close()
    with pytest.raises(GreenlightError):
        await drawing
    with pytest.raises(GreenlightError):
        await draughtsman.draw(CURVE)
    assert multiprocessing.active_children() == []


async def test_without_the_library_the_card_says_what_to_install():
    shown = await illustrated(
        Card(title="Equity", text="A word.", picture=CURVE), Draughtsman(library="none_such").draw
    )
    assert (shown.png, shown.card.picture) == (b"", None)
    assert shown.card.text.startswith("A word.\nPictures need none_such. Install it: .venv/bin/pip install")


async def test_a_card_without_a_picture_is_shown_as_it_is():
    card = Card(title="Status")
    assert (await illustrated(card, Draughtsman().draw)).card is card
