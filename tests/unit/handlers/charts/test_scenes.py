"""What charts look like: everything within the box, every price labelled, no label over another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.charts.painting import COLOURS
from handlers.charts.scales import width_of
from handlers.charts.scene import Scene, Words
from handlers.charts.scenes import scene_of
from tests.fakes.charts import HOSTILE, HOUR, NOON, equity_chart, trade_chart, trades_chart
from tests.fakes.examples import examples


def box(words: Words) -> tuple[float, float, float, float]:
    wide = width_of(words.text, words.size)
    left = {"start": words.x, "middle": words.x - wide / 2, "end": words.x - wide}[words.anchor]
    return left, words.y - words.size / 2, left + wide, words.y + words.size / 2


def complaints(scene: Scene) -> list[str]:
    """Words that stick out of the box, and labels that lie over others."""
    boxes = {words: box(words) for words in scene.words}
    found = [
        f"{words.text!r} sticks out"
        for words, (left, top, right, bottom) in boxes.items()
        if left < -1 or top < -1 or right > scene.width + 1 or bottom > scene.height + 1
    ]
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        if a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] - 1 and b[1] < a[3] - 1:
            found.append(f"{one.text!r} lies over {other.text!r}")
    return found


@pytest.mark.parametrize("width", [332, 360])
@pytest.mark.parametrize(
    "values",
    [(10_000.0, 10_050.0, 9_900.0, 10_200.0), (1e6, 1e6), (0.5, 0.4, 0.3), (8e7, 8.4e7, 7.9e7)],
    ids=["around the beginning", "nothing happened", "down", "large"],
)
def test_an_equity_curve_has_axes_that_can_be_read(values: tuple[float, ...], width: float):
    scene = scene_of(equity_chart(*values, hold=tuple(value * 1.01 for value in values)), width, 240)
    texts = [words.text for words in scene.words]
    assert complaints(scene) == []
    assert {"equity", "buy and hold", "drawdown", "0%", "3 Jan 12:00"} <= set(texts)
    assert texts[-1].endswith("UTC")
    assert scene.alt == "from 1 to 2"


@pytest.mark.parametrize("width", [332, 360])
@pytest.mark.parametrize(
    ("zone", "name", "bought"),
    [
        ("Asia/Kolkata", "Asia/Kolkata", "3 Jan 22:30"),
        ("Europe/Berlin", "Europe/Berlin", "3 Jan 18:00"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires", "3 Jan 14:00"),
    ],
)
def test_axes_have_the_clock_of_a_zone_and_its_name(zone: str, name: str, bought: str, width: float):
    charts = equity_chart(10_000.0, 10_050.0, hold=(1.0, 2.0)), trade_chart()
    for scene in (scene_of(replace(chart, zone=zone), width, 240) for chart in charts):
        assert complaints(scene) == []
        assert not [words.text for words in scene.words if "UTC" in words.text]
        assert [words for words in scene.words if words.text.endswith((f" {zone}", f" {name}"))]
    assert bought in [words.text for words in scene_of(replace(charts[1], zone=zone)).words]


@pytest.mark.parametrize(
    ("begin", "marks"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), ["29 Mar 00:00", "29 Mar 05:00 Europe/Berlin"]),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), ["25 Oct 00:00", "25 Oct 03:00 Europe/Berlin"]),
    ],
    ids=["forward", "back"],
)
def test_an_axis_over_a_change_of_the_clock_begins_and_ends_by_it_and_its_hours_are_alike(
    begin: datetime, marks: list[str]
):
    chart = equity_chart(1.0, 2.0, 1.5, 2.5, 2.0)
    scene = scene_of(replace(chart, zone="Europe/Berlin", times=tuple(begin + hour * HOUR for hour in range(5))))
    assert [words.text for words in scene.words if words.text.startswith(("29 Mar", "25 Oct"))] == marks
    (line,) = next(
        each.lines for each in scene.shapes if each.role == "equity" and len(each.lines[0]) == len(chart.times)
    )
    steps = [round(after[0] - before[0]) for before, after in pairwise(line)]
    assert max(steps) - min(steps) <= 1


def test_the_largest_drawdown_is_told_and_none_is_not():
    assert "-10.0%" in [words.text for words in scene_of(equity_chart(100.0, 90.0, 95.0)).words]
    assert not any(words.text.startswith("-") for words in scene_of(equity_chart(100.0, 101.0)).words)


def test_the_word_drawdown_stands_beside_its_area_however_deep_that_is_at_the_end():
    scene = scene_of(equity_chart(100.0, 95.0, 90.0))
    (fall,) = [area for area in scene.shapes if area.role == "fall"]
    (word,) = [words for words in scene.words if words.text == "drawdown"]
    assert word.y < min(y for area in fall.shapes for _, y in area)


def test_a_line_that_is_not_known_at_first_begins_where_it_is():
    chart = equity_chart(1.0, 2.0, 3.0, 4.0, hold=(None, None, 1.0, 2.0))
    (hold,) = [shape for shape in scene_of(chart).shapes if shape.role == "hold" and shape.kind == "strokes"][1:]
    assert [len(line) for line in hold.lines] == [2]
    assert not [words for words in scene_of(replace(chart, hold=())).words if words.text == "buy and hold"]


@pytest.mark.parametrize("price", [60_000, 8e-7, 1.2345, 0.00001234])
@pytest.mark.parametrize(
    "levels",
    [
        {"stop": 0.98, "target": 1.03, "exit_": 1.03},
        {"stop": 0.9999, "target": 1.0001, "exit_": 0.9999},
        {"stop": 0.3, "target": 4.0, "exit_": 1.0},
    ],
    ids=["apart", "all at one price", "far away"],
)
def test_every_price_of_a_trade_has_a_label_that_can_be_read(price: float, levels: dict[str, float]):
    scene = scene_of(trade_chart(price, **levels))
    assert complaints(scene) == []
    assert {words.role for words in scene.words} == {"title", "axis", "stop", "target", "entry", "exit"}
    assert "3 Jan 17:00" in [words.text for words in scene.words], "when it was bought"


def test_a_price_outside_of_the_picture_is_pointed_at():
    labels = {words.role: words.text for words in scene_of(trade_chart(100, stop=0.5, target=2)).words}
    assert labels["stop"].startswith("↓ Stop 50")
    assert labels["target"].startswith("↑ Target 200")


def test_no_text_breaks_a_picture():
    chart = replace(trade_chart(), title=HOSTILE, alt=HOSTILE)
    scene = scene_of(chart)
    (title,) = [words.text for words in scene.words if words.role == "title"]
    assert title == scene.alt == "<svg onload=x> $\\frac{1}{0}$   ? 汉"


def test_what_was_paid_in_is_no_gain_in_the_picture():
    """The line that profit is above of goes up with it, and so does the picture's height."""
    chart = equity_chart(100.0, 101.0, 601.0, 590.0)
    shapes = {shape.role: shape for shape in scene_of(replace(chart, put_in=(100.0, 100.0, 600.0, 600.0))).shapes}
    assert [len(line) for line in shapes["zero"].lines] == [4]
    gained = scene_of(chart), scene_of(replace(chart, put_in=(100.0, 100.0, 600.0, 600.0)))
    assert [_area(scene, "gain") > 10 * _area(gained[1], "gain") for scene in gained] == [True, False]
    assert [_area(scene, "loss") > 0 for scene in gained] == [False, True]


