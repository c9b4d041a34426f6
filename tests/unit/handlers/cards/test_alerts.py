from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.approvals import Ordered
from engine.domain.halts import HaltKind
from engine.domain.unmanaged import Absence, Ending
from handlers.cards import alerts, phrases
from handlers.cards.lines import for_phone
from tests.fakes import reports


def test_an_open_trade_shows_what_protects_it():
    card = alerts.trade(reports.trade_view(reports.position()))
    assert card.title == "T3: holding 0.00617 BTC/USDT"
    assert dict(card.fields)["Cost"] == "123.40 USDT", "all of it is no share"
    assert dict(card.fields)["Stop"] == "19,500.00 (-2.50%)"
    assert dict(card.fields)["Fees so far"] == "0.12 USDT (0.10%)"


def test_a_trade_without_a_stop_yet_says_so():
    assert (
        dict(alerts.trade(reports.trade_view(reports.position(stop=None, target=None))).fields)["Stop"]
        == "being placed"
    )


def test_the_card_of_a_trade_that_was_closed_is_a_line_that_does_not_tell_it_twice():
    assert (
        alerts.trade(reports.trade_view(reports.closed_position())).plain
        == "T3: BTC/USDT closed, +5.92 USDT (+4.80%) (see below)"
    )


def test_per_cent_of_a_trade_is_of_what_it_cost_also_where_a_part_of_it_is_sold():
    part = reports.position(quantity=Decimal("0.003085"), realised=Decimal("1.234"))
    card = alerts.trade(reports.trade_view(part))
    assert dict(card.fields)["Cost"] == "61.70 USDT (50.00%)"
    assert dict(card.fields)["Fees so far"] == "0.12 USDT (0.10%)"
    assert card.text == "Per cent is of what it cost."
    assert (
        "Per cent is of what it cost." in for_phone(alerts.closed(reports.trade_view(reports.closed_position()))).text
    )


def test_a_closed_trade_is_told_net_of_fees():
    card = for_phone(alerts.closed(reports.trade_view(reports.closed_position())))
    assert card.title == "T3: BTC/USDT closed,\n+5.92 USDT (+4.80%)"
    told = dict(card.fields)
    assert (told["Closed by"], told["Before fees"], told["Fees"]) == (
        "its target at 21,000.00",
        "+6.17 USDT (+5.00%)",
        "0.25 USDT (0.20%)",
    )


def test_a_loss_is_told_as_one():
    assert for_phone(alerts.closed(reports.trade_view(reports.closed_position(realised=Decimal(-3))))).title.endswith(
        "-3.25 USDT (-2.63%)"
    )


def test_a_trade_says_what_set_it_off_on_which_timeframe_and_who_decided():
    alone = dict(alerts.trade(reports.trade_view()).fields)
    assert alone["Strategy"] == "momentum (btc_momentum) on 1h"
    assert alone["Trigger"] == "the MACD rose above its signal"
    assert alone["Decided by"] == "the bot alone, 1 of 2 agree"
    state = Ordered(votes=(reports.vote(half=True),), order_id="O5", price=Decimal(20000), at=reports.ANSWERED)
    asked = dict(alerts.trade(reports.trade_view(asked=reports.asked(state))).fields)
    assert asked["Decided by"] == "Ann (half)"
    theirs = dict(alerts.trade(reports.trade_view(decision=None)).fields)
    assert theirs["Decided by"] == "somebody else, outside the bot"


@pytest.mark.parametrize(
    ("closed_by", "says"),
    [
        ("stop", "its stop at 19,500.00"),
        ("exit", "its strategy: the MACD fell"),
        ("emergency", "an emergency sale"),
        ("external", "somebody else"),
    ],
)
def test_a_closed_trade_says_why_and_at_what_price(closed_by, says):
    leaving = reports.decision(reasons=("the MACD fell",)) if closed_by == "exit" else None
    view = reports.trade_view(reports.closed_position(closed_by=closed_by), exit=leaving)
    told = dict(for_phone(alerts.closed(view)).fields)
    assert told["Closed by"] == says
    assert told["Sold"] == "0.00617 at 20,000.00\n→ 21,000.00 (+5.00%)"


