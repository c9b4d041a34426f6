"""What a replay is said to have come to, in words and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bot.summary import Summary, as_json, text
from engine.store.history import History
from tests.fakes.reports import NOON

RUN = Summary(
    market="BTCEUR-4h",
    begins=NOON,
    ends=NOON + timedelta(days=30),
    candles=180,
    seconds=2.0,
    quote="EUR",
    equity=Decimal("9987.655"),
    cash=Decimal(9000),
    exposure=Decimal("987.655"),
    net=Decimal("-12.345"),
    share=Decimal("-0.0012345"),
    benchmark=Decimal("0.0345"),
    fees=Decimal("3.21"),
    closed=3,
    won=2,
    drawdown=Decimal("0.01"),
    max_drawdown=Decimal("0.0298"),
    paid_in=Decimal(0),
    paid_out=Decimal(0),
    history=History(
        decisions={"held": 170, "executed": 4},
        approvals={},
        orders={"filled": 7},
        trades={"closed": 3, "open": 1},
        fills=7,
        events=44,
        fingerprint="ab" * 32,
    ),
)


def test_the_lines_say_what_came_of_it_beside_what_holding_would_have():
    lines = dict(line.split(maxsplit=1) for line in text(RUN).splitlines())
    assert lines["candles"] == "180 in 2.0 s, 90 a second"
    assert lines["trades"] == "3 closed, 1 open, won 2 of 3 (66.67%)"
    assert lines["profit"] == "-12.34 EUR (-0.12%) after 3.21 of fees (0.03%)"
    assert lines["hold"] == "buying and holding the markets came to +3.45%"
    assert lines["equity"] == "9,987.66 EUR: cash 9,000.00 (90.11%), exposure 987.66 (9.89%)"
    assert lines["drawdown"] == "1.00%, the largest 2.98%"


def test_what_was_paid_in_or_out_is_named_beside_the_profit():
    moved = replace(RUN, paid_in=Decimal(500))
    assert "after 3.21 of fees (0.03%); without 500.00 paid in and 0.00 paid out" in text(moved)


def test_a_run_of_nothing_divides_by_nothing():
    empty = replace(RUN, candles=0, seconds=0.0, closed=0, won=0, share=None, benchmark=None)
    assert "0 in 0.0 s, 0 a second" in text(empty)
    assert "came to not known" in text(empty)
    assert "won" not in text(empty)
    assert "after 3.21 of fees\n" in text(empty)


def test_programs_get_every_figure_and_no_digits_that_mean_nothing():
    assert json.loads(as_json(replace(RUN, drawdown=Decimal(1) / 3)))["drawdown"] == "0.333333333333"
    told = json.loads(as_json(RUN))
    assert told["net"] == "-12.345"
    assert json.loads(as_json(replace(RUN, net=Decimal("0E-8"))))["net"] == "0.00000000"
    assert told["begins"] == "2026-01-03T12:00:00Z"
    assert told["history"]["decisions"] == {"held": 170, "executed": 4}
    assert set(told) == set(Summary.__slots__)
