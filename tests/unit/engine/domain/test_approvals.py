"""The life of an approval: every rule by itself, then whatever may happen in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.domain.approvals import (
    CLAIM_LASTS,
    Approval,
    Claimed,
    Declined,
    Effect,
    Expired,
    GivenBack,
    Happening,
    Judge,
    Ordered,
    Pending,
    Press,
    Refused,
    Reply,
    Restarted,
    RuledOrder,
    RuledRefusal,
    State,
    Tell,
    Tick,
    Verb,
    step,
)
from tests.fakes.reports import NOON, asked, vote

LATE = NOON + timedelta(minutes=30)
"""When the question runs out of time."""
SOON = NOON + timedelta(minutes=1)
ONE_VOTE = (vote("Ann"),)
CLAIMED = Claimed(votes=ONE_VOTE, until=SOON + CLAIM_LASTS)
ORDER = RuledOrder(order_id="O5", price=Decimal(101))
SETTLED: tuple[State, ...] = (
    Ordered(votes=ONE_VOTE, order_id="O5", price=Decimal(101), at=SOON),
    Declined(by="Ann", reason="", at=SOON),
    Refused(votes=ONE_VOTE, reasons=("the price moved",), price=None, at=SOON),
    Expired(at=LATE),
)
HAPPENINGS: tuple[Happening, ...] = (
    *(Press(person="Ann", verb=verb) for verb in Verb),
    Tick(),
    Restarted(),
    ORDER,
    RuledRefusal(reasons=("the price moved",)),
    GivenBack(reason="no fresh price"),
)


def press(person: str = "Ann", verb: Verb = Verb.APPROVE) -> Press:
    return Press(person=person, verb=verb)


def told(*replies: Reply) -> tuple[Effect, ...]:
    return tuple(Tell(reply=reply) for reply in replies)


def test_one_vote_claims_and_has_it_judged():
    approval, effects = step(asked(), press(), SOON)
    assert approval.state == Claimed(votes=(replace(vote("Ann"), at=SOON),), until=SOON + CLAIM_LASTS)
    assert effects == (*told(Reply.TAKEN), Judge(half=False))
    assert (approval.version, approval.status, approval.is_open) == (1, "claimed", True)


def test_half_is_judged_as_half():
    _, effects = step(asked(), press(verb=Verb.HALF), SOON)
    assert effects[-1] == Judge(half=True)


def test_two_people_are_needed_where_two_are_asked_for():
    first, effects = step(asked(votes_needed=2), press("Ann"), SOON)
    assert (first.status, effects) == ("pending", told(Reply.COUNTED))
    again, effects = step(first, press("Ann"), SOON)
    assert again is first
    assert effects == told(Reply.REPEATED)
    second, effects = step(first, press("Bob"), SOON)
    assert (second.status, effects) == ("claimed", (*told(Reply.TAKEN), Judge(half=False)))


@pytest.mark.parametrize("verbs", [(Verb.HALF, Verb.APPROVE), (Verb.APPROVE, Verb.HALF)])
def test_half_wins_where_two_people_want_different_amounts(verbs: tuple[Verb, Verb]):
    first, _ = step(asked(votes_needed=2), press("Ann", verbs[0]), SOON)
    _, effects = step(first, press("Bob", verbs[1]), SOON)
    assert effects[-1] == Judge(half=True)


def test_one_no_is_enough_even_by_somebody_who_had_agreed():
    first, _ = step(asked(votes_needed=2), press("Ann"), SOON)
    approval, effects = step(first, Press(person="Ann", verb=Verb.REJECT, reason="news"), SOON)
    assert approval.state == Declined(by="Ann", reason="news", at=SOON)
    assert effects == told(Reply.DECLINED)


def test_silence_expires_at_the_very_moment_that_was_promised():
    just_before, _ = step(asked(), Tick(), LATE - timedelta(microseconds=1))
    assert just_before.status == "pending"
    approval, effects = step(asked(), Tick(), LATE + timedelta(hours=3))
    assert approval.state == Expired(at=LATE)
    assert effects == ()


def test_a_press_at_the_last_moment_is_too_late():
    approval, effects = step(asked(), press(), LATE)
    assert (approval.status, effects) == ("expired", told(Reply.TOO_LATE))


def test_what_was_judged_becomes_an_order_or_a_refusal():
    ordered, _ = step(asked(CLAIMED), ORDER, SOON)
    assert ordered.state == Ordered(votes=ONE_VOTE, order_id="O5", price=Decimal(101), at=SOON)
    refused, _ = step(asked(CLAIMED), RuledRefusal(reasons=("paused",), price=Decimal(99)), SOON)
    assert refused.state == Refused(votes=ONE_VOTE, reasons=("paused",), price=Decimal(99), at=SOON)
    assert not ordered.is_open
    assert not refused.is_open


def test_missing_data_gives_the_question_back_without_the_last_vote():
    two = replace(CLAIMED, votes=(vote("Ann"), vote("Bob")))
    approval, _ = step(asked(two, votes_needed=2), GivenBack(reason="no price"), SOON)
    assert approval.state == Pending(votes=(vote("Ann"),))
    again, effects = step(approval, press("Bob"), SOON)
    assert (again.status, effects[0]) == ("claimed", Tell(reply=Reply.TAKEN))


def test_missing_data_after_the_time_is_up_refuses():
    approval, _ = step(asked(CLAIMED), GivenBack(reason="no price"), LATE)
    assert approval.state == Refused(votes=ONE_VOTE, reasons=("no price",), price=None, at=LATE)


def test_a_claim_is_left_alone_while_it_lasts_and_judged_again_after():
    waiting, effects = step(asked(CLAIMED), Tick(), CLAIMED.until - timedelta(seconds=1))
    assert (waiting.version, effects) == (0, ())
    again, effects = step(asked(CLAIMED), Tick(), CLAIMED.until)
    assert again.state == Claimed(votes=ONE_VOTE, until=CLAIMED.until + CLAIM_LASTS)
    assert effects == (Judge(half=False),)


def test_a_claim_found_at_restart_is_judged_again_at_once_while_there_is_time():
    again, effects = step(asked(CLAIMED), Restarted(), SOON)
    assert (again.status, again.version, effects) == ("claimed", 1, (Judge(half=False),))


@pytest.mark.parametrize("happening", [Restarted(), Tick()])
def test_a_claim_that_outlived_the_question_is_refused_and_says_so(happening: Happening):
    approval, effects = step(asked(CLAIMED), happening, LATE + CLAIM_LASTS)
    assert isinstance(approval.state, Refused)
    assert "time was up" in approval.state.reasons[0]
    assert effects == ()


def test_a_running_claim_found_after_the_question_ran_out_is_refused_too():
    late_claim = asked(Claimed(votes=ONE_VOTE, until=LATE + CLAIM_LASTS))
    approval, _ = step(late_claim, Restarted(), LATE)
    assert isinstance(approval.state, Refused)
    assert "before it was judged" in approval.state.reasons[0]


def test_a_press_on_a_claimed_question_is_too_late():
    approval, effects = step(asked(CLAIMED), press("Bob", Verb.REJECT), SOON)
    assert (approval.status, effects) == ("claimed", told(Reply.TOO_LATE))


@pytest.mark.parametrize("state", SETTLED, ids=lambda state: type(state).__name__)
@pytest.mark.parametrize("happening", HAPPENINGS, ids=str)
def test_nothing_changes_what_is_settled(state: State, happening: Happening):
    before = asked(state)
    after, effects = step(before, happening, SOON)
    assert after is before
    assert effects == (told(Reply.TOO_LATE) if isinstance(happening, Press) else ())


@pytest.mark.parametrize("happening", [ORDER, RuledRefusal(reasons=("no",)), GivenBack(reason="no"), Restarted()])
def test_rulings_do_not_touch_a_question_nobody_claimed(happening: Happening):
    before = asked()
    assert step(before, happening, SOON) == (before, ())


class Life(RuleBasedStateMachine):
    """Whatever happens to an approval, in whatever order and however much time passes in between."""

    approval: Approval
    now: datetime

    @initialize(votes_needed=st.integers(1, 3))
    def ask(self, votes_needed: int) -> None:
        self.approval, self.now = asked(votes_needed=votes_needed), NOON

    @rule(seconds=st.integers(0, 600))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(person=st.sampled_from(["Ann", "Bob", "Cid", "Dot"]), verb=st.sampled_from(Verb))
    def answer(self, person: str, verb: Verb) -> None:
        self._happen(Press(person=person, verb=verb))

    @rule(happening=st.sampled_from([Tick(), Restarted(), *HAPPENINGS[-3:]]))
    def happen(self, happening: Happening) -> None:
        self._happen(happening)

    def _happen(self, happening: Happening) -> None:
        before = self.approval
        after, effects = step(before, happening, self.now)
        assert after.version - before.version == (after is not before)
        assert before.is_open or after is before
        assert replace(after, state=before.state, version=before.version) == before
        if isinstance(happening, Press):
            assert sum(isinstance(effect, Tell) for effect in effects) == 1
        judged = [effect for effect in effects if isinstance(effect, Judge)]
        if isinstance(after.state, Claimed) and after is not before:
            assert self.now < after.expires_at
            assert judged == [Judge(half=any(vote.half for vote in after.state.votes))]
        else:
            assert judged == []
        if isinstance(after.state, Ordered) and after is not before:
            assert isinstance(before.state, Claimed)
            assert isinstance(happening, RuledOrder)
        self.approval = after

    @invariant()
    def votes_are_of_distinct_people_and_enough(self) -> None:
        match self.approval.state:
            case Pending(votes=votes):
                assert len({vote.person for vote in votes}) == len(votes) < self.approval.votes_needed
            case Claimed(votes=votes) | Ordered(votes=votes) | Refused(votes=votes):
                assert len({vote.person for vote in votes}) == len(votes) == self.approval.votes_needed
            case Declined() | Expired():
                pass


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


def test_a_reason_has_nothing_that_cannot_be_printed_and_an_end():
    """A mark that turns the direction of writing would turn the words of a card behind it; PostgreSQL takes no NUL."""
    reason = "too \u202ehot\u202c\x00for\n me " + "x" * 10_000
    kept = Press(person="Ann", verb=Verb.REJECT, reason=reason).reason
    assert kept.startswith("too hot for me xxx")
    assert len(kept) <= 500