def test_a_trade_that_somebody_closed_names_them_and_no_reason_of_an_earlier_sale():
    by_ann = reports.closed_position(closed_by="close", closed_by_person="Ann")
    view = reports.trade_view(by_ann, exit=reports.decision(reasons=("the MACD fell",)))
    assert dict(for_phone(alerts.closed(view)).fields)["Closed by"] == "Ann, /close"


def test_a_trade_that_an_emergency_stop_sold_names_who_called_it():
    by_ann = reports.closed_position(closed_by="emergency", closed_by_person="Ann")
    part = reports.filled_order(asked_by="Bob")
    told = dict(
        for_phone(alerts.closed(reports.trade_view(by_ann, sales=(part, reports.filled_order(id="O9"))))).fields
    )
    assert told["Closed by"] == "Ann, /emergency"
    assert told["Part closed by"] == f"Bob, /close:\n{phrases.fills(part)}"


def test_a_part_that_somebody_closed_is_said_beside_what_closed_the_rest():
    sold, rest = reports.filled_order(asked_by="Ann"), reports.filled_order(id="O9")
    part = f"Ann, /close:\n{phrases.fills(sold)}"
    ended = reports.trade_view(reports.closed_position(closed_by="stop"), sales=(sold, rest))
    assert dict(for_phone(alerts.closed(ended)).fields)["Part closed by"] == part
    held = reports.trade_view(reports.position(), sales=(sold,))
    assert dict(for_phone(alerts.trade(held)).fields)["Part closed by"] == part
    whole = reports.closed_position(closed_by="close", closed_by_person="Ann")
    assert "Part closed by" not in dict(for_phone(alerts.closed(reports.trade_view(whole, sales=(sold,)))).fields)


def test_a_position_that_no_strategy_manages_is_told_with_its_worth_and_the_ways_on():
    card = for_phone(alerts.unmanaged(reports.unmanaged_view()))
    assert card.title == "T3: no strategy manages 0.00617 BTC/USDT"
    assert dict(card.fields) == {
        "Why": "there is no context called btc_momentum",
        "Opened by": "btc_momentum",
        "Worth now": "124.02 USDT",
        "Stop": "19,500.00 (-2.50%)",
        "Target": "21,000.00 (+5.00%)",
    }
    assert card.text == (
        "Its stop and target stay at the venue; no strategy will exit it.\n"
        "Let a context called btc_momentum trade BTC/USDT and start again, or /close T3, or leave it to its stop."
    )
    assert not card.alarm


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (Absence.MARKET, "the context btc_momentum does not trade BTC/USDT"),
        (Absence.VENUE, "the context btc_momentum does not trade at paper"),
    ],
)
def test_why_no_strategy_manages_a_position_is_said(why: Absence, told: str):
    assert dict(for_phone(alerts.unmanaged(reports.unmanaged_view(why))).fields)["Why"] == told


def test_a_position_that_nothing_sells_is_an_alarm():
    card = for_phone(alerts.unmanaged(reports.unmanaged_view(protected=False)))
    assert dict(card.fields)["Stop"] == "none"
    assert card.text.startswith("It has no stop at the venue, and no strategy will exit it.")
    assert card.text.endswith("or /close T3, or watch it: nothing else will sell it.")
    assert card.alarm


def test_the_doctor_names_what_no_strategy_manages_in_a_sentence():
    held = reports.unmanaged_view(Absence.MARKET, protected=False).held
    assert phrases.unmanaged(held) == (
        "T3 (0.00617 BTC/USDT, worth 124.02 USDT, without a stop at the venue): "
        "the context btc_momentum does not trade BTC/USDT."
    )
    moved = reports.unmanaged_view(Absence.VENUE).held
    assert phrases.ways_on(moved).startswith(
        "let a context called btc_momentum trade BTC/USDT at paper and start again"
    )


def test_a_stop_in_a_market_that_the_venue_does_not_have_is_not_relied_on():
    card = for_phone(alerts.unmanaged(reports.unmanaged_view(followed=False)))
    assert "paper has no market BTC/USDT now: nothing is sold there, its stop neither" in card.text


