from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.approvals import Claimed, Declined, Expired, Ordered, Pending, Refused
from engine.domain.messages import Button
from engine.domain.orders import OrderStatus, Unsent
from handlers.cards import approval
from handlers.cards.lines import for_phone
from tests.fakes import reports

ORDERED = Ordered(votes=(reports.vote(half=True),), order_id="O5", price=Decimal("20010.00"), at=reports.ANSWERED)


def fields(view, **arguments):
    return dict(for_phone(approval.card(view, **arguments)).fields)


def test_a_question_says_everything_needed_to_answer_it():
    card = for_phone(approval.card(reports.approval_view(), Decimal(10000)))
    assert card.title == "Buy 0.01234 BTC/USDT? (A17)"
    assert dict(card.fields) == {
        "Asked price": "20,000.00",
        "Value": "246.80 USDT (2.47% of equity)",
        "Risk to the stop": "6.17 USDT (0.06% of equity)",
        "Stop": "19,500.00 (-2.50%)",
        "Target": "21,000.00 (+5.00%)",
        "Agreement": "1 of 2 agree",
        "Strategy": "momentum (btc_momentum) on 1h",
        "Trigger": "the MACD rose above its signal",
        "Expires": "in 30 min, 2026-01-03 12:30 UTC",
    }
    assert card.text.splitlines() == [
        "✓ above ma 200: 20,000 over 19,200",
        "✗ macd rising",
    ]


def test_the_risk_is_an_amount_where_equity_is_not_known():
    assert fields(reports.approval_view())["Risk to the stop"] == "6.17 USDT"


def test_a_question_carries_three_buttons_that_name_it():
    buttons = for_phone(approval.card(reports.approval_view())).buttons
    assert [button.label for button in buttons] == ["Approve", "Approve half", "Reject"]
    assert [Button.parse(button.data)[1] for button in buttons] == ["A17"] * 3


def test_a_question_that_a_halt_stops_can_only_be_rejected_and_says_why_and_until_when():
    halt = reports.halt(reason="paused by Ada", until=reports.ANSWERED)
    card = for_phone(approval.card(replace(reports.approval_view(), halt=halt)))
    assert [button.label for button in card.buttons] == ["Reject"]
    assert card.fields[0] == ("No new entries", "paused by Ada, until 2026-01-03 12:05 UTC (H1)")
    assert card.text.startswith("It can be approved once entries are possible again")


def test_a_question_to_one_person_says_nothing_of_votes():
    assert "Approvals" not in fields(reports.approval_view())


def test_a_question_to_two_people_says_that_both_are_missing():
    assert fields(reports.approval_view(votes_needed=2))["Approvals"] == "0 of 2; 2 people must approve"


def test_a_question_to_two_people_says_who_agreed_and_who_is_missing():
    view = reports.approval_view(Pending(votes=(reports.vote("Ann"),)), votes_needed=2)
    assert fields(view)["Approvals"] == "1 of 2; Ann, 2026-01-03 12:05 UTC; another person must approve too"
    assert for_phone(approval.card(view)).buttons


@pytest.mark.parametrize(
    ("votes", "approvers", "missing"),
    [
        ((), ("Ann", "Bob", "Cid"), "2 of Ann, Bob and Cid must approve"),
        ((), ("Ann", "Bob"), "; Ann and Bob must approve"),
        (("Ann",), ("Ann", "Bob", "Cid"), "Bob or Cid must approve too"),
        (("Ann",), ("Ann",), "another person must approve too"),
        ((), tuple("ABCDEFG"), "2 people must approve"),
    ],
    ids=["nobody yet", "both", "one", "nobody else may", "too many to name"],
)
def test_a_question_to_two_people_names_those_it_waits_for(votes, approvers, missing):
    view = reports.approval_view(Pending(votes=tuple(map(reports.vote, votes))), votes_needed=2)
    assert fields(view, approvers=approvers)["Approvals"].endswith(missing)


SETTLED = [
    Claimed(votes=(reports.vote(),), until=reports.ANSWERED),
    ORDERED,
    Refused(votes=(reports.vote(),), reasons=("paused",), price=None, at=reports.ANSWERED),
    Declined(by="Bob", reason="", at=reports.ANSWERED),
    Expired(at=reports.ANSWERED),
]


@pytest.mark.parametrize("state", SETTLED, ids=lambda state: type(state).__name__)
def test_only_open_questions_have_buttons_and_every_card_names_its_approval(state):
    card = for_phone(approval.card(reports.approval_view(state)))
    assert card.buttons == ()
    assert "(A17)" in card.title


