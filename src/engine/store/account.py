"""The account: cash, payments, marks, the equity curve and the digests fixed from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from engine.domain.account import EquityPoint
from engine.domain.benchmark import Benchmark
from engine.domain.digests import Digest
from engine.domain.errors import StoreError, UnknownId
from engine.domain.inventory import Inventory
from engine.domain.money import Money
from engine.domain.orders import OrderStatus, Side
from engine.domain.payments import Payment
from engine.domain.positions import Buying, Portfolio
from engine.ports import Cursor
from engine.store import codec
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.positions import Positions
from engine.store.settings import Settings
from engine.store.tables import (
    AccountRow,
    BalanceRow,
    CursorRow,
    DigestRow,
    EquityRow,
    MarkRow,
    OrderRow,
    PaymentRow,
    key_of,
    table_of,
    upsert,
)

_INVENTORY = "account.inventory"
_DRAWDOWN = "account.drawdown"
_BENCHMARK = "account.benchmark"
_TABLE = table_of(AccountRow)
_BALANCES = table_of(BalanceRow)
_CURSORS = table_of(CursorRow)
_MARKS = table_of(MarkRow)
_ORDERS = table_of(OrderRow)
_EQUITY = table_of(EquityRow)
_PAYMENTS = table_of(PaymentRow)
_DIGESTS = table_of(DigestRow)
_ACCOUNT = select(_TABLE)
_OPEN = insert(_TABLE)
_CHANGE = update(_TABLE)
_ALL_BALANCES = select(_BALANCES).order_by(_BALANCES.c.venue, _BALANCES.c.currency)
_KEEP_BALANCE = upsert(_BALANCES)
_CURSOR = select(_CURSORS.c.cursor).where(*key_of(_CURSORS))
_KEEP_CURSOR = upsert(_CURSORS)
_MARK = upsert(_MARKS)
_POINT = upsert(_EQUITY)
_EQUITY_POINT = RowMapping(EquityPoint, _EQUITY)
_PAYMENT = RowMapping(Payment, _PAYMENTS)
_ALL_MARKS = select(_MARKS.c.symbol, _MARKS.c.price).order_by(_MARKS.c.symbol)
_BUYING = (
    select(_ORDERS)
    .where(
        _ORDERS.c.side == Side.BUY,
        _ORDERS.c.status.not_in([status for status in OrderStatus if status.final]),
    )
    .order_by(_ORDERS.c.number)
)
_RECOUNT = update(_EQUITY).where(_EQUITY.c.at == bindparam("moment"))
_POINTS = select(_EQUITY.c.equity)
_ALL_PAYMENTS = select(_PAYMENTS).order_by(_PAYMENTS.c.number)
_PAY = insert(_PAYMENTS)
_CURVE = select(_EQUITY)
_BENCHMARKS = select(_EQUITY.c.benchmark)
_DIGEST = select(_DIGESTS.c.figures).where(*key_of(_DIGESTS))
_ADD_DIGEST = insert(_DIGESTS)


def paid_into(highest: Decimal, equity: Decimal, change: Decimal) -> Decimal:
    """A height of equity once money was paid in or out: in proportion to equity, so that the fall from it stays."""
    after = equity + change
    return highest * after / equity if equity > 0 else max(after, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawdownState:
    """What is remembered of a drawdown beside the peak; see ``Portfolio`` for each."""

    paused_drawdown: Decimal = Decimal(0)
    total_from: Decimal | None = None


class Account:
    """The ``account``, ``balances``, ``cursors``, ``payments``, ``marks``, ``equity`` and ``digests`` tables."""

    def __init__(self, connection: Connection, settings: Settings, positions: Positions, memory: NoMemory) -> None:
        self._connection = connection
        self._settings = settings
        self._positions = positions
        self._memory = memory

    def opened(self) -> bool:
        """Whether an account has been opened here."""
        return self._found() is not None

    def open(self, venue: str, quote: str, cash: Decimal, worth: Decimal = Decimal(0)) -> None:
        """Begin an account with what a venue holds in the quote currency.

        Args:
            venue: The venue's name.
            quote: The currency that everything is counted in.
            cash: What there is of it.
            worth: What positions that were there are worth beside it.
        """
        self._connection.execute(_OPEN, {"quote": quote, "opening": cash + worth, "peak": cash + worth})
        self.change_balance(venue, quote, cash)
        self._remember(DrawdownState())

    @property
    def quote(self) -> str:
        """The currency that everything is counted in."""
        return str(self._row().quote)

    @property
    def opening(self) -> Decimal:
        """What the account began with; payments do not change it."""
        return Decimal(self._row().opening)

    def cursor(self, venue: str) -> Cursor | None:
        """How far the events of a venue were taken in; ``None`` where none were."""
        found = self._connection.execute(_CURSOR, {"its_venue": venue}).scalar()
        return None if found is None else Cursor(found)

    def keep_cursor(self, venue: str, cursor: Cursor) -> None:
        """Note that every event of a venue up to a cursor was taken in."""
        self._connection.execute(_KEEP_CURSOR, {"venue": venue, "cursor": cursor})

    def inventory(self, venue: str) -> Inventory | None:
        """What a venue had beside cash when the account was opened; ``None`` where that was nothing."""
        return self._memory.get_or_load("settings", (_INVENTORY, venue), lambda: self._load_inventory(venue))

    def keep_inventory(self, found: Inventory) -> None:
        """Keep what a venue had beside cash when the account was opened."""
        self._settings.set(f"{_INVENTORY}.{found.venue}", codec.dump(found))

    def balances(self) -> Mapping[tuple[str, str], Decimal]:
        """What the account owns beside its positions, by venue and currency."""
        return self._memory.get_or_load("balances", "all", self._load_balances)

    def change_balance(self, venue: str, currency: str, change: Decimal) -> None:
        """Add to what the account owns at a venue beside its positions, or take from it."""
        amount = self.balances().get((venue, currency), Decimal(0)) + change
        self._connection.execute(_KEEP_BALANCE, {"venue": venue, "currency": currency, "amount": amount})

    def pay_fee(self, venue: str, fee: Money) -> None:
        """Take a fee from what the account owns of its currency at a venue, beside its positions."""
        self.change_balance(venue, fee.currency, -fee.amount)

    def owned(self, venue: str) -> dict[str, Decimal]:
        """Everything that the account owns at a venue by currency, positions included."""
        owned = {currency: amount for (at, currency), amount in self.balances().items() if at == venue}
        for position in self._positions.open():
            if position.venue == venue:
                owned[position.base] = owned.get(position.base, Decimal(0)) + position.worth(Decimal(1))
        return owned

    def pay_in(self, venue: str, change: Decimal, at: datetime) -> None:
        """Book cash that came to a venue from outside, or went."""
        self.change_balance(venue, self.quote, change)
        self.count_as_paid(change, at)

    def count_as_paid(self, change: Decimal, at: datetime) -> None:
        """Let cash that has moved count as paid in or out: neither profit nor loss, so drawdown stays what it is."""
        row, state, equity = self._row(), self._drawdown(), self.portfolio().equity - change
        self._change(peak=paid_into(row.peak, equity, change))
        if state.total_from is not None:
            self._remember(replace(state, total_from=paid_into(state.total_from, equity, change)))
        number = len(self.payments()) + 1
        payment = Payment(at=at, amount=change, benchmark=self.benchmark_at(at))
        self._connection.execute(_PAY, {"number": number, **_PAYMENT.to_row(payment)})

    def payments(self) -> tuple[Payment, ...]:
        """All that was ever paid in and out, in the order in which it was booked."""
        return self._memory.get_or_load("payments", "all", self._load_payments)

    def mark(self, closes: Mapping[str, Decimal], at: datetime) -> None:
        """Note the last closing price of some markets: what everything held of them is valued at."""
        if closes:
            marks = [{"symbol": symbol, "price": price, "at": at} for symbol, price in closes.items()]
            self._connection.execute(_MARK, marks)

    def marks(self) -> dict[str, Decimal]:
        """The last closing price of each market."""
        return {row.symbol: row.price for row in self._connection.execute(_ALL_MARKS)}

    def portfolio(self) -> Portfolio:
        """The account of now, at the last known prices.

        What open buying orders may still cost is taken off the cash that is free, and counted as exposure.
        """
        row, marks, state = self._row(), self.marks(), self._drawdown()
        positions, buying = self._positions.open(), self._buying()
        held = sum((p.worth(marks.get(p.symbol, p.entry_price)) for p in positions), Decimal(0))
        cash = self._cash(row.quote)
        return Portfolio(
            free_cash=cash - sum((order.value for order in buying), Decimal(0)),
            equity=cash + held,
            peak=row.peak,
            positions=positions,
            marks=marks,
            buying=buying,
            paused_drawdown=state.paused_drawdown,
            total_from=state.total_from,
            quote=row.quote,
        )

    def record_equity(self, at: datetime, markets: Collection[str] = ()) -> Portfolio:
        """Put the account of now on the equity curve, and raise what falls count from where it is higher.

        Args:
            at: The market time of now.
            markets: What the account trades: holding these is its benchmark.
        """
        now = self.portfolio()
        if now.equity > now.peak:
            now = replace(now, peak=now.equity, total_from=None)
            self._change(peak=now.peak)
        elif now.total_from is not None:
            now = replace(now, total_from=max(now.total_from, now.equity))
        self._remember(DrawdownState(paused_drawdown=now.paused_drawdown, total_from=now.total_from))
        point = EquityPoint(
            at=at,
            equity=now.equity,
            cash=now.free_cash + now.reserved,
            drawdown=now.drawdown,
            benchmark=self._benchmark_of(markets, now.marks or {}),
            payments=len(self.payments()),
        )
        self._connection.execute(_POINT, _EQUITY_POINT.to_row(point))
        return now

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
        if drawdowns:
            rows = [{"moment": at, "drawdown": drawdown} for at, drawdown in drawdowns.items()]
            self._connection.execute(_RECOUNT, rows)
        # The pause of before was this drawdown's.
        self._remember(DrawdownState(paused_drawdown=self.portfolio().drawdown))

    def curve_within(self, begin: datetime, end: datetime) -> tuple[EquityPoint, ...]:
        """The equity curve in ``(begin, end]`` with the drawdown of each moment, oldest first."""
        at = _EQUITY.c.at
        rows = self._connection.execute(_CURVE.where(at > begin, at <= end).order_by(at))
        return tuple(_EQUITY_POINT.from_row(row) for row in rows)

    def curve_each(self, begin: datetime, end: datetime) -> Iterator[EquityPoint]:
        """The equity curve in ``(begin, end]``, oldest first, one by one: it is never in memory as a whole."""
        at = _EQUITY.c.at
        rows = self._connection.execute(_CURVE.where(at > begin, at <= end).order_by(at)).yield_per(500)
        yield from map(_EQUITY_POINT.from_row, rows)

    def curve_from(self, begin: datetime | None, after: datetime | None, limit: int) -> tuple[EquityPoint, ...]:
        """A page of the equity curve, oldest first: from ``begin`` on, after the last point of the page before."""
        at = _EQUITY.c.at
        query = _CURVE if begin is None else _CURVE.where(at >= begin)
        query = query if after is None else query.where(at > after)
        return tuple(_EQUITY_POINT.from_row(row) for row in self._connection.execute(query.order_by(at).limit(limit)))

    def drawdown_at(self, at: datetime) -> Decimal:
        """The drawdown at the last mark at or before a time; 0 before the first."""
        query = _CURVE.where(_EQUITY.c.at <= at).order_by(_EQUITY.c.at.desc()).limit(1)
        row = self._connection.execute(query).first()
        return row.drawdown if row else Decimal(0)

    def equity_at(self, at: datetime) -> Decimal:
        """The equity at the last mark at or before a time; the opening balance before the first."""
        query = _POINTS.where(_EQUITY.c.at <= at).order_by(_EQUITY.c.at.desc()).limit(1)
        row = self._connection.execute(query).first()
        return row.equity if row else self.opening

    def point_at(self, at: datetime) -> EquityPoint:
        """The account as it was at a time: at the last mark at or before it; at its opening before the first."""
        row = self._connection.execute(_CURVE.where(_EQUITY.c.at <= at).order_by(_EQUITY.c.at.desc()).limit(1)).first()
        return replace(_EQUITY_POINT.from_row(row), at=at) if row is not None else self.opened_as(at)

    def opened_as(self, at: datetime) -> EquityPoint:
        """The account as it was opened, before anything was paid in or out; its benchmark is that of a time."""
        opening = self.opening
        return EquityPoint(at=at, equity=opening, cash=opening, drawdown=Decimal(0), benchmark=self.benchmark_at(at))

    def benchmark_at(self, at: datetime) -> Decimal | None:
        """What 1 held in the markets had become at the last mark at or before a time; at the first one before it.

        ``None`` where that was not recorded then.
        """
        upto = _BENCHMARKS.where(_EQUITY.c.at <= at).order_by(_EQUITY.c.at.desc()).limit(1)
        row = self._connection.execute(upto).first()
        if row is None:
            row = self._connection.execute(_BENCHMARKS.order_by(_EQUITY.c.at).limit(1)).first()
        return row.benchmark if row else None

    def last_equity_at(self) -> datetime | None:
        """When the equity was last recorded."""
        newest = self.newest_equity(1)
        return newest[0].at if newest else None

    def newest_equity(self, points: int) -> tuple[EquityPoint, ...]:
        """The newest points of the equity curve, oldest first."""
        rows = self._connection.execute(_CURVE.order_by(_EQUITY.c.at.desc()).limit(points)).all()
        return tuple(_EQUITY_POINT.from_row(row) for row in reversed(rows))

    def add_digest(self, digest: Digest) -> bool:
        """Fix a day's figures; ``False`` where they were fixed already."""
        if self._figures(digest.id) is not None:
            return False
        new = {"id": digest.id, "ends": digest.ends, "figures": codec.dump(digest)}
        self._connection.execute(_ADD_DIGEST, new)
        return True

    def digest(self, digest_id: str) -> Digest:
        """A day's figures.

        Raises:
            UnknownId: That day has not been fixed.
        """
        figures = self._figures(digest_id)
        if figures is None:
            raise UnknownId(f"There is no digest of {digest_id}.", "Days look like 2026-01-31.")
        return codec.load(Digest, figures)

    def digests(self, names: Sequence[str]) -> tuple[Digest, ...]:
        """The figures of those of some days that have been fixed, in order."""
        found = (self._figures(name) for name in names)
        return tuple(codec.load(Digest, figures) for figures in found if figures is not None)

    def newest_digests(self, limit: int) -> tuple[Digest, ...]:
        """The newest first."""
        query = select(_DIGESTS.c.figures).order_by(_DIGESTS.c.ends.desc()).limit(limit)
        return tuple(codec.load(Digest, figures) for figures in self._connection.execute(query).scalars())

    def _figures(self, digest_id: str) -> str | None:
        return self._connection.execute(_DIGEST, {"its_id": digest_id}).scalar()

    def _load_inventory(self, venue: str) -> Inventory | None:
        kept = self._settings.get(f"{_INVENTORY}.{venue}")
        return codec.load(Inventory, kept) if kept else None

    def _cash(self, quote: str) -> Decimal:
        return sum((amount for (_, currency), amount in self.balances().items() if currency == quote), Decimal(0))

    def _load_balances(self) -> Mapping[tuple[str, str], Decimal]:
        rows = self._connection.execute(_ALL_BALANCES)
        return MappingProxyType({(row.venue, row.currency): row.amount for row in rows})

    def _load_payments(self) -> tuple[Payment, ...]:
        rows = self._connection.execute(_ALL_PAYMENTS)
        return tuple(map(_PAYMENT.from_row, rows))

    def _buying(self) -> tuple[Buying, ...]:
        return self._memory.get_or_load("orders", "buying", self._load_buying)

    def _load_buying(self) -> tuple[Buying, ...]:
        rows = self._connection.execute(_BUYING)
        return tuple(
            Buying(
                order_id=row.id,
                context=row.context,
                symbol=row.symbol,
                value=(row.quantity - row.filled) * (row.limit_price or row.price),
            )
            for row in rows
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

    def _benchmark_of(self, markets: Collection[str], marks: Mapping[str, Decimal]) -> Decimal | None:
        """What holding the markets has come to; it is spread anew where these are others than before."""
        kept = self._memory.get_or_load("settings", _BENCHMARK, self._load_benchmark)
        now = kept.over(markets, marks)
        if now != kept:
            self._settings.set(_BENCHMARK, codec.dump(now))
        return now.worth(marks) if now.held else None

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