def test_what_ended_the_time_without_a_strategy_is_said_in_a_line():
    closed = reports.unmanaged_view(ended_by=Ending.CLOSED, position=reports.closed_position())
    assert for_phone(alerts.unmanaged(closed)).title.startswith("T3 was managed by no strategy:\nit was closed, ")
    back = for_phone(alerts.unmanaged(reports.unmanaged_view(ended_by=Ending.MANAGED)))
    assert back.title == "T3 is managed by its strategy again: btc_momentum"
    other = for_phone(alerts.unmanaged(reports.unmanaged_view(ended_by=Ending.CHANGED)))
    assert other.title == "T3: no strategy manages it, now for another reason (see below)"


def test_a_position_without_a_stop_is_an_alarm_until_it_is_closed():
    held, closed = reports.trade_view(), reports.trade_view(reports.closed_position())
    assert for_phone(alerts.unprotected(held, has_stop=False)).title == "T3 has no stop: 0.00617 BTC/USDT"
    assert for_phone(alerts.unprotected(held, has_stop=True)).title == "T3 had no stop: it is protected again"
    assert "it was closed" in for_phone(alerts.unprotected(closed, has_stop=False)).title


def test_a_pause_says_by_whom_until_when_and_how_it_ends():
    card = alerts.halt(reports.halt(until=reports.ANSWERED))
    assert card.title == "No new entries: pause by Ann (H1)"
    assert dict(card.fields)["Until"] == "2026-01-03 12:05 UTC"
    assert "/resume" in card.text
    assert "keep their stops" in card.text


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (HaltKind.PAUSE, "somebody resumes"),
        (HaltKind.EMERGENCY, "an admin resumes with a reason"),
        (HaltKind.DRAWDOWN, "an admin resumes"),
        (HaltKind.DATA, None),
        (HaltKind.STORE, None),
    ],
)
def test_a_halt_without_a_time_says_who_ends_it(kind, end):
    assert dict(alerts.halt(reports.halt(kind)).fields).get("Until") == end


def test_a_drawdown_halt_says_that_an_admin_ends_it():
    pause = alerts.halt(reports.halt(HaltKind.DRAWDOWN, until=reports.ANSWERED))
    assert "An admin can end it early" in pause.text
    assert "Only an admin ends it" in alerts.halt(reports.halt(HaltKind.DRAWDOWN, until=None)).text


def test_once_a_drawdown_pause_is_over_entries_are_said_to_be_smaller_while_it_has_not_been_made_good():
    ended = {"ended_at": reports.ANSWERED}
    assert (
        "smaller as long as the drawdown has not been made good"
        in alerts.halt(replace(reports.halt(HaltKind.DRAWDOWN), **ended)).text
    )
    assert alerts.halt(replace(reports.halt(), **ended)).text == ""


def test_a_halt_of_one_market_names_it():
    assert (
        alerts.halt(reports.halt(HaltKind.DATA, symbol="BTC/USDT")).title == "BTC/USDT: no new entries: data halt (H1)"
    )


def test_a_venue_that_has_not_what_the_books_say_is_named_and_what_ends_that():
    card = alerts.halt(reports.halt(HaltKind.BALANCES, venue="kraken", reason="125 USD lack"))
    assert card.title == "Kraken: no new entries: balances halt (H1)"
    assert "It ends by itself once both agree." in card.text


def test_a_market_that_has_changed_says_what_to_do():
    reason = "LUNA/USDT: the price went from 0.00005 to 8.56 within a candle, at 2022-05-31 06:00 UTC"
    card = alerts.halt(reports.halt(HaltKind.CHANGED, symbol="LUNA/USDT", reason=reason))
    assert card.title == "LUNA/USDT: no new entries: data halt (H1)"
    assert dict(card.fields)["Reason"] == reason
    assert (
        "It does not end by itself. Look at the coin first; /resume LUNA/USDT then allows entries again." in card.text
    )


def test_a_platform_in_trouble_says_what_is_wrong_and_that_trading_goes_on():
    card = alerts.platform(reports.trouble())
    assert card.title == "Telegram is in trouble (P1)"
    assert dict(card.fields)["What is wrong"] == "Telegram cannot be reached."
    assert "Trading goes on" in card.text


