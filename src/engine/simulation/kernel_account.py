"""What the kernel's account is worth, at a close and at the end of each day, and how far below its peak; for numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.risk import scalars as risk
from engine.simulation.tapes import DAY_MS, NEVER

if TYPE_CHECKING:
    from engine.simulation.tapes import Table, Tape


def end_days(tape: Tape, now: int) -> None:
    """Note the account at each midnight that has come."""
    account = tape.account[0]
    while now >= account["midnight"]:
        note_day(tape, worth_of(tape))


def note_day(tape: Tape, worth: float) -> None:
    """Note the account at the midnight that is next."""
    account = tape.account[0]
    day = tape.days[account["days"]]
    day["at"], day["equity"], day["exposure"] = account["midnight"], account["cash"] + worth, worth
    account["days"] += 1
    account["midnight"] += DAY_MS


def worth_of(tape: Tape) -> float:
    """What everything held is worth at the last closes."""
    worth = 0.0
    for k in range(len(tape.slots)):
        worth += worth_of_slot(tape, k)
    return worth


def worth_of_slot(tape: Tape, k: int) -> float:
    """What is held of a slot, at its last close."""
    slot = tape.slots[k]
    if slot["lots"] <= 0:
        return 0.0
    market = tape.markets[slot["market"]]
    return float(slot["lots"] * tape.close[market["row"] - 1] * market["grain"])


def reserved_of(slots: Table) -> float:
    """What is set aside for what is being bought."""
    reserved = 0.0
    for k in range(len(slots)):
        reserved += slots[k]["reserved"]
    return reserved


def coin_worth(tape: Tape, coin: int) -> float:
    """What is held of a coin or being bought, in every context."""
    taken = 0.0
    for k in range(len(tape.slots)):
        if tape.markets[tape.slots[k]["market"]]["coin"] == coin:
            taken += tape.slots[k]["reserved"] + worth_of_slot(tape, k)
    return taken


def sector_worth(tape: Tape, sector: int) -> float:
    """What is held of a sector's coins or being bought, in every context."""
    taken = 0.0
    for k in range(len(tape.slots)):
        if tape.markets[tape.slots[k]["market"]]["sector"] == sector:
            taken += tape.slots[k]["reserved"] + worth_of_slot(tape, k)
    return taken


def at_risk(tape: Tape) -> float:
    """What everything held or being bought loses from the last closes, or what is paid for it, to its stop."""
    lost = 0.0
    for k in range(len(tape.slots)):
        slot = tape.slots[k]
        market = tape.markets[slot["market"]]
        if slot["lots"] > 0:
            lost += max(0.0, worth_of_slot(tape, k) - slot["lots"] * slot["stop"] * market["grain"])
        if slot["buying"] > 0:
            lost += max(0.0, slot["reserved"] - slot["buying"] * slot["stop"] * market["grain"])
    return lost


def positions_of(slots: Table) -> int:
    """How many positions are held or being bought."""
    count = 0
    for k in range(len(slots)):
        if slots[k]["lots"] > 0 or slots[k]["buying"] > 0:
            count += 1
    return count


def watch_drawdown(tape: Tape, now: int) -> None:
    """Raise the peak, or pause entries where equity has fallen another step below it (``risk.halts``)."""
    account, terms = tape.account[0], tape.terms
    equity = account["cash"] + worth_of(tape)
    account["peak"] = max(account["peak"], equity)
    fall = fall_of(account["peak"], equity)
    total = risk.has_reached(fall, terms.max_total_drawdown)
    if total and account["ended"] == 0:
        account["ended"] = now
    if total or risk.steps(fall, terms.max_drawdown) > risk.steps(account["paused"], terms.max_drawdown):
        account["paused"] = max(account["paused"], fall)
        account["until"] = NEVER if total else max(account["until"], now + terms.pause_ms)
    elif risk.has_recovered(fall, terms.max_drawdown):
        account["paused"] = 0.0


def fall_of(peak: float, equity: float) -> float:
    """How far equity is below its peak, in millionths."""
    return risk.PPM * max(0.0, (peak - equity) / peak) if peak > 0 else 0.0
