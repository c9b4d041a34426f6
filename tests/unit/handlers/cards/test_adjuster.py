"""What people are shown of the policy that adjusts entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.adjuster_modes import ModeStage, ModeWish
from engine.domain.adjustments import AdjusterMode, AdjusterNotice, AdjusterTally, AdjusterView, Adjustment
from handlers.cards import adjuster, alerts, approval, why
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


def test_ppo_names_the_contexts_that_are_left_alone() -> None:
    card = adjuster.card(reports.adjuster_view(spared=("rev", "slow")))
    assert dict(card.fields)["Left alone"] == "rev and slow"


def test_people_are_told_of_each_kind_of_reason_once_a_day() -> None:
    def ids(*reasons: str) -> set[str]:
        return {AdjusterNotice(at=reports.NOON, policy="calm", why=why, mode=AdjusterMode.ACTIVE).id for why in reasons}

    assert len(ids("atr is 0.9: the policy knows 0 to 0.1.", "atr is 0.8: the policy knows 0 to 0.1.")) == 1
    assert len(ids("It is stale: its training ended.", "It was trained on 1h candles, not on 4h.")) == 2


def test_one_that_is_off_says_what_sets_it() -> None:
    assert (
        adjuster.card(AdjusterView(mode=AdjusterMode.OFF)).text
        == "ppo.policy names a policy; /ppo advisory has it asked."
    )


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


def test_a_mode_is_asked_for_with_buttons_and_each_answer_has_its_card() -> None:
    wish = ModeWish(
        id="M4",
        person="Ada",
        before=AdjusterMode.ADVISORY,
        wanted=AdjusterMode.ACTIVE,
        policy="calm",
        about=("It is degenerate: it never trades.",),
        expires_at=reports.NOON,
    )
    card = adjuster.asked(wish)
    assert card.title == "Make the adjuster active? (M4)"
    assert [each.data for each in card.buttons] == ["ppo-set:M4", "ppo-leave:M4"]
    assert "It is degenerate: it never trades." in card.text
    titles = {stage: adjuster.asked(replace(wish, stage=stage)).title for stage in ModeStage}
    assert titles[ModeStage.SET] == "The adjuster is active now (M4)"
    assert titles[ModeStage.LEFT] == "Left as it is: the adjuster is advisory (M4)"
    assert titles[ModeStage.EXPIRED] == "Time is up: nothing was changed (M4)"


def test_a_digest_tells_what_was_done_and_what_would_have_been_and_nothing_where_nobody_was_asked() -> None:
    static = reports.adjusted(adjustment=None, why="atr is not known.")
    active = [reports.adjusted(mode=AdjusterMode.ACTIVE, adjustment=Adjustment(scale=each)) for each in (0.25, 0.75)]
    tally = AdjusterTally.of([*active, reports.adjusted(), static])
    told = "2 entries made 50% of the size, 1 entry would have been 50% of the size, 1 entry by the static rules"
    assert dict(alerts.digest(reports.digest(adjuster=tally)).fields)["Adjuster"] == told
    assert "Adjuster" not in dict(alerts.digest(reports.digest()).fields)
    assert (tally + tally).done == 4
    assert adjuster.of_day(tally + tally).startswith("4 entries made 50% of the size")
