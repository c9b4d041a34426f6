from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from engine.domain.days import Period
from engine.domain.errors import BadInput
from engine.domain.halt_views import Paused
from engine.domain.halts import HaltKind
from engine.domain.messages import Person, Role
from handlers.cards import alerts, answers, figures
from handlers.cards.monospace import WIDTH
from tests.fakes import reports

LATER = reports.ANSWERED + timedelta(hours=3)


def test_the_status_says_whether_it_trades_and_how_it_stands():
    card = answers.status(reports.status())
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


def test_what_was_paid_in_and_out_is_told_beside_every_result():
    moved = {"paid_in": Decimal(500), "paid_out": Decimal("20.5")}
    told = [("Paid in", "500.00 USDT"), ("Paid out", "20.50 USDT")]
    cards = (
        answers.status(reports.status(**moved)),
        answers.profit(replace(reports.profit(), **moved)),
        figures.periods(replace(reports.profit(), **moved), Period.WEEK),
        alerts.digest(reports.digest(**moved)),
    )
    assert [[field for field in card.fields if field in told] for card in cards] == [told] * 4
    assert not [name for name, _ in answers.status(reports.status()).fields if name.startswith("Paid")]


def test_what_was_paid_in_is_no_rise_of_the_graph():
    report = reports.profit()
    first, second = report.days
    jumped = replace(report, days=(first, replace(second, equity=second.equity + 500, paid=Decimal(500))))
    assert answers.profit(jumped).graph == answers.profit(report).graph == (10_000, 10_001)
    assert figures.periods(jumped, Period.DAY).graph == (10_000, 10_001)


def test_the_status_of_a_new_account_has_no_past():
    names = {name for name, _ in answers.status(reports.status(began_at=None, benchmark=None)).fields}
    assert not any(name.startswith(("Since", "Buy and hold")) for name in names)


def test_the_status_names_what_stops_new_entries():
    halts = (reports.halt(until=reports.ANSWERED), reports.halt(HaltKind.DATA, symbol="BTC/USDT", reason="a gap"))
    card = answers.status(reports.status(trading=False, halts=halts))
    assert card.title.startswith("Not trading")
    assert card.text.splitlines() == [
        "H1, pause until 2026-01-03 12:05 UTC: a look at the news",
        "H1, BTC/USDT: data halt: a gap",
    ]


def test_strangers_are_shown_with_their_ids_and_the_line_that_lets_one_in():
    foreign = reports.stranger(platform="slack", user="T0OTHER/U1", name="", times=1)
    card = answers.strangers((foreign, reports.stranger()))
    assert card.title == "2 strangers wrote and got no answer"
    assert card.table is not None
    assert [row for (row,) in card.table.rows] == [
        "T0OTHER/U1",
        "  slack, 1 message",
        "  last 2026-01-03 12:05 UTC",
        "  first 2026-01-03 12:00 UTC",
        "666",
        "  telegram, 3 messages",
        "  Eve (@eve)",
        "  last 2026-01-03 12:05 UTC",
        "  first 2026-01-03 12:00 UTC",
    ]
    assert card.text.endswith(': {"name": "THEIR NAME", "role": "viewer", "telegram": "666"}')
    assert answers.strangers((foreign,)).text == ""
    assert answers.strangers(()).title == "No strangers"


def test_a_new_pause_says_whose_it_is_what_it_replaces_and_what_else_holds():
    longer, shorter = reports.halt(by="Ada", reason="paused by Ada", until=None), reports.halt(until=reports.ANSWERED)
    drawdown = reports.halt(HaltKind.DRAWDOWN, reason="drawdown 11.0%", until=reports.ANSWERED)
    card = answers.paused(Paused(holds=longer, is_new=True, ended=(shorter,), beside=(drawdown,)))
    assert (card.title, dict(card.fields)["Until"]) == ("No new entries: pause by Ada (H1)", "somebody resumes")
    first, *_, last = card.text.splitlines()
    assert first == "It takes the place of H1, pause until 2026-01-03 12:05 UTC: a look at the news"
    assert last == "Beside it: H1, drawdown halt until 2026-01-03 12:05 UTC: drawdown 11.0%"


