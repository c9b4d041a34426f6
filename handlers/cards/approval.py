"""The card of an approval: what it looks like while it is open and once it is settled, and all open ones. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from engine.domain.approvals import (
    Approval,
    Claimed,
    Declined,
    Expired,
    Ordered,
    Pending,
    Refused,
    Verb,
    Vote,
)
from engine.domain.decision_views import ApprovalView
from engine.domain.messages import BREAK, Button, Card, Item
from engine.domain.orders import Order, OrderStatus
from engine.domain.proposals import Deliberation
from handlers.cards import adjuster, panel, phrases, wording
from handlers.cards.lines import entry, listed

Fields = tuple[tuple[str, str], ...]

LABELS = {Verb.APPROVE: "Approve", Verb.HALF: "Approve half", Verb.REJECT: "Reject"}
"""The words on the buttons, in their order."""

_COMES_BACK = "It can be approved once entries are possible again, unless it expires before."

_REASON_WIDTH = 100
_MOST_NAMED = 6
"""People that a card names; of more it gives the number."""

_OUTCOMES = {
    OrderStatus.INTENT: ", order being sent",
    OrderStatus.SENT: ", order being sent",
    OrderStatus.OPEN: ", order at the venue",
    OrderStatus.PARTLY_FILLED: ", partly filled",
    OrderStatus.CANCELLING: ", order being cancelled",
    OrderStatus.UNKNOWN: ", the venue is being asked",
    OrderStatus.FILLED: ", filled",
    OrderStatus.CANCELLED: ", order cancelled",
    OrderStatus.EXPIRED: ", order expired",
    OrderStatus.REJECTED: ", but the venue refused the order",
}


def card(view: ApprovalView, equity: Decimal | None = None, approvers: Sequence[str] = ()) -> Card:
    """The card of one approval in whatever state it is.

    Args:
        view: The approval with its decision and what became of it.
        equity: What the account is worth now; where given, value and risk of an open approval are also shares of it.
        approvers: The people who may answer; where given, an approval that needs two names those it still waits for.
    """
    asked = view.approval
    match asked.state:
        case Pending(votes=votes):
            return _open(view, votes, equity, approvers)
        case Claimed(votes=votes):
            title = f"{_consent(votes)}: being checked on fresh prices ({asked.id})"
            return Card(title=title, fields=(_asked(asked), *_votes(asked, votes)))
        case Ordered() as state:
            return _ordered(view, state)
        case Refused() as state:
            return _refused(view, state)
        case Declined() as state:
            return _declined(view, state)
        case Expired(at=at):
            title = f"Expired: nobody answered in time ({asked.id})"
            return _settled(view, title, (("Expired", wording.moment(at)),), view.price)
        case _:
            assert_never(asked.state)


def _open(view: ApprovalView, votes: Sequence[Vote], equity: Decimal | None, approvers: Sequence[str]) -> Card:
    asked, decision, plan = view.approval, view.decision, view.approval.plan
    verbs = [Verb.REJECT] if view.halt else list(LABELS)
    fields = (
        *((("No new entries", phrases.halted(view.halt)),) if view.halt else ()),
        *((("Adds to", phrases.begun(plan)),) if plan.starter else ()),
        *phrases.in_slices(plan),
        *phrases.routed(view.quotes, plan.venue, plan.symbol),
        ("Asked price", wording.price(plan.price)),
        ("Value", phrases.of_equity(plan.notional, equity, wording.quote(plan.symbol))),
        ("Risk to the stop", phrases.risk(plan, equity)),
        *phrases.levels(plan.price, plan.stop, plan.target),
        ("Agreement", decision.agreement),
        *phrases.calibrated(decision),
        phrases.strategy_field(decision),
        *panel.in_short(view.opinions),
        *adjuster.in_short(view.adjustment),
        *_votes(asked, votes, approvers),
        ("Expires", phrases.expiry(asked.expires_at, view.now, view.wall_left)),
        *((("Trigger", decision.trigger),) if decision.trigger else ()),
    )
    return Card(
        title=f"{phrases.headline(plan, view.at)}? ({asked.id})",
        fields=fields,
        text=wording.lines(_COMES_BACK if view.halt else "", phrases.conditions(decision.conditions)),
        buttons=tuple(Button(label=LABELS[verb], verb=verb, about=asked.id) for verb in verbs),
    )


def _ordered(view: ApprovalView, state: Ordered) -> Card:
    order = view.order
    outcome = _outcome(order) if order else ""
    fields = (
        *_votes(view.approval, state.votes),
        ("Order", listed(phrases.order(order)) if order else state.order_id),
        *_traded(order),
        *((("Position", listed(phrases.position(view.position))),) if view.position else ()),
    )
    return _settled(view, f"{_consent(state.votes)}{outcome} ({view.approval.id})", fields, state.price)


def _outcome(order: Order) -> str:
    """What became of the order; the venue has not refused what it never saw."""
    unseen = order.status is OrderStatus.REJECTED and not order.was_refused
    return ", but the order never reached the venue" if unseen else _OUTCOMES[order.status]


def _traded(order: Order | None) -> Fields:
    return (("Filled", listed(phrases.fills(order))),) if order and order.filled else ()


def _refused(view: ApprovalView, state: Refused) -> Card:
    fields = (
        *_votes(view.approval, state.votes),
        ("Refused", wording.moment(state.at)),
        ("Because", "; ".join(state.reasons)),
    )
    return _settled(view, f"Refused at the press ({view.approval.id})", fields, state.price)


def _declined(view: ApprovalView, state: Declined) -> Card:
    reason = f": {textwrap.shorten(state.reason, _REASON_WIDTH, placeholder='…')}" if state.reason else ""
    fields = (("Declined", f"{state.by}, {wording.moment(state.at)}"),)
    return _settled(view, f"Declined by {state.by}{reason} ({view.approval.id})", fields, view.price)


def _settled(view: ApprovalView, title: str, fields: Fields, price: Decimal | None) -> Card:
    asked = view.approval
    moved = phrases.price_move(asked.plan.price, price) if price is not None else wording.price(asked.plan.price)
    return Card(
        title=title, fields=(_asked(asked), ("Price", moved), *fields), text=f"/why {asked.id} tells the whole story."
    )


def _asked(asked: Approval) -> tuple[str, str]:
    return "Asked", listed(f"{phrases.headline(asked.plan)}, {wording.moment(asked.asked_at)}")


def _consent(votes: Sequence[Vote]) -> str:
    return wording.sentence(phrases.consent(votes))


def _votes(asked: Approval, votes: Sequence[Vote], approvers: Sequence[str] = ()) -> Fields:
    """Who has agreed and, where it takes more than one person, who is still missing."""
    given = "; ".join(map(phrases.vote, votes))
    if asked.votes_needed == 1:
        return (("Approved", given),) if given else ()
    missing = asked.votes_needed - len(votes)
    agreed = {vote.person for vote in votes}
    still = _missing(missing, [name for name in approvers if name not in agreed], first=not votes)
    parts = (f"{len(votes)} of {asked.votes_needed}", given, still if missing > 0 else "")
    return (("Approvals", "; ".join(part for part in parts if part)),)


def _missing(number: int, people: Sequence[str], *, first: bool) -> str:
    """Who must still approve: by name, unless they are too many or too few for that."""
    if not number <= len(people) <= _MOST_NAMED:
        return f"{number} people must approve" if first else "another person must approve too"
    if number == 1:
        return f"{' or '.join(people)} must approve too"
    named = wording.listing(people)
    return f"{named} must approve" if len(people) == number else f"{number} of {named} must approve"


def pending(approvals: Sequence[ApprovalView], deliberations: Sequence[Deliberation] = ()) -> Card:
    """The open approvals, with prices of now, and what a panel thinks about: that may become one."""
    considered = tuple(map(_considered, deliberations))
    if not approvals:
        return Card(title="Nothing to decide", text="No approval is open.", items=considered)
    first = approvals[0]
    name = first.approval.id
    approving = "" if first.halt else f"/approve {name}, {BREAK}/approve {name} half {BREAK}or "
    return Card(
        title=wording.count(len(approvals), "open approval"),
        items=(*map(_open_approval, approvals), *considered),
        text=f"Answer with its buttons, or with {BREAK}{approving}/reject {name} reason.",
    )


def _considered(waiting: Deliberation) -> Item:
    until = f"its answer counts until {wording.moment(waiting.deadline)}"
    return Item(
        title=f"{waiting.proposal.symbol}: before the panel",
        text=wording.lines(
            listed(phrases.strategy(waiting.proposal)),
            listed(f"asked {wording.moment(waiting.asked_at)}"),
            listed(until if waiting.due_at is None else "it has spoken: the decision is next"),
            f"begun by {waiting.starter}" if waiting.starter else "",
        ),
    )


def _open_approval(view: ApprovalView) -> Item:
    asked, plan = view.approval, view.approval.plan
    return Item(
        title=f"{asked.id} {phrases.headline(plan, view.at)}",
        text=wording.lines(
            wording.price(plan.price) if view.price is None else phrases.price_move(plan.price, view.price),
            listed(f"{view.decision.agreement}, expires {phrases.expiry(asked.expires_at, view.now, view.wall_left)}"),
            entry("no new entries", phrases.halted(view.halt)) if view.halt else "",
        ),
    )
