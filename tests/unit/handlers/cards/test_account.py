from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.days import Period
from engine.domain.halts import HaltKind
from engine.domain.trading_states import StateChange, TradingState
from handlers.cards import account, alerts, figures
from handlers.cards.lines import for_phone
from tests.fakes import reports


def test_the_status_says_whether_it_trades_and_how_it_stands():
    card = account.status(reports.status())
    assert card.title == "Trading (demo, paper)"
    told = dict(card.fields)
    assert told["Equity"] == "10,012.35 USDT"
    assert told["Today"] == "-12.50 USDT (-0.12%)"
    assert told["Since 2026-01-01 12:00 UTC"] == "+12.35 USDT (+0.12%)"
    assert told["Buy and hold of the markets"] == "+3.45%"
    assert told["Cash"] == "9,000.00 USDT (89.89%)"
    assert told["Drawdown"] == "1.23%"
    assert told["Open approvals"] == "2 (/pending)"
    assert told["Prices"] == "BTC/USDT 20,000.00"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "ACTIVE"),
        (
            StateChange(state=TradingState.REDUCING, at=reports.NOON, reason="paused by Ann", by="Ann", halt_id="H1"),
            "REDUCING: paused by Ann, since 2026-01-03 12:00 UTC",
        ),
        (
            StateChange(state=TradingState.HALTED, at=reports.NOON, reason="drawdown 36.0%", by="the trigger drawdown"),
            "HALTED: drawdown 36.0% (the trigger drawdown), since 2026-01-03 12:00 UTC",
        ),
        (
            StateChange(state=TradingState.ACTIVE, at=reports.NOON, reason="H1 is over: all is well", by="Ada"),
            "ACTIVE: H1 is over: all is well (Ada), since 2026-01-03 12:00 UTC",
        ),
    ],
)
def test_the_status_says_how_far_it_may_trade_why_and_who_called_for_that(state, told):
    assert dict(account.status(reports.status(state=state)).fields)["State"] == told


def test_each_price_has_a_line_of_its_own():
    prices = (("BTC/USDT", Decimal("20000.00")), ("ETH/USDT", Decimal("1500.00")))
    told = dict(account.status(reports.status(prices=prices)).fields)
    assert told["Prices"] == "BTC/USDT 20,000.00\nETH/USDT 1,500.00"


def test_before_the_first_price_no_prices_are_spoken_of():
    assert "Prices" not in dict(account.status(reports.status(prices=())).fields)


def test_what_was_paid_in_and_out_is_told_beside_every_result():
    moved = {"paid_in": Decimal(500), "paid_out": Decimal("20.5")}
    told = [("Paid in", "500.00 USDT"), ("Paid out", "20.50 USDT")]
    cards = (
        account.status(reports.status(**moved)),
        for_phone(account.profit(replace(reports.profit(), **moved))),
        figures.periods(replace(reports.profit(), **moved), Period.WEEK),
        alerts.digest(reports.digest(**moved)),
    )
    assert [[field for field in card.fields if field in told] for card in cards] == [told] * 4
    assert not [name for name, _ in account.status(reports.status()).fields if name.startswith("Paid")]


def test_what_was_paid_in_is_no_rise_of_the_graph():
    report = reports.profit()
    first, second = report.days
    jumped = replace(report, days=(first, replace(second, equity=second.equity + 500, paid=Decimal(500))))
    assert for_phone(account.profit(jumped)).graph == for_phone(account.profit(report)).graph == (10_000, 10_001)
    assert figures.periods(jumped, Period.DAY).graph == (10_000, 10_001)


def test_the_status_of_a_new_account_has_no_past():
    names = {name for name, _ in account.status(reports.status(began_at=None, benchmark=None)).fields}
    assert not any(name.startswith(("Since", "Buy and hold")) for name in names)


def test_the_status_names_what_stops_new_entries():
    halts = (reports.halt(until=reports.ANSWERED), reports.halt(HaltKind.DATA, symbol="BTC/USDT", reason="a gap"))
    card = account.status(reports.status(trading=False, halts=halts))
    assert card.title.startswith("Not trading")
    assert card.text.splitlines() == [
        "H1, pause until 2026-01-03 12:05 UTC: a look at the news",
        "H1, BTC/USDT: data halt: a gap",
    ]


def test_the_status_says_why_nothing_is_entered_where_that_is_no_halt():
    card = account.status(reports.status(trading=False, no_entry="this machine's clock is 10 min behind binance's"))
    assert card.title.startswith("Not trading")
    assert card.text == "This machine's clock is 10 min behind binance's"


def test_the_status_names_what_no_strategy_manages():
    assert account.status(reports.status(unmanaged=("T3", "T5"))).text == "No strategy manages T3 and T5"


def test_the_status_before_the_first_cycle_says_so():
    assert dict(account.status(reports.status(last_cycle_at=None)).fields)["Last decision cycle"] == "none yet"


def test_the_balance_lists_every_currency():
    card = account.balance(reports.balance())
    assert card.title == "Balance: 9,124.52 USDT"
    assert [(item.title, item.text) for item in card.items] == [
        ("USDT 9,000.50", "9,000.50 USDT (98.64%)"),
        ("BTC 0.00617", "124.02 USDT (1.36%)"),
    ]


def test_the_money_of_an_account_is_told_to_the_cent_however_much_it_is():
    cash = Decimal("1228398.51")
    card = account.balance(replace(reports.balance(), rows=(("USDT", cash, cash),), equity=cash))
    assert [(item.title, item.text) for item in card.items] == [("USDT 1,228,398.51", "1,228,398.51 USDT (100.00%)")]


def test_profit_is_signed_by_day_and_drawn():
    card = for_phone(account.profit(reports.profit()))
    assert card.title == "-5.00 USDT (-0.05%) in 2 days"
    assert card.table.rows[0] == ("01-01", "+10.00", "+0.10%", "+1.00%")
    assert dict(card.fields)["Won"] == "1 of 2 (50.00%)"
    assert dict(card.fields)["Since"] == "2026-01-01 12:00 UTC"
    assert card.graph == (10000.0, 10001.0)


def test_where_nothing_was_made_the_fees_are_of_what_there_is():
    idle = replace(reports.profit(), net=Decimal(0), share=Decimal(0), fees=Decimal(0))
    assert dict(account.profit(idle).fields)["Fees, taken off"] == "0.00 USDT (0.00%)"
    charged = replace(idle, fees=Decimal("1.25"))
    assert dict(account.profit(charged).fields)["Fees, taken off"] == "1.25 USDT (0.01%)"


def test_profit_tells_the_drawdown_of_now_from_the_largest_of_its_days():
    fields = dict(for_phone(account.profit(reports.profit())).fields)
    assert (fields["Drawdown"], fields["Largest drawdown in 2 days"]) == ("1.50%", "2.00%")
