"""When something happens next in the kernel: the candles that open, the next word of a strategy, the next stop met.

Nearly always nothing happens. ``look_ahead`` notes until when that is so for each slot, and ``go_on`` goes there. As in
``kernel``, all of this is plain Python of numbers and arrays, for numba.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.simulation.kernel_account import note_day
from engine.simulation.tapes import NEVER

if TYPE_CHECKING:
    from engine.domain.columns import Bools
    from engine.simulation.tapes import Row, Table, Tape

_LOOK_AHEAD = 256
"""Rows that are looked through at a time where a stop may cut short what is looked through."""
_LANES = 32
"""Yes and noes that are looked at together."""


def last_open(tape: Tape) -> int:
    """When the last candle of all opens."""
    last = 0
    for m in range(len(tape.markets)):
        market = tape.markets[m]
        if market["end"] > market["first"]:
            last = max(last, opens_at(tape, market, market["end"] - 1))
    return last


def look_ahead(tape: Tape, now: int) -> None:
    """Note anew until when nothing happens, for those slots where something might have."""
    for k in range(len(tape.slots)):
        slot, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
        if slot["leaving"] == 0 and slot["due"] <= now:
            said = next_word(tape, slot)
            due = NEVER
            if said < slot["end"]:
                due = closes_at(tape, slot, said) - (market["span"] if tape.terms.at_close else 0)
            if slot["lots"] > 0 and is_guarded(slot):
                due = min(due, next_met(tape, slot, market, due))
            else:
                slot["turn"] = said  # nothing that was said before is asked for any more
            slot["due"] = due


def next_word(tape: Tape, slot: Row) -> int:
    """The next row at which a strategy says something that matters, or its time is up.

    Where a stop or target may come first: if it is far, one before.
    """
    said, end = slot["turn"], slot["end"]
    if slot["lots"] > 0 and is_guarded(slot):
        end = min(said + _LOOK_AHEAD, end)
    if slot["lots"] <= 0:
        said = next_shown(tape.entry, said, end)
    elif slot["longest"] > 0:
        late = slot["since"] + slot["longest"]
        while said < end and not tape.exit[said] and closes_at(tape, slot, said) < late:
            said += 1
    else:
        said = next_shown(tape.exit, said, end)
    return int(said)


def next_shown(column: Bools, row: int, end: int) -> int:
    """The next row from this one on, before the end, at which a column shows; the end where there is none."""
    while row + _LANES <= end and not shows_within(column, row):
        row += _LANES
    while row < end and not column[row]:
        row += 1
    return row


def shows_within(column: Bools, row: int) -> bool:
    """Whether a column shows at one of the next rows: a processor looks at all of them at once."""
    shows = False
    for i in range(_LANES):
        shows |= column[row + i]
    return shows


def next_met(tape: Tape, slot: Row, market: Row, until: int) -> int:
    """When the next candle opens that meets a stop or target; if it is far, one before."""
    row, end = market["row"], min(market["row"] + _LOOK_AHEAD, market["end"])
    stop, target = slot["stop"], slot["target"]
    while row < end and opens_at(tape, market, row) < until and tape.low[row] > stop and tape.high[row] < target:
        row += 1
    return opens_at(tape, market, row) if row < market["end"] else NEVER


def is_held(slots: Table) -> bool:
    """Whether anything is."""
    held = False
    for k in range(len(slots)):
        held = held or slots[k]["lots"] > 0
    return held


def is_guarded(slot: Row) -> bool:
    """Whether a stop or target goes with what a slot holds; where none does, no candle is looked at for them."""
    return bool(slot["stop"] > -math.inf or slot["target"] < math.inf)


def go_on(tape: Tape, held: bool) -> int:
    """When something may happen again; days that end before that are noted."""
    due = NEVER
    for k in range(len(tape.slots)):
        due = min(due, tape.slots[k]["due"])
    if held:
        pass_days(tape, due)
    return first_open(tape, due)


def pass_days(tape: Tape, due: int) -> None:
    """Note the account at each midnight before that, while nothing happens."""
    account, count = tape.account[0], len(tape.day_close) // len(tape.markets)
    while account["midnight"] < due and account["days"] < count:
        worth = 0.0
        for k in range(len(tape.slots)):
            slot = tape.slots[k]
            if slot["lots"] > 0:
                close = tape.day_close[slot["market"] * count + account["days"]]
                worth += slot["lots"] * close * tape.markets[slot["market"]]["grain"]
        note_day(tape, worth)


def first_open(tape: Tape, due: int) -> int:
    """When the first candle opens from a time on, those left behind that open before."""
    at = NEVER
    for m in range(len(tape.markets)):
        market = tape.markets[m]
        row, end = market["row"], market["end"]
        if row < end and opens_at(tape, market, row) < due:
            row = min(end, row + (due - opens_at(tape, market, row)) // market["span"])  # if no candle is missing
            while opens_at(tape, market, row - 1) >= due:
                row -= 1
            while row < end and opens_at(tape, market, row) < due:
                row += 1
            market["row"] = row
        if row < end:
            at = min(at, opens_at(tape, market, row))
    return at


def next_open(tape: Tape, now: int) -> int:
    """When the next candle of any market opens, those left behind that open now."""
    at = NEVER
    for m in range(len(tape.markets)):
        market = tape.markets[m]
        row, end = market["row"], market["end"]
        if row < end and opens_at(tape, market, row) <= now:
            row += 1
            market["row"] = row
        if row < end:
            at = min(at, opens_at(tape, market, row))
    return at


def opens(tape: Tape, market: Row, now: int) -> bool:
    """Whether a candle of a market opens now."""
    return bool(market["row"] < market["end"] and opens_at(tape, market, market["row"]) == now)


def opens_at(tape: Tape, market: Row, row: int) -> int:
    """When a candle opens. Where none is missing that is reckoned: to look it up takes longer."""
    if market["begins"] >= 0:
        return int(market["begins"] + (row - market["first"]) * market["span"])
    return int(tape.open_ms[row])


def closes_at(tape: Tape, slot: Row, row: int) -> int:
    """When a candle of a slot's own closes; see ``opens_at``."""
    if slot["begins"] >= 0:
        return int(slot["begins"] + (row - slot["first"] + 1) * slot["span"])
    return int(tape.said_ms[row] + slot["span"])
