"""The numeric rules of risk and sizing: floats in, whole lots or ticks out. No words, no objects, compilable.

Units, so that everything a venue can quote is a whole number:
    lots    quantities, in steps of the market's lot
    ticks   prices and distances between prices, in steps of the market's tick
    grains  money: what one lot is worth at a price of one tick
    ppm     shares and ratios, in millionths

Each step of a calculation is rounded to the side that allows less. So no limit is exceeded, not by the last digit; and
where every number on the way fits into a float (whole ones below 2**53 do) the result is that of exact arithmetic, at
the limit too. Where one does not, and what is asked for is the limit itself to 1 part in 10**15, one lot less is
allowed, a step of drawdown counts as reached, or an entry is refused.

The error of a sum is Knuth's (The Art of Computer Programming 2, 4.2.2), that of a product is Dekker's (A
floating-point technique for extending the available precision, Numer. Math. 18, 1971).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.domain.market import Floats

PPM = 1_000_000.0
"""The whole of a share."""
MOST = 2**62
"""More lots than anybody trades, and few enough for an int64."""
_LESS = 2.0**-52
_SPLIT = 134217729.0


def lots_at_risk(equity: float, share: float, distance: float) -> int:
    """The lots that lose at most a share of equity where the price moves by a distance against them.

    Fixed-fractional sizing: lots = floor(equity * share / distance) (R. Vince, Portfolio Management Formulas, 1990).

    Args:
        equity: In grains.
        share: Of it that may be lost, in ppm.
        distance: Between entry and stop, in ticks.

    Returns:
        0 without a distance above 0: such a trade has no size.
    """
    return _lots(_share_of(equity, share), distance)


def cut_to_risk(lots: int, equity: float, share: float, distance: float) -> int:
    """So many of the lots as lose at most a share of equity at the stop: min(lots, floor(equity * share / distance)).

    Units and source as ``lots_at_risk``. Where there is no distance above 0 nothing is lost there, and nothing is cut.
    """
    return lots if distance <= 0 else min(lots, lots_at_risk(equity, share, distance))


def cut_to_share(lots: int, equity: float, share: float, taken: float, distance: float) -> int:
    """So many of the lots as lose what others leave of a share of equity: floor((equity * share - taken) / distance).

    Total open risk, the "portfolio heat" of fixed-fractional trading (V. Tharp, Definitive Guide to Position Sizing,
    2008). Where there is no distance above 0 nothing is lost, and nothing is cut.

    Args:
        lots: What is asked for.
        equity: In grains.
        share: Of it that everything may lose, in ppm.
        taken: What the others may lose, in grains.
        distance: Between entry and stop, in ticks.
    """
    return lots if distance <= 0 else min(lots, lots_of_share(equity, share, taken, distance))


def steps(drawdown: float, step: float) -> int:
    """How many times a step fits into a drawdown: floor(drawdown / step), both in ppm; the step is above 0.

    Rounded so that a step counts as reached rather than not. The project's own rule (ADR 26).
    """
    return min(MOST, math.floor(-_over(-drawdown, step)))


def share_left(share: float, kept: float, steps: int) -> float:
    """What steps of drawdown leave of a share: share * kept ** steps, all in ppm.

    Anti-martingale sizing, less at risk while losing (Vince 1990); the steps are the project's own (ADR 26).
    """
    for _ in range(steps):
        if share <= 0:
            break
        share = _share_of(share, kept)
    return share


def has_reached(fall: float, limit: float) -> bool:
    """Whether a fall is at its limit: fall >= limit, both in ppm. The project's own rule (ADR 26)."""
    return fall >= limit


def has_recovered(drawdown: float, step: float) -> bool:
    """Whether less than half a step is left of a drawdown: 2 * drawdown < step, in ppm. The project's own (ADR 26)."""
    return 2 * drawdown < step


def is_near_close(mid: float, close: float, most: float) -> bool:
    """Whether the middle of the book is near the last close: |mid - close| / close <= most.

    A price collar as venues have them (FIA, Best Practices for Automated Trading Risk Controls, 2024).

    Args:
        mid: In ticks.
        close: In ticks, above 0.
        most: In ppm.
    """
    gap = -_plus(close, -mid) if mid >= close else -_plus(mid, -close)
    return -_times(-gap, PPM) <= _times(close, most)


def is_above_stop(bid: float, stop: float) -> bool:
    """Whether the stop would not be reached at once: bid > stop, both in ticks."""
    return bid > stop


