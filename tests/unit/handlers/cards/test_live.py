"""The first go and a start with real orders, as people read them on a phone."""

from __future__ import annotations

import pytest

from engine.domain.confirmations import Confirmation, Consent, FirstGo
from engine.domain.live import LiveAccount, LiveNotice
from engine.domain.messages import Card
from engine.domain.venue_views import VenueKind
from handlers.cards import confirmations, live
from handlers.cards.lines import flowing, for_phone
from handlers.cards.monospace import WIDTH
from tests.fakes.reports import NOON

ACCOUNT = LiveAccount(venue="binance", exchange="binance", kind=VenueKind.REAL, key="wXyZ", fingerprint="aa11")
LIMITS = (("Stages", "100, 500, 2,500"), ("Drawdown", "pause at 10%, end at 25%"))
NOTICE = LiveNotice(id="1", at=NOON, accounts=(ACCOUNT,), limits=LIMITS, waiting=("binance",))
ASKED = Confirmation(id="Q1", subject=FirstGo(account=ACCOUNT, limits=LIMITS), asked_at=NOON)


def test_the_question_names_the_account_its_key_and_the_limits():
    card = confirmations.card(ASKED)
    assert flowing(card.title) == "First go at binance? real money (Q1)"
    assert [(name, flowing(value)) for name, value in card.fields] == [
        ("binance", "real money, key ends in wXyZ"),
        *LIMITS,
    ]
    assert [(each.label, each.data) for each in card.buttons] == [("Go", "yes:Q1"), ("Not now", "no:Q1")]


def test_an_answer_says_what_follows():
    go, no = (confirmations.answer(ASKED.answered(each, "Ada", NOON)) for each in Consent)
    assert (flowing(go.title), flowing(go.text)) == (
        "Q1, Ada agreed",
        "The bot may enter at binance now. /pause stops entries.",
    )
    assert no.text == "Nothing is entered there. It is asked again at the next start."


def test_a_start_says_whose_money_it_is_and_what_it_waits_for():
    card = live.started(NOTICE)
    assert card.title == "Orders are real: real money"
    assert "No entries at binance" in card.text


@pytest.mark.parametrize("card", [confirmations.card(ASKED), live.started(NOTICE)])
def test_every_line_fits_a_phone(card: Card):
    shown = for_phone(card)
    lines = [line for name, value in shown.fields for line in f"{name}: {value}".splitlines()]
    assert [line for line in (*shown.title.splitlines(), *lines) if len(line) > WIDTH] == []
