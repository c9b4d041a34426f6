"""What the templates make of figures."""

from __future__ import annotations

import re
from decimal import Decimal
from zoneinfo import ZoneInfo

from handlers.cards.pictures import equity_chart
from handlers.web.rendering import render
from tests.fakes.reports import points, position, position_view, status


def test_the_board_of_an_account_in_bitcoin_tells_everything_in_its_decimals() -> None:
    """Seen: two decimals for all of it."""
    account = status(quote="BTC", equity=Decimal("0.39891813"), cash=Decimal("0.3"), day_net=Decimal("-0.0001"))
    held = position_view(position=position(symbol="ETH/BTC"), net=Decimal("0.00001234"))
    chart = equity_chart(points(Decimal("0.398594761"), Decimal("0.39891813")), "BTC", ZoneInfo("UTC"))
    html = render("board.html", status=account, halts=(), positions=[held], chart=chart)
    shown = re.findall(r">(?:Low |High )?([+-]?\d[\d,]*\.\d+)", html)
    for amount in ("0.39891813", "-0.00010000", "0.39859476", "+0.00001234", "0.30000000"):
        assert amount in shown
    assert ": from 0.39859476 to 0.39891813, lowest 0.39859476" in html