def test_a_claimed_question_is_being_checked():
    card = for_phone(approval.card(reports.approval_view(Claimed(votes=(reports.vote(),), until=reports.ANSWERED))))
    assert card.title == "Approved by Ann: being checked on fresh prices (A17)"


def test_an_approved_question_says_who_when_price_and_what_was_filled():
    view = reports.approval_view(ORDERED, order=reports.filled_order(), position=reports.position())
    card = for_phone(approval.card(view))
    assert card.title == "Approved half by Ann, filled (A17)"
    assert dict(card.fields) == {
        "Asked": "Buy 0.01234 BTC/USDT,\n2026-01-03 12:00 UTC",
        "Price": "20,000.00 → 20,010.00 (+0.05%)",
        "Approved": "Ann (half), 2026-01-03 12:05 UTC",
        "Order": "O5, buy 0.00617 BTC/USDT, filled",
        "Filled": "0.00617 @ 20,011.23, fee 0.12 USDT",
        "Position": "T3, stop 19,500.00, target 21,000.00",
    }


def test_an_approved_question_names_its_order_before_anything_is_known_of_it():
    card = for_phone(approval.card(reports.approval_view(ORDERED)))
    assert card.title == "Approved half by Ann (A17)"
    assert dict(card.fields)["Order"] == "O5"


def test_two_people_who_approved_are_both_named():
    view = reports.approval_view(replace(ORDERED, votes=(reports.vote("Ann"), reports.vote("Bob"))), votes_needed=2)
    assert for_phone(approval.card(view)).title == "Approved by Ann and Bob (A17)"
    assert fields(view)["Approvals"].startswith("2 of 2; Ann")


def test_a_partial_fill_says_of_how_much():
    part = replace(reports.filled_order(), status=OrderStatus.OPEN, filled=Decimal("0.002"))
    assert fields(reports.approval_view(ORDERED, order=part))["Filled"].startswith("0.002 of 0.00617 @ ")


def test_an_order_that_the_venue_refused_is_not_called_filled():
    refused = reports.order(status=OrderStatus.REJECTED, reason="insufficient funds")
    card = for_phone(approval.card(reports.approval_view(ORDERED, order=refused)))
    assert card.title == "Approved half by Ann, but the venue refused the order (A17)"
    assert dict(card.fields)["Order"].endswith("refused by the venue: insufficient\nfunds")
    assert "Filled" not in dict(card.fields)


def test_an_order_whose_answer_was_lost_is_not_called_refused():
    card = for_phone(approval.card(reports.approval_view(ORDERED, order=reports.order(status=OrderStatus.UNKNOWN))))
    assert card.title == "Approved half by Ann, the venue is being asked (A17)"


def test_a_refusal_at_the_press_says_why_and_how_far_the_price_went():
    reasons = ("the price is 0.9% away", "trading is paused")
    state = Refused(votes=(reports.vote(),), reasons=reasons, price=Decimal("20180.00"), at=reports.ANSWERED)
    card = for_phone(approval.card(reports.approval_view(state)))
    assert card.title == "Refused at the press (A17)"
    assert dict(card.fields)["Because"] == "the price is 0.9% away; trading is paused"
    assert dict(card.fields)["Price"] == "20,000.00 → 20,180.00 (+0.90%)"
    assert dict(card.fields)["Approved"] == "Ann, 2026-01-03 12:05 UTC"


def test_a_refusal_without_a_price_shows_the_asked_one_alone():
    state = Refused(votes=(reports.vote(),), reasons=("no quote",), price=None, at=reports.ANSWERED)
    assert fields(reports.approval_view(state, price=Decimal(9)))["Price"] == "20,000.00"


def test_a_rejection_names_who_and_why():
    state = Declined(by="Bob", reason="too hot", at=reports.ANSWERED)
    card = for_phone(approval.card(reports.approval_view(state, price=Decimal("19990.00"))))
    assert card.title == "Declined by Bob: too hot (A17)"
    assert dict(card.fields)["Declined"] == "Bob, 2026-01-03 12:05 UTC"
    assert dict(card.fields)["Price"] == "20,000.00 → 19,990.00 (-0.05%)"


def test_a_long_reason_does_not_swamp_the_title():
    state = Declined(by="Bob", reason="no " * 300, at=reports.ANSWERED)
    assert len(for_phone(approval.card(reports.approval_view(state))).title) < 150


def test_an_expired_question_says_since_when():
    card = for_phone(approval.card(reports.approval_view(Expired(at=reports.ANSWERED))))
    assert card.title == "Expired: nobody answered in time (A17)"
    assert dict(card.fields)["Expired"] == "2026-01-03 12:05 UTC"