def test_a_dead_source_of_sentiment_says_what_it_is_and_that_nothing_is_decided_on_it():
    card = alerts.platform(reports.trouble(platform="sentiment from news", text="it answers with status 404"))
    assert card.title == "Sentiment from news is in trouble (P1)"
    assert dict(card.fields)["What is wrong"] == "it answers with status 404"
    assert card.text.startswith("Trading goes on: nothing is decided on it. The other sources share its weight")


def test_a_clock_that_is_wrong_says_what_is_not_entered_what_goes_on_and_how_it_is_mended():
    text = "this machine's clock is 10 min behind binance's: nothing is entered on 1h candles"
    card = alerts.platform(reports.trouble(platform="clock", text=text))
    assert card.title == "Clock is in trouble (P1)"
    assert ("What is wrong", text) in card.fields
    assert card.text.startswith("Stops and targets go on, and so do exits, on the candles that come in. Set this")
    assert "best by NTP" in card.text


def test_a_platform_that_has_recovered_says_from_when_to_when_it_was_away():
    card = alerts.platform(reports.trouble(ended_at=reports.ANSWERED))
    assert card.title == "Telegram works again (P1)"
    assert [value for _, value in card.fields][1:] == ["2026-01-03 12:00 UTC", "2026-01-03 12:05 UTC"]


def test_a_halt_that_ended_says_by_whom():
    card = alerts.halt(reports.halt(ended_at=reports.ANSWERED, ended_by="Bob"))
    assert card.title == "The pause has ended (H1)"
    assert dict(card.fields)["Ended"] == "2026-01-03 12:05 UTC by Bob"


def test_a_pause_that_a_longer_one_replaced_says_that_entries_are_halted_until_then():
    longer = reports.halt(by="Bob", reason="paused by Bob", until=reports.ANSWERED)
    card = alerts.halt(reports.halt(ended_at=reports.NOON, ended_by="Bob"), longer)
    assert card.title == "A longer pause took its place (H1)"
    assert dict(card.fields)["Replaced"] == "2026-01-03 12:00 UTC by Bob"
    assert dict(card.fields)["No new entries until"] == "2026-01-03 12:05 UTC (H1)"
    without_end = dict(alerts.halt(reports.halt(ended_at=reports.NOON), reports.halt(until=None)).fields)
    assert without_end["No new entries until"] == "somebody resumes (H1)"


def test_the_digest_has_every_figure_and_a_picture():
    card = for_phone(alerts.digest(reports.digest()))
    assert card.title == "2026-01-03: +34.57 USDT (+0.35%)"
    assert dict(card.fields) == {
        "Buy and hold of the markets": "-1.00%",
        "Equity": "10,034.57 USDT",
        "Realised": "+20.00 USDT (+0.20%)",
        "Fees, taken off": "1.50 USDT (0.01%)",
        "Drawdown": "0.00%",
        "Trades": "3 opened, 2 closed",
        "Won": "1 of 2 (50.00%)",
        "Open positions": "1",
        "Lost if every stop fills": "50.25 USDT (0.50% of equity)",
        "Approvals": "5 asked, 4 answered, 1 expired",
        "Day": "2026-01-02 12:00 UTC\nto 2026-01-03 12:00 UTC",
    }
    assert card.graph == (10000.0, 10034.57)


def test_the_digest_of_a_week_says_so():
    card = for_phone(alerts.digest(reports.digest(id="2026-W05", begins=reports.NOON - timedelta(days=7))))
    assert card.title == "Week 2026-W05: +34.57 USDT (+0.35%)"
    assert dict(card.fields)["Week"] == "2025-12-27 12:00 UTC\nto 2026-01-03 12:00 UTC"
    assert "Day" not in dict(card.fields)


def test_the_end_of_a_drawdown_pause_says_how_much_smaller_entries_are_and_until_when():
    card = alerts.recovery(reports.recovery())
    assert card.title == "Entries are possible again: the drawdown halt has ended (H1)"
    assert dict(card.fields)["Size of entries"] == "50.00% of the usual, until equity is above 9,000.00 USDT"
    whole = dict(alerts.recovery(reports.recovery(size=Decimal(1), drawdown=Decimal("0.05"))).fields)
    assert (whole["Drawdown"], whole["Size of entries"]) == ("5.00%", "as usual")


