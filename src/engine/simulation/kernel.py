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

Nearly always nothing happens. ``look_ahead`` notes until when that is so for each slot, and ``run`` goes on from there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.risk import scalars as risk
from engine.simulation import intrabar, scalars
from engine.simulation.tapes import SIGNAL, TIME, Row, Tape, Terms

if TYPE_CHECKING:
    from engine.domain.market import Floats
    from engine.simulation.tapes import Table

_NEVER = 2**62
_DAY = 86_400_000
_LOOK_AHEAD = 256
"""Rows that are looked through at a time: what a stop cuts short is not looked through to the end."""
_FEE_STEPS = 1e8
"""Fees are rounded down to so many parts of the quote currency (``fills.fee``)."""


def run(tape: Tape) -> None:
    """Go over everything once; what it comes to is left in the tape."""
    at_close, valued = tape.terms.at_close, not tape.terms.bare
    now = next_open(tape, -1)
    tape.account[0]["midnight"] = now - now % _DAY + _DAY
    while now < _NEVER:
        trades = tape.account[0]["trades"]
        end_days(tape, now)
        met = is_met(tape, now)
        if met:
            meet_opens(tape, now)
        if not at_close and is_asked(tape, now):
            act(tape)
            met = is_met(tape, now)
        if valued:
            watch_drawdown(tape, now)
        if met:
            walk_candles(tape, now)
        following = next_open(tape, now)
        if at_close and is_asked(tape, now):
            act(tape)
        look_ahead(tape, now)
        held = is_held(tape.slots)
        watched = valued and (held or tape.account[0]["trades"] > trades)  # each close is valued, until cash is all
        now = following if watched else go_on(tape, held)
    end_days(tape, last_open(tape))


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
            due = _NEVER
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
        while said < end and not tape.entry[said]:
            said += 1
    elif slot["longest"] > 0:
        late = slot["since"] + slot["longest"]
        while said < end and not tape.exit[said] and closes_at(tape, slot, said) < late:
            said += 1
    else:
        while said < end and not tape.exit[said]:
            said += 1
    return int(said)


def next_met(tape: Tape, slot: Row, market: Row, until: int) -> int:
    """When the next candle opens that meets a stop or target; if it is far, one before."""
    row, end = market["row"], min(market["row"] + _LOOK_AHEAD, market["end"])
    stop, target = slot["stop"], slot["target"]
    while row < end and opens_at(tape, market, row) < until and tape.low[row] > stop and tape.high[row] < target:
        row += 1
    return opens_at(tape, market, row) if row < market["end"] else _NEVER


def is_held(slots: Table) -> bool:
    """Whether anything is."""
    held = False
    for k in range(len(slots)):
        held = held or slots[k]["lots"] > 0
    return held


def go_on(tape: Tape, held: bool) -> int:
    """When something may happen again; days that end before that are noted."""
    due = _NEVER
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
    at = _NEVER
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
    at = _NEVER
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


def is_met(tape: Tape, now: int) -> bool:
    """Whether a candle that opens now may meet the stop or target of a position, or one that is being sold."""
    for k in range(len(tape.slots)):
        slot = tape.slots[k]
        if slot["due"] <= now and slot["lots"] > 0:
            market = tape.markets[slot["market"]]
            if opens(tape, market, now) and may_be_sold(tape, slot, market["row"]):
                return True
    return False


def is_guarded(slot: Row) -> bool:
    """Whether a stop or target goes with what a slot holds; where none does, no candle is looked at for them."""
    return bool(slot["stop"] > -math.inf or slot["target"] < math.inf)


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


def offered_at(offered: Floats, i: int) -> float:
    """The lots that each level offers while a candle is open; a bare run asks nobody."""
    return offered[i - 1] if len(offered) > 0 else 0.0


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
    account["midnight"] += _DAY


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
        account["until"] = _NEVER if total else max(account["until"], now + terms.pause_ms)
    elif risk.has_recovered(fall, terms.max_drawdown):
        account["paused"] = 0.0


def fall_of(peak: float, equity: float) -> float:
    """How far equity is below its peak, in millionths."""
    return risk.PPM * max(0.0, (peak - equity) / peak) if peak > 0 else 0.0


def act(tape: Tape) -> None:
    """Decide on the slots that are asked, each on what those before it have left, then carry everything out."""
    terms, account = tape.terms, tape.account[0]
    for k in range(len(tape.slots)):
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
            elif tape.confidence[s] >= terms.confidence and account["until"] <= closed == opens_at(tape, market, i):
                size(tape, k, i, s)
        slot["asked"] = False
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


def distance_at(distances: Floats, s: int, has_any: bool, market: Row) -> float:
    """A distance from the entry in ticks; no number where there is none."""
    return float(distances[s] / market["tick"]) if has_any else math.nan


def leave(slot: Row, reversed_: bool, closed: int) -> None:
    """Have a position sold at market, where its strategy says so or its time is up."""
    if slot["leaving"] == 0 and reversed_:
        slot["leaving"] = -SIGNAL
    elif slot["leaving"] == 0 and 0 < slot["longest"] <= closed - slot["since"]:
        slot["leaving"] = -TIME


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
    if stop <= 0 or above <= 0 or not is_sane(terms, bid, ask, tape.close[i - 1], stop):
        return
    taken = lots_of_levels(terms, tape.levels, tape.sizes, mid, tape.offered[i - 1])
    lots = min(lots_of_account(tape, k, ask, distance, float(ask - stop)), taken)
    if risk.is_worth_sending(lots, ask, market["least"] / market["grain"]):
        slot["buying"], slot["reserved"] = lots, lots * ask * market["grain"]
        slot["stop"], slot["target"] = stop, above


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
        at_stop: The same as it is on the tick.
    """
    terms, account, market = tape.terms, tape.account[0], tape.markets[tape.slots[k]["market"]]
    worth, reserved, grain = worth_of(tape), reserved_of(tape.slots), market["grain"]
    equity = account["cash"] + worth
    fall = fall_of(account["peak"], equity)
    fallen = risk.steps(fall, terms.max_drawdown)
    if risk.has_reached(fall, terms.max_total_drawdown) or fallen > risk.steps(account["paused"], terms.max_drawdown):
        return 0
    lots = risk.lots_at_risk(equity / grain, terms.risk_per_trade, distance)
    if fallen > 0:
        left = risk.share_left(terms.risk_per_trade, terms.recovery_size, fallen)
        lots = risk.cut_to_risk(lots, equity / grain, left, at_stop)
    coin = risk.share_left(terms.max_position, terms.recovery_size, fallen)
    lots = min(lots, risk.lots_of_share(equity / grain, coin, coin_worth(tape, market["coin"]) / grain, ask))
    exposure = risk.share_left(terms.max_exposure, terms.recovery_size, fallen)
    lots = min(lots, risk.lots_of_share(equity / grain, exposure, (worth + reserved) / grain, ask))
    return min(lots, risk.lots_of_cash((account["cash"] - reserved) / grain, terms.slippage_up, ask))


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


def lots_of_levels(terms: Terms, levels: Floats, sizes: Floats, mid: int, offered: float) -> int:
    """The lots that the asks give within the slippage that is allowed."""
    last = 0
    for level in range(terms.levels):
        last = ask_of(terms, mid, level, last)
        levels[level], sizes[level] = last, offered
    return risk.lots_of_book(levels, sizes, terms.slippage_down)


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