def test_a_position_that_has_closed_meanwhile_says_what_it_made():
    view = reports.approval_view(ORDERED, order=reports.filled_order(), position=reports.closed_position())
    assert fields(view)["Position"] == "T3, closed by its target,\n+5.92 USDT (+4.80%) net"


def test_a_question_that_is_drawn_anew_counts_from_then():
    card = for_phone(approval.card(reports.approval_view(now=reports.NOON + timedelta(minutes=9, seconds=20))))
    assert dict(card.fields)["Expires"] == "in 21 min, 2026-01-03 12:30 UTC"
    late = for_phone(approval.card(reports.approval_view(now=reports.NOON + timedelta(minutes=29, seconds=20))))
    assert dict(late.fields)["Expires"] == "in 40 s, 2026-01-03 12:30 UTC"


@pytest.mark.parametrize(
    ("left", "told"),
    [(121, "in 2 min by your clock,\n"), (50, "in 50 s by your clock,\n"), (0, "")],
)
def test_a_question_of_a_replay_says_how_long_one_has_by_the_own_clock(left: int, told: str):
    view = reports.approval_view(wall_left=timedelta(seconds=left))
    assert dict(for_phone(approval.card(view)).fields)["Expires"] == f"{told}2026-01-03 12:30 UTC in the market"


@pytest.mark.parametrize(
    ("reason", "unsent", "title", "tells"),
    [
        ("too small", Unsent.NO, "but the venue refused the order", "refused by the venue: too small"),
        ("not sent: it is old", Unsent.WITHHELD, "but the order never reached the venue", "not sent: it is old"),
        ("its request was lost", Unsent.LOST, "but the order never reached the venue", "its request was lost"),
    ],
)
def test_the_venue_has_refused_only_what_it_saw(reason: str, unsent: Unsent, title: str, tells: str):
    """Seen: "but the venue refused the order" of one that nobody had sent."""
    order = reports.order(status=OrderStatus.REJECTED, reason=reason, unsent=unsent)
    card = for_phone(
        approval.card(
            reports.approval_view(
                Ordered(order_id="O5", price=Decimal(20_000), votes=(reports.vote(),), at=reports.NOON), order=order
            )
        )
    )
    assert title in card.title
    assert dict(card.fields)["Order"].endswith(f",\n{tells}")


def test_open_questions_come_with_prices_of_now_and_how_to_answer():
    card = for_phone(approval.pending((reports.approval_view(price=Decimal("20100.00")),)))
    (item,) = card.items
    assert item.title == "A17 Buy 0.01234 BTC/USDT"
    assert item.text.splitlines() == [
        "20,000.00 → 20,100.00 (+0.50%)",
        "1 of 2 agree, expires in 30 min,",
        "  2026-01-03 12:30 UTC",
    ]
    assert "/approve A17 half" in card.text
    assert card.buttons == ()


def test_no_command_that_answers_is_broken_in_two():
    view = reports.approval_view()
    card = for_phone(approval.pending((replace(view, approval=replace(view.approval, id="A12345")),)))
    assert card.text.splitlines() == [
        "Answer with its buttons, or with",
        "  /approve A12345,",
        "  /approve A12345 half",
        "  or /reject A12345 reason.",
    ]


def test_an_open_question_of_a_replay_fits_a_phone():
    (item,) = for_phone(approval.pending((reports.approval_view(wall_left=timedelta(minutes=2)),))).items
    assert item.text.splitlines()[-2:] == [
        "  expires in 2 min by your clock,",
        "  2026-01-03 12:30 UTC in the market",
    ]


def test_that_no_question_is_open_is_said_plainly():
    assert for_phone(approval.pending(())).title == "Nothing to decide"


@pytest.mark.parametrize(
    ("due_at", "said"),
    [(None, "its answer counts until\n  2026-01-03 12:00 UTC"), (reports.NOON, "it has spoken: the decision is next")],
)
def test_what_a_panel_thinks_about_stands_below_what_is_open(due_at, said):
    waiting = replace(reports.deliberation(), due_at=due_at)
    alone = for_phone(approval.pending((), (waiting,)))
    beside = for_phone(approval.pending((reports.approval_view(),), (waiting,)))
    assert (alone.title, beside.title) == ("Nothing to decide", "1 open approval")
    assert (len(beside.items), beside.items[1:]) == (2, alone.items)
    (item,) = alone.items
    assert item.title == "ETH/USDT: before the panel"
    assert item.text == f"momentum (eth) on 1h\nasked 2026-01-03 12:00 UTC\n{said}\nbegun by O5"
