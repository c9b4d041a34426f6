"""What is expected of a market, as people read it."""

from __future__ import annotations

from dataclasses import replace

from engine.domain.market import Timeframe
from engine.domain.predictions import Trend
from handlers.cards import prediction
from handlers.cards.lines import flowing
from tests.fakes import reports


def test_each_timeframe_is_told_with_its_age_its_move_its_reasons_and_who_made_it():
    card = prediction.card(reports.prediction_view())
    assert card.title == "Prediction for BTC/USDT: bullish"
    assert card.fields == (
        ("Alignment", "+0.40"),
        ("Expected move", "+2.00%"),
        ("Right of late", "6 of 10"),
    )
    assert [(flowing(item.title), flowing(item.text)) for item in card.items] == [
        ("1h bullish +2.00% within 12 h", "40 min ago, 6 of 10 right\nRSI on 1h is oversold\nby offline analyst"),
        ("1w bearish -5.00% within 84 d", "40 min ago\nRSI on 1h is oversold\nby openai gpt-5-mini"),
    ]
    assert card.text == "1d counts nothing: it was not there in time."


def test_what_rules_made_says_that_no_model_did():
    view = reports.prediction_view()
    by_rules = replace(view, outlook=replace(view.outlook, predictions=(reports.prediction(),), missing=()))
    assert prediction.card(by_rules).text == "Rules made this, the offline analyst, and no model."


def test_where_nothing_is_known_it_says_so_and_why():
    view = reports.prediction_view()
    missing = ((Timeframe.H1, "none was made yet"),)
    nothing = replace(view.outlook, predictions=(), missing=missing, direction=Trend.NEUTRAL, alignment=0.0)
    card = prediction.card(replace(view, outlook=nothing, record={}))
    assert card.title == "Prediction for BTC/USDT: nothing is known"
    assert card.fields == (("Right of late", "none was graded yet"),)
    assert card.text == "1h counts nothing: none was made yet."


def test_a_late_one_is_marked():
    view = reports.prediction_view()
    late = replace(view.outlook, missing=((Timeframe.W1, "it was due anew 30.0 h ago"),))
    card = prediction.card(replace(view, outlook=late))
    assert flowing(card.items[1].text).startswith("40 min ago, late\n")


def test_what_a_context_is_told_by_a_prompt_of_its_own_stands_beside_it():
    view = reports.prediction_view()
    by = "careful.md version 2 (0a1b2c3d)"
    one = reports.prediction(direction=Trend.BEARISH, expected_move=-0.03, prompt=by)
    own = replace(view.outlook, predictions=(one,), missing=(), direction=Trend.BEARISH, expected_move=-0.03)
    nothing = replace(own, predictions=(), direction=Trend.NEUTRAL)
    text = prediction.card(replace(view, own={"bold": own, "new": nothing})).text
    assert f"bold asks in its own way, by {by}: bearish -3.00% (1h bearish)." in text
    assert "new asks in its own way: nothing is known by it." in text
