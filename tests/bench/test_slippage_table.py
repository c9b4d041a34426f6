"""The table of slippage: numbers worked out by hand, and the page against the capture."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from engine.data.book_files import RecordedBook
from tests.bench import slippage_table as table
from tests.fakes.data import real_file


def told(at_ms: int, price: float, quantity: float, *, sold: bool = False) -> str:
    data = {"e": "trade", "p": str(price), "q": str(quantity), "T": at_ms, "m": sold}
    return f"1 {json.dumps({'stream': 's', 'data': data}, separators=(',', ':'))}\n"


def test_prints_of_one_side_and_one_millisecond_are_one_order(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "capture.gz", "wt") as file:
        file.writelines([told(5, 100, 1), told(5, 101, 2), told(5, 99, 1, sold=True), told(6, 99, 1, sold=True)])
    found = list(table.taker_orders(tmp_path / "capture.gz"))
    assert [(each.at_ms, each.buys, each.quantity, each.value) for each in found] == [
        (5, True, 3, 302),
        (5, False, 1, 99),
        (6, False, 1, 99),
    ]


def test_a_cost_is_of_the_best_price_of_the_book_before_and_above_0_on_both_sides() -> None:
    """Two of 100 and 101: 50 bp were estimated; both were had at 102: 200 bp. Sold at 98 of bids 99 and 98."""
    books = [
        RecordedBook("BTCUSDT", 1_000, [(99, 1), (98, 1)], [(100, 1), (101, 9)]),
        RecordedBook("BTCUSDT", 5_000, [(50, 9)], [(51, 9)]),
    ]
    bought = table.TakerOrder(at_ms=5, buys=True, prints=((102, 2),))
    sold = table.TakerOrder(at_ms=5, buys=False, prints=((98, 2),))
    more = table.TakerOrder(at_ms=5, buys=True, prints=((102, 11),))
    buy, sale = table.measured([bought, sold, more], books, 0)
    assert (buy.estimated, buy.paid, buy.error) == pytest.approx((50, 200, 150))
    assert (sale.estimated, sale.paid) == pytest.approx((0.5 / 99 * 1e4, 1 / 99 * 1e4))
    assert not any(buy.within)
    assert table.measured([bought], books, 4) == []


@pytest.mark.slow
def test_the_page_is_what_the_capture_gives() -> None:
    section = "\n".join(table.section(real_file(f"orderbook/{table.CAPTURE}")))
    assert section in table.PAGE.read_text()
