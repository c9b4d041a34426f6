from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.decisions import Opinion, Verdict
from engine.domain.errors import UnknownId
from handlers.cards import approval, panel
from handlers.cards.lines import for_phone
from tests.fakes import reports

HEARD = reports.heard().opinions


def test_an_approval_tells_the_panel_in_three_lines():
    shown = dict(approval.card(replace(reports.approval_view(), opinions=HEARD)).fields)
    assert shown["Objection"] == "the 1d close is below its MA 200"
    assert shown["Would change it"] == "a close above it"
    told = dict(for_phone(approval.card(replace(reports.approval_view(), opinions=HEARD))).fields)["Panel"]
    assert told.splitlines() == [
        "analyst approves,",
        "risk approves 50% of it,",
        "devil's advocate approves 40% of it,",
        "supervisor abstains (offline analyst)",
    ]


def test_without_a_panel_it_tells_of_none():
    assert not {"Panel", "Objection"} & dict(approval.card(reports.approval_view()).fields).keys()


def test_where_all_abstain_it_says_that_nobody_answered():
    silent = tuple(replace(each, verdict=Verdict.ABSTAIN) for each in HEARD)
    assert panel.in_short(silent) == (("Panel", "nobody answered: the strategy's own word stands"),)
    judged = replace(reports.heard(), opinions=silent)
    shown = dict(panel.card(reports.why(judged=judged)).fields)
    assert shown["Panel"] == "nobody answered: the strategy's own word stands"
    assert "with the panel" not in shown["Confidence"]


def test_a_veto_is_the_objection_whoever_else_would_make_less_of_it():
    veto = Opinion(agent="risk", verdict=Verdict.VETO, reasons=("next to nothing is traded",))
    assert dict(panel.in_short((*HEARD, veto)))["Objection"] == "next to nothing is traded"


def test_what_speaks_for_all_of_it_is_no_objection_where_the_advocate_is_not_heard():
    trend = Opinion(agent="analyst", verdict=Verdict.APPROVE, reasons=("the trend is up",), flip="it turns")
    late = Opinion(agent="devils_advocate", verdict=Verdict.ABSTAIN, reasons=("it did not answer in time",))
    assert [name for name, _ in panel.in_short((trend, late))] == ["Panel"]
    tighter = replace(trend, stop=Decimal("54000.5"), reasons=("the stop is far away",))
    assert dict(panel.in_short((trend, tighter, late)))["Objection"] == "the stop is far away"


def test_it_tells_everything_that_was_said_and_fits_a_phone():
    card = for_phone(panel.card(reports.why(judged=reports.heard())))
    assert card.title == "The panel on D12: enter BTC/USDT"
    assert [item.title for item in card.items] == [
        "Analyst approves",
        "Risk approves 50% of it",
        "Devil's advocate approves 40% of it",
        "Supervisor abstains",
    ]
    risk, advocate = card.items[1].text, card.items[2].text
    assert "stop not below 54,000.50" in risk
    assert "1h rsi 71.2" in advocate
    assert "would change it: a close above it" in advocate


def test_where_nobody_was_asked_that_is_said():
    with pytest.raises(UnknownId, match="No panel was asked about D12"):
        panel.card(reports.why())
