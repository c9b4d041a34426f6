from datetime import timedelta
from decimal import Decimal

from engine.domain.unmanaged import Absence
from handlers.cards import trades
from handlers.cards.lines import for_phone
from handlers.cards.monospace import WIDTH
from tests.fakes import reports

LATER = reports.ANSWERED + timedelta(hours=3)


def test_positions_without_a_stop_are_pointed_out():
    card = for_phone(trades.positions((reports.position_view(), reports.position_view(protected=False)), LATER))
    assert card.title == "2 open positions"
    assert card.items[0].title == "T3 BTC/USDT +0.50 (+0.40%)"
    assert card.items[0].text == (
        "0.00617 at 20,000.00 → 20,100.00\nstop 19,500.00, target 21,000.00\n2026-01-03 12:05 UTC, for 3 h"
    )
    assert card.text == "Without a stop at the venue: T3\nPer cent is of what the trades cost."


def test_a_position_that_no_strategy_manages_says_so():
    view = reports.position_view(unmanaged=Absence.CONTEXT)
    assert "\nno strategy manages it\n" in for_phone(trades.positions((view,), LATER)).items[0].text


def test_contexts_that_hold_one_coin_are_told_apart():
    one, same, other = (
        reports.position_view(position=reports.position(id=name, context=context, symbol=symbol))
        for name, context, symbol in (
            ("T1", "slow", "BTC/USDT"),
            ("T2", "fast", "BTC/USDT"),
            ("T3", "slow", "ETH/USDT"),
        )
    )
    lines = [item.text.splitlines() for item in for_phone(trades.positions((one, same, other), LATER)).items]
    assert [lines[0][1], lines[1][1]] == ["context slow", "context fast"]
    assert not any(line.startswith("context ") for line in lines[2])


def test_levels_that_do_not_exist_are_called_none():
    view = reports.position_view(position=reports.position(stop=None, target=None))
    assert "\nno stop, no target\n" in for_phone(trades.positions((view,), LATER)).items[0].text


def test_nothing_open_is_said_plainly():
    assert for_phone(trades.positions((), LATER)).title == "No open positions"
    assert for_phone(trades.trades((), (), LATER)).title == "No trades yet"


def test_the_way_to_the_story_of_a_trade_has_room_on_a_phone_after_a_hundred_trades():
    card = for_phone(trades.trades((reports.closed_position(id="T202"),), (), LATER))
    assert card.text.splitlines()[-2:] == ["/why T202", "  tells the whole story of one."]


def test_trades_say_how_they_ended_and_how_they_stand():
    known = (reports.position(), reports.closed_position())
    held, closed = for_phone(trades.trades(known, (reports.position_view(),), LATER)).items
    assert held.title == "T3 BTC/USDT +0.50 (+0.40%)"
    assert held.text == "0.00617 at 20,000.00\n2026-01-03 12:05 UTC, for 3 h\nstill open"
    assert closed.title == "T3 BTC/USDT +5.92 (+4.80%)"
    assert closed.text.splitlines() == [
        "0.00617 at 20,000.00",
        "  → 21,000.00 (+5.00%)",
        "2026-01-03 12:05 UTC",
        "to 2026-01-03 15:05 UTC, 3 h",
        "by its target",
    ]


def test_of_a_trade_that_was_closed_between_two_looks_nothing_is_made_up():
    (item,) = for_phone(trades.trades((reports.position(),), (), LATER)).items
    assert item.title == "T3 BTC/USDT"


def test_of_a_trade_that_is_sold_in_part_it_is_said_how_much_was():
    part = reports.position(quantity=Decimal("0.00500"), realised=Decimal("0.234"))
    (item,) = for_phone(trades.trades((part,), (), LATER)).items
    assert item.text.splitlines()[:2] == ["0.00117 of 0.00617 at 20,000.00", "  → 20,200.00 (+1.00%)"]


def test_what_is_large_and_held_for_long_fits_a_phone_too():
    part = {"id": "T1234", "quantity": Decimal("0.5"), "bought": Decimal("1234.5"), "cost": Decimal(125000)}
    held = reports.position(**part, realised=Decimal("1234.56"), entry_price=Decimal("101.25"))
    closed = reports.closed_position(id="T1235", closed_by="close", closed_by_person="Ann", realised=Decimal(-5000))
    view = reports.position_view(position=held, net=Decimal("-12500.50"), share=Decimal("-0.1"))
    now = reports.ANSWERED + timedelta(hours=22, minutes=55)
    cards = for_phone(trades.trades((held, closed), (view,), now)), for_phone(trades.positions((view,), now))
    lines = [line for card in cards for item in card.items for line in (item.title, *item.text.splitlines())]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_a_coin_of_a_tiny_price_fits_a_phone_too():
    levels = {"stop": Decimal("0.00001287475"), "target": Decimal("0.0000135691")}
    coins = {"symbol": "PEPE/EUR", "quantity": Decimal(92231000), "bought": Decimal(92231000)}
    held = reports.position(**coins, **levels, entry_price=Decimal("0.0000131274"))
    view = reports.position_view(position=held, price=Decimal("0.0000131099"))
    (item,) = for_phone(trades.positions((view,), LATER)).items
    assert item.text.splitlines()[:4] == [
        "92,231,000 at 0.0000131274",
        "  → 0.0000131099",
        "stop 0.00001287475,",
        "  target 0.0000135691",
    ]
