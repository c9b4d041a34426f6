"""How much of the account may be used, as cards. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.capital import CapitalStage, CapitalView
from engine.domain.messages import BREAK, Card, Item
from handlers.cards import wording

ALL = "all of the account"
_OFF = "All of the account may be used, {}within the risk limits. capital.stages in the settings holds it to less."


def card(view: CapitalView) -> Card:
    """The card that ``/capital`` answers with."""
    stage, figures = view.stage, view.figures
    if stage is None or stage.amount is None or figures is None:
        return Card(title="Capital: no stages", text=_OFF.format(BREAK), items=_before(view))
    number = view.plan.number(stage.amount)
    fallen, most = wording.percent(figures.drawdown(stage.amount)), wording.percent(view.plan.max_drawdown)
    return Card(
        title=f"Capital: stage {number} of {len(view.plan.stages)}, {BREAK}up to {_amount(stage.amount, view.quote)}",
        fields=(
            ("Used", wording.of(figures.used, stage.amount, view.quote) if stage.amount else "nothing"),
            ("Since", f"{wording.moment(stage.at)} {BREAK}({wording.span(figures.lasted)})"),
            ("Because", wording.sentence(stage.reason)),
            ("Result", wording.gain(figures.result, wording.part(figures.result, stage.amount), view.quote)),
            ("Below best", f"{fallen}, breach at {most}"),
            ("Closed trades", f"{figures.closed}, {figures.won} won"),
            *_next(view, stage.amount, figures.closed),
        ),
        items=_before(view),
        text="Only entries are held to it: what is held stays, and stops go on.",
    )


def changed(stage: CapitalStage, before: CapitalStage | None, quote: str) -> Card:
    """What people are told where another part of the account may be used than before."""
    told = _amount(stage.amount, quote)
    fields = (("Until now", _amount(before.amount, quote)),) if before is not None else ()
    at = ("At", wording.moment(stage.at))
    if stage.is_breach and not stage.amount:
        title, text = "Capital: a breach, no more entries", "An admin may let it begin again: /capital."
    elif stage.is_breach:
        title, text = f"Capital: a breach, {BREAK}down to {told}", "The next stage is proposed again later: /capital."
    else:
        title, text = f"Capital: {BREAK}up to {told}", "/capital tells more."
    why = ("Because", wording.sentence(stage.reason))
    return Card(
        title=title,
        fields=(*fields, why, at),
        text=wording.lines("What is held stays, and stops go on." if stage.is_breach else "", text),
        alarm=stage.is_breach,
    )


def _next(view: CapitalView, amount: Decimal, closed: int) -> tuple[tuple[str, str], ...]:
    """When the next stage is proposed."""
    after = view.plan.above(amount)
    if after is None:
        return (("Next", "this is the last stage"),)
    told = _amount(after, view.quote)
    if view.proposal:
        return (("Next", f"{told}: {BREAK}{view.proposal} asks for it, /capital yes or no answers"),)
    trades = max(view.plan.step_up_trades - closed, 0) if amount else 0
    waits = [
        *((f"in {wording.span(view.wait)}",) if view.wait else ()),
        *((f"after {wording.count(trades, 'more closed trade')}",) if trades else ()),
    ]
    return (("Next", f"{told}, {BREAK}proposed {wording.listing(waits) or 'at the next close'}"),)


def _before(view: CapitalView) -> tuple[Item, ...]:
    return tuple(
        Item(
            title=f"{wording.moment(each.at)}: {BREAK}{_amount(each.amount, view.quote)}",
            text=wording.sentence(each.reason),
        )
        for each in view.before
    )


def _amount(amount: Decimal | None, quote: str) -> str:
    if amount is None:
        return ALL
    return f"{wording.figure(amount)} {quote}" if amount else "nothing"
