"""What language models cost, as people read it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.days import Period
from engine.domain.model_ledger import Cap
from engine.domain.outcomes import Grade, Reliability, ReliabilityBin
from handlers.cards import models
from handlers.cards.lines import for_phone
from tests.fakes.reports import budget_notice, models_view


def test_people_read_how_much_of_a_budget_is_used_and_when_it_begins_anew():
    card = models.budget(budget_notice())
    assert card.title == "Language models: 80% of the day's budget is used"
    assert card.fields == (("Used", "$4.07 of $5.00"), ("Begins anew", "2026-01-04 00:00 UTC"))
    assert not card.alarm


def test_people_read_from_when_on_the_cheapest_alone_is_asked():
    assert models.budget(budget_notice(percent=50)).text.startswith("Nothing changes yet.")
    assert models.budget(budget_notice(percent=80)).text.startswith("Of the models that cost something the cheapest")


def test_people_read_that_a_call_was_not_made_and_what_answers_in_its_place():
    cap = Cap(period=Period.MONTH, usd=Decimal(20), context="sol-momentum")
    card = models.budget(replace(budget_notice(), cap=cap, percent=100, used=Decimal("19.5"), worst=Decimal("0.61")))
    assert card.title == "Language models: the month's budget for sol-momentum does not allow every call any more"
    assert card.fields[1:] == (("Not made", "a call that could cost $0.61"), ("Begins anew", "2026-02-01 00:00 UTC"))
    assert "offline analyst" in card.text
    assert card.alarm


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("0", "$0.00"),
        ("0.05", "$0.05"),
        ("0.0099", "$0.0099"),
        ("12.3", "$12.30"),
        ("1234.5", "$1,234.50"),
        ("0.0012", "$0.0012"),
        ("0.000012345", "$0.000012"),
    ],
)
def test_small_amounts_keep_their_first_figures(amount: str, told: str):
    assert models.dollars(Decimal(amount)) == told


def test_people_see_who_is_asked_and_what_it_costs():
    card = models.overview(models_view())
    assert card.title == "Language models: all is well"
    assert card.fields == (
        ("Today (UTC)", "$0.15"),
        ("This month (UTC)", "$1.20"),
        ("Forecast for it", "$12.40"),
        ("Month's budget", "$100.00 (1.20% used)"),
        ("For", "analyst $1.15, risk $0.05"),
        ("Tokens this month", "123,456 read, 7,890 written"),
        ("Answered before", "14 of 56 (25%)"),
    )
    assert [(item.title, item.text) for item in card.items] == [
        ("openai: gpt-x, gpt-mini", "40 calls this month, $1.20"),
        ("offline: rules, no model", "2 calls this month, $0.00"),
    ]


def test_people_see_who_is_in_trouble_or_that_a_tape_answers_or_nobody():
    (openai, offline) = models_view().providers
    away = replace(openai, trouble="it is left alone for a while")
    card = models.overview(models_view(providers=(away, offline), reserved=2))
    assert card.title == "Language models: openai in trouble"
    assert card.items[0].text == "it is left alone for a while\n40 calls this month, $1.20"
    assert card.fields[-1] == ("Under way", "2 calls")
    assert models.overview(models_view(tape="may.tape")).title == "Language models: the tape may.tape answers"
    off = models.overview(models_view(is_on=False, calls=0))
    assert (off.title, off.fields) == ("Language models are off", ())


def test_how_well_confidences_foretold_what_came_is_told_by_strategy_and_timeframe():
    bins = (ReliabilityBin(said=0.55, won=0.4, trades=100), ReliabilityBin(said=0.9, won=0.6, trades=1))
    found = Reliability(trades=101, brier=0.2612, base=0.2404, miscalibration=0.0231, bins=bins)
    view = models_view(grades=(Grade(strategy="momentum", timeframe="1h", found=found),))
    item = for_phone(models.overview(view)).items[-1]
    assert item.title.splitlines() == ["momentum 1h:", "  Brier score 0.26 (101 trades;", "  0 is best)"]
    assert item.text.splitlines() == [
        "Always saying the share that is won:",
        "  0.24. Miscalibration: 0.023",
        "Confidence 0.55:",
        "  40.00% of 100 trades won",
        "Confidence 0.90: 60.00% of 1 trade won",
    ]
