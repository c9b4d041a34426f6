"""The account as a whole: what it began with, payments, marks, drawdown, and how it stands now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from engine.domain.account import EquityPoint
from engine.domain.benchmark import Benchmark
from engine.domain.errors import StoreError
from engine.domain.market import Listing
from engine.domain.orders import OrderStatus, Side
from engine.domain.payments import Payment
from engine.domain.positions import Buying, Portfolio
from engine.store import codec
from engine.store.capital import CapitalStages
from engine.store.curve import Curve
from engine.store.ledger import Ledger
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.positions import Positions
from engine.store.settings import Settings
from engine.store.tables import (
    AccountRow,
    MarkRow,
    OrderRow,
    PaymentRow,
    table_of,
    upsert,
)

_DRAWDOWN = "account.drawdown"
_BENCHMARK = "account.benchmark"
_TABLE = table_of(AccountRow)
_MARKS = table_of(MarkRow)
_ORDERS = table_of(OrderRow)
_PAYMENTS = table_of(PaymentRow)
_ACCOUNT = select(_TABLE)
_OPEN = insert(_TABLE)
_CHANGE = update(_TABLE)
_MARK = upsert(_MARKS)
_PAYMENT = RowMapping(Payment, _PAYMENTS)
_ALL_MARKS = select(_MARKS.c.venue, _MARKS.c.symbol, _MARKS.c.price).order_by(_MARKS.c.venue, _MARKS.c.symbol)
_BUYING = (
    select(_ORDERS)
    .where(
        _ORDERS.c.side == Side.BUY,
        _ORDERS.c.status.not_in([status for status in OrderStatus if status.final]),
    )
    .order_by(_ORDERS.c.number)
)
_ALL_PAYMENTS = select(_PAYMENTS).order_by(_PAYMENTS.c.number)
_PAY = insert(_PAYMENTS)


def paid_into(highest: Decimal, equity: Decimal, change: Decimal) -> Decimal:
    """A height of equity once money was paid in or out: in proportion to equity, so that the fall from it stays."""
    after = equity + change
    return highest * after / equity if equity > 0 else max(after, Decimal(0))


def _risen(now: Portfolio) -> Portfolio:
    """The account once what falls count from is as high as its equity."""
    if now.equity > now.peak:
        return replace(now, peak=now.equity, total_from=None)
    if now.total_from is not None:
        return replace(now, total_from=max(now.total_from, now.equity))
    return now


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawdownState:
    """What is remembered of a drawdown beside the peak; see ``Portfolio`` for each."""

    paused_drawdown: Decimal = Decimal(0)
    total_from: Decimal | None = None


class Account:
    """The ``account``, ``payments`` and ``marks`` tables."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        positions: Positions,
        ledger: Ledger,
        curve: Curve,
        capital: CapitalStages,
        memory: NoMemory,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._positions = positions
        self._ledger = ledger
        self._curve = curve
        self._capital = capital
        self._memory = memory

    def opened(self) -> bool:
        """Whether an account has been opened here."""
        return self._found() is not None

    def open(self, venue: str, quote: str, cash: Decimal, worth: Decimal = Decimal(0)) -> None:
        """Begin an account with what a venue holds in the quote currency; what a further one holds comes to it.

        Args:
            venue: The venue's name.
            quote: The currency that everything is counted in.
            cash: What there is of it.
            worth: What positions that were there are worth beside it.
        """
        more = cash + worth
        if self.opened():
            self._change(opening=self.opening + more, peak=self._row().peak + more)
        else:
            self._connection.execute(_OPEN, {"quote": quote, "opening": more, "peak": more})
        self._ledger.change(venue, quote, cash)
        self._remember(DrawdownState())

    @property
    def quote(self) -> str:
        """The currency that everything is counted in."""
        return str(self._row().quote)

    @property
    def opening(self) -> Decimal:
        """What the account began with; payments do not change it."""
        return Decimal(self._row().opening)

    def pay_in(self, venue: str, change: Decimal, at: datetime) -> None:
        """Book cash that came to a venue from outside, or went."""
        self._ledger.change(venue, self.quote, change)
        self.count_as_paid(change, at)

    def count_as_paid(self, change: Decimal, at: datetime) -> None:
        """Let cash that has moved count as paid in or out: neither profit nor loss, so drawdown stays what it is."""
        row, state, equity = self._row(), self._drawdown(), self.portfolio().equity - change
        self._change(peak=paid_into(row.peak, equity, change))
        if state.total_from is not None:
            self._remember(replace(state, total_from=paid_into(state.total_from, equity, change)))
        number = len(self.payments()) + 1
        payment = Payment(at=at, amount=change, benchmark=self._curve.benchmark_at(at))
        self._connection.execute(_PAY, {"number": number, **_PAYMENT.to_row(payment)})

    def payments(self) -> tuple[Payment, ...]:
        """All that was ever paid in and out, in the order in which it was booked."""
        return self._memory.get_or_load("payments", "all", self._load_payments)

    def mark(self, closes: Mapping[Listing, Decimal], at: datetime) -> None:
        """Note the last closing price of some markets: what everything held of them is valued at."""
        if closes:
            marks = [
                {"venue": venue, "symbol": symbol, "price": price, "at": at}
                for (venue, symbol), price in closes.items()
            ]
            known = {**self.marks(), **closes}
            self._connection.execute(_MARK, marks)
            self._memory.keep("marks", "all", MappingProxyType(dict(sorted(known.items()))))

    def marks(self) -> Mapping[Listing, Decimal]:
        """The last closing price of each market at each venue."""
        return self._memory.get_or_load("marks", "all", self._load_marks)

    def portfolio(self) -> Portfolio:
        """The account of now, at the last known prices.

        What open buying orders may still cost is taken off the cash that is free, and counted as exposure.
        """
        row, marks, state = self._row(), self.marks(), self._drawdown()
        positions, buying = self._positions.open(), self._buying()
        held = sum((p.worth(marks.get(p.listing, p.entry_price)) for p in positions), Decimal(0))
        free = self._free_at(row.quote, buying)
        free_cash = sum(free.values(), Decimal(0))
        cash = free_cash + sum((order.value for order in buying), Decimal(0))
        return Portfolio(
            free_cash=free_cash,
            equity=cash + held,
            peak=row.peak,
            positions=positions,
            marks=marks,
            buying=buying,
            paused_drawdown=state.paused_drawdown,
            total_from=state.total_from,
            quote=row.quote,
            free_at=free,
            capital=self._capital.limit(),
        )

    def record_equity(self, at: datetime, markets: Collection[Listing] = ()) -> Portfolio:
        """Put the account of now on the equity curve, and raise what falls count from where it is higher.

        Args:
            at: The market time of now.
            markets: What the account trades: holding these is its benchmark.
        """
        now = _risen(self.portfolio())
        self._keep(now)
        self._curve.put(self._point(at, now, markets))
        return now

    def record_closes(
        self,
        closes: Mapping[datetime, Mapping[Listing, Decimal]],
        markets: Collection[Listing],
        judged: Callable[[Portfolio, datetime], Portfolio | None],
    ) -> int:
        """Mark the markets and put the account on the equity curve, close by close, while nothing but prices changes.

        Args:
            closes: As in ``foresee``.
            markets: As in ``record_equity``.
            judged: As in ``foresee``.

        Returns:
            How many were recorded: those before the first that asks for more.
        """
        points, now = list[EquityPoint](), None
        for at, now in self.foresee(closes, judged):
            points.append(self._point(at, now, markets))
        if now is not None:
            at = points[-1].at
            self.mark(closes[at], at)
            self._keep(now)
            self._curve.put(*points)
        return len(points)

    def foresee(
        self,
        closes: Mapping[datetime, Mapping[Listing, Decimal]],
        judged: Callable[[Portfolio, datetime], Portfolio | None],
    ) -> Iterator[tuple[datetime, Portfolio]]:
        """The account at each of some closes, while nothing but prices changes; nothing is written.

        Args:
            closes: The closing price of each market at each close, oldest first.
            judged: What a close makes of the account; ``None`` where it asks for more than to be recorded.
        """
        now = self.portfolio()
        for at, prices in closes.items():
            marks = {**(now.marks or {}), **prices}
            held = sum((p.worth(marks.get(p.listing, p.entry_price)) for p in now.positions), Decimal(0))
            then = judged(_risen(replace(now, marks=marks, equity=now.free_cash + now.reserved + held)), at)
            if then is None:
                return
            now = then
            yield at, now

    def _point(self, at: datetime, now: Portfolio, markets: Collection[Listing]) -> EquityPoint:
        return EquityPoint(
            at=at,
            equity=now.equity,
            cash=now.free_cash + now.reserved,
            drawdown=now.drawdown,
            benchmark=self._benchmark_of(markets, now.marks or {}),
            payments=len(self.payments()),
        )

    def _keep(self, now: Portfolio) -> None:
        """Keep what falls count from."""
        if now.peak != self._row().peak:
            self._change(peak=now.peak)
        self._remember(DrawdownState(paused_drawdown=now.paused_drawdown, total_from=now.total_from))

    def note_pause(self, drawdown: Decimal) -> None:
        """Note the drawdown at which entries were last paused for it; 0 for one that has been made good."""
        self._remember(replace(self._drawdown(), paused_drawdown=drawdown))

    def count_total_from_now(self) -> None:
        """Count the total limit from the equity of now; drawdown still counts from the peak."""
        self._remember(replace(self._drawdown(), total_from=self.portfolio().equity))

    def counts_from_peak(self) -> bool:
        """Whether drawdown has always counted from the peak here; an older version let go of it after each pause."""
        return self._kept_drawdown() is not None

    def recount(self, peak: Decimal, drawdowns: Mapping[datetime, Decimal]) -> None:
        """Put the true peak and the drawdown of each moment in the place of what an older version counted."""
        self._change(peak=peak)
        self._curve.redraw(drawdowns)
        # The pause of before was this drawdown's.
        self._remember(DrawdownState(paused_drawdown=self.portfolio().drawdown))

    def _free_at(self, quote: str, buying: Sequence[Buying]) -> dict[str, Decimal]:
        """What is free to spend at each venue."""
        free = {venue: amount for (venue, currency), amount in self._ledger.balances().items() if currency == quote}
        for order in buying:
            free[order.venue] = free.get(order.venue, Decimal(0)) - order.value
        return free

    def _load_marks(self) -> Mapping[Listing, Decimal]:
        rows = self._connection.execute(_ALL_MARKS)
        return MappingProxyType({Listing(row.venue, row.symbol): row.price for row in rows})

    def _load_payments(self) -> tuple[Payment, ...]:
        rows = self._connection.execute(_ALL_PAYMENTS)
        return tuple(map(_PAYMENT.from_row, rows))

    def _buying(self) -> tuple[Buying, ...]:
        return self._memory.get_or_load("orders", "buying", self._load_buying)

    def _load_buying(self) -> tuple[Buying, ...]:
        rows, quote = self._connection.execute(_BUYING), self.quote
        return tuple(
            Buying(
                order_id=row.id,
                context=row.context,
                venue=row.venue,
                symbol=row.symbol,
                value=(row.quantity - row.filled) * (row.limit_price or row.price),
                to_stop=None
                if row.stop is None
                else max(Decimal(0), (row.quantity - row.filled) * ((row.limit_price or row.price) - row.stop)),
            )
            for row in rows
            if row.symbol.partition("/")[2] == quote  # what somebody else buys with another currency costs none of it
        )

    def _drawdown(self) -> DrawdownState:
        return self._kept_drawdown() or DrawdownState()

    def _kept_drawdown(self) -> DrawdownState | None:
        return self._memory.get_or_load("settings", _DRAWDOWN, self._load_drawdown)

    def _load_drawdown(self) -> DrawdownState | None:
        kept = self._settings.get(_DRAWDOWN)
        return codec.load(DrawdownState, kept) if kept else None

    def _remember(self, state: DrawdownState) -> None:
        if state != self._kept_drawdown():
            self._settings.set(_DRAWDOWN, codec.dump(state))

    def _benchmark_of(self, markets: Collection[Listing], marks: Mapping[Listing, Decimal]) -> Decimal | None:
        """What holding the markets has come to; it is spread anew where these are others than before.

        A symbol counts once, at the price of the first venue by name that trades it.
        """
        kept = self._memory.get_or_load("settings", _BENCHMARK, self._load_benchmark)
        prices = {
            each.symbol: marks[each] for each in sorted(marks, key=lambda each: (each not in markets, each))[::-1]
        }
        now = kept.over({each.symbol for each in markets}, prices)
        if now != kept:
            self._settings.set(_BENCHMARK, codec.dump(now))
        return now.worth(prices) if now.held else None

    def _load_benchmark(self) -> Benchmark:
        kept = self._settings.get(_BENCHMARK)
        return codec.load(Benchmark, kept) if kept else Benchmark(held={})

    def _found(self) -> Row[Any] | None:
        return self._memory.get_or_load("account", "row", lambda: self._connection.execute(_ACCOUNT).first())

    def _row(self) -> Row[Any]:
        found = self._found()
        if found is None:
            raise StoreError("No account has been opened in this database.", "Start the bot once: bot run.")
        return found

    def _change(self, **values: object) -> None:
        self._connection.execute(_CHANGE, values)
