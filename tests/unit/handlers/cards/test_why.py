from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.approvals import Claimed, Declined, Expired, Ordered, Pending, Refused
from engine.domain.autonomy import Execute, Hold, Refuse
from engine.domain.decisions import Condition, Input, Opinion, Stance, Tier, Verdict
from engine.domain.orders import Side
from engine.domain.outcomes import Calibrated
from handlers.cards import why
from handlers.cards.lines import flowing, for_phone
from handlers.cards.monospace import WIDTH
from tests.fakes import reports

ORDERED = Ordered(votes=(reports.vote(half=True),), order_id="O5", price=Decimal("20010.00"), at=reports.ANSWERED)


def section(card, name):
    """The lines of the part of the story under a heading; what is set in below a line stands behind it."""
    parts = [part.replace("\n  ", " ").splitlines() for part in card.text.split("\n\n")]
    return next((lines[1:] for lines in parts if lines[0] == name), None)


def test_a_trade_of_somebody_else_is_told_without_a_decision():
    held = reports.closed_position(context="external", closed_by="somebody else", stop=None, target=None)
    card = for_phone(why.card(reports.trade_view(held, decision=None)))
    assert card.title == "Why T3: somebody else bought BTC/USDT"
    assert dict(card.fields) == {
        "Opened": "2026-01-03 12:05 UTC",
        "Traded": "0.00617 at 20,000.00\n→ 21,000.00 (+5.00%)",
        "Closed": "2026-01-03 15:05 UTC",
        "Closed by": "somebody else",
        "Profit, after fees": "+5.92 USDT (+4.80%)",
        "Fees": "0.25 USDT (0.20%)",
    }
    assert "at the venue, outside the bot" in card.text
    still = for_phone(why.card(reports.trade_view(reports.position(context="external"), decision=None)))
    assert "Closed" not in dict(still.fields)


def test_the_confidence_reads_as_an_agreement():
    assert dict(for_phone(why.card(reports.why())).fields)["Confidence"] == "1 of 2 agree (weighted 0.67)"


def test_every_input_is_named_with_its_age():
    assert section(for_phone(why.card(reports.why())), "Inputs") == ["BTC/USDT 1h candles, 1 min old: 250 candles"]


def test_what_was_known_beside_is_told_with_its_age_or_as_unknown():
    beside = (
        Input(name="funding", age=timedelta(minutes=3), detail="longs pay shorts 0.01 %"),
        Input(name="open interest", age=None, detail="unknown: nobody answers"),
    )
    story = reports.why(judged=replace(reports.judged(), market_context=beside))
    assert section(for_phone(why.card(story)), "Market context") == [
        "funding, 3 min old: longs pay shorts 0.01 %",
        "open interest: unknown: nobody answers",
    ]
    assert section(why.card(reports.why()), "Market context") is None


def test_every_condition_says_whether_it_held_and_what_it_counts():
    held = section(for_phone(why.card(reports.why())), "Conditions")
    assert held == ["✓ (2) above ma 200: 20,000 over 19,200", "✗ (1) macd rising"]


def test_conditions_that_count_alike_do_not_say_what_they_count():
    alike = (Condition(name="a", holds=True, weight=0.5), Condition(name="b", holds=False, weight=0.5))
    story = reports.why(judged=reports.judged(decision=reports.decision(conditions=alike)))
    assert section(for_phone(why.card(story)), "Conditions") == ["✓ a", "✗ b"]


def test_every_clamp_says_rule_before_after_and_reason():
    clamps = section(for_phone(why.card(reports.why())), "Changed by the risk rules")
    assert clamps == ["max position: 0.02 → 0.01234 (at most 2.5% of equity in one market)"]


def test_the_readings_that_are_there_are_shown_and_missing_ones_left_out():
    lines = section(for_phone(why.card(reports.why())), "Signals BTC/USDT 1h")
    assert "RSI 61.23" in lines
    assert "MACD 12.35 · MACD signal 10 histogram 2.35" in lines
    assert "adx 25" in lines
    assert "patterns three white soldiers (bullish)" in lines
    assert not any("MA 50" in line or "ATR" in line for line in lines)


def test_small_readings_keep_their_digits():
    told = why.readings(reports.signals(macd=0.0000123456, macd_signal=None, macd_histogram=None))
    assert "MACD 0.000012346" in map(flowing, told)


def test_what_was_mended_in_the_data_is_told():
    assert section(for_phone(why.card(reports.why())), "Data mended or refused") == [
        "mended: duplicate, one candle of 11:00"
    ]


def test_a_ruling_to_ask_names_how_many_and_until_when():
    ruling = dict(for_phone(why.card(reports.why())).fields)["Ruling"]
    assert ruling == "people were asked: one person had to approve by 2026-01-03 12:30 UTC"


def test_a_ruling_to_go_ahead_says_that_an_exit_only_reduces_risk():
    assert why.ruling(reports.judged(ruling=Execute(plan=reports.plan()))) == "the bot went ahead alone"
    leaving = reports.judged(ruling=Execute(plan=reports.plan(reduce_only=True)))
    assert why.ruling(leaving).endswith("it only reduces risk")


