"""Language models, as people see them: what they cost."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.messages import Card
from engine.domain.model_ledger import BudgetNotice, Cap
from handlers.cards import wording

_ON = "Nothing changes yet. The most a call can cost is set aside before it is made: a cap is never passed."
_OVER = "Calls that might pass it are not made until then: cheaper models are asked, then the offline analyst."


def budget(notice: BudgetNotice) -> Card:
    """A part of a cap is used, or a call was not made for it."""
    cap, begins = notice.cap, ("Begins anew", wording.moment(notice.cap.begins_anew(notice.at)))
    used = ("Used", f"{dollars(notice.used)} of {dollars(cap.usd)}")
    if notice.worst is None:
        return Card(
            title=f"Language models: {notice.percent}% of the {of_what(cap)} is used",
            fields=(used, begins),
            text=wording.lines(_ON, "/llm tells what it went to."),
        )
    return Card(
        title=f"Language models: the {of_what(cap)} does not allow every call any more",
        fields=(used, ("Not made", f"a call that could cost {dollars(notice.worst)}"), begins),
        text=wording.lines(_OVER, "/llm tells what it went to."),
        alarm=True,
    )


def of_what(cap: Cap) -> str:
    """What a cap is, in words: ``month's budget for analyst``."""
    return f"{cap.period}'s budget" + (f" for {cap.about}" if cap.about else "")


def dollars(amount: Decimal) -> str:
    """An amount in US dollars; what is less than a cent with its first two digits: ``$12.30``, ``$0.0012``."""
    places = max(2, 1 - amount.adjusted()) if amount else 2
    return f"${amount:,.{places}f}"
