"""Language models, as people see them: what they cost."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.digests import Digest
from engine.domain.messages import Card, Item
from engine.domain.model_ledger import SHORT, BudgetNotice, Cap
from engine.domain.model_views import CapView, ModelsView, ProviderView
from engine.domain.outcomes import Grade, Reliability
from handlers.cards import wording
from handlers.cards.lines import entry

_DOLLARS = frozenset({"USD", "USDT", "USDC", "FDUSD", "BUSD", "DAI"})
"""Currencies that are dollars, or near to one."""
_CENT = Decimal("0.01")
_ON = "Nothing changes yet."
_SHORT = "Of the models that cost something the cheapest alone is asked until then."
_NEVER_PASSED = "The most a call can cost is set aside before it is made: a cap is never passed."
_OVER = "Calls that might pass it are not made until then: cheaper models are asked, then the offline analyst."


def budget(notice: BudgetNotice) -> Card:
    """A part of a cap is used, or a call was not made for it."""
    cap, begins = notice.cap, ("Begins anew", wording.moment(notice.cap.begins_anew(notice.at)))
    used = ("Used", f"{dollars(notice.used)} of {dollars(cap.usd)}")
    if notice.worst is None:
        return Card(
            title=f"Language models: {notice.percent}% of the {of_what(cap)} is used",
            fields=(used, begins),
            text=wording.lines(
                f"{_SHORT if notice.percent >= SHORT else _ON} {_NEVER_PASSED}", "/llm tells what it went to."
            ),
        )
    return Card(
        title=f"Language models: the {of_what(cap)} does not allow every call any more",
        fields=(used, ("Not made", f"a call that could cost {dollars(notice.worst)}"), begins),
        text=wording.lines(_OVER, "/llm tells what it went to."),
        alarm=True,
    )


def overview(view: ModelsView) -> Card:
    """Who is asked, how they are, and what that has cost."""
    if not view.is_on:
        return Card(
            title="Language models are off",
            fields=_spent(view) if view.calls else (),
            text="They are on as soon as llm.providers has one, unless ai.enabled says no. Trading goes on without.",
        )
    sick = [each.name for each in view.providers if each.trouble]
    title = f"Language models: {wording.listing(sick)} in trouble" if sick else "Language models: all is well"
    return Card(
        title=f"Language models: the tape {view.tape} answers" if view.tape else title,
        fields=_spent(view),
        items=(*map(_provider, view.providers), *map(_grade, view.grades)),
    )


def _spent(view: ModelsView) -> tuple[tuple[str, str], ...]:
    asked = view.calls + view.reused
    return (
        ("Today (UTC)", dollars(view.today)),
        ("This month (UTC)", dollars(view.month)),
        *((("Forecast for it", dollars(view.forecast)),) if view.forecast is not None else ()),
        *(_cap(each) for each in view.caps),
        *((("For", ", ".join(f"{name or 'others'} {dollars(usd)}" for name, usd in view.purposes)),) if asked else ()),
        *((("Tokens this month", f"{view.input_tokens:,} read, {view.output_tokens:,} written"),) if asked else ()),
        *((("Answered before", f"{view.reused} of {asked} ({view.reused / asked:.0%})"),) if asked else ()),
        *((("Under way", wording.count(view.reserved, "call")),) if view.reserved else ()),
    )


def _cap(view: CapView) -> tuple[str, str]:
    share = f" ({wording.percent(view.used / view.cap.usd)} used)" if view.cap.usd else ""
    return wording.sentence(of_what(view.cap)), f"{dollars(view.cap.usd)}{share}"


def _provider(view: ProviderView) -> Item:
    """One line for its name and how it is, one for what it did."""
    what = "rules, no model" if view.is_offline else ", ".join(view.models)
    did = f"{wording.count(view.calls, 'call')} this month, {dollars(view.usd)}"
    return Item(title=f"{view.name}: {what}", text=wording.lines(view.trouble, did))


def _grade(grade: Grade) -> Item:
    """How well confidences have foretold which trades are won, beside always saying how many are."""
    found = grade.found
    name = " ".join(filter(None, (grade.strategy, grade.timeframe)))
    return Item(
        title=entry(name, f"Brier score {brier(found.brier, found.trades)}"),
        text=wording.lines(
            entry(
                "Always saying the share that is won",
                f"{found.base:.2f}. Miscalibration: {found.miscalibration:.3f}",
            ),
            *_bins(found),
        ),
    )


def _bins(found: Reliability) -> tuple[str, ...]:
    return tuple(
        entry(
            f"Confidence {each.said:.2f}",
            f"{wording.percent(each.won)} of {wording.count(each.trades, 'trade')} won",
        )
        for each in found.bins
    )


def as_said(report: Digest) -> str:
    """What came of graded trades beside what was said of them: ``1 of 3, where 62% was said``."""
    return f"{report.graded_won} of {report.graded}, where {report.sure or 0:.0%} was said"


def brier(score: float, trades: int) -> str:
    """A Brier score with what it is of: ``0.21 (3 trades; 0 is best)``."""
    return f"{score:.2f} ({wording.count(trades, 'trade')}; 0 is best)"


def of_what(cap: Cap) -> str:
    """What a cap is, in words: ``month's budget for analyst``."""
    return f"{cap.period}'s budget" + (f" for {cap.about}" if cap.about else "")


def per_trade(cost: Decimal, trades: int, whole: Decimal, quote: str) -> str:
    """What models cost, and a trade: ``$1.20 (0.01%), $0.40 for each trade opened``.

    Args:
        cost: In US dollars.
        trades: How many were opened.
        whole: What the account began with; what the cost is of it is told where it is in dollars too.
        quote: The account's currency.
    """
    share = wording.in_brackets(cost, whole) if quote in _DOLLARS else ""
    each = f"{dollars(cost / trades)} for each trade opened" if trades else "and no trade opened"
    return f"{dollars(cost)}{share}, {each}"


def dollars(amount: Decimal) -> str:
    """An amount in US dollars; what is less than a cent with its first two digits: ``$12.30``, ``$0.0012``."""
    places = 1 - amount.adjusted() if 0 < amount < _CENT else 2
    return f"${amount:,.{places}f}"
