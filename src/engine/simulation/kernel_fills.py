"""What the kernel's orders trade at, level by level of a book, and what they cost; for numba."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.simulation import scalars

if TYPE_CHECKING:
    from engine.domain.market import Floats
    from engine.simulation.tapes import Row, Table, Terms

_FEE_STEPS = 1e8
"""Fees are rounded down to so many parts of the quote currency (``fills.fee``)."""


def offered_at(offered: Floats, i: int) -> float:
    """The lots that each level offers while a candle is open; a bare run asks nobody."""
    return offered[i - 1] if len(offered) > 0 else 0.0


def ask_of(terms: Terms, mid: int, level: int, last: int) -> int:
    """Where an ask stands, in ticks, after the one before it."""
    found = scalars.ask_ticks(mid, terms.whole + terms.first + level * terms.step, terms.whole)
    return scalars.further_ask(found, last) if level > 0 else found


def bid_of(terms: Terms, mid: int, level: int, last: int) -> int:
    """Where a bid stands, in ticks, after the one before it."""
    found = scalars.bid_ticks(mid, terms.whole - terms.first - level * terms.step, terms.whole)
    return scalars.further_bid(found, last) if level > 0 else found


def fee_of(terms: Terms, value: float) -> float:
    """The fee of a fill."""
    fee = value * terms.fee
    return fee if terms.bare else math.floor(fee * _FEE_STEPS) / _FEE_STEPS


def buy(terms: Terms, account: Row, market: Row, slot: Row, price: float, offered: float, at: int) -> None:
    """Open a position at a price."""
    wanted, last = slot["buying"], 0
    slot["buying"], slot["reserved"], slot["lots"], slot["since"] = 0.0, 0.0, 0.0, at
    slot["cost"], slot["got"], slot["fees"], slot["slip"] = 0.0, 0.0, 0.0, 0.0
    if terms.bare:
        buy_part(terms, account, market, slot, wanted, price, price)
    else:
        for level in range(terms.levels):
            last = ask_of(terms, int(price), level, last)
            part = min(wanted - slot["lots"], offered)
            if part > 0:
                buy_part(terms, account, market, slot, part, float(last), price)
    slot["bought"] = slot["lots"]


def buy_part(terms: Terms, account: Row, market: Row, slot: Row, lots: float, paid: float, price: float) -> None:
    """Buy some of a position for a price each, while another one is the market's."""
    value = lots * paid * market["grain"]
    fee = fee_of(terms, value)
    slot["lots"] += lots
    slot["cost"] += lots * paid
    slot["fees"] += fee
    slot["slip"] += lots * (paid - price) * market["grain"]
    account["cash"] -= value + fee


def sell(
    terms: Terms,
    account: Row,
    market: Row,
    slot: Row,
    price: float,
    offered: float,
    whole: bool,
) -> None:
    """Sell into the book at a price; a stop sells whole, whatever the book has."""
    last = 0
    if terms.bare:
        sell_part(terms, account, market, slot, slot["lots"], price, price)
        return
    for level in range(terms.levels):
        last = max(bid_of(terms, int(price), level, last), 1)
        part = min(slot["lots"], offered)
        if whole and level == terms.levels - 1:
            part = slot["lots"]  # what the book lacks trades at its worst price
        if part > 0:
            sell_part(terms, account, market, slot, part, float(last), price)


def sell_at_target(terms: Terms, account: Row, market: Row, slot: Row, price: float) -> None:
    """Sell whole what was held for a target: at it, or at the better price to which the market jumped."""
    got = price if terms.bare else max(slot["target"], float(bid_of(terms, int(price), 0, 0)))
    sell_part(terms, account, market, slot, slot["lots"], got, price)


def sell_part(terms: Terms, account: Row, market: Row, slot: Row, lots: float, got: float, price: float) -> None:
    """Sell some of a position for a price each, while another one is the market's."""
    value = lots * got * market["grain"]
    fee = fee_of(terms, value)
    slot["lots"] -= lots
    slot["got"] += lots * got
    slot["fees"] += fee
    slot["slip"] += lots * (price - got) * market["grain"]
    account["cash"] += value - fee


def end_if_sold(trades: Table, account: Row, market: Row, slot: Row, k: int, at: int, reason: int) -> None:
    """Write down a position of which nothing is left, and the candle in which that came about."""
    if slot["lots"] > 0:
        return
    trade, each = trades[account["trades"]], market["tick"] / slot["bought"]
    trade["slot"], trade["opened"], trade["closed"], trade["reason"] = k, slot["since"], at, reason
    trade["lots"], trade["fees"], trade["slip"] = slot["bought"], slot["fees"], slot["slip"]
    trade["entry"], trade["exit"] = slot["cost"] * each, slot["got"] * each
    account["trades"] += 1
    slot["lots"], slot["leaving"] = 0.0, 0