def test_a_pause_that_is_not_longer_says_whose_holds_until_when():
    held = reports.halt(by="Ada", reason="paused by Ada", until=reports.ANSWERED)
    card = answers.paused(Paused(holds=held, is_new=False, ended=(), beside=()))
    assert (card.title, dict(card.fields)["Until"]) == ("No new entries: pause by Ada (H1)", "2026-01-03 12:05 UTC")
    assert card.text.startswith(
        "It was in force, and lasts at least as long as what you asked for: nothing was changed."
    )


def test_the_status_says_why_nothing_is_entered_where_that_is_no_halt():
    card = answers.status(reports.status(trading=False, no_entry="this machine's clock is 10 min behind binance's"))
    assert card.title.startswith("Not trading")
    assert card.text == "This machine's clock is 10 min behind binance's"


def test_the_status_before_the_first_cycle_says_so():
    assert dict(answers.status(reports.status(last_cycle_at=None)).fields)["Last decision cycle"] == "none yet"


def test_positions_without_a_stop_are_pointed_out():
    card = answers.positions((reports.position_view(), reports.position_view(protected=False)), LATER)
    assert card.title == "2 open positions"
    assert card.items[0].title == "T3 BTC/USDT +0.50 (+0.40%)"
    assert card.items[0].text == (
        "0.00617 at 20,000.00 → 20,100.00\nstop 19,500.00, target 21,000.00\n2026-01-03 12:05 UTC, for 3 h"
    )
    assert card.text == "Without a stop at the venue: T3\nPer cent is of what the trades cost."


def test_levels_that_do_not_exist_are_called_none():
    view = reports.position_view(position=reports.position(stop=None, target=None))
    assert "\nno stop, no target\n" in answers.positions((view,), LATER).items[0].text


def test_nothing_open_is_said_plainly():
    assert answers.positions((), LATER).title == "No open positions"
    assert answers.trades((), (), LATER).title == "No trades yet"
    assert answers.pending(()).title == "Nothing to decide"


def test_the_balance_lists_every_currency():
    card = answers.balance(reports.balance())
    assert card.title == "Balance: 9,124.52 USDT"
    assert [(item.title, item.text) for item in card.items] == [
        ("USDT 9,000.5", "9,000.50 USDT (98.64%)"),
        ("BTC 0.00617", "124.02 USDT (1.36%)"),
    ]


def test_profit_is_signed_by_day_and_drawn():
    card = answers.profit(reports.profit())
    assert card.title == "-5.00 USDT (-0.05%) in 2 days"
    assert card.table.rows[0] == ("01-01", "+10.00", "+0.10%", "+1.00%")
    assert dict(card.fields)["Won"] == "1 of 2 (50.00%)"
    assert dict(card.fields)["Since"] == "2026-01-01 12:00 UTC"
    assert card.graph == (10000.0, 10001.0)


def test_profit_tells_the_drawdown_of_now_from_the_largest_of_its_days():
    fields = dict(answers.profit(reports.profit()).fields)
    assert (fields["Drawdown"], fields["Largest drawdown in 2 days"]) == ("1.50%", "2.00%")


def test_trades_say_how_they_ended_and_how_they_stand():
    known = (reports.position(), reports.closed_position())
    held, closed = answers.trades(known, (reports.position_view(),), LATER).items
    assert held.title == "T3 BTC/USDT +0.50 (+0.40%)"
    assert held.text == "0.00617 at 20,000.00\n2026-01-03 12:05 UTC, for 3 h\nstill open"
    assert closed.title == "T3 BTC/USDT +5.92 (+4.80%)"
    assert closed.text.splitlines() == [
        "0.00617 at 20,000.00",
        "→ 21,000.00 (+5.00%)",
        "2026-01-03 12:05 UTC",
        "to 2026-01-03 15:05 UTC, 3 h",
        "by its target",
    ]


