"""The emergency stop in words."""

from __future__ import annotations

from engine.domain.halt_views import Exposed
from handlers.cards import emergencies
from tests.fakes import reports


def test_what_would_be_sold_has_a_line_each() -> None:
    held = (reports.position(), reports.position(id="T4", symbol="ETH/USDT"))
    fields = dict(emergencies.preview(Exposed(entries=(), positions=held, approvals=0)).fields)
    assert fields["Positions to sell"].splitlines() == ["T3, 0.00617 BTC/USDT", "T4, 0.00617 ETH/USDT"]
    assert (fields["Orders to cancel"], fields["Open approvals"]) == ("none", "none")
