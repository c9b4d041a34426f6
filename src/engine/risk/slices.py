"""How much of an entry one slice of it may be, and how much all of them: by the book and by what a market trades."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from engine.domain.figures import grouped
from engine.domain.judging import RiskView
from engine.domain.plans import Slicing, TradePlan
from engine.risk import scalars
from engine.risk.limits import RiskLimits, in_words, percent
from engine.risk.units import Units, down, ppm_down, up
from engine.risk.verdicts import Verdict, at_most, denied

_DAY = timedelta(days=1)


def lots_of_book(view: RiskView, limits: RiskLimits) -> int:
    """The lots that the book takes within the allowed slippage."""
    units, levels = Units(market=view.market), view.book.asks
    return scalars.lots_of_book(
        [up(units.ticks(level.price)) for level in levels],
        [down(units.lots(level.quantity)) for level in levels],
        ppm_down(limits.max_slippage),
    )


def lots_of_slice(slicing: Slicing, view: RiskView, limits: RiskLimits) -> int:
    """The lots that one slice may have: by its share of the book, and of what the market trades in its time."""
    by_book = int(lots_of_book(view, limits) * slicing.book_share)
    if slicing.volume_share is None:
        return by_book
    traded = Decimal(repr(view.stats.known_volume)) if view.stats else Decimal(0)
    seconds = Decimal(repr(slicing.every / _DAY))
    return min(by_book, view.market.lots(traded * seconds * slicing.volume_share / view.book.ask))


def within_slices(plan: TradePlan, slicing: Slicing, view: RiskView, limits: RiskLimits) -> Verdict | None:
    """Only as much as all slices together take, and none where one would be less than the venue takes."""
    market, most = view.market, lots_of_slice(slicing, view, limits)
    largest = market.quantity(most)
    if most < min(market.lots(plan.quantity), _least(plan, view)):
        value, least = in_words(largest * plan.price, market.quote), grouped(market.min_notional)
        return denied(f"a slice of at most {value} {market.quote} is below the venue's minimum of {least}")
    words = f"{grouped(largest, 8)} each, within {percent(limits.max_slippage)} of slippage"
    return at_most(plan, view, most * slicing.most, f"{slicing.most} slices take at most {words}")


def sliced(plan: TradePlan, view: RiskView, limits: RiskLimits) -> TradePlan:
    """A plan that was judged, with its first slice: as large as it may be, or all alike where all are wanted."""
    slicing = plan.execution.slicing
    if slicing is None:
        return plan
    lots, most = view.market.lots(plan.quantity), lots_of_slice(slicing, view, limits)
    needed = slicing.most if slicing.twap else -(-lots // max(most, 1))
    count = max(1, min(needed, slicing.most, lots // _least(plan, view)))
    first = view.market.quantity(min(-(-lots // count), most))
    return replace(plan, execution=replace(plan.execution, slice=first))


def _least(plan: TradePlan, view: RiskView) -> int:
    """The fewest lots that the venue takes."""
    least = view.market.min_notional / plan.price / view.market.lot
    return max(1, int(least) + (least != int(least)))
