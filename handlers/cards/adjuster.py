"""What the policy that adjusts entries says and does, as cards. Pure."""

from __future__ import annotations

from engine.domain.adjuster_modes import ModeChoice, ModeStage, ModeWish
from engine.domain.adjustments import Adjusted, AdjustedEntry, AdjusterMode, AdjusterNotice, AdjusterTally, AdjusterView
from engine.domain.messages import Button, Card, Item
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
            *((("Set by", view.set_by),) if view.set_by else ()),
            *((("Policy", view.policy),) if view.policy else ()),
            *((("Static rules hold", view.fault),) if view.fault else ()),
            *((("Left alone", wording.listing(view.spared)),) if view.spared else ()),
            *((("Entries", f"{known} answered of the last {view.asked}"),) if view.asked else ()),
            *scale,
        ),
        items=tuple(map(_entry, view.newest)),
        text=wording.lines(
            *view.about,
            "" if view.mode is not AdjusterMode.OFF else "ppo.policy names a policy; /ppo advisory has it asked.",
        ),
    )


def asked(wish: ModeWish) -> Card:
    """A mode that somebody asked for, and what became of that."""
    topic = f"ppo:{wish.id}"
    match wish.stage:
        case ModeStage.ASKED:
            return Card(
                title=f"Make the adjuster {wish.wanted}? ({wish.id})",
                topic=topic,
                fields=(
                    ("Now", str(wish.before)),
                    ("Then", _SAID[wish.wanted]),
                    ("Until", wording.moment(wish.expires_at)),
                    *((("Policy", wish.policy),) if wish.policy else ()),
                ),
                text=wording.lines(*wish.about, "Only you can press it."),
                buttons=(
                    Button(label=f"Make it {wish.wanted}", verb=ModeChoice.SET, about=wish.id),
                    Button(label="Leave it", verb=ModeChoice.LEAVE, about=wish.id),
                ),
            )
        case ModeStage.SET:
            said = "It holds from the next entry on, and over restarts."
            return Card(title=f"The adjuster is {wish.wanted} now ({wish.id})", topic=topic, text=said)
        case ModeStage.LEFT:
            return Card(title=f"Left as it is: the adjuster is {wish.before} ({wish.id})", topic=topic)
        case ModeStage.EXPIRED:
            said = f"/ppo {wish.wanted} asks again."
            return Card(title=f"Time is up: nothing was changed ({wish.id})", topic=topic, text=said)


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


def of_day(tally: AdjusterTally) -> str:
    """What it made of the entries of a day, or would have made; empty where it was not asked."""
    parts = []
    if tally.done:
        entries = wording.count(tally.done, "entry", "entries")
        parts.append(f"{entries} made {tally.done_scale / tally.done:.0%} of the size")
    if tally.advised:
        entries = wording.count(tally.advised, "entry", "entries")
        parts.append(f"{entries} would have been {tally.advised_scale / tally.advised:.0%} of the size")
    if tally.static:
        parts.append(f"{wording.count(tally.static, 'entry', 'entries')} by the static rules")
    return ", ".join(parts)


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
