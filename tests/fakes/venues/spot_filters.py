"""What a market of the fake Binance takes: its filters, as they are told and as they are enforced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.fakes.exchange import Symbol
from tests.fakes.venues.spot_ledger import ZERO
from tests.fakes.venues.spot_orders import AT_MARKET, CONDITIONAL, ORDER_TYPES, Refused, SpotOrder

Json = Any


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The limits of a market beside its own steps: counts, and multiples of the price."""

    market_max: Decimal = Decimal(100)
    max_orders: int = 200
    max_conditional: int = 5
    up: Decimal = Decimal(5)
    down: Decimal = Decimal("0.2")
    trailing: tuple[int, int] = (10, 2000)
    """Least and most, in hundredths of a per cent."""

    def info(self, symbol: Symbol) -> Json:
        """The market as ``exchangeInfo`` tells it."""
        lot = {"stepSize": symbol.lot, "minQty": symbol.lot, "maxQty": "9000.00000000"}
        least, most = self.trailing
        ends = {"minTrailingAboveDelta": least, "maxTrailingAboveDelta": most}
        multipliers = {"bidMultiplierUp": f"{self.up}", "bidMultiplierDown": f"{self.down}",
                       "askMultiplierUp": f"{self.up}", "askMultiplierDown": f"{self.down}"}  # fmt: skip
        filters = [
            {"filterType": "PRICE_FILTER", "minPrice": symbol.tick, "maxPrice": "9000000.00", "tickSize": symbol.tick},
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": f"{self.market_max:.8f}",
             "stepSize": "0.00000000"},
            {"filterType": "TRAILING_DELTA", **ends, "minTrailingBelowDelta": least, "maxTrailingBelowDelta": most},
            {"filterType": "PERCENT_PRICE_BY_SIDE", **multipliers, "avgPriceMins": 5},
            {"filterType": "NOTIONAL", "minNotional": symbol.min_notional, "applyMinToMarket": True,
             "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": self.max_orders},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": self.max_conditional},
        ]  # fmt: skip
        allowed = {"quoteOrderQtyMarketAllowed": True, "allowTrailingStop": True, "cancelReplaceAllowed": True,
                   "ocoAllowed": True, "otoAllowed": True}  # fmt: skip
        self_trade = {"defaultSelfTradePreventionMode": "EXPIRE_MAKER",
                      "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]}  # fmt: skip
        precision = {"baseCommissionPrecision": 8, "quoteCommissionPrecision": 8}
        return {**symbol.info(), "orderTypes": list(ORDER_TYPES), **precision, **allowed, **self_trade,
                "permissions": [], "filters": filters}  # fmt: skip

    def check(self, order: SpotOrder, symbol: Symbol, last: Decimal, open_orders: Sequence[SpotOrder]) -> None:
        """Judge an order.

        Raises:
            Refused: A filter does not let it through; the first in the venue's own order is named.
        """
        for price in (order.price, order.stop_price):
            if price:
                self._price(price, symbol, last)
        quantity = order.quantity
        if quantity or not order.quote_quantity:
            lot = Decimal(symbol.lot)
            refuse("LOT_SIZE", when=not lot <= quantity <= 9000 or quantity % lot != 0)
            refuse("MARKET_LOT_SIZE", when=order.type in AT_MARKET and quantity > self.market_max)
        value = order.quote_quantity or quantity * (order.price or order.stop_price or last)
        refuse("NOTIONAL", when=value < Decimal(symbol.min_notional))
        if order.trailing_delta is not None:
            refuse("TRAILING_DELTA", when=not self.trailing[0] <= order.trailing_delta <= self.trailing[1])
        waiting = [each for each in open_orders if each.type in CONDITIONAL and not each.is_working]
        refuse("MAX_NUM_ORDERS", when=len(open_orders) >= self.max_orders)
        refuse("MAX_NUM_ALGO_ORDERS", when=order.type in CONDITIONAL and len(waiting) >= self.max_conditional)

    def _price(self, price: Decimal, symbol: Symbol, last: Decimal) -> None:
        refuse("PRICE_FILTER", when=not ZERO < price <= 9_000_000 or price % Decimal(symbol.tick) != 0)
        refuse("PERCENT_PRICE_BY_SIDE", when=not last * self.down <= price <= last * self.up)


def refuse(name: str, *, when: bool) -> None:
    """Refuse by a filter's name.

    Raises:
        Refused: It does not let the order through.
    """
    if when:
        raise Refused(-1013, f"Filter failure: {name}")
