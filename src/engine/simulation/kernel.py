"""A backtest in one pass over whole candles, for numba: the steps of live, in the order in which live takes them.

At the moment at which candles open, and those before them have closed:

    1. met       an open beyond a stop or target; a sale that waits for more of the book goes on
    2. decided   exits, then entries, on the portfolio of this moment: what one buys with is no other's cash
    3. carried   out, slot by slot, at this price
    4. valued    at the closes; a drawdown pauses entries
    5. walked    the candle that opens: its stop or its target, by one rule

How much is bought, where the levels of a book stand and what a candle meets first is said by the functions that live
calls: ``risk.scalars``, ``simulation.scalars`` and ``intrabar``. All of this is plain Python of numbers and arrays, and
does the same without numba, slowly. What is handed to numba is said in ``simulation.compiled``.

Nearly always nothing happens: ``kernel_time`` says when something may again, and ``run`` goes on from there. What is
bought, at what price and what it is worth then is in ``kernel_sizing``, ``kernel_fills`` and ``kernel_account``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.simulation import intrabar
from engine.simulation.kernel_account import end_days, reserved_of, watch_drawdown
from engine.simulation.kernel_fills import buy, end_if_sold, offered_at, sell, sell_at_target
from engine.simulation.kernel_sizing import distance_at, size, size_bare
from engine.simulation.kernel_time import (
    closes_at,
    go_on,
    is_guarded,
    is_held,
    last_open,
    look_ahead,
    next_open,
    opens,
    opens_at,
)
from engine.simulation.tapes import DAY_MS, NEVER, SIGNAL, TIME

if TYPE_CHECKING:
    from engine.simulation.tapes import Row, Tape, Terms


def run(tape: Tape) -> None:
    """Go over everything once; what it comes to is left in the tape."""
    now = begin(tape)
    while now < NEVER:
        trades = tape.account[0]["trades"]
        met = open_moment(tape, now)
        if not tape.terms.at_close and is_asked(tape, now):
            act(tape)
            met = is_met(tape, now)
        now = close_moment(tape, now, met, trades)
    end_days(tape, last_open(tape))


def begin(tape: Tape) -> int:
    """When the first candle opens."""
    now = next_open(tape, -1)
    tape.account[0]["midnight"] = now - now % DAY_MS + DAY_MS
    return now


def open_moment(tape: Tape, now: int) -> bool:
    """What comes of a moment before anything is decided; whether a candle may meet anything in what follows."""
    end_days(tape, now)
    met = is_met(tape, now)
    if met:
        meet_opens(tape, now)
    return met


def close_moment(tape: Tape, now: int, met: bool, trades: int) -> int:
    """What comes of a moment once all is decided; the next one at which something may happen.

    Args:
        tape: All of the run.
        now: The moment.
        met: Whether a candle may meet anything.
        trades: How many had been closed when it began.
    """
    valued = not tape.terms.bare
    if valued:
        watch_drawdown(tape, now)
    if met:
        walk_candles(tape, now)
    following = next_open(tape, now)
    if tape.terms.at_close and is_asked(tape, now):
        act(tape)
    look_ahead(tape, now)
    held = is_held(tape.slots)
    watched = valued and (held or tape.account[0]["trades"] > trades)  # each close is valued, until cash is all
    return following if watched else go_on(tape, held)


def is_met(tape: Tape, now: int) -> bool:
    """Whether a candle that opens now may meet the stop or target of a position, or one that is being sold."""
    for k in range(len(tape.slots)):
        slot = tape.slots[k]
        if slot["due"] <= now and slot["lots"] > 0:
            market = tape.markets[slot["market"]]
            if opens(tape, market, now) and may_be_sold(tape, slot, market["row"]):
                return True
    return False


def may_be_sold(tape: Tape, slot: Row, i: int) -> bool:
    """Whether what a slot holds is being sold, or a candle comes to its stop or target."""
    touched = is_guarded(slot) and (tape.low[i] <= slot["stop"] or tape.high[i] >= slot["target"])
    return bool(slot["leaving"] > 0 or touched)


def is_asked(tape: Tape, now: int) -> bool:
    """Go on to the newest close of each slot that is due; whether any wants something there. Those are marked."""
    found = False
    for k in range(len(tape.slots)):
        slot = tape.slots[k]
        if slot["due"] <= now:
            market = tape.markets[slot["market"]]
            if tape.terms.at_close:
                known = now + market["span"]
                trades = market["row"] > market["first"] and opens_at(tape, market, market["row"] - 1) == now
            else:
                known = now
                trades = opens(tape, market, now)
            newest = slot["turn"]
            while trades and newest < slot["end"] and closes_at(tape, slot, newest) <= known:
                newest += 1
            if newest > slot["turn"]:
                slot["turn"] = newest
                held = slot["lots"] > 0
                if (held and (tape.exit[newest - 1] or slot["longest"] > 0)) or (not held and tape.entry[newest - 1]):
                    slot["asked"] = found = True
    return found


def meet_opens(tape: Tape, now: int) -> None:
    """What positions meet where their market opens: more of the book, their stop, or their target."""
    terms, account = tape.terms, tape.account[0]
    for k in range(len(tape.slots)):
        slot, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
        if slot["lots"] > 0 and opens(tape, market, now):
            i, reason = market["row"], slot["leaving"]
            pass_by(tape, slot, market)
            price, offered = tape.open[i], offered_at(tape.offered, i)
            if reason > 0:
                sell(terms, account, market, slot, price, offered, False)
            elif price <= slot["stop"]:
                reason = intrabar.STOP
                sell(terms, account, market, slot, price, offered, True)
            elif price >= slot["target"]:
                reason = intrabar.TARGET
                sell_at_target(terms, account, market, slot, price)
            end_if_sold(tape.trades, account, market, slot, k, now, reason)


def pass_by(tape: Tape, slot: Row, market: Row) -> None:
    """Leave behind what was said while a position was held, up to the open before: it is no word on what comes now."""
    if market["row"] > market["first"]:
        known = opens_at(tape, market, market["row"] - 1) + (market["span"] if tape.terms.at_close else 0)
        while slot["turn"] < slot["end"] and closes_at(tape, slot, slot["turn"]) <= known:
            slot["turn"] += 1


def walk_candles(tape: Tape, now: int) -> None:
    """What positions meet within the candles that open."""
    terms, account = tape.terms, tape.account[0]
    for k in range(len(tape.slots)):
        slot, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
        if slot["lots"] > 0 and opens(tape, market, now):
            i = market["row"]
            candle = (tape.open[i], tape.high[i], tape.low[i], tape.close[i])
            reason = walk(terms, account, market, slot, candle, offered_at(tape.offered, i))
            end_if_sold(tape.trades, account, market, slot, k, now, reason)


def walk(
    terms: Terms, account: Row, market: Row, slot: Row, candle: tuple[float, float, float, float], offered: float
) -> int:
    """Let a position meet what it meets within a candle; why it is sold, if it is."""
    if slot["leaving"] > 0:
        first, high, low, last = candle
        low_first = intrabar.is_low_first(first, last, terms.worst)
        sell(terms, account, market, slot, low if low_first else high, offered, False)
        sell(terms, account, market, slot, high if low_first else low, offered, False)
        return int(slot["leaving"])
    met, price = intrabar.first_exit(candle, slot["stop"], slot["target"], terms.worst)
    if met == intrabar.STOP:
        sell(terms, account, market, slot, price, offered, True)
    elif met == intrabar.TARGET:
        sell_at_target(terms, account, market, slot, price)
    return met


def act(tape: Tape) -> None:
    """Decide on the slots that are asked, each on what those before it have left, then carry everything out."""
    for k in range(len(tape.slots)):
        decide(tape, k)
    carry_all(tape)


def decide(tape: Tape, k: int) -> None:
    """Decide on a slot, where it is asked, on what those before it have left."""
    terms, account = tape.terms, tape.account[0]
    slot, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
    i, s = traded_row(terms, market), slot["turn"] - 1
    if slot["asked"] and (terms.bare or tape.offered[i - 1] >= 1):  # else there is no book
        closed = closes_at(tape, slot, s)
        if slot["lots"] > 0:
            leave(slot, tape.exit[s], closed)
        elif terms.bare:
            free, price = account["cash"] - reserved_of(tape.slots), traded_price(tape, i)
            stop = distance_at(tape.stop, s, slot["stops"], market)
            size_bare(terms, slot, free, price, stop, distance_at(tape.target, s, slot["targets"], market))
        elif may_enter(tape, k, 0.0):
            take_adjustment(tape, slot, s)
            if may_enter(tape, k, slot["shift"]):
                size(tape, k, i, s)
    slot["asked"] = False


def may_enter(tape: Tape, k: int, shift: float) -> bool:
    """Whether a slot that holds nothing is sure enough to enter at its newest close, and not paused.

    Args:
        tape: All of the run.
        k: The slot.
        shift: By how much its confidence is changed.
    """
    slot, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
    s = slot["turn"] - 1
    opened = opens_at(tape, market, traded_row(tape.terms, market))
    sure = tape.confidence[s] + shift >= tape.terms.confidence
    return bool(sure and tape.account[0]["until"] <= closes_at(tape, slot, s) == opened)


def take_adjustment(tape: Tape, slot: Row, s: int) -> None:
    """What is made of an entry, where the tape says so for each close."""
    if len(tape.adjusted) > 0:
        slot["scale"], slot["shift"], slot["stop_share"] = tape.adjusted[s, 0], tape.adjusted[s, 1], tape.adjusted[s, 2]


def carry_all(tape: Tape) -> None:
    """Carry out what was decided."""
    terms, account = tape.terms, tape.account[0]
    for k in range(len(tape.slots)):
        slot, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
        if slot["buying"] > 0 or slot["leaving"] < 0:
            i = traded_row(terms, market)
            price, offered = traded_price(tape, i), offered_at(tape.offered, i)
            at = opens_at(tape, market, i) + (market["span"] if terms.at_close else 0)
            carry_out(terms, account, market, slot, price, offered, at)
            end_if_sold(tape.trades, account, market, slot, k, at, slot["leaving"])


def carry_out(terms: Terms, account: Row, market: Row, slot: Row, price: float, offered: float, at: int) -> None:
    """Buy or sell what was decided, at a price."""
    if slot["buying"] > 0:
        buy(terms, account, market, slot, price, offered, at)
    else:
        slot["leaving"] = -slot["leaving"]  # from now on
        sell(terms, account, market, slot, price, offered, False)


def traded_row(terms: Terms, market: Row) -> int:
    """The candle at whose open, or close, is traded."""
    return int(market["row"]) - 1 if terms.at_close else int(market["row"])


def traded_price(tape: Tape, i: int) -> float:
    """What is traded at of a candle: its open, or its close."""
    return float(tape.close[i] if tape.terms.at_close else tape.open[i])


def leave(slot: Row, reversed_: bool, closed: int) -> None:
    """Have a position sold at market, where its strategy says so or its time is up."""
    if slot["leaving"] == 0 and reversed_:
        slot["leaving"] = -SIGNAL
    elif slot["leaving"] == 0 and 0 < slot["longest"] <= closed - slot["since"]:
        slot["leaving"] = -TIME
