"""Pictures: what is drawn, and that a worker draws it."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest

from handlers.charts import MOST_POINTS, Draughtsman, thinned

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def points(count: int) -> list[tuple[datetime, float, float]]:
    return [(NOON + timedelta(hours=n), 100.0 + n % 7, 0.1 - n % 7 / 100) for n in range(count)]


@pytest.mark.parametrize("count", [2, MOST_POINTS, MOST_POINTS + 1, 5 * MOST_POINTS + 3])
def test_long_rows_are_thinned_and_keep_the_newest(count: int):
    shown = thinned(points(count))
    assert len(shown) <= MOST_POINTS
    assert shown[-1] == points(count)[-1]


async def test_a_worker_draws_a_png():
    pytest.importorskip("matplotlib", reason="the extra viewer is not installed")
    draughtsman = Draughtsman()
    png = await draughtsman.equity(points(50), "Equity in USDT, 2 days")
    draughtsman.close()
    assert png.startswith(b"\x89PNG\r\n")
    assert int.from_bytes(png[16:20], "big") > int.from_bytes(png[20:24], "big") > 300


async def test_another_worker_draws_on_where_one_was_killed():
    pytest.importorskip("matplotlib", reason="the extra viewer is not installed")
    draughtsman = Draughtsman()
    before = set(multiprocessing.active_children())
    await draughtsman.equity(points(50), "Equity")
    for worker in set(multiprocessing.active_children()) - before:
        worker.kill()
        worker.join()
    png = await draughtsman.equity(points(50), "Equity")
    draughtsman.close()
    assert png.startswith(b"\x89PNG\r\n")
