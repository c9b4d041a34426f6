"""Many runs of the kernel at once, each of which waits where an entry is about to be decided on; for numba.

What happens is the kernel's own doing (``kernel.run`` takes the same steps in the same order). Here is only where it
waits, and how the account stands then. All episodes go over the same candles, each within a time of its own, and may
cost something else each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.simulation.kernel import (
    begin,
    carry_all,
    close_moment,
    decide,
    is_asked,
    is_met,
    may_enter,
    open_moment,
)
from engine.simulation.kernel_account import coin_worth, end_days, fall_of, reserved_of, worth_of
from engine.simulation.kernel_time import closes_at, last_open
from engine.simulation.tapes import NEVER, Tape, Terms

if TYPE_CHECKING:
    from engine.domain.market import Floats, Millis
    from engine.simulation.tapes import Row, Table

LONGEST_STREAK = 5

EPISODE = np.dtype(
    [
        ("now", "i8"),  # the moment that it has come to, in milliseconds
        ("met", "?"),  # as in ``kernel.close_moment``
        ("trades", "i8"),
        ("slot", "i8"),  # the one whose entry is waited for; below 0 before the first
        ("row", "i8"),  # of what is said there
        ("done", "?"),  # whether it has come to its end
        # How the account stands there.
        ("equity", "f8"),
        ("fall", "f8"),  # below the peak, in millionths
        ("coin", "f8"),  # what is held of the coin or being bought, in the quote currency
        ("gross", "f8"),  # the same of everything
        ("correlation", "f8"),  # the highest with a market that is held
        ("streak", "i8"),  # trades won in a row in this market, below 0 lost ones
        ("idle", "f8"),  # candles since the last trade of this market was closed
    ]
)


class Episodes(NamedTuple):
    """Episodes over one tape; the first axis of every table is the episode.

    Attributes:
        tape: What they have in common; its own tables are not touched.
        fee, first, step: What trading costs in each, see ``Terms``.
        correlations: ``float64[n, markets]``, of each close that something is said of, with each market.
    """

    tape: Tape
    fee: Floats
    first: Millis
    step: Millis
    markets: Table
    slots: Table
    account: Table
    trades: Table
    days: Table
    correlations: Floats
    episodes: Table


def advance_all(all_: Episodes, which: Millis) -> None:
    """Take some episodes, by their numbers, to the next entry that is to be decided on, or to their end."""
    for b in which:
        if not all_.episodes[b]["done"]:
            advance(tape_of_episode(all_, b), all_.correlations, all_.episodes[b])


def tape_of_episode(all_: Episodes, b: int) -> Tape:
    """One episode as the kernel goes over it."""
    base, terms = all_.tape, all_.tape.terms
    return Tape(
        Terms(
            terms.bare,
            terms.at_close,
            terms.worst,
            terms.size,
            all_.fee[b],
            terms.confidence,
            terms.whole,
            all_.first[b],
            all_.step[b],
            terms.levels,
            terms.max_drawdown,
            terms.recovery_size,
            terms.max_total_drawdown,
            terms.max_spread,
            terms.max_price_gap,
            terms.slippage_down,
            terms.slippage_up,
            terms.pause_ms,
            terms.max_daily_volume,
            terms.max_sector,
            terms.max_positions,
        ),
        base.open_ms,
        base.open,
        base.high,
        base.low,
        base.close,
        base.offered,
        base.day_close,
        base.said_ms,
        base.entry,
        base.exit,
        base.confidence,
        base.stop,
        base.target,
        base.traded,
        all_.markets[b],
        all_.slots[b],
        all_.account[b],
        all_.trades[b],
        all_.days[b],
        base.levels,
        base.sizes,
        base.adjusted,
    )


def advance(tape: Tape, correlations: Floats, episode: Row) -> None:
    """Decide on the entry that was waited for, and go on to the next one, or to the end."""
    if episode["now"] < 0:
        episode["now"] = begin(tape)
    elif episode["slot"] >= 0:
        decide(tape, episode["slot"])
        if find_entry(tape, episode, episode["slot"] + 1):
            note(tape, correlations, episode)
            return
        carry_on(tape, episode)
    while episode["now"] < NEVER:
        episode["trades"] = tape.account[0]["trades"]
        episode["met"] = open_moment(tape, episode["now"])
        if not is_asked(tape, episode["now"]):
            episode["now"] = close_moment(tape, episode["now"], episode["met"], episode["trades"])
        elif find_entry(tape, episode, 0):
            note(tape, correlations, episode)
            return
        else:
            carry_on(tape, episode)
    end_days(tape, last_open(tape))
    episode["done"] = True
    episode["equity"] = tape.account[0]["cash"] + worth_of(tape)


def find_entry(tape: Tape, episode: Row, first: int) -> bool:
    """Decide on the slots from one on, up to the first whose entry is to be waited for; whether there is one."""
    for k in range(first, len(tape.slots)):
        slot = tape.slots[k]
        market = tape.markets[slot["market"]]
        if slot["asked"] and slot["lots"] <= 0 and tape.offered[market["row"] - 1] >= 1 and may_enter(tape, k, 0.0):
            episode["slot"], episode["row"] = k, slot["turn"] - 1
            return True
        decide(tape, k)
    return False


def carry_on(tape: Tape, episode: Row) -> None:
    """Carry out what was decided, and go on to the next moment."""
    carry_all(tape)
    episode["slot"] = -1
    met = is_met(tape, episode["now"])
    episode["now"] = close_moment(tape, episode["now"], met, episode["trades"])


def note(tape: Tape, correlations: Floats, episode: Row) -> None:
    """Note how the account stands."""
    account, k = tape.account[0], episode["slot"]
    slot = tape.slots[k]
    worth, coin = worth_of(tape), tape.markets[slot["market"]]["coin"]
    episode["equity"] = account["cash"] + worth
    episode["fall"] = fall_of(max(account["peak"], episode["equity"]), episode["equity"])
    episode["coin"], episode["gross"] = coin_worth(tape, coin), worth + reserved_of(tape.slots)
    episode["correlation"] = correlation_with_held(tape, correlations, k, episode["row"])
    note_trades(tape, episode, k, closes_at(tape, slot, episode["row"]))


def correlation_with_held(tape: Tape, correlations: Floats, k: int, s: int) -> float:
    """The highest correlation with a market that is held or being bought; 0 where nothing is, 1 with the same coin."""
    found, any_, own = 0.0, False, tape.markets[tape.slots[k]["market"]]["coin"]
    for j in range(len(tape.slots)):
        other = tape.slots[j]
        if j != k and (other["lots"] > 0 or other["buying"] > 0):
            same = tape.markets[other["market"]]["coin"] == own
            value = 1.0 if same else correlations[s, other["market"]]
            found, any_ = (max(found, value) if any_ else value), True
    return found


def note_trades(tape: Tape, episode: Row, k: int, now: int) -> None:
    """Note how the last trades of a slot went, and how long ago the last one was closed."""
    t, streak, slot = tape.account[0]["trades"] - 1, 0, tape.slots[k]
    episode["idle"] = np.inf
    while t >= 0 and abs(streak) < LONGEST_STREAK:
        trade = tape.trades[t]
        if trade["slot"] == k:
            if streak == 0:
                since = trade["closed"] - trade["closed"] % slot["span"]
                episode["idle"] = (now - since) // slot["span"]
            won = made(tape, trade) > 0
            if streak != 0 and won != (streak > 0):
                break
            streak += 1 if won else -1
        t -= 1
    episode["streak"] = streak


def made(tape: Tape, trade: Row) -> float:
    """What a trade has made after fees, in the quote currency."""
    market = tape.markets[tape.slots[trade["slot"]]["market"]]
    lot = market["grain"] / market["tick"]
    return float(trade["lots"] * lot * (trade["exit"] - trade["entry"]) - trade["fees"])
