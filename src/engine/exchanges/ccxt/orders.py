"""From ccxt's orders, trades and balances to our own words, in Decimal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.domain.errors import VenueError
from engine.domain.market import from_millis
from engine.domain.money import Money
from engine.domain.orders import Fill, OrderState, OrderStatus, OrderType, Side
from engine.exchanges.ccxt.legs import TARGET, whole_of
from engine.exchanges.ccxt.parsing import decimal_of

Raw = Mapping[str, Any]

_STATUSES = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "canceling": OrderStatus.OPEN,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}


def order_state(raw: Raw) -> OrderState:
    """Ccxt's order as the port has it, under the client id that the venue has; without one, under the venue's own id.

    Raises:
        VenueError: It lacks what makes it an order.
    """
    venue_id, symbol = raw.get("id"), raw.get("symbol")
    quantity, filled = decimal_of(raw.get("amount")), decimal_of(raw.get("filled")) or Decimal(0)
    status = _STATUSES.get(str(raw.get("status")))
    if not venue_id or not symbol or quantity is None or status is None or raw.get("side") not in list(Side):
        raise VenueError(f"What came as an order is none: {_keys_of(raw)}.")
    if status is OrderStatus.FILLED and filled < quantity:
        status = OrderStatus.EXPIRED
    trigger = None if _trails(raw) else decimal_of(raw.get("triggerPrice"))
    return OrderState(
        symbol=symbol,
        side=Side(raw["side"]),
        client_id=raw.get("clientOrderId") or str(venue_id),
        venue_order_id=str(venue_id),
        status=status,
        quantity=quantity,
        filled=filled,
        type=_type_of(raw, trigger),
        limit_price=_price_of(raw),
        trigger_price=trigger or None,
    )


def order_states(raws: Sequence[Raw]) -> list[OrderState]:
    """Every order of a list.

    Raises:
        VenueError: One of them is none: half a list is no list.
    """
    return [order_state(raw) for raw in raws]


def _type_of(raw: Raw, trigger: Decimal | None) -> OrderType:
    name = str(raw.get("type") or "").lower()
    if _trails(raw):
        return OrderType.TRAILING_STOP
    if trigger:
        if "takeprofit" in _kinds(raw):
            return OrderType.TAKE_PROFIT
        return OrderType.STOP_LIMIT if _price_of(raw) else OrderType.STOP
    return OrderType.MARKET if name == "market" else OrderType.LIMIT


def _trails(raw: Raw) -> bool:
    """Whether it follows the price."""
    return bool(_told(raw).get("trailingDelta")) or "trailing" in _kinds(raw)


def _kinds(raw: Raw) -> str:
    """All that an order's type is called: ccxt calls many plainly market or limit, and hands on what the venue said."""
    told = _told(raw)
    described = told.get("descr")
    there = described.get("ordertype") if isinstance(described, dict) else told.get("type")
    return f"{raw.get('type') or ''} {there or ''}".lower().replace("-", "").replace("_", "")


def _told(raw: Raw) -> Raw:
    """What the venue itself said of it."""
    told = raw.get("info")
    return told if isinstance(told, dict) else {}


def _price_of(raw: Raw) -> Decimal | None:
    """Its limit price; what ccxt puts there of an order at market is what that came to."""
    if "market" in str(raw.get("type") or "").lower() or _trails(raw):
        return None
    return decimal_of(raw.get("price")) or None


def fill_of(raw: Raw, venue: str, client_id: str) -> Fill:
    """Ccxt's trade as a fill.

    Raises:
        VenueError: It lacks what makes it one.
    """
    quantity, price, at_ms = decimal_of(raw.get("amount")), decimal_of(raw.get("price")), raw.get("timestamp")
    if (
        not raw.get("id")
        or not quantity
        or not price
        or not isinstance(at_ms, int)
        or raw.get("side") not in list(Side)
    ):
        raise VenueError(f"What came as a trade of ours is none: {_keys_of(raw)}.")
    return Fill(
        venue=venue,
        symbol=raw["symbol"],
        trade_id=str(raw["id"]),
        client_id=client_id,
        side=Side(raw["side"]),
        quantity=quantity,
        price=price,
        fee=_fee_of(raw),
        at=from_millis(at_ms),
    )


def _fee_of(raw: Raw) -> Money | None:
    """What it cost; ``None`` where the venue has not said yet."""
    fee = raw.get("fee") or {}
    amount = decimal_of(fee.get("cost"))
    if amount is None or not fee.get("currency"):
        return None
    return Money(amount=amount, currency=fee["currency"])


def balances(raw: Raw) -> dict[str, Decimal]:
    """What is owned of each currency, what orders hold of it included.

    Raises:
        VenueError: The answer says nothing: an empty answer is no answer.
    """
    return _amounts(raw, "total")


def free(raw: Raw) -> dict[str, Decimal]:
    """What no order holds of each currency."""
    return _amounts(raw, "free")


def _amounts(raw: Raw, kind: str) -> dict[str, Decimal]:
    told = raw.get(kind)
    if not isinstance(told, dict) or not told:
        raise VenueError("The answer about what the account owns is empty.")
    found = {name: decimal_of(amount) for name, amount in told.items()}
    if any(amount is None for amount in found.values()):
        raise VenueError("The answer about what the account owns holds something that is no amount.")
    return {name: amount for name, amount in found.items() if amount}


def as_whole(state: OrderState) -> tuple[OrderState, str]:
    """A leg under the client id of the order it belongs to, and which it is; another order as it is."""
    client_id, leg = whole_of(state.client_id)
    return replace(state, client_id=client_id), leg


def oco_of(legs: Mapping[str, OrderState]) -> OrderState:
    """A stop and target of which only what the venue tells is known, as one order with nothing filled."""
    some = next(iter(legs.values()))
    client_id, _ = whole_of(some.client_id)
    stop, target = (legs.get(each) for each in ("stop", TARGET))
    return replace(
        some,
        client_id=client_id,
        type=OrderType.OCO,
        filled=Decimal(0),
        fills=(),
        trigger_price=stop.trigger_price if stop else None,
        limit_price=target.limit_price if target else None,
    )


def _keys_of(raw: Raw) -> str:
    """What of an answer may be told: which of its values are missing."""
    missing = sorted(
        name for name in ("id", "symbol", "side", "amount", "price", "status", "timestamp") if not raw.get(name)
    )
    return f"without {', '.join(missing)}" if missing else "its values cannot be"
