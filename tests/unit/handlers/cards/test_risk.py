"""Limits and what is used of them, as people read them."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.messages import BREAK
from engine.domain.risk_views import Tail
from engine.domain.trading_states import StateChange, TradingState
from handlers.cards import risk
from tests.fakes import reports

REDUCING = StateChange(state=TradingState.REDUCING, at=reports.NOON, reason="paused by Ann", by="Ann", halt_id="H1")
NOTHING = Tail(historical=None, cornish_fisher=None, value=None, limit=None)


def plain(text: str) -> str:
    return text.replace(BREAK, "")


def test_each_limit_stands_with_what_is_used_of_it_and_those_that_are_off_are_named():
    card = risk.risk(reports.risk_report())
    assert card.title == "Risk: active"
    assert dict(card.fields) == {
        "Per trade": "at most 100.00 EUR (1.00%)",
        "Positions": "2 of 4",
        "Losses of btc momentum": "3 in a row",
    }
    assert [(item.title, plain(item.text)) for item in card.items] == [
        ("Drawdown until entries pause", "2.00% of 10.00%, 20% used"),
        ("Exposure", "15.00% of 75.00%, 20% used"),
        ("VaR 95% of a day", "1.53% of 3.00%, 51% used"),
        ("CVaR 95% of a day", "unknown, of 5.00%"),
    ]
    assert "Off: max open risk, max fall\n" in plain(card.text)
    assert "A strategy rests from 4 losses in a row on." in plain(card.text)


def test_what_halts_entries_and_what_a_drawdown_leaves_is_told():
    halt = HaltView(id="H1", halt=Halt(kind=HaltKind.PAUSE, reason="paused by Ann", since=reports.NOON))
    card = risk.risk(
        reports.risk_report(
            state=REDUCING,
            halts=(halt,),
            size=Decimal("0.5"),
            risk_per_trade=Decimal("0.005"),
            streaks={},
            max_positions=None,
        )
    )
    assert card.title == "Risk: reducing"
    assert (card.items[0].title, card.items[0].text) == ("Halted", "H1, pause until somebody resumes: paused by Ann")
    assert {name: plain(value) for name, value in card.fields} == {
        "Since": "2026-01-03 12:00 UTC",
        "Because": "paused by Ann\nby Ann",
        "That is": "no entries; exits and stops go on",
        "Per trade": "at most 50.00 EUR (0.50%)",
        "Positions": "2",
    }
    assert plain(card.text).startswith("50.00% of the usual sizes until the drawdown has been made good")


def test_value_at_risk_is_told_both_ways_with_its_limit_its_markets_and_what_is_not_counted():
    card = risk.var(reports.var_report())
    assert plain(card.title) == "VaR of a day: 153.00 EUR (1.53%)"
    assert {name: plain(value) for name, value in card.fields} == {
        "Held": "1,500.00 EUR (15.00%)",
        "Told by": "299 returns of 1h",
        "Up to": "2026-01-03 12:00 UTC",
        "Not counted": "SOL/EUR",
    }
    assert [(item.title, plain(item.text)) for item in card.items] == [
        ("VaR 95%", "by history 123.00 EUR (1.23%)\nCornish-Fisher 153.00 EUR (1.53%)\n1.53% of 3.00%, 51% used"),
        ("CVaR 95%", "by history 201.00 EUR (2.01%)\nCornish-Fisher no answer"),
        ("BTC/EUR", "1,000.00 (10.00%)\nalone VaR 101.00 EUR (1.01%)\nvolatility 3.12% a day"),
        ("SOL/EUR", "500.00 (5.00%)"),
        ("BTC/EUR, ETH/EUR", "correlation 0.83"),
    ]
    assert plain(card.text).endswith("No limit: risk.max_cvar")


def test_where_nothing_is_held_or_known_the_card_says_so():
    nothing = risk.var(reports.var_report(markets=(), exposure=Decimal(0)))
    assert nothing.title == "Value at risk: nothing is held"
    unknown = risk.var(reports.var_report(var=NOTHING, cvar=NOTHING, as_of=None, timeframe="", candles=0))
    assert unknown.title == "Value at risk: not known"
    assert [name for name, _ in unknown.fields] == ["Held", "Not counted"]
    assert "once a candle" in plain(unknown.text)


def test_exposure_is_told_by_coin_sector_and_strategy():
    card = risk.exposure(reports.exposure_report())
    assert card.title == "Exposure: 1,500.00 EUR (15.00%)"
    assert dict(card.fields) == {
        "At most": "7,500.00 EUR (75.00%)",
        "Open risk": "80.00 EUR (0.80%)\nof 400.00 EUR",
        "Free cash": "8,500.00 EUR (85.00%)",
    }
    assert [(plain(item.title), item.text) for item in card.items] == [
        ("BTC", "1,000.00 EUR (10.00%)\nof at most 2,500.00 EUR (25.00%)"),
        ("SOL", "500.00 EUR (5.00%)\nof at most 2,500.00 EUR (25.00%)"),
        ("Sector layer1", "500.00 EUR (5.00%)\nof at most 1,000.00 EUR (10.00%)"),
        ("Strategy btc momentum", "1,500.00 EUR (15.00%)"),
    ]
    assert risk.exposure(reports.exposure_report(coins=(), sectors=(), contexts=())).text == "Nothing is held."
