"""What the paper venue refuses as the market and the account stand, and what it sets aside for what it takes.

A sale of more than is held is refused, whether it is reduce-only or not: on a spot venue every sale only reduces. One
that waits for a trigger is cut to what it finds held when it is reached (``paper_matching``).
"""

from __future__ import annotations

from decimal import Decimal

from engine.domain.currencies import rounded
from engine.domain.figures import grouped
from engine.domain.market import Market
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.exchanges.paper_file import VenueFile
from engine.exchanges.paper_matching import Matching
from engine.exchanges.paper_quote import Quote
from engine.exchanges.paper_rows import AT_A_TRIGGER
from engine.simulation import fills
from engine.simulation.fills import FillModel


class Rules:
    """Asks what is held and what is free; writes nothing."""

    def __init__(self, file: VenueFile, matching: Matching, model: FillModel) -> None:
        self._file = file
        self._matching = matching
        self._model = model

    def refusal(self, request: OrderRequest, market: Market, quote: Quote | None) -> str:
        """Why a well-formed order is not taken, or an empty text."""
        if quote is None:
            if request.type is OrderType.OCO:
                return self._refused_sale(request, market, None)
            return f"{market.symbol} has no price at this moment"
        reason = _begun(request, quote) or self.crosses(request, market, quote)
        if reason:
            return reason
        if request.side is Side.SELL:
            return self._refused_sale(request, market, quote)
        return self._refused_purchase(request, market, quote)

    def reserve_price(self, request: OrderRequest, market: Market, quote: Quote | None) -> Decimal:
        """The worst price at which the unfilled part of a purchase reserves cash, before the fee; 0 for a sale."""
        if request.side is Side.SELL or quote is None:
            return Decimal(0)
        if request.limit_price is not None:
            return request.limit_price
        if request.type is OrderType.MARKET:
            offered = quote.offered(Side.BUY, market, self._model)
            return fills.reserve_price(quote.mid, offered, self._model)
        begins = request.trigger_price or quote.mid + (request.trailing or 0)
        return fills.reserve_price(begins, (), self._model)

    def crosses(self, request: OrderRequest, market: Market, quote: Quote) -> str:
        """Why an order that must not be filled at once is not taken as the market stands, or an empty text."""
        if not request.post_only or request.limit_price is None:
            return ""
        crossed = fills.at_limit(
            request.side, request.limit_price, quote.offered(request.side, market, self._model)[:1]
        )
        if not crossed:
            return ""
        best, where = ("ask", "below") if request.side is Side.BUY else ("bid", "above")
        return (
            f"it is post-only and would be filled at once: the best {best} is {grouped(crossed[0].price)}, "
            f"and its limit price has to be {where} that"
        )

    def _refused_purchase(self, request: OrderRequest, market: Market, quote: Quote) -> str:
        if request.quantity * _price(request, quote) < market.min_notional:
            return _too_little(market)
        if request.type is OrderType.MARKET:
            offered = quote.offered(Side.BUY, market, self._model)
            needed = fills.worst_cost(request.quantity, quote.mid, offered, self._model)
        else:
            needed = request.quantity * self.reserve_price(request, market, quote) * (1 + self._model.fee)
        free = self._matching.free_cash(market.quote)
        if needed > free:
            cost, there = (grouped(rounded(each, market.quote)) for each in (needed, free))
            return f"it may cost {cost} {market.quote} with fees, and {there} is free"
        return ""

    def _refused_sale(self, request: OrderRequest, market: Market, quote: Quote | None) -> str:
        waits = request.type in AT_A_TRIGGER
        held = self._file.balance(market.base) if waits else self._matching.free_holding(market.base)
        if request.quantity > held:
            return f"it sells {grouped(request.quantity)} {market.base}, and {grouped(held)} is held"
        if request.quantity * _price(request, quote) < market.min_notional and request.quantity != held:
            return _too_little(market)
        return ""


def _price(request: OrderRequest, quote: Quote | None) -> Decimal:
    """What an order is worth a lot, as far as that can be told before it is filled."""
    if request.type is OrderType.OCO:
        return quote.mid if quote else request.trigger_price or Decimal(0)
    return request.limit_price or request.trigger_price or (quote.mid if quote else Decimal(0))


def _too_little(market: Market) -> str:
    return f"it is worth less than the least that is traded, {grouped(market.min_notional)} {market.quote}"


def _begun(request: OrderRequest, quote: Quote) -> str:
    """Whether an order that is to wait for its trigger has it behind it; a stop and target is filled at once then."""
    sells, trigger = request.side is Side.SELL, request.trigger_price
    if request.trailing is not None and sells and request.trailing >= quote.mid:
        return f"its distance of {grouped(request.trailing)} is not below the price, {grouped(quote.mid)}"
    if trigger is None or request.type is OrderType.OCO:
        return ""
    below = sells != (request.type is OrderType.TAKE_PROFIT)
    if (trigger < quote.mid) if below else (trigger > quote.mid):
        return ""
    where = "below" if below else "above"
    return (
        f"its trigger price of {grouped(trigger)} is not {where} the price, {grouped(quote.mid)}: "
        f"it would begin at once"
    )
