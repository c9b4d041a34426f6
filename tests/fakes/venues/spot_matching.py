"""How a fake spot venue fills orders: against its book at once, later at their price, and by parts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from tests.fakes.exchange import Symbol
from tests.fakes.venues.spot_fees import STEP, Fees
from tests.fakes.venues.spot_filters import Filters
from tests.fakes.venues.spot_ledger import ZERO, Insufficient, Ledger, Lock
from tests.fakes.venues.spot_orders import (
    AT_MARKET,
    CONDITIONAL,
    TARGETS,
    OrderList,
    Refused,
    Report,
    SpotOrder,
    SpotTrade,
)

FIRST_ID = 1000
POOR = Refused(-2010, "Account has insufficient balance for requested action.")


class Matching:
    """One account's orders at one venue.

    Args:
        symbols: The markets by name.
        now_ms: The venue's clock.
        tell: Is told of everything that becomes of an order.
    """

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        ledger: Ledger,
        *,
        now_ms: Callable[[], int],
        tell: Callable[[Report], None],
    ) -> None:
        self.symbols, self.ledger = symbols, ledger
        self.fees, self.filters = Fees(), Filters()
        self.orders: list[SpotOrder] = []
        self.trades: list[SpotTrade] = []
        self.lists: list[OrderList] = []
        self.liquidity: Decimal | None = None
        """The most of one order that is filled in one look at the market; ``None`` for all of it."""
        self.accepted: Counter[str] = Counter()
        """Orders accepted, by client id: what "one order per decision" is counted with."""
        self._now_ms, self._tell = now_ms, tell
        self._at = now_ms()
        """When the market was last looked at: one request sees one market."""
        self._ids: Counter[str] = Counter()

    # What it is asked for

    def place(self, order: SpotOrder, *, test: bool = False) -> SpotOrder:
        """Take an order in and fill what can be filled at once.

        Raises:
            Refused: It is not taken; nothing has changed then.
        """
        self._at = self._now_ms()
        self._judge(order)
        if test:
            return order
        self._hold(order)
        self._enter(order)
        self._begin(order)
        return order

    def place_list(self, pair: OrderList) -> OrderList:
        """Take two orders in that cancel one another; they hold their money back once.

        Raises:
            Refused: Neither is taken.
        """
        self._at = self._now_ms()
        for order in pair.orders:
            self._judge(order)
        needs = [self._need(order) for order in pair.orders]
        asset = self._pays_with(pair.orders[0])
        lock = self._lock(asset, max(needs))
        pair.list_id, pair.at = self._next("list"), self._now_ms()
        self.lists.append(pair)
        for order in pair.orders:
            order.lock, order.list_id = lock, pair.list_id
            self._enter(order)
        for order in pair.orders:
            if order.is_open:
                self._begin(order)
        return pair

    def cancel(self, order: SpotOrder, *, status: str = "CANCELED") -> list[SpotOrder]:
        """Take an order out of the book, and with it the other one of its list."""
        gone = [each for each in self.of_list(order) if each.is_open]
        for each in gone:
            self._close(each, status)
        return gone

    def fill(self, order: SpotOrder, quantity: Decimal | str, price: Decimal | str | None = None) -> SpotTrade:
        """Fill a part of an open order now, whatever the market says."""
        return self._fill(order, Decimal(quantity), order.price if price is None else Decimal(price), maker=True)

    def advance(self) -> None:
        """See what the market has come to since: triggers first, then orders in the book, the oldest first."""
        self._at = self._now_ms()
        for order in [each for each in self.orders if each.is_open]:
            if order.is_open and not order.is_working and self._is_triggered(order):
                self._trigger(order)
            elif order.is_open and order.is_working and order.type not in AT_MARKET:
                self._match(order, maker=True)

    # What it knows

    def open_orders(self, symbol: str | None = None) -> list[SpotOrder]:
        return [each for each in self.orders if each.is_open and symbol in (None, each.symbol)]

    def find(self, symbol: str, *, order_id: int | None = None, client_id: str | None = None) -> SpotOrder | None:
        """An order by the venue's id, or the newest one of a client's id."""
        for order in reversed(self.orders):
            if order.symbol == symbol and (order.order_id == order_id if order_id else order.client_id == client_id):
                return order
        return None

    def of_list(self, order: SpotOrder) -> list[SpotOrder]:
        return [order] if order.list_id < 0 else [each for each in self.orders if each.list_id == order.list_id]

    def trades_of(self, order: SpotOrder) -> list[SpotTrade]:
        return [each for each in self.trades if (each.symbol, each.order_id) == (order.symbol, order.order_id)]

    def last(self, symbol: str) -> Decimal:
        """The price now, on the market's step."""
        market = self.symbols[symbol]
        return _on_step(Decimal(f"{market.price(self._at):.8f}"), Decimal(market.tick))

    def best(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Bid and ask."""
        book = self.symbols[symbol].depth(self._at, 1)
        return Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])

    def audit(self) -> None:
        """See that money was conserved to the last digit: owned = deposited + traded, locked = what orders hold.

        Raises:
            AssertionError: It was not.
        """
        assert self.ledger.differences() == {}
        assert all(amount >= 0 for side in (self.ledger.free, self.ledger.locked) for amount in side.values())
        expected: defaultdict[str, Decimal] = defaultdict(Decimal)
        for entry in self.ledger.entries:
            if entry.why == "deposit":
                expected[entry.asset] += entry.amount
        for trade in self.trades:
            market, sign = self.symbols[trade.symbol], 1 if trade.side == "BUY" else -1
            expected[market.base] += sign * trade.quantity
            expected[market.quote] -= sign * trade.cost
            expected[trade.fee_asset] -= trade.fee
        for asset in {*expected, *self.ledger.assets}:
            assert self.ledger.total(asset) == expected[asset], (asset, self.ledger.total(asset), expected[asset])
        locks = {id(each.lock): each.lock for each in self.open_orders() if each.lock is not None}
        for asset in self.ledger.assets:
            assert self.ledger.locked[asset] == sum(lock.amount for lock in locks.values() if lock.asset == asset)

    # How it does it

    def _next(self, kind: str) -> int:
        self._ids[kind] += 1
        return FIRST_ID + self._ids[kind]

    def _judge(self, order: SpotOrder) -> None:
        market = self.symbols[order.symbol]
        if market.status != "TRADING":
            raise Refused(-1013, "Market is closed.")
        last, standing = self.last(order.symbol), self.open_orders(order.symbol)
        self.filters.check(order, market, last, standing)
        if any(each.client_id == order.client_id for each in self.open_orders()):
            raise Refused(-2010, "Duplicate order sent.")
        if order.stop_price and self._is_past(order, last):
            raise Refused(-2010, "Stop price would trigger immediately.")
        if order.type == "LIMIT_MAKER" and self._crosses(order):
            raise Refused(-2010, "Order would immediately match and take.")

    def _enter(self, order: SpotOrder) -> None:
        order.order_id = self._next(order.symbol)
        order.created = order.updated = self._now_ms()
        self.orders.append(order)
        self.accepted[order.client_id] += 1
        if order.trailing_delta is not None and not order.stop_price:
            order.extreme = self.last(order.symbol)
        self._tell(Report(order=replace(order), execution="NEW"))

    def _begin(self, order: SpotOrder) -> None:
        if order.type not in CONDITIONAL:
            order.working_since = self._now_ms()
            self._match(order, maker=False)

    def _pays_with(self, order: SpotOrder) -> str:
        market = self.symbols[order.symbol]
        return market.quote if order.is_buy else market.base

    def _need(self, order: SpotOrder) -> Decimal:
        """What an order has to hold back for what is left of it."""
        if not order.is_buy:
            return order.remaining
        price = order.price or order.stop_price or self.best(order.symbol)[1]
        return (order.remaining * price * (1 + self.fees.reserve(buy=True))).quantize(STEP, ROUND_UP)

    def _hold(self, order: SpotOrder) -> None:
        if order.type != "MARKET":
            order.lock = self._lock(self._pays_with(order), self._need(order))
            return
        parts = list(self._walk(order))
        if order.quote_quantity:
            order.quantity = sum((quantity for quantity, _ in parts), ZERO)
            if not order.quantity:
                raise Refused(-1013, "Filter failure: LOT_SIZE")
        cost = sum((quantity * price for quantity, price in parts), ZERO)
        need = cost * (1 + self.fees.reserve(buy=True)) if order.is_buy else order.quantity
        order.lock = self._lock(self._pays_with(order), need)

    def _lock(self, asset: str, amount: Decimal) -> Lock:
        try:
            return self.ledger.lock(asset, amount)
        except Insufficient:
            raise POOR from None

    def _walk(self, order: SpotOrder) -> Iterator[tuple[Decimal, Decimal]]:
        """Quantities and prices of the book that an order takes, as far as its price, quantity or value goes."""
        market = self.symbols[order.symbol]
        left, value, lot = order.remaining, order.quote_quantity, Decimal(market.lot)
        for price, there in self._levels(order):
            take = min(there, _on_step(value / price, lot)) if order.quote_quantity else min(there, left)
            if take <= 0 or (order.price and not _reaches(order, price)):
                return
            left, value = left - take, value - take * price
            yield take, price

    def _levels(self, order: SpotOrder) -> list[tuple[Decimal, Decimal]]:
        book = self.symbols[order.symbol].depth(self._at, 1000)
        return [(Decimal(price), Decimal(quantity)) for price, quantity in book["asks" if order.is_buy else "bids"]]

    def _crosses(self, order: SpotOrder) -> bool:
        bid, ask = self.best(order.symbol)
        return _reaches(order, ask if order.is_buy else bid)

    def _match(self, order: SpotOrder, *, maker: bool) -> None:
        """Fill what the market gives for an order, and end it where it may not wait."""
        if maker and self._crosses(order):
            self._fill(order, self._most(order.remaining), order.price, maker=True)
            return
        if maker:
            return
        parts = list(self._walk(order))
        if order.time_in_force == "FOK" and sum(quantity for quantity, _ in parts) < order.remaining:
            parts = []
        for quantity, price in parts:
            some = self._affordable(order, quantity if order.type == "MARKET" else self._most(quantity), price)
            if some <= 0:
                break
            self._fill(order, some, price, maker=False)
            if self.liquidity is not None and order.type != "MARKET":
                break
        if order.is_open and (order.type in AT_MARKET or order.time_in_force in {"IOC", "FOK"}):
            self._close(order, "EXPIRED")

    def _affordable(self, order: SpotOrder, quantity: Decimal, price: Decimal) -> Decimal:
        """What a triggered buy can pay of a quantity: the market may have gone further than its money."""
        if not order.is_buy or order.lock is None:
            return quantity
        money = order.lock.amount + self.ledger.free[order.lock.asset]
        most = money / (price * (1 + self.fees.reserve(buy=True)))
        return quantity if most >= quantity else _on_step(most, Decimal(self.symbols[order.symbol].lot))

    def _most(self, quantity: Decimal) -> Decimal:
        return quantity if self.liquidity is None else min(quantity, self.liquidity)

    def _fill(self, order: SpotOrder, quantity: Decimal, price: Decimal, *, maker: bool) -> SpotTrade:
        for other in self.of_list(order):
            if other is not order and other.is_open:
                self._close(other, "EXPIRED")
        market, cost, now = self.symbols[order.symbol], quantity * price, self._now_ms()
        fee, fee_asset = self.fees.of(market, buy=order.is_buy, maker=maker, quantity=quantity, cost=cost,
                                      ledger=self.ledger, bnb_price=self._bnb)  # fmt: skip
        order.executed += quantity
        order.quote_executed += cost
        order.updated = now
        order.status = "PARTIALLY_FILLED" if order.remaining else "FILLED"
        paid, got = (cost, quantity) if order.is_buy else (quantity, cost)
        pays, gets = (market.quote, market.base) if order.is_buy else (market.base, market.quote)
        self.ledger.pay(order.lock, pays, paid, "trade")
        self.ledger.change(gets, got, "trade")
        self.ledger.pay(order.lock, fee_asset, fee, "fee")
        if order.lock is not None:
            self.ledger.shrink(order.lock, self._need(order) if order.is_open else ZERO)
        trade = SpotTrade(trade_id=self._next(f"trade {order.symbol}"), symbol=order.symbol, order_id=order.order_id,
                          list_id=order.list_id, side=order.side, price=price, quantity=quantity, fee=fee,
                          fee_asset=fee_asset, maker=maker, at=now)  # fmt: skip
        self.trades.append(trade)
        self._tell(Report(order=replace(order), execution="TRADE", trade=trade))
        return trade

    def _bnb(self, quote: str) -> Decimal | None:
        return self.last(f"BNB{quote}") if f"BNB{quote}" in self.symbols else None

    def _close(self, order: SpotOrder, status: str) -> None:
        order.status, order.updated = status, self._now_ms()
        if order.lock is not None and not any(each.is_open for each in self.of_list(order)):
            self.ledger.shrink(order.lock, ZERO)
        self._tell(Report(order=replace(order), execution=status))

    def _is_past(self, order: SpotOrder, last: Decimal) -> bool:
        above = order.is_buy != (order.type in TARGETS)
        return last >= order.stop_price if above else last <= order.stop_price

    def _is_triggered(self, order: SpotOrder) -> bool:
        last = self.last(order.symbol)
        if order.trailing_delta is None:
            return self._is_past(order, last)
        if order.extreme is None:  # a trailing order with a stop price follows from there on
            if self._is_past(order, last):
                order.extreme = last
            return False
        order.extreme = min(order.extreme, last) if order.is_buy else max(order.extreme, last)
        away = Decimal(order.trailing_delta) / 10_000
        return last >= order.extreme * (1 + away) if order.is_buy else last <= order.extreme * (1 - away)

    def _trigger(self, order: SpotOrder) -> None:
        for other in self.of_list(order):
            if other is not order and other.is_open:
                self._close(other, "EXPIRED")
        order.working_since = self._now_ms()
        self._tell(Report(order=replace(order), execution="NEW"))
        self._match(order, maker=False)


def _reaches(order: SpotOrder, price: Decimal) -> bool:
    return price <= order.price if order.is_buy else price >= order.price


def _on_step(amount: Decimal, step: Decimal) -> Decimal:
    return (amount / step).to_integral_value(ROUND_DOWN) * step