def test_an_exit_is_not_said_to_risk_its_value():
    leaving = reports.plan(reduce_only=True, stop=None, target=None)
    assert dict(for_phone(why.card(reports.why(judged=reports.judged(plan=leaving)))).fields)["Plan"].endswith(
        "value 246.80 USDT"
    )


def test_a_refused_decision_gives_its_reasons_and_needs_no_plan():
    story = reports.why(
        judged=reports.judged(ruling=Refuse(reasons=("confidence 0.20 is below 0.50",)), plan=None, clamps=())
    )
    card = for_phone(why.card(story))
    assert dict(card.fields)["Ruling"] == "refused: confidence 0.20 is below 0.50"
    assert "Plan" not in dict(card.fields)
    assert section(card, "Changed by the risk rules") is None
    assert section(card, "What became of it") is None


def test_a_hold_is_no_refusal():
    held = reports.decision(stance=Stance.HOLD, reasons=("the ma_cross set-up has not appeared",))
    card = for_phone(why.card(reports.why(judged=reports.judged(decision=held, ruling=Hold(), plan=None, clamps=()))))
    assert card.title.startswith("Why D12: hold ")
    assert dict(card.fields)["Ruling"] == "no entry: the ma_cross set-up has not appeared"


def test_the_story_ends_with_votes_order_fills_and_position():
    story = reports.why(
        approval=reports.asked(ORDERED), order=reports.filled_order(), position=reports.closed_position()
    )
    assert section(for_phone(why.card(story)), "What became of it") == [
        "A17 asked 2026-01-03 12:00 UTC: Buy 0.01234 BTC/USDT @ 20,000.00",
        "approved by Ann (half), 2026-01-03 12:05 UTC",
        "became O5 2026-01-03 12:05 UTC, price 20,000.00 → 20,010.00 (+0.05%)",
        "O5, buy 0.00617 BTC/USDT, filled",
        "filled 0.00617 @ 20,011.23, fee 0.12 USDT",
        "T3, closed by its target, +5.92 USDT (+4.80%) net",
    ]


def test_the_story_of_a_trade_says_what_sold_it_why_and_at_what_price():
    held = reports.closed_position()
    sale = reports.filled_order(id="O6", side=Side.SELL, average=Decimal("21000.00"), updated_at=held.closed_at)
    trade = reports.trade_view(held, sales=(sale,))
    told = section(for_phone(why.card(reports.why(position=held, trade=trade))), "What became of it")
    assert told == [
        "O6 sold 0.00617 @ 21,000.00, fee 0.12 USDT, 2026-01-03 15:05 UTC",
        "closed by its target at 21,000.00, 0.00617 at 20,000.00 → 21,000.00 (+5.00%)",
        "T3, closed by its target, +5.92 USDT (+4.80%) net",
    ]


def test_the_story_of_a_trade_says_who_sold_a_part_of_it():
    sale = reports.filled_order(id="O6", side=Side.SELL, asked_by="Ann", updated_at=reports.ANSWERED)
    told = section(for_phone(why.card(reports.why(trade=reports.trade_view(sales=(sale,))))), "What became of it")
    assert told == ["O6 sold 0.00617 @ 20,011.23, fee 0.12 USDT, 2026-01-03 12:05 UTC, by Ann, /close"]


@pytest.mark.parametrize(
    ("state", "ending"),
    [
        (Pending(), "open until 2026-01-03 12:30 UTC, 1 needed"),
        (Claimed(votes=(), until=reports.ANSWERED), "being checked on fresh prices"),
        (
            Refused(votes=(), reasons=("paused",), price=Decimal("20010.00"), at=reports.ANSWERED),
            "refused at the press 2026-01-03 12:05 UTC, price 20,000.00 → 20,010.00 (+0.05%): paused",
        ),
        (Declined(by="Bob", reason="too hot", at=reports.ANSWERED), "declined by Bob 2026-01-03 12:05 UTC: too hot"),
        (Expired(at=reports.ANSWERED), "expired 2026-01-03 12:05 UTC"),
    ],
)
def test_every_way_a_question_can_end_is_told(state, ending):
    assert section(for_phone(why.card(reports.why(approval=reports.asked(state)))), "What became of it")[-1] == ending


def test_a_start_says_so_and_the_panel_is_heard():
    said = (
        Opinion(agent="analyst", verdict=Verdict.APPROVE, confidence=0.7, share=0.5, reasons=("momentum is real",)),
        Opinion(agent="advocate", verdict=Verdict.VETO, reasons=("volume is thin", "and falling")),
        Opinion(agent="risk", verdict=Verdict.ABSTAIN),
    )
    begun = replace(reports.plan(), starter="O7", begun=Decimal("0.0030"))
    judged = reports.judged(decision=reports.decision(confidence=0.7), plan=begun, opinions=said)
    shown = for_phone(why.card(reports.why(judged=judged)))
    assert dict(shown.fields)["Adds to"] == "0.003 BTC/USDT, ordered by O7"
    assert dict(shown.fields)["Confidence"] == "1 of 2 agree (0.70 with the panel)"
    assert section(shown, "Panel") == [
        "analyst approves 50% of it: confidence 0.70; momentum is real",
        "advocate is against it: volume is thin; and falling",
        "risk abstains",
    ]
    fast = reports.judged(decision=reports.decision(tier=Tier.FAST))
    assert (
        dict(for_phone(why.card(reports.why(judged=fast))).fields)["Tier"]
        == "fast: a start, bought before all were heard"
    )
    assert not {"Tier", "Adds to"} & dict(for_phone(why.card(reports.why())).fields).keys()


