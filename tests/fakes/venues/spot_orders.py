"""Orders, trades and lists of orders as a fake spot venue keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tests.fakes.venues.spot_ledger import ZERO, Lock

OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
STOPS = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT"})
TARGETS = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
CONDITIONAL = STOPS | TARGETS
AT_MARKET = frozenset({"MARKET", "STOP_LOSS", "TAKE_PROFIT"})
ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET", *sorted(CONDITIONAL))


class Refused(Exception):
    """What a venue says in place of doing: its code, its words, and the status of the answer."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(kw_only=True)
class SpotOrder:
    """An order; a price or stop price that it has not is zero, times are milliseconds of the venue's clock."""

    symbol: str
    side: str
    type: str
    client_id: str
    quantity: Decimal = ZERO
    quote_quantity: Decimal = ZERO
    price: Decimal = ZERO
    stop_price: Decimal = ZERO
    trailing_delta: int | None = None
    """Hundredths of a per cent."""
    time_in_force: str = "GTC"
    order_id: int = 0
    list_id: int = -1
    status: str = "NEW"
    executed: Decimal = ZERO
    quote_executed: Decimal = ZERO
    created: int = 0
    updated: int = 0
    working_since: int | None = None
    extreme: Decimal | None = None
    """The best price since a trailing order began to follow."""
    lock: Lock | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_working(self) -> bool:
        """Whether it stands in the book, or has; a conditional order does so from its trigger on."""
        return self.working_since is not None

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.executed

    @property
    def is_buy(self) -> bool:
        return self.side == "BUY"


@dataclass(frozen=True, kw_only=True)
class SpotTrade:
    """One fill; its id is unique within its symbol only, as at the real venue."""

    trade_id: int
    symbol: str
    order_id: int
    list_id: int
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    at: int

    @property
    def cost(self) -> Decimal:
        return self.price * self.quantity


@dataclass(kw_only=True)
class OrderList:
    """Two orders of which one cancels the other."""

    list_id: int
    client_id: str
    symbol: str
    at: int
    orders: list[SpotOrder] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return any(order.is_open for order in self.orders)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of an order, as the user stream tells it: NEW, TRADE, CANCELED or EXPIRED."""

    order: SpotOrder
    execution: str
    trade: SpotTrade | None = None
