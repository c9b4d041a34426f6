"""What people are shown of the policy that adjusts entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.adjustments import AdjusterMode, AdjusterNotice, AdjusterView, Adjustment
from handlers.cards import adjuster, approval, why
from handlers.cards.lines import flowing
from tests.fakes import reports


def test_ppo_tells_the_mode_the_policy_and_what_it_would_have_done() -> None:
    card = adjuster.card(reports.adjuster_view())
    assert card.title == "Adjuster: advisory"
    assert dict(card.fields) == {
        "Mode": "advisory: it is asked and shown, and changes nothing",
        "Policy": "calm",
        "Entries": "11 answered of the last 12",
        "It wanted on average": "50% of the size",
    }
    assert "it would have done:" in card.items[0].text
    assert "Not answered: atr is not known." in card.items[1].text


def test_one_that_is_off_says_what_sets_it() -> None:
    assert adjuster.card(AdjusterView(mode=AdjusterMode.OFF)).text == "ppo.policy and ppo.mode set it."


def test_why_tells_what_it_did_and_from_what_to_what() -> None:
    done = reports.adjusted(mode=AdjusterMode.ACTIVE)
    [told] = adjuster.lines(done)
    assert flowing(told) == "calm did: 50% of the size, confidence -0.12, stop at 75% of its distance (0.1 → 0.05)"
    story = reports.why(judged=reports.judged(adjustment=done))
    assert "Adjuster\n" in why.card(story).text
    assert "Adjuster\n" not in why.card(reports.why()).text


def test_a_question_shows_it() -> None:
    fields = dict(approval.card(replace(reports.approval_view(), adjustment=reports.adjusted())).fields)
    assert fields["Adjuster"].startswith("calm would have done: 50% of the size")


def test_no_trade_is_said_alone() -> None:
    assert Adjustment(scale=0.0, confidence_shift=-0.1, stop_share=0.5).words == "no trade"


def test_the_alert_says_why_the_static_rules_hold() -> None:
    at: datetime = reports.NOON
    card = adjuster.failed(AdjusterNotice(at=at, policy="", why="own.npz is gone.", mode=AdjusterMode.ACTIVE))
    assert card.title == "The static rules hold: the adjuster cannot be asked"
    assert dict(card.fields)["Why"] == "own.npz is gone."
