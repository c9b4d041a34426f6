"""The whole story of one decision: what it was made from, how it was judged, what became of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from engine.domain.approvals import Approval, Claimed, Declined, Expired, Ordered, Pending, Refused
from engine.domain.autonomy import AskHuman, Execute, Hold, Refuse
from engine.domain.decision_views import Why
from engine.domain.decisions import (
    Decision,
    Input,
    Judged,
    Opinion,
    QualityReport,
    Stance,
    TechnicalSignals,
    Tier,
    Verdict,
)
from engine.domain.judging import Clamp
from engine.domain.market import named
from engine.domain.messages import BREAK, Card
from engine.domain.orders import Order
from engine.domain.plans import TradePlan
from engine.domain.slippage import slippage_of
from engine.domain.trade_views import TradeView
from handlers.cards import adjuster, panel, phrases, wording
from handlers.cards.foreign import inert
from handlers.cards.lines import entry, listed


def card(story: Why | TradeView) -> Card:
    """The card that ``/why`` answers with."""
    return _theirs(story) if isinstance(story, TradeView) else _decided(story)


def _theirs(story: TradeView) -> Card:
    """A trade that somebody else opened: there is no decision to tell of, only what was traded."""
    held = story.position
    quote = wording.quote(held.symbol)
    net = (("Profit, after fees", wording.gain(held.net, held.share(held.net), quote)),) if not held.is_open else ()
    return Card(
        title=f"Why {held.id}: somebody else bought {named(held.symbol, story.at)}",
        fields=(
            ("Opened", wording.moment(held.opened_at)),
            ("Traded", phrases.prices(held)),
            *((("Closed", wording.moment(held.closed_at)),) if held.closed_at else ()),
            *((("Closed by", phrases.closed_by(held)),) if held.closed_at else ()),
            *net,
            ("Fees", wording.of(held.fees, held.cost, quote)),
        ),
        text=wording.lines(
            phrases.OF_ITS_COST,
            "It was bought at the venue, outside the bot, so no decision, approval or limit of the bot led to it.",
        ),
    )


def _decided(story: Why) -> Card:
    judged, decision = story.judged, story.judged.decision
    sections = (
        ("Reasons", () if decision.conditions else decision.reasons),
        ("Conditions", (phrases.weighted_conditions(decision.conditions),)),
        ("Panel", map(_opinion, judged.opinions)),
        *((f"Signals {signals.symbol} {signals.timeframe}", readings(signals)) for signals in judged.signals),
        ("Inputs", map(_input, judged.inputs)),
        ("Market context", map(_input, judged.market_context)),
        ("Data mended or refused", _quality(judged.quality)),
        ("Adjuster", adjuster.lines(judged.adjustment)),
        ("Changed by the risk rules", map(_clamp, judged.clamps)),
        ("What became of it", map(listed, _outcome(story))),
        ("Graded", map(listed, _grade(story))),
    )
    return Card(
        title=f"Why {decision.id}: {decision.stance} {named(decision.symbol, story.at)}",
        fields=(*_facts(judged), *_begun(story)),
        text="\n\n".join(filter(None, (_section(name, lines) for name, lines in sections))),
    )


def _facts(judged: Judged) -> tuple[tuple[str, str], ...]:
    decision, plan = judged.decision, judged.plan
    return (
        ("Decided", wording.moment(decision.at)),
        phrases.strategy_field(decision),
        *((("Trigger", decision.trigger),) if decision.trigger else ()),
        *((("Tier", "fast: a start, bought before all were heard"),) if decision.tier is Tier.FAST else ()),
        ("Confidence", confidence(decision) if not judged.opinions else _lowered(decision)),
        *phrases.calibrated(decision),
        *((("Plan", _plan(plan)),) if plan else ()),
        *((("Adds to", phrases.begun(plan)),) if plan and plan.starter else ()),
        *phrases.in_slices(plan),
        *phrases.routed(judged.quotes, plan.venue if plan else "no venue", decision.symbol),
        ("Ruling", ruling(judged)),
    )


def _begun(story: Why) -> tuple[tuple[str, str], ...]:
    """The decision that began the trade before this one was made."""
    first = story.trade.decision if story.trade else None
    if first is None or first.tier is not Tier.FAST or first.id == story.judged.decision.id:
        return ()
    return (("Begun before", f"{wording.moment(first.at)}, {BREAK}/why {first.id} tells of it"),)


def confidence(decision: Decision) -> str:
    """The confidence as an agreement, never as a probability: ``4 of 6 agree (weighted 0.67)``."""
    return f"{decision.agreement} (weighted {decision.confidence:.2f})"


def _lowered(decision: Decision) -> str:
    """The confidence where a panel was heard, which may have lowered it."""
    return f"{decision.agreement} ({decision.confidence:.2f} with the panel)"


def ruling(judged: Judged) -> str:
    """Who was to decide, in words; what held was nothing to decide on."""
    match judged.ruling:
        case Execute(plan=plan):
            safer = ": it only reduces risk" if plan.reduce_only else ""
            return f"the bot went ahead alone{safer}"
        case AskHuman(votes_needed=votes, expires_at=expires_at):
            people = "one person" if votes == 1 else f"{votes} people"
            return f"people were asked: {people} had to approve by {wording.moment(expires_at)}"
        case Refuse(reasons=reasons):
            return f"refused: {inert('; '.join(reasons))}"
        case Hold():
            return f"no entry: {'; '.join(judged.decision.reasons)}"
        case _:
            assert_never(judged.ruling)


def _plan(plan: TradePlan) -> str:
    value = wording.money(plan.notional, wording.quote(plan.symbol))
    risk = "" if plan.reduce_only else f", risk {phrases.risk(plan)}"
    return listed(f"{phrases.asked_at_price(plan)}, value {value}{risk}{_levels(plan)}")


def _levels(plan: TradePlan) -> str:
    return "".join(f", {name.lower()} {level}" for name, level in phrases.levels(plan.price, plan.stop, plan.target))


def _opinion(opinion: Opinion) -> str:
    """What a member of the panel said, and what would change its mind."""
    measured = opinion.verdict is Verdict.APPROVE and opinion.confidence < 1
    told = (*((f"confidence {opinion.confidence:.2f}",) if measured else ()), *opinion.reasons)
    flip = f"; would change it: {opinion.flip}" if opinion.flip else ""
    return entry(panel.verdict(opinion), inert(f"{'; '.join(told)}{flip}"))


def readings(signals: TechnicalSignals) -> tuple[str, ...]:
    """The indicator readings that are there, a family in a line or, where a phone has no room for it, in several."""
    flags = ", ".join(wording.words(flag) for flag in signals.flags)
    patterns = ", ".join(f"{wording.words(p.name)} ({'bullish' if p.bullish else 'bearish'})" for p in signals.patterns)
    return (
        listed(f"close {wording.price(signals.close)}, {wording.moment(signals.at)}"),
        _numbers(("RSI", signals.rsi), ("ATR", signals.atr), ("volume ratio", signals.volume_ratio)),
        _numbers(("MACD", signals.macd), ("MACD signal", signals.macd_signal), ("histogram", signals.macd_histogram)),
        _numbers(
            ("Bollinger lower", signals.bollinger_lower),
            ("middle", signals.bollinger_middle),
            ("upper", signals.bollinger_upper),
        ),
        _numbers(("MA 20", signals.ma_20), ("MA 50", signals.ma_50), ("MA 200", signals.ma_200)),
        _named("support", ", ".join(map(_reading, signals.supports))),
        _named("resistance", ", ".join(map(_reading, signals.resistances))),
        _numbers(*((wording.words(name), value) for name, value in sorted(signals.extra.items()))),
        _named("patterns", patterns),
        _named("flags", flags),
    )


def _numbers(*pairs: tuple[str, float | None]) -> str:
    return listed(" · ".join(f"{name} {_reading(value)}" for name, value in pairs if value is not None))


def _reading(value: float) -> str:
    """Two decimals, or five significant digits below 1: readings are floats with endless tails."""
    return wording.price(round(value, 2) if abs(value) >= 1 else float(f"{value:.5g}"))


def _named(name: str, text: str) -> str:
    return listed(f"{name} {text}") if text else ""


def _input(given: Input) -> str:
    age = "" if given.age is None else f", {wording.span(given.age)} old"
    return entry(f"{given.name}{age}", given.detail)


def _quality(report: QualityReport) -> Iterable[str]:
    yield from (f"mended: {wording.words(issue.kind)}, {issue.detail}" for issue in report.repaired)
    yield from (f"refused: {wording.words(issue.kind)}, {issue.detail}" for issue in report.refused)


def _clamp(clamp: Clamp) -> str:
    changed = f"{wording.words(clamp.rule)}: {wording.figure(clamp.before)} → {wording.figure(clamp.after)}"
    return f"{changed} {BREAK}({clamp.reason})"


def _outcome(story: Why) -> Iterable[str]:
    if story.approval:
        yield from _approval(story.approval)
    orders = (story.order, *story.further) if story.order else ()
    for order in orders:
        yield phrases.order(order)
        yield from ([f"filled {phrases.fills(order)}{_slippage(order)}"] if order.filled else [])
    if orders and orders[-1].follows_at is not None:
        yield from (told for _, told in phrases.follows(orders[-1]))
    if story.trade:
        yield from _sales(story.trade)
    if story.position:
        yield phrases.position(story.position)


def _sales(trade: TradeView) -> Iterable[str]:
    """Each sale of it, at what price and for whom, and what closed it."""
    for order in trade.sales:
        by = f", by {order.asked_by}, /close" if order.asked_by else ""
        yield f"{order.id} sold {phrases.fills(order)}{_slippage(order)}, {wording.moment(order.updated_at)}{by}"
    if not trade.position.is_open:
        yield f"closed by {phrases.why_closed(trade)}, {BREAK}{phrases.prices(trade.position)}"


def _slippage(order: Order) -> str:
    found = slippage_of(order)
    return f", {BREAK}{phrases.slippage(found)}" if found is not None else ""


def _grade(story: Why) -> Iterable[str]:
    """What was expected of a closed trade, and what it came to."""
    held, plan, decision = story.position, story.judged.plan, story.judged.decision
    if held is None or held.is_open or decision.stance is not Stance.ENTER:
        return
    found = decision.calibration
    worth = f", {found.value:.2f} by {wording.count(found.outcomes, 'earlier trade')}" if found else ""
    measured = found.measured if found else decision.confidence
    levels = _levels(plan) if plan else ""
    yield f"expected: confidence {measured:.2f}{worth}{levels}"
    verdict = "won" if held.net > 0 else "not won"
    gain = wording.gain(held.net, held.share(held.net), wording.quote(held.symbol))
    yield f"came to: {verdict}, {gain} after fees; squared error {(measured - (held.net > 0)) ** 2:.2f}"


def _approval(asked: Approval) -> Iterable[str]:
    """The approval, each vote on it, and how it ended."""
    yield f"{asked.id} asked {wording.moment(asked.asked_at)}: {phrases.asked_at_price(asked.plan)}"
    match asked.state:
        case Pending(votes=votes) | Claimed(votes=votes) | Ordered(votes=votes) | Refused(votes=votes):
            yield from (f"approved by {phrases.vote(vote)}" for vote in votes)
        case Declined() | Expired():
            pass
        case _:
            assert_never(asked.state)
    yield _ending(asked)


def _ending(asked: Approval) -> str:
    match asked.state:
        case Pending():
            return f"open until {wording.moment(asked.expires_at)}, {asked.votes_needed} needed"
        case Claimed():
            return "being checked on fresh prices"
        case Ordered(order_id=order_id, price=price, at=at):
            return f"became {order_id} {wording.moment(at)}, price {phrases.price_move(asked.plan.price, price)}"
        case Refused(reasons=reasons, price=price, at=at):
            moved = f", price {phrases.price_move(asked.plan.price, price)}" if price is not None else ""
            return f"refused at the press {wording.moment(at)}{moved}: {'; '.join(reasons)}"
        case Declined(by=by, reason=reason, at=at):
            return f"declined by {by} {wording.moment(at)}{f': {reason}' if reason else ''}"
        case Expired(at=at):
            return f"expired {wording.moment(at)}"
        case _:
            assert_never(asked.state)


def _section(name: str, lines: Iterable[str]) -> str:
    said = wording.lines(*lines)
    return f"{name}\n{said}" if said else ""