def test_the_end_of_a_drawdown_pause_says_so_where_something_else_stops_entries():
    card = alerts.recovery(reports.recovery(standing=reports.halt(reason="paused by Ada")))
    assert card.title == "There are still no new entries: the drawdown halt has ended (H1)"
    assert dict(card.fields)["No new entries"] == "paused by Ada, until somebody resumes (H1)"


def test_losses_in_a_row_say_how_many_since_when_what_they_cost_and_what_to_do():
    card = alerts.streak(reports.streak())
    assert card.title == "btc momentum: 4 losses in a row (S1)"
    assert dict(card.fields) == {
        "Since": "2026-01-03 12:00 UTC",
        "Came to": "-123.40 USDT (-1.23% of equity)",
        "Trades": "first T3, last T9",
    }
    assert card.text.startswith("Nothing is halted by it. /pause"), "what else halts entries may stand at the same time"
    assert "/why T9" in card.text


def test_losses_in_a_row_that_are_over_say_by_which_trade():
    card = alerts.streak(reports.streak(ended_at=reports.ANSWERED, ended_by="T10"))
    assert card.title == "btc momentum: 4 losses in a row, which are over (S1)"
    assert dict(card.fields)["Ended"] == "2026-01-03 12:05 UTC, by T10"
    assert card.text == ""


def test_what_is_a_danger_is_an_alarm_until_it_is_over():
    assert for_phone(alerts.unprotected(reports.trade_view(), has_stop=False)).alarm
    assert not for_phone(alerts.unprotected(reports.trade_view(), has_stop=True)).alarm
    assert not for_phone(alerts.unprotected(reports.trade_view(reports.closed_position()), has_stop=False)).alarm


def test_the_welcome_is_pinned_and_says_what_to_try():
    card = alerts.welcome()
    assert card.pinned
    assert "Approve half" in card.text
    assert "/why A1" in card.text
    assert "/help" in card.text


def test_per_cent_of_a_digest_is_of_what_was_there_though_most_of_it_was_paid_out():
    half = reports.digest(equity=Decimal(1000), net=Decimal(0), paid_out=Decimal(9000), fees=Decimal(100))
    assert dict(for_phone(alerts.digest(half)).fields)["Fees, taken off"] == "100.00 USDT (1.00%)"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"models_usd": "1.2", "opened": 3}, "$1.20 (0.01%), $0.40 for each trade opened"),
        ({"models_usd": "0.0012", "opened": 4}, "$0.0012 (0.00001%), $0.00030 for each trade opened"),
        ({"models_usd": "1.2", "opened": 0}, "$1.20 (0.01%), and no trade opened"),
        ({"models_usd": "1.2", "opened": 3, "quote": "EUR"}, "$1.20, $0.40 for each trade opened"),
    ],
)
def test_a_digest_tells_what_models_cost_a_trade(changes: dict[str, Any], told: str):
    changed = changes | {"models_usd": Decimal(changes["models_usd"])}
    report = reports.digest(equity=Decimal(10_000), net=Decimal(0), paid_out=Decimal(0), **changed)
    assert dict(for_phone(alerts.digest(report)).fields)["Language models"] == told


def test_a_digest_has_no_line_about_models_where_none_was_paid():
    assert "Language models" not in dict(for_phone(alerts.digest(reports.digest(opened=3))).fields)


def test_a_digest_grades_the_trades_that_a_panel_was_heard_on_where_there_are_any():
    assert dict(alerts.digest(reports.digest(graded=3, brier=0.2149)).fields)["Brier score"] == (
        "0.21 (3 trades; 0 is best)"
    )
    assert "Brier score" not in dict(alerts.digest(reports.digest()).fields)


def test_a_digest_says_how_many_of_them_were_won_beside_how_many_were_said_to_be():
    found = reports.digest(graded=3, graded_won=1, sure=0.617, brier=0.2149)
    assert dict(alerts.digest(found).fields)["Won, as said"] == "1 of 3, where 62% was said"
    assert "Won, as said" not in dict(alerts.digest(reports.digest(graded=3, brier=0.2149)).fields), "an older day"