def is_tight(bid: float, ask: float, most: float) -> bool:
    """Whether the spread is tight enough: (ask - bid) / ((ask + bid) / 2) <= most; the quoted spread of the mid price.

    M. O'Hara, Market Microstructure Theory, 1995.

    Args:
        bid: In ticks, above 0.
        ask: In ticks.
        most: In ppm.
    """
    width = -_plus(bid, -ask)
    return -_times(-width, 2 * PPM) <= _times(_plus(bid, ask), most)


def lots_of_share(equity: float, share: float, taken: float, price: float) -> int:
    """The lots that fit into what is left of a share of equity: floor((equity * share - taken) / price).

    A limit on value held, of one coin or of everything, as a fraction of equity.

    Args:
        equity: In grains.
        share: Of it that may be held, in ppm.
        taken: What is held or being bought of it, in grains.
        price: In ticks.
    """
    return _lots(_plus(_share_of(equity, share), -taken), price)


def lots_of_cash(cash: float, slippage: float, price: float) -> int:
    """The lots that can be paid, with room for slippage and fees: floor(cash / (1 + 2 * slippage) / price).

    The project's own rule: fees are held to be no more than the slippage that is allowed.

    Args:
        cash: What is free, in grains.
        slippage: What is allowed of it, in ppm.
        price: In ticks.
    """
    return _lots(_over(_times(cash, PPM), -_plus(-PPM, -2 * slippage)), price)


def lots_of_book(prices: Sequence[float] | Floats, sizes: Sequence[float] | Floats, slippage: float) -> int:
    """The lots that a side of the book takes while their mean price is near the best one.

    The volume-weighted mean price: sum(size * |price - best|) <= slippage * best * sum(size); of the first level that
    is too far away as much as keeps this true.

    Args:
        prices: Of the levels from the best one on, in ticks; at least one.
        sizes: What each level holds, in lots.
        slippage: How far the mean may be from the best price, in ppm of it.
    """
    best = prices[0]
    allowed = _share_of(best, slippage)
    taken, paid = 0.0, 0.0
    for i in range(len(prices)):
        away = -_plus(-prices[i], best) if prices[i] >= best else -_plus(prices[i], -best)
        if away > allowed:
            left, over = _plus(_times(allowed, taken), -paid), -_plus(allowed, -away)
            return _whole(_plus(taken, max(0.0, min(sizes[i], _over(left, over)))))
        taken = _plus(taken, sizes[i])
        paid = -_plus(-paid, _times(-sizes[i], away))
    return _whole(taken)


def is_worth_sending(lots: int, price: float, least: float) -> bool:
    """Whether the venue takes so small an order: lots * price >= least (the venue's minimum notional).

    Args:
        lots: How many.
        price: In ticks.
        least: In grains.
    """
    return lots > 0 and _times(float(lots), price) >= least


def stop_ticks(price: float, distance: float) -> int:
    """The price so far below another one, to the nearest tick, at a half to the even one; 0 where there is none.

    Args:
        price: In ticks.
        distance: In ticks.
    """
    return _nearest(price - distance)


def target_ticks(price: float, distance: float) -> int:
    """The price so far above another one; else as ``stop_ticks``."""
    return _nearest(price + distance)


def _nearest(ticks: float) -> int:
    return round(ticks) if 0 < ticks < MOST else 0


def _share_of(amount: float, share: float) -> float:
    return _over(_times(amount, share), PPM)


def _lots(room: float, price: float) -> int:
    """What is bought for some grains at a price: nothing where either is not above 0, or no number."""
    return _whole(_over(room, price)) if room > 0 and price > 0 else 0


def _whole(lots: float) -> int:
    if not lots >= 1:  # also where it is no number
        return 0
    return MOST if lots >= MOST else math.floor(lots)


def _plus(a: float, b: float) -> float:
    """The sum, where it is inexact not above it."""
    total = a + b
    part = total - a
    error = (a - (total - part)) + (b - part)
    return _below(total) if error < 0 else total


def _times(a: float, b: float) -> float:
    """The product, where it is inexact not above it."""
    product = a * b
    return _below(product) if _product_error(a, b, product) < 0 else product


def _over(a: float, b: float) -> float:
    """The quotient for a divisor above 0, where it is inexact not above it."""
    quotient = a / b
    back = quotient * b
    return _below(quotient) if (back - a) + _product_error(quotient, b, back) > 0 else quotient


def _product_error(a: float, b: float, product: float) -> float:
    """What a * b is above the float that was made of it, exactly."""
    far = _SPLIT * a
    a_high = far - (far - a)
    a_low = a - a_high
    far = _SPLIT * b
    b_high = far - (far - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _below(value: float) -> float:
    """One or two floats below."""
    return value - abs(value) * _LESS