def test_a_story_of_large_figures_is_readable_on_a_phone():
    """All but what is a sentence, which each phone breaks by itself."""
    large = Decimal("67121.75")
    plan = reports.plan(price=large, stop=Decimal("65949.06"), target=Decimal("69173.95"), quantity=Decimal("1.09409"))
    detail = "close 66,228.01 and MA20 68,025.82 > MA50 69,348.12: no"
    conditions = (
        Condition(name="trend_up_on_4h", holds=False, weight=1.0, detail=detail),
        Condition(name="20-candle breakout", holds=True, weight=0.5, detail="close 67,108.32, wants above 66,665.05"),
    )
    signals = reports.signals(
        close=67108.32, macd=-1104.3, macd_signal=-895.04, macd_histogram=-209.26, bollinger_lower=63838.87,
        bollinger_middle=68025.82, bollinger_upper=72212.77, ma_20=68025.82, ma_50=69348.12, ma_200=60825.25,
        supports=(66647.77, 66130.27, 65725.27), resistances=(69486.53, 70155.35, 70850.43),
        flags=("macd_positive", "macd_above_signal", "below_ma_200", "close_above_upper_band", "breakout"),
    )  # fmt: skip
    judged = reports.judged(decision=reports.decision(conditions=conditions), plan=plan, signals=(signals,))
    held = reports.closed_position()
    sale = reports.filled_order(id="O337", side=Side.SELL, average=large, updated_at=held.closed_at)
    trade = reports.trade_view(held, sales=(sale,))
    story = reports.why(judged=judged, approval=reports.asked(ORDERED), order=sale, position=held, trade=trade)
    card = for_phone(why.card(story))
    told = (*card.text.split("\n"), *dict(card.fields)["Plan"].split("\n"))
    assert [line for line in told if len(line) > WIDTH] == []


def test_a_trade_that_a_start_began_says_where_that_is_told():
    start = reports.decision(id="D11", tier=Tier.FAST)
    whole = reports.why(trade=replace(reports.trade_view(), decision=start))
    assert dict(for_phone(why.card(whole)).fields)["Begun before"] == ("2026-01-03 12:00 UTC,\n/why D11 tells of it")
    own = reports.why(judged=reports.judged(decision=start), trade=replace(reports.trade_view(), decision=start))
    assert "Begun before" not in dict(why.card(own).fields)


FOUND = Calibrated(measured=2 / 3, value=0.42, low=0.33, high=0.51, outcomes=163, is_wide=False)


@pytest.mark.parametrize(
    ("realised", "came"),
    [
        ("6.17", "came to: won, +5.92 USDT (+4.80%) after fees; squared error 0.11"),
        ("0.25", "came to: not won, 0.00 USDT (0.00%) after fees; squared error 0.44"),
    ],
)
def test_a_closed_trade_is_graded_by_what_was_expected_of_it(realised: str, came: str):
    held = reports.closed_position(realised=Decimal(realised))
    assert section(for_phone(why.card(reports.why(position=held))), "Graded") == [
        "expected: confidence 0.67, stop 19,500.00 (-2.50%), target 21,000.00 (+5.00%)",
        came,
    ]


def test_what_is_held_still_is_not_graded_and_nor_is_an_exit():
    assert section(why.card(reports.why(position=reports.position())), "Graded") is None
    leaving = reports.judged(decision=reports.decision(stance=Stance.EXIT))
    assert section(why.card(reports.why(judged=leaving, position=reports.closed_position())), "Graded") is None


def test_what_earlier_trades_say_of_the_confidence_is_told():
    story = reports.why(
        judged=reports.judged(decision=reports.decision(confidence=0.42, calibration=replace(FOUND, low=0.3306)))
    )
    told = dict(for_phone(why.card(story)).fields)["Of such trades"]
    assert " ".join(told.split()) == "42.00% were won (33.06% to 51.00%; 163 closed)"
    wide = replace(FOUND, is_wide=True)
    story = reports.why(judged=reports.judged(decision=reports.decision(calibration=wide)))
    assert "too wide to go alone" in dict(for_phone(why.card(story)).fields)["Of such trades"]
    graded = replace(story, position=reports.closed_position())
    (expected, _) = section(for_phone(why.card(graded)), "Graded")
    assert expected.startswith("expected: confidence 0.67, 0.42 by 163 earlier trades, stop")