def _area(scene: Scene, role: str) -> float:
    """Of all shapes with a role, by the formula of Gauss."""
    shapes = [shape for each in scene.shapes if each.role == role and each.kind == "areas" for shape in each.shapes]
    around = [(a, b) for shape in shapes for a, b in zip(shape, (*shape[1:], shape[0]), strict=True)]
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in around)) / 2


@examples(60)
@given(st.lists(st.floats(1e-8, 1e8), min_size=2, max_size=50))
def test_whatever_the_account_was_worth_it_can_be_drawn(values: list[float]):
    scene = scene_of(equity_chart(*values))
    points = [point for shape in scene.shapes if shape.kind == "strokes" for line in shape.lines for point in line]
    assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in points)


@pytest.mark.parametrize("width", [352, 960])
@pytest.mark.parametrize("price", [60_000, 8e-7, 1.2345])
def test_the_trades_of_a_market_are_on_its_candles(price: float, width: float):
    scene = scene_of(trades_chart(price), width, 300)
    assert complaints(scene) == []
    arrows = {shape.role: len(shape.shapes) for shape in scene.shapes[-9:] if shape.kind == "areas"}
    assert (arrows["entry"], arrows["won"]) == (3, 1)
    lines = {shape.role: len(shape.lines) for shape in scene.shapes if shape.kind == "strokes"}
    assert (lines["won"], lines["lost"]) == (1, 2)
    points = [point for shape in scene.shapes if shape.kind == "areas" for area in shape.shapes for point in area]
    assert all(-5 <= x <= width + 5 and 0 <= y <= 300 for x, y in points)


def test_what_is_still_open_has_a_line_to_the_end_and_no_arrow_there():
    scene = scene_of(trades_chart(trades=1), 400, 300)
    (line,) = [shape.lines[0] for shape in scene.shapes if shape.role == "lost" and shape.kind == "strokes"]
    assert line[1][0] == 400 - 8
    assert len([shape for shape in scene.shapes if shape.role == "lost" and shape.kind == "areas"]) == 1  # the legend's


def test_trades_outside_of_the_candles_are_left_out_and_without_any_there_is_no_legend():
    chart = trades_chart(trades=1)
    before = replace(chart.trades[0], begin=NOON - 9 * HOUR, end=NOON - 8 * HOUR)
    for scene in (scene_of(replace(chart, trades=each)) for each in ((before,), ())):
        assert not [words for words in scene.words if words.text == "bought"]
        assert {"rise", "sink"} <= {shape.role for shape in scene.shapes}


def test_painters_know_every_role():
    charts = (equity_chart(1.0, 2.0, 0.5, hold=(1.0, 2.0, 3.0)), trade_chart(), trades_chart())
    assert {shape.role for chart in charts for shape in scene_of(chart).shapes} <= set(COLOURS)
