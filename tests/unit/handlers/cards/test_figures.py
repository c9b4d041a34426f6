"""Figures as people read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from engine.domain.days import Period
from engine.domain.messages import Card
from engine.domain.results import Tally
from handlers.cards import account, alerts, figures
from handlers.cards.lines import for_phone
from handlers.cards.monospace import WIDTH, aligned
from tests.fakes import reports


def told(card: Card) -> list[tuple[str, str]]:
    return [(item.title, item.text) for item in card.items]


def test_weeks_stand_under_their_first_day_with_hold_and_trades() -> None:
    card = for_phone(figures.periods(reports.profit(), Period.WEEK))
    assert card.title == "-5.00 USDT (-0.05%) in 2 weeks"
    assert dict(card.fields)["Since"] == "2026-01-01 12:00 UTC"
    assert dict(card.fields)["Won"] == "1 of 2 (50.00%)"
    assert card.table is not None
    assert aligned(card.table) == [
        " Week     Net      %  Hold %  #",
        "01-01  +10.00  +0.10   +1.00  0",
        "01-02   -5.00  -0.05   +1.00  1",
    ]


def test_what_somebody_else_traded_stands_apart() -> None:
    theirs = Tally(trades=2, won=1, net=Decimal("3.1"), cost=Decimal(200))
    field, none = ("External trades", "2, +3.10 USDT (+1.55%)"), Tally(trades=0, won=0, net=Decimal(0), cost=None)
    for card in (
        for_phone(figures.performance(reports.performance(external=theirs))),
        for_phone(figures.stats(reports.trade_stats(external=theirs))),
        for_phone(figures.periods(replace(reports.profit(), external=theirs), Period.WEEK)),
        account.profit(replace(reports.profit(), external=theirs)),
        alerts.digest(reports.digest(external=2, external_net=Decimal("3.1"), external_cost=Decimal(200))),
        for_phone(figures.performance(reports.performance(total=none, markets=(), contexts=(), external=theirs))),
        for_phone(figures.stats(reports.trade_stats(total=none, endings=(), expectancy=None, external=theirs))),
    ):
        assert field in card.fields
    old = alerts.digest(reports.digest(external=2, external_net=Decimal("3.1")))
    assert ("External trades", "2, +3.10 USDT") in old.fields, "what they had cost was not kept"
    assert "External trades" not in dict(for_phone(figures.stats(reports.trade_stats())).fields)


def test_months_are_called_by_their_year_too() -> None:
    table = for_phone(figures.periods(reports.profit(), Period.MONTH)).table
    assert table is not None
    assert table.rows[0][0] == "2026-01"


@pytest.mark.parametrize(
    ("net", "closed", "columns"),
    [
        (Decimal(-99_999), 99, ("Month", "Net", "%", "Hold %")),
        (Decimal(9_999), 99, ("Month", "Net", "%", "Hold %", "#")),
        (Decimal(10**10), 1, ("Month", "Net", "%")),
        (Decimal(10**15), 1, ("Month", "Net")),
        (Decimal(10**24), 1, ("Month",)),
    ],
)
def test_what_does_not_fit_a_phone_is_left_out_from_the_right(
    net: Decimal, closed: int, columns: tuple[str, ...]
) -> None:
    report = reports.profit(1)
    day = replace(report.days[0], day=date(2026, 1, 1), net=net, share=Decimal("0.999"), closed=closed)
    card = for_phone(figures.periods(replace(report, days=(day,)), Period.MONTH))
    table = card.table
    assert table is not None
    assert table.head == columns
    assert ("Hold:" in card.text, "#:" in card.text) == ("Hold %" in columns, "#" in columns)
    assert max(map(len, aligned(table))) <= WIDTH


def test_performance_is_by_market_then_by_strategy() -> None:
    card = for_phone(figures.performance(reports.performance()))
    assert card.title == "+120.50 USDT (+2.50%),\n23 closed trades"
    assert card.fields == (("Won", "14 of 23 (60.87%)"), ("Bought for", "4,820.00 USDT"))
    assert told(card) == [
        ("BTC/USDT +140.50 (+3.51%)", "won 14 of 20 (70.00%)"),
        ("ETH/USDT -20.00 (-2.44%)", "won 0 of 3 (0.00%)"),
        ("Strategy btc momentum +140.50 (+3.51%)", "won 14 of 20 (70.00%)"),
        ("Strategy eth reversion -20.00 (-2.44%)", "won 0 of 3 (0.00%)"),
    ]


def test_the_only_strategy_is_not_told_again_and_an_unknown_cost_not_made_up() -> None:
    unknown = reports.tally(cost=None)
    report = reports.performance(total=unknown, contexts=(("btc_momentum", unknown),))
    card = for_phone(figures.performance(report))
    assert len(card.items) == 2
    assert (card.title, card.fields) == ("+120.50 USDT, 23 closed trades", (("Won", "14 of 23 (60.87%)"),))


def test_stats_tell_how_trades_ended_and_what_one_brings() -> None:
    card = for_phone(figures.stats(reports.trade_stats()))
    assert dict(card.fields) == {
        "Won": "14 of 23 (60.87%)",
        "Average trade": "+5.24 USDT (+2.50%)",
        "Profit factor (won / lost)": "2.52",
        "Winners held for": "5 h 20 min",
        "Losers held for": "1 h",
        "Best": "T3 BTC/USDT +5.92 (+4.80%)",
        "Worst": "T4 BTC/USDT -20.25 (-16.41%)",
        "Longest row of losses": "4, btc momentum",
    }
    assert told(card) == [
        ("Its target: +200.00 (+7.14%)", "won 14 of 14 (100.00%)"),
        ("Its stop: -79.50 (-3.94%)", "won 0 of 9 (0.00%)"),
    ]


def test_stats_name_what_people_closed_by_how_they_did() -> None:
    endings = (("close", reports.tally(2, 1, "-3.94", "4820")), ("exit", reports.tally(1, 1, "5", "100")))
    ended = [name for name, _ in told(for_phone(figures.stats(reports.trade_stats(endings=endings))))]
    assert ended == ["/close: -3.94 (-0.08%)", "Its strategy: +5.00 (+5.00%)"]


def test_stats_without_losses_divide_by_nothing() -> None:
    nothing_lost = {"profit_factor": None, "lost_after": None, "losing_streak": 0, "losing_context": ""}
    fields = dict(for_phone(figures.stats(reports.trade_stats(**nothing_lost))).fields)
    assert fields["Profit factor (won / lost)"] == "nothing was lost"
    assert "Losers held for" not in fields
    assert fields["Longest row of losses"] == "0"


def test_without_closed_trades_there_is_nothing_to_tell() -> None:
    none = reports.tally(0, 0, "0", "0")
    for card in (
        for_phone(figures.performance(reports.performance(total=none, markets=(), contexts=()))),
        for_phone(figures.stats(reports.trade_stats(total=none, endings=(), expectancy=None))),
    ):
        assert card.title == "No closed trades yet"


def test_counts_stand_beside_their_limits() -> None:
    card = figures.count(reports.counts())
    assert card.title == "2 of 6 positions open"
    assert dict(card.fields) == {
        "Open approvals": "1\n500.00 USDT (5.00%) if approved",
        "Exposure": "1,500.00 (15.00%)\nof 7,500.00 USDT (75.00%)",
    }
    assert told(card) == [
        ("BTC 1,000.00 (10.00%)", "of at most 2,500.00 (25.00%)"),
        ("ETH 500.00 (5.00%)", "of at most 2,500.00 (25.00%)"),
    ]


def test_counts_tell_of_what_is_beyond_its_limit_of_others_and_of_a_drawdown() -> None:
    beyond = (("BTC", Decimal(3000)),)
    card = for_phone(figures.count(reports.counts(coins=beyond, others=1, approvals=0, size=Decimal("0.25"))))
    fields = dict(card.fields)
    assert fields["Held beside them"] == "1 position that no strategy here holds"
    assert fields["Open approvals"] == "0"
    assert fields["Limits"] == "25.00% of the usual ones\nuntil the drawdown has been made good"
    assert card.items[0].text == "above the limit of 2,500.00 (25.00%)"


def test_counts_of_an_empty_account_divide_by_nothing() -> None:
    nothing = Decimal(0)
    card = figures.count(reports.counts(equity=nothing, exposure=nothing, max_exposure=nothing, coins=()))
    assert dict(card.fields)["Exposure"] == "0.00\nof 0.00 USDT"


def test_a_strategy_tells_what_it_does_how_it_stands_and_what_it_may() -> None:
    card = figures.strategies(reports.strategies())
    assert card.title == "1 strategy at work"
    assert card.fields == (("Acts alone", "from 0.80 on"), ("Asks", "from 0.55 on"))
    assert [(title, text.splitlines()) for title, text in told(card)] == [
        (
            "btc momentum on 1h",
            [
                "may enter ETH/USDT",
                "strategy momentum",
                "BTC/USDT, ETH/USDT",
                "1 open",
                "won 14 of 23 (60.87%)",
                "+120.50 USDT (+2.50%)",
                "Not BTC/USDT: \u200bbtc_momentum already holds T3",
            ],
        )
    ]


def test_a_strategy_that_is_stopped_everywhere_says_why_once() -> None:
    both = tuple((market, "paused by Ann") for market in ("BTC/USDT", "ETH/USDT"))
    stopped = reports.context_view(obstacles=both, closed=reports.tally(0, 0, "0", "0"))
    free = reports.context_view(obstacles=())
    first, second = figures.strategies(reports.strategies(contexts=(stopped, free))).items
    assert first.text.splitlines()[0] == "no entries now"
    assert first.text.splitlines()[3:] == ["1 open", "no closed trades", "Not now: paused by Ann"]
    assert second.text.splitlines()[0] == "may enter"


@pytest.mark.parametrize(
    ("auto", "ask", "words"),
    [(1.1, 0.5, ("never", "from 0.50 on")), (0.6, 0.6, ("from 0.60 on", "never")), (2, 0, ("never", "from 0.00 on"))],
)
def test_a_bot_that_never_acts_alone_or_never_asks_says_so(auto: float, ask: float, words: tuple[str, str]) -> None:
    card = figures.strategies(reports.strategies(auto_above=auto, ask_above=ask))
    assert tuple(value for _, value in card.fields) == words
