"""Who manages what is held: the context that opened it, as long as it trades that market at that venue."""

from __future__ import annotations

from typing import Any

import pytest

from engine.domain.positions import EXTERNAL
from engine.domain.results import AtWork
from engine.domain.unmanaged import Absence, absence
from tests.fakes import reports

TREND = AtWork(name="trend", strategy="momentum", venue="paper", markets=("BTC/USDT", "ETH/USDT"), timeframe="1h")
OTHER = AtWork(name="other", strategy="momentum", venue="kraken", markets=("SOL/USDT",), timeframe="1h")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"symbol": "ETH/USDT"}, None),
        ({"context": "gone"}, Absence.CONTEXT),
        ({"context": "Trend"}, Absence.CONTEXT),
        ({"symbol": "SOL/USDT"}, Absence.MARKET),
        ({"venue": "kraken"}, Absence.VENUE),
        ({"context": EXTERNAL, "symbol": "SOL/USDT"}, None),
    ],
)
def test_a_position_is_managed_by_the_context_that_opened_it_where_that_trades_it(
    changes: dict[str, Any], why: Absence | None
):
    held = reports.position(**{"context": "trend", **changes})
    assert absence(held, (OTHER, TREND)) is why


def test_where_no_strategy_is_at_work_none_manages_anything_but_what_is_somebody_elses():
    assert absence(reports.position(), ()) is Absence.CONTEXT
    assert absence(reports.position(context=EXTERNAL), ()) is None
