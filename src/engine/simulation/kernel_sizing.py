"""How much the kernel buys: a share of the cash in a bare run, else what every rule of risk leaves; for numba."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.risk import scalars as risk
from engine.simulation.kernel_account import (
    at_risk,
    coin_worth,
    fall_of,
    positions_of,
    reserved_of,
    sector_worth,
    worth_of,
)
from engine.simulation.kernel_fills import ask_of, bid_of

if TYPE_CHECKING:
    from engine.domain.market import Floats
    from engine.simulation.tapes import Row, Tape, Terms


def distance_at(distances: Floats, s: int, has_any: bool, market: Row) -> float:
    """A distance from the entry in ticks; no number where there is none."""
    return float(distances[s] / market["tick"]) if has_any else math.nan


def size_bare(terms: Terms, slot: Row, free: float, price: float, stop: float, target: float) -> None:
    """A share of the free cash, whatever the risk; stop and target are so far from the fill."""
    if free > 0:
        slot["buying"] = terms.size * free / price
        slot["reserved"] = slot["buying"] * price * (1 + terms.fee)
        slot["stop"] = price - stop if stop > 0 else -math.inf
        slot["target"] = price + target if target > 0 else math.inf


def size(tape: Tape, k: int, i: int, s: int) -> None:
    """What is at risk in lots, and what every rule leaves of it (``risk.sizing``, ``risk.rules``).

    Args:
        tape: All of the run.
        k: The slot.
        i: The candle that it trades at.
        s: The row of its signals.
    """
    terms, slot, market = tape.terms, tape.slots[k], tape.markets[tape.slots[k]["market"]]
    distance = distance_at(tape.stop, s, slot["stops"], market)
    target = distance_at(tape.target, s, slot["targets"], market)
    mid = int(tape.open[i])
    ask, bid = ask_of(terms, mid, 0, 0), bid_of(terms, mid, 0, 0)
    stop = risk.stop_ticks(ask, distance) if distance > 0 else 0
    above = float(risk.target_ticks(ask, target)) if target > 0 else math.inf
    tight = tightened(ask, stop, slot["stop_share"])
    if stop <= 0 or above <= 0 or not is_sane(terms, bid, ask, tape.close[i - 1], tight):
        return
    taken = lots_of_levels(terms, tape.levels, tape.sizes, mid, tape.offered[i - 1])
    if 0 <= terms.max_positions <= positions_of(tape.slots):
        return
    lots = min(lots_of_account(tape, k, ask, distance, float(ask - tight)), taken)
    if terms.max_daily_volume >= 0:
        traded = tape.traded[s] / market["grain"]
        lots = min(lots, risk.lots_of_share(traded, terms.max_daily_volume, 0.0, ask))
    if risk.is_worth_sending(lots, ask, market["least"] / market["grain"]):
        slot["buying"], slot["reserved"] = lots, lots * ask * market["grain"]
        slot["stop"], slot["target"] = tight, above


def tightened(ask: int, stop: int, share: float) -> int:
    """A stop at so much of its distance, rounded towards the price by less than a tick (``TradePlan.tightened``)."""
    return min(ask - math.floor((ask - stop) * share), ask - 1)


def is_sane(terms: Terms, bid: int, ask: int, close: float, stop: int) -> bool:
    """Whether the book is near the last close and tight, and above the stop."""
    return (
        bid > 0
        and risk.is_near_close((bid + ask) / 2, close, terms.max_price_gap)
        and risk.is_above_stop(bid, stop)
        and risk.is_tight(bid, ask, terms.max_spread)
    )


def lots_of_account(tape: Tape, k: int, ask: int, distance: float, at_stop: float) -> int:
    """What the account allows of an entry: by risk, drawdown, coin, exposure and cash.

    Args:
        tape: All of the run.
        k: The slot.
        ask: In ticks.
        distance: To the stop, as the strategy has it, in ticks.
        at_stop: The same as it is on the tick, once tightened.
    """
    terms, account, slot = tape.terms, tape.account[0], tape.slots[k]
    market = tape.markets[slot["market"]]
    worth, reserved, grain = worth_of(tape), reserved_of(tape.slots), market["grain"]
    equity = account["cash"] + worth
    fall = fall_of(account["peak"], equity)
    fallen = risk.steps(fall, terms.max_drawdown)
    if risk.has_reached(fall, terms.max_total_drawdown) or fallen > risk.steps(account["paused"], terms.max_drawdown):
        return 0
    lots: int = math.floor(risk.lots_at_risk(equity / grain, slot["risk_per_trade"], distance) * slot["scale"])
    if fallen > 0:
        left = risk.share_left(slot["risk_per_trade"], terms.recovery_size, fallen)
        lots = risk.cut_to_risk(lots, equity / grain, left, at_stop)
    if slot["max_open_risk"] >= 0:
        lots = risk.cut_to_share(lots, equity / grain, slot["max_open_risk"], at_risk(tape) / grain, at_stop)
    if terms.max_sector >= 0 and market["sector"] >= 0:
        taken = sector_worth(tape, market["sector"]) / grain
        lots = min(lots, risk.lots_of_share(equity / grain, terms.max_sector, taken, ask))
    coin = risk.share_left(slot["max_position"], terms.recovery_size, fallen)
    lots = min(lots, risk.lots_of_share(equity / grain, coin, coin_worth(tape, market["coin"]) / grain, ask))
    exposure = risk.share_left(slot["max_exposure"], terms.recovery_size, fallen)
    lots = min(lots, risk.lots_of_share(equity / grain, exposure, (worth + reserved) / grain, ask))
    return min(lots, risk.lots_of_cash((account["cash"] - reserved) / grain, terms.slippage_up, ask))


def lots_of_levels(terms: Terms, levels: Floats, sizes: Floats, mid: int, offered: float) -> int:
    """The lots that the asks give within the slippage that is allowed."""
    last = 0
    for level in range(terms.levels):
        last = ask_of(terms, mid, level, last)
        levels[level], sizes[level] = last, offered
    return risk.lots_of_book(levels, sizes, terms.slippage_down)
