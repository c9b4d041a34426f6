"""What language models cost, as people read it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.days import Period
from engine.domain.model_ledger import Cap
from handlers.cards import models
from tests.fakes.reports import budget_notice


def test_people_read_how_much_of_a_budget_is_used_and_when_it_begins_anew():
    card = models.budget(budget_notice())
    assert card.title == "Language models: 80% of the day's budget is used"
    assert card.fields == (("Used", "$4.07 of $5.00"), ("Begins anew", "2026-01-04 00:00 UTC"))
    assert not card.alarm


def test_people_read_that_a_call_was_not_made_and_what_answers_in_its_place():
    cap = Cap(period=Period.MONTH, usd=Decimal(20), context="sol-momentum")
    card = models.budget(replace(budget_notice(), cap=cap, percent=100, used=Decimal("19.5"), worst=Decimal("0.61")))
    assert card.title == "Language models: the month's budget for sol-momentum does not allow every call any more"
    assert card.fields[1:] == (("Not made", "a call that could cost $0.61"), ("Begins anew", "2026-02-01 00:00 UTC"))
    assert "offline analyst" in card.text
    assert card.alarm


@pytest.mark.parametrize(
    ("amount", "told"),
    [("0", "$0.00"), ("12.3", "$12.30"), ("1234.5", "$1,234.50"), ("0.0012", "$0.0012"), ("0.000012345", "$0.000012")],
)
def test_small_amounts_keep_their_first_figures(amount: str, told: str):
    assert models.dollars(Decimal(amount)) == told