def test_of_a_trade_that_was_closed_between_two_looks_nothing_is_made_up():
    (item,) = answers.trades((reports.position(),), (), LATER).items
    assert item.title == "T3 BTC/USDT"


def test_of_a_trade_that_is_sold_in_part_it_is_said_how_much_was():
    part = reports.position(quantity=Decimal("0.00500"), realised=Decimal("0.234"))
    (item,) = answers.trades((part,), (), LATER).items
    assert item.text.splitlines()[:2] == ["0.00117 of 0.00617 at 20,000.00", "→ 20,200.00 (+1.00%)"]


def test_what_is_large_and_held_for_long_fits_a_phone_too():
    part = {"id": "T1234", "quantity": Decimal("0.5"), "bought": Decimal("1234.5"), "cost": Decimal(125000)}
    held = reports.position(**part, realised=Decimal("1234.56"), entry_price=Decimal("101.25"))
    closed = reports.closed_position(id="T1235", closed_by="close", closed_by_person="Ann", realised=Decimal(-5000))
    view = reports.position_view(position=held, net=Decimal("-12500.50"), share=Decimal("-0.1"))
    now = reports.ANSWERED + timedelta(hours=22, minutes=55)
    cards = answers.trades((held, closed), (view,), now), answers.positions((view,), now)
    lines = [line for card in cards for item in card.items for line in (item.title, *item.text.splitlines())]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_open_questions_come_with_prices_of_now_and_how_to_answer():
    card = answers.pending((reports.approval_view(price=Decimal("20100.00")),))
    (item,) = card.items
    assert item.title == "A17 Buy 0.01234 BTC/USDT"
    assert item.text.splitlines() == [
        "20,000.00 → 20,100.00 (+0.50%)",
        "1 of 2 agree, expires",
        "in 30 min, 2026-01-03 12:30 UTC",
    ]
    assert "/approve A17 half" in card.text
    assert card.buttons == ()


def test_an_open_question_of_a_replay_fits_a_phone():
    (item,) = answers.pending((reports.approval_view(wall_left=timedelta(minutes=2)),)).items
    assert item.text.splitlines()[-2:] == ["in 2 min by your clock,", "2026-01-03 12:30 UTC in the market"]


def test_what_resume_ended_is_named():
    ended = (reports.halt(), reports.halt(HaltKind.DRAWDOWN))
    assert answers.resumed(ended).title == "Ended: pause (H1) and drawdown halt (H1)"
    assert answers.resumed(()).title == "Nothing was paused"


def test_who_ends_the_total_limit_is_told_what_counts_now():
    pause, total = reports.halt(HaltKind.DRAWDOWN, until=reports.NOON), reports.halt(HaltKind.DRAWDOWN, until=None)
    assert "total limit" not in answers.resumed((pause,)).text
    assert "The total limit counts from the equity of now on" in answers.resumed((pause, total)).text


def test_the_greeting_names_the_person_and_is_not_pinned():
    card = answers.start(Person(name="Ann", role=Role.VIEWER))
    assert card.title.startswith("Hello Ann")
    assert "/why A1" in card.text
    assert not card.pinned


def test_health_names_what_is_not_well():
    assert answers.health(reports.health()).title == "All is well"
    sick = answers.health(reports.health(ok=False))
    assert sick.title == "Not well: telegram"
    assert [(item.title, item.text) for item in sick.items] == [
        ("store: ok", "written 2 s ago"),
        ("telegram: NOT OK", "no answer for 40 s"),
    ]


def test_an_error_says_what_to_do():
    card = answers.error(BadInput("That is not an id.", "Usage: /why ID"))
    assert card.plain == "That is not an id.\nUsage: /why ID"
