from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.approvals import Claimed, Declined, Expired, Ordered, Pending, Refused, Reply
from handlers.cards.replies import reply
from tests.fakes import reports

VOTES = (reports.vote("Ann"),)
ORDERED = Ordered(votes=VOTES, order_id="O5", price=Decimal("20010.00"), at=reports.ANSWERED)
REFUSED = Refused(votes=VOTES, reasons=("the price is 0.9% away",), price=None, at=reports.ANSWERED)


def test_a_press_that_won_is_told_its_order():
    assert reply(Reply.TAKEN, reports.asked(ORDERED)) == "You approved A17: order O5 at 20,010.00."


def test_a_press_for_half_is_told_so():
    half = replace(ORDERED, votes=(reports.vote(half=True),))
    assert reply(Reply.TAKEN, reports.asked(half)) == "You approved half of A17: order O5 at 20,010.00."


def test_a_press_that_won_and_was_refused_is_told_why():
    text = reply(Reply.TAKEN, reports.asked(REFUSED))
    assert text == "You approved A17, but it was refused when it was judged again: the price is 0.9% away."


def test_a_press_that_could_not_be_judged_is_told_that_the_question_stays_open():
    assert "stays open until 2026-01-03 12:30 UTC" in reply(Reply.TAKEN, reports.asked(Pending()))


def test_a_press_still_being_judged_says_so():
    claimed = Claimed(votes=VOTES, until=reports.ANSWERED)
    assert reply(Reply.TAKEN, reports.asked(claimed)) == "You approved A17. It is being checked on fresh prices."


def test_a_yes_while_entries_are_stopped_is_told_by_whom_until_when_and_that_nothing_was_done():
    halt = reports.halt(reason="paused by Ada", until=reports.ANSWERED)
    assert reply(Reply.HALTED, reports.asked(Pending()), halt) == (
        "No new entries: paused by Ada, until 2026-01-03 12:05 UTC (H1). Nothing was done; "
        "A17 stays open until 2026-01-03 12:30 UTC."
    )


@pytest.mark.parametrize(
    ("kind", "begins"), [(Reply.COUNTED, "Your approval counts"), (Reply.REPEATED, "You have approved it already")]
)
def test_one_of_two_is_told_that_another_person_is_needed(kind, begins):
    text = reply(kind, reports.asked(Pending(votes=VOTES), votes_needed=2))
    assert text == f"{begins}: A17 has 1 of 2. Another person must approve it before 2026-01-03 12:30 UTC."


def test_a_no_that_won_is_confirmed():
    rejected = Declined(by="Ann", reason="", at=reports.ANSWERED)
    assert reply(Reply.DECLINED, reports.asked(rejected)) == "You declined A17. Nothing is traded."


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (ORDERED, "Too late: A17 was approved by Ann at 2026-01-03 12:05 UTC."),
        (Claimed(votes=VOTES, until=reports.ANSWERED), "Too late: A17 was approved by Ann at 2026-01-03 12:05 UTC."),
        (REFUSED, "Too late: A17 was approved by Ann, and refused when it was judged again: the price is 0.9% away."),
        (
            Declined(by="Bob", reason="", at=reports.ANSWERED),
            "Too late: A17 was declined by Bob at 2026-01-03 12:05 UTC.",
        ),
        (Expired(at=reports.ANSWERED), "Too late: A17 expired at 2026-01-03 12:05 UTC."),
    ],
)
def test_who_comes_too_late_is_told_who_was_first(state, text):
    assert reply(Reply.TOO_LATE, reports.asked(state)) == text
