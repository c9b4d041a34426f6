"""To which of a context's venues an entry goes: the one with the best all-in price, of those that can be had now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from engine.ai.fusion import Fused
from engine.domain.autonomy import Refuse
from engine.domain.decisions import Decision, Stance
from engine.domain.judging import Denied
from engine.domain.order_routing import Offer, Quote, best_of
from engine.flow.proposed import Proposed

P = TypeVar("P", bound=Proposed)


def at_best_venue(entry: P, offers: Sequence[Offer]) -> P:
    """The same proposal at the venue that its entry goes to, with what was compared; where none takes it, unchanged."""
    if not offers:
        return entry
    decision = entry.drafted(Stance.ENTER, entry.proposal.reasons)
    quotes = tuple(_quote(entry, decision, offer) for offer in offers)
    best = best_of(quotes)
    chosen = entry if best is None else at_venue(entry, best.venue, offers)
    return replace(chosen, quotes=quotes)


def at_venue(entry: P, venue: str, offers: Sequence[Offer]) -> P:
    """The same proposal at one of the context's venues: without a book where that gives none."""
    offer = next((each for each in offers if each.venue == venue), None)
    if offer is None:
        return entry
    return replace(entry, venue=venue, market=offer.market or entry.market, book=offer.book)


def _quote(entry: P, decision: Decision, offer: Offer) -> Quote:
    """What the entry would come to at a venue: sized, judged by every rule, and walked through its book."""
    if offer.why_not:
        return Quote(venue=offer.venue, why_not=offer.why_not)
    there = at_venue(entry, offer.venue, (offer,))
    planned = there.planned(there.book, decision, Fused())
    if isinstance(planned, Refuse):
        return Quote(venue=offer.venue, why_not="; ".join(planned.reasons))
    book, plan = planned
    judgement = there.judge(book, plan, there.stats)
    if isinstance(judgement, Denied):
        return Quote(venue=offer.venue, why_not="; ".join(judgement.reasons))
    quantity = judgement.plan.quantity
    mean = plan.execution.limit_price or book.mean_price(quantity, buying=True) or book.asks[-1].price
    return Quote(venue=offer.venue, quantity=quantity, price=mean * (1 + offer.fee))
