"""Stages of capital, as people read them on a phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.confirmations import Confirmation, Consent, Stage
from engine.domain.messages import Card
from handlers.cards import capital, confirmations
from handlers.cards.lines import flowing, for_phone
from handlers.cards.monospace import WIDTH
from tests.fakes import reports

ASKED = reports.confirmation()
YES = ASKED.answered(Consent.YES, "Ada", reports.NOON)
NO = ASKED.answered(Consent.NO, "Ada", reports.NOON)
VOID = ASKED.voided(reports.NOON, "the stage has changed since")
NOTHING_USED = replace(ASKED, subject=replace(ASKED.subject, before=Decimal(0), after=Decimal(100)))


def lines(card: Card) -> list[str]:
    """What stands in lines of its own on a phone, but for prose."""
    shown = for_phone(card)
    return [line for name, value in shown.fields for line in f"{name}: {value}".splitlines()]


def test_it_tells_the_stage_what_is_used_its_result_and_when_more_is_proposed():
    card = capital.card(reports.capital_view())
    assert flowing(card.title) == "Capital: stage 2 of 3, up to 500 USDT"
    assert [(name, flowing(value)) for name, value in card.fields] == [
        ("Used", "123.45 USDT (24.69%)"),
        ("Since", "2025-12-25 12:00 UTC (9 d)"),
        ("Because", "Ann approved it (Q1)"),
        ("Result", "+7.50 USDT (+1.50%)"),
        ("Below best", "1.00%, breach at 10.00%"),
        ("Closed trades", "12, 7 won"),
        ("Next", "2,500 USDT, proposed in 5 d and after 8 more closed trades"),
    ]


def test_it_tells_that_the_next_one_is_asked_for_and_that_there_is_none_after_the_last():
    asked = dict(capital.card(reports.capital_view(proposal="Q3", wait=None)).fields)
    assert flowing(asked["Next"]) == "2,500 USDT: Q3 asks for it, /capital yes or no answers"
    last = reports.capital_view(stage=reports.capital_stage(amount=Decimal(2500)))
    assert dict(capital.card(last).fields)["Next"] == "this is the last stage"


def test_without_stages_it_says_how_there_can_be_some():
    card = capital.card(reports.capital_view(stage=None, figures=None, before=()))
    assert card.title == "Capital: no stages"
    assert "capital.stages" in card.text


def test_a_breach_is_an_alarm_with_what_it_was_and_what_is_left():
    one = reports.capital_stage(number=1, amount=Decimal(100))
    fell = reports.capital_stage(amount=Decimal(100), by="", is_breach=True, reason="the result fell by 10.4%")
    card = capital.changed(fell, reports.capital_stage(), "USDT")
    assert flowing(card.title) == "Capital: a breach, down to 100 USDT"
    assert card.alarm
    assert dict(card.fields)["Until now"] == "500 USDT"
    ended = capital.changed(replace(fell, amount=Decimal(0)), one, "USDT")
    assert ended.title == "Capital: a breach, no more entries"
    assert "/capital" in ended.text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (YES, "Up to 2,500 USDT may be used now."),
        (NO, "It stays at 500 USDT. It is asked again after the time of a stage."),
        (VOID, "The stage has changed since: nothing was done."),
    ],
)
def test_a_question_that_is_answered_says_by_whom_and_has_no_buttons(asked: Confirmation, words: str):
    card = confirmations.card(asked)
    assert card.text == words
    assert card.buttons == ()
    said = {Stage.AGREED: "Ada agreed", Stage.DECLINED: "Ada said no", Stage.VOID: "no longer asked"}[asked.stage]
    assert card.fields[:2] == (("Answer", said), ("At", "2026-01-03 12:00 UTC"))


def test_a_question_shows_the_figures_and_two_buttons():
    card = confirmations.card(ASKED)
    assert dict(card.fields)["Lasted"] == "14 d without a breach"
    assert [(each.label, each.data) for each in card.buttons] == [("Use 2,500", "yes:Q3"), ("Stay at 500", "no:Q3")]


@pytest.mark.parametrize(
    "card",
    [
        capital.card(reports.capital_view()),
        capital.card(reports.capital_view(proposal="Q123", wait=None)),
        capital.card(reports.capital_view(stage=None, figures=None)),
        confirmations.card(ASKED),
        confirmations.card(YES),
        confirmations.card(NOTHING_USED),
        capital.changed(reports.capital_stage(is_breach=True), reports.capital_stage(amount=None), "USDT"),
    ],
)
def test_every_line_fits_a_phone(card: Card):
    assert [line for line in lines(card) if len(line) > WIDTH] == []


def test_a_wait_that_is_over_is_not_told():
    waits = reports.capital_view(wait=None, figures=reports.stage_figures(closed=20, lasted=timedelta(days=20)))
    assert flowing(dict(capital.card(waits).fields)["Next"]) == "2,500 USDT, proposed at the next close"
