"""What the policy that adjusts entries says and does, as cards. Pure."""

from __future__ import annotations

from engine.domain.adjustments import Adjusted, AdjustedEntry, AdjusterMode, AdjusterNotice, AdjusterView
from engine.domain.messages import Card, Item
from handlers.cards import wording
from handlers.cards.lines import listed

_SAID = {
    AdjusterMode.OFF: "off: nobody asks it",
    AdjusterMode.ADVISORY: "advisory: it is asked and shown, and changes nothing",
    AdjusterMode.ACTIVE: "active: it makes entries smaller; the risk rules have the last word",
}


def card(view: AdjusterView) -> Card:
    """The card that ``/ppo`` answers with."""
    known = view.asked - view.unknown
    scale = (("It wanted on average", f"{view.mean_scale:.0%} of the size"),) if view.mean_scale is not None else ()
    return Card(
        title=f"Adjuster: {view.mode}",
        fields=(
            ("Mode", _SAID[view.mode]),
            *((("Policy", view.policy),) if view.policy else ()),
            *((("Static rules hold", view.fault),) if view.fault else ()),
            *((("Entries", f"{known} answered of the last {view.asked}"),) if view.asked else ()),
            *scale,
        ),
        items=tuple(map(_entry, view.newest)),
        text=wording.lines(*view.about, "" if view.mode is not AdjusterMode.OFF else "ppo.policy and ppo.mode set it."),
    )


def lines(adjusted: Adjusted | None) -> tuple[str, ...]:
    """What it made of one entry, for ``/why``."""
    if adjusted is None:
        return ()
    if adjusted.adjustment is None:
        return (listed(f"{_name(adjusted)}: the static rules hold. {adjusted.why}"),)
    return (listed(f"{_name(adjusted)} {_verb(adjusted)}: {adjusted.adjustment.words}{_change(adjusted)}"),)


def in_short(adjusted: Adjusted | None) -> tuple[tuple[str, str], ...]:
    """The field of a question: what it made of the entry, or would have."""
    if adjusted is None or adjusted.adjustment is None:
        return ()
    return (("Adjuster", f"{_name(adjusted)} {_verb(adjusted)}: {adjusted.adjustment.words}"),)


def failed(notice: AdjusterNotice) -> Card:
    """That the static rules hold, once a day for each reason."""
    name = notice.policy or "The policy"
    return Card(
        title="The static rules hold: the adjuster cannot be asked",
        fields=(("Policy", name), ("Why", notice.why), ("Mode", str(notice.mode)), ("At", wording.moment(notice.at))),
        text="Entries are sized as without it. /ppo tells more; bot policy verify looks at its files.",
    )


def _entry(each: AdjustedEntry) -> Item:
    return Item(
        title=f"{each.decision_id} {each.symbol}: {each.became}",
        text=wording.lines(wording.moment(each.at), *_short(each.adjusted)),
    )


def _short(adjusted: Adjusted) -> tuple[str, ...]:
    """What it made of one entry, a thing a line."""
    if adjusted.adjustment is None:
        return (f"Not answered: {adjusted.why}",)
    return (f"it {_verb(adjusted)}:", *map(listed, adjusted.adjustment.words.split(", ")))


def _name(adjusted: Adjusted) -> str:
    return adjusted.policy or "no policy"


def _verb(adjusted: Adjusted) -> str:
    return "did" if adjusted.is_done else "would have done"


def _change(adjusted: Adjusted) -> str:
    if adjusted.before == adjusted.after:
        return ""
    return f" ({wording.figure(adjusted.before)} → {wording.figure(adjusted.after)})"
