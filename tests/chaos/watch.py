"""What must hold of each position's own coins at every step: looked at whenever anything was written, on either side.

Everything is said of a position (or a coin) once; what is wrong with it stays in the trace from there on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from engine.domain.orders import OrderRequest, Side
from tests.chaos.positions import Positions, is_sale, rest_of

Found = Iterator[tuple[str, str]]
"""Of what, and what is wrong with it."""

FAILED_AN_HOUR = 24
"""Orders of a position that may come to nothing in a market hour. Pauses that double from 10 s up leave room for nine
tries in it; a try is a stop and target, and where that is refused a sale in its place. The others are stops cancelled
for a sale, and what was not sent after all: it makes nobody wait longer."""
UNPROTECTED_FOR = timedelta(minutes=90)
"""Market time within which all of a position is covered once the venue works, or people were told that it is not: two
of the longest pauses between two tries, and as much again."""


class Watch:
    """Looks at every position at every step.

    Args:
        complain: Told what is wrong, once of each.
        now: The market's time; ``None`` while the program does not run.
        is_calm: Whether the faults are over.
    """

    def __init__(
        self,
        positions: Positions,
        *,
        complain: Callable[[str], None],
        now: Callable[[], datetime | None],
        is_calm: Callable[[], bool],
    ) -> None:
        self._positions = positions
        self._complain = complain
        self._now = now
        self._is_calm = is_calm
        self._told: set[tuple[str, str]] = set()
        self._seen: set[str] = set()
        self._uncovered: dict[str, tuple[datetime, int]] = {}

    def look(self) -> None:
        """Look at what was written since the last time."""
        if not self._positions.refresh():
            return
        for holds in AT_EACH_STEP:
            for subject, wrong in holds(self._positions):
                self._tell(holds.__name__, subject, wrong)
        for subject, wrong in self._wanted_is_free():
            self._tell("wanted is free", subject, wrong)
        now = self._now()
        if now is not None and self._is_calm():
            for subject, wrong in self._covered_or_told(now):
                self._tell("covered or told", subject, wrong)

    def before_sending(self, request: OrderRequest) -> None:
        """Look at an order that is about to reach the venue: what it sells is its position's, and not being sold."""
        self.look()
        order = self._positions.orders.get(request.client_id)
        if order is None:
            self._tell("written down", request.client_id, f"{request} was sent before it was written down")
        elif request.side is Side.SELL and not self._positions.is_there(request.client_id):
            free = self._positions.free(order["position_id"])
            if request.quantity > free:
                wrong = f"{order['id']} was sent to sell {request.quantity} of {order['position_id']}: {free} is free"
                self._tell("is free", order["position_id"], wrong)

    def _wanted_is_free(self) -> Found:
        """What is newly written down to be sold is held, and wanted by no other sale, whatever the venue would say."""
        for client_id, order in self._positions.orders.items():
            if client_id in self._seen:
                continue
            self._seen.add(client_id)
            name = order["position_id"]
            if order["status"] == "intent" and is_sale(order) and name in self._positions.rows:
                free = self._positions.unwanted(name) + rest_of(order)
                if rest_of(order) > free:
                    yield name, f"{order['id']} was written down to sell {order['quantity']} of {name}: {free} is free"

    def _covered_or_told(self, now: datetime) -> Found:
        """What is held with a stop price is being sold, or waits for its price, all of it; or people know."""
        for name, row in self._positions.rows.items():
            if row["status"] != "open" or row["stop"] is None or self._positions.free(name) <= 0:
                self._uncovered.pop(name, None)
                continue
            since, alarms = self._uncovered.setdefault(name, (now, self._positions.alarms[name]))
            if now - since > UNPROTECTED_FOR and self._positions.alarms[name] == alarms:
                yield name, f"{self._positions.free(name)} of {name} has no stop since {since}, and nobody was told"

    def _tell(self, what: str, subject: str, wrong: str) -> None:
        if (what, subject) not in self._told:
            self._told.add((what, subject))
            self._complain(wrong)


def nothing_is_owed(at: Positions) -> Found:
    """No position is below zero in the books."""
    for name, row in at.rows.items():
        if Decimal(row["quantity"]) < 0:
            yield name, f"{name} holds {row['quantity']}"


def fills_make_the_position(at: Positions) -> Found:
    """What the books say is held is what the position's own fills bought, less what they sold."""
    for name, row in at.rows.items():
        made, held = sum(at.changes[name], Decimal(0)), Decimal(row["quantity"])
        written_off = row["status"] == "closed" and not held and 0 <= made < at.lot(name)
        if held != made and not written_off:
            yield name, f"{name} holds {row['quantity']} in the books, and its fills make {made}"


def sells_its_own_only(at: Positions) -> Found:
    """At the venue no more was sold of a position than was bought for it."""
    for name in at.rows:
        if at.held[name] < 0:
            yield name, f"{-at.held[name]} more of {name} was sold than was bought for it"


def is_sold_once(at: Positions) -> Found:
    """What is at the venue to sell a position, at the market or at a price, is no more than what it holds."""
    for name in at.rows:
        if at.selling[name] > max(at.held[name], Decimal(0)):
            yield name, f"{at.selling[name]} of {name} is being sold, and it holds {at.held[name]}"


def coins_are_there(at: Positions) -> Found:
    """What all positions of a coin hold is at the venue; looked at where the books know all that happened there."""
    if not at.level:
        return
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in at.rows.values():
        held[row["symbol"].partition("/")[0]] += Decimal(row["quantity"])
    for coin, quantity in held.items():
        owned = at.balances.get(coin, Decimal(0))
        if quantity > owned:
            yield coin, f"positions hold {quantity} {coin}, and the account {owned}"


def is_closed_once(at: Positions) -> Found:
    """People are told once of each time that nothing is left of a position; what is bought again may close again."""
    for name in at.rows:
        held = list(accumulate(at.changes[name]))
        lot = at.lot(name)
        closed = sum(
            (now <= 0 or now < lot) and before > 0 and before >= lot
            for before, now in zip([Decimal(0), *held], held, strict=False)
        )
        if at.closings[name] != closed:
            yield name, f"{name} was sold {closed} times, and told closed {at.closings[name]} times"


def failures_are_few(at: Positions) -> Found:
    """What the venue refuses, or is cancelled, is not tried again and again: a position's share of a market hour."""
    failed = Counter(
        (order["position_id"], order["created_at"][:13])
        for order in at.orders.values()
        if order["position_id"] and order["status"] in ("rejected", "cancelled")
    )
    for (name, hour), count in failed.items():
        if count > FAILED_AN_HOUR:
            yield name, f"{count} orders of {name} came to nothing in the hour of {hour}"


AT_EACH_STEP: tuple[Callable[[Positions], Found], ...] = (
    nothing_is_owed,
    fills_make_the_position,
    sells_its_own_only,
    is_sold_once,
    coins_are_there,
    is_closed_once,
    failures_are_few,
)
