"""What the rows of a database come to, worked out without the engine: from fills, equity and the prices of now.

Amounts are in the account's currency, as people read them: two decimals, a sign where it is a profit or a loss. What
is a label on one platform and a line on another reads alike once it has been through ``read``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.fakes.program import Files, Json

NOTHING = Decimal(0)


def read(shown: str) -> str:
    """A card in one line, without the colons after its labels."""
    return " ".join(re.sub(r":(?=\s)", " ", shown).split())


@dataclass(frozen=True, kw_only=True)
class Traded:
    """A trade, from its fills and the price of now."""

    id: str
    symbol: str
    context: str
    fills: Sequence[Json]
    price: Decimal

    @property
    def held(self) -> Decimal:
        return sum((_signed(fill) for fill in self.fills), NOTHING)

    @property
    def cost(self) -> Decimal:
        return sum((_worth(fill) for fill in self.fills if fill["side"] == "buy"), NOTHING)

    @property
    def value(self) -> Decimal:
        return self.held * self.price

    @property
    def net(self) -> Decimal:
        return flow(self.fills) + self.value

    @property
    def share(self) -> Decimal:
        return self.net / self.cost

    @property
    def ended(self) -> datetime | None:
        return None if self.held else max(time_of(fill["at"]) for fill in self.fills)


class Reckoning:
    """What each command should say.

    Args:
        files: The program's.
        opening: What the account began with.
        price: Tells what a market trades at now.
        now: The market time.
    """

    def __init__(self, files: Files, opening: Decimal, price: Callable[[str], Decimal], now: datetime) -> None:
        self.now = now
        self.opening = opening
        self.fills = files.rows("SELECT * FROM fills ORDER BY number")
        self.rows = [
            (time_of(row["at"]), _money(row["equity"]), _money(row["benchmark"]))
            for row in files.rows("SELECT * FROM equity ORDER BY at")
        ]
        (began,) = files.rows("SELECT value FROM settings WHERE key = 'account.began'")
        self.began = datetime.fromisoformat(began["value"])
        self.questions = len(files.rows("SELECT id FROM approvals WHERE status = 'pending'"))
        self.trades = [
            Traded(
                id=row["id"],
                symbol=row["symbol"],
                context=row["context"],
                fills=[fill for fill in self.fills if fill["position_id"] == row["id"]],
                price=price(row["symbol"]),
            )
            for row in files.rows("SELECT id, symbol, context FROM positions ORDER BY number")
        ]

    @property
    def quote(self) -> str:
        return str(self.trades[0].symbol.partition("/")[2])

    @property
    def open(self) -> list[Traded]:
        return [trade for trade in self.trades if trade.held]

    @property
    def closed(self) -> list[Traded]:
        return [trade for trade in self.trades if not trade.held]

    @property
    def cash(self) -> Decimal:
        return self.opening + flow(self.fills)

    @property
    def exposure(self) -> Decimal:
        return sum((trade.value for trade in self.open), NOTHING)

    @property
    def equity(self) -> Decimal:
        return self.cash + self.exposure

    @property
    def today(self) -> datetime:
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0)

    def says(self) -> dict[str, list[str]]:
        """Each command with everything its answer should say, after ``read``."""
        return {
            "/status": self._status(),
            "/profit": self._profit(),
            "/daily": [self._in(self._days()), *self._periods(self._days())],
            "/weekly": [self._in(self._weeks()), *self._periods(self._weeks())],
            "/monthly": [self._in([self.today.replace(day=1)]), *self._periods([self.today.replace(day=1)], "%Y-%m")],
            "/balance": self._balance(),
            "/count": [f"Exposure {self.exposure:,.2f}{_part(self.exposure, self.equity)} of"],
            "/trades": [self._trade(trade) for trade in self.trades],
            "/positions": [self._held(trade) for trade in self.open] or ["No open positions"],
            "/performance": self._performance(),
            "/digest": self._digest(),
            "/stats": [self._title(self.closed), self._won(self.closed)],
        }

    def measures(self) -> dict[str, float]:
        """Each metric that is a figure of the account, with what it should be."""
        fees = sum((_money(fill["fee_value"]) for fill in self.fills), NOTHING)
        figures = {
            "equity": self.equity,
            "exposure": self.exposure,
            "net": self.equity - self.opening,
            "day_net": self.equity - self._before(self.today),
            "drawdown_ratio": self._drawdown(),
            "benchmark_ratio": self.rows[-1][2] - 1,
            "positions": len(self.open),
            "approvals_pending": self.questions,
            "trades_closed_total": len(self.closed),
            "trades_won_total": sum(trade.net > 0 for trade in self.closed),
            "trades_net": sum((trade.net for trade in self.closed), NOTHING),
            "fees": fees,
        }
        return {f"greenlight_{name}": float(figure) for name, figure in figures.items()}

    def _status(self) -> list[str]:
        whole, day = self.equity - self.opening, self.equity - self._before(self.today)
        return [
            f"Equity {self.equity:,.2f} {self.quote}",
            f"Today {self._gain(day, self._before(self.today))}",
            f"Since {self.began:%Y-%m-%d %H:%M} UTC {self._gain(whole, self.opening)}",
            f"Buy and hold of the markets {_per_cent(self.rows[-1][2] - 1)}",
            f"Cash {self.cash:,.2f} {self.quote} (",
            f"Exposure {self.exposure:,.2f} {self.quote}",
            f"Drawdown {self._drawdown() * 100:.2f}%",
            f"Open positions {len(self.open)}",
            f"Open approvals {self.questions}",
        ]

    def _profit(self) -> list[str]:
        fees = sum((_money(fill["fee_value"]) for fill in self.fills), NOTHING)
        return [
            self._in(self._days()),
            f"Fees, taken off {fees:,.2f} {self.quote}{_part(fees, self.opening)}",
            self._won(self.closed),
            f"Drawdown {self._drawdown() * 100:.2f}%",
            f"Largest drawdown in {len(self._days())} days {self._largest_drawdown() * 100:.2f}%",
            *(
                f"{day:%m-%d} {signed(net)} {_per_cent(net / before)}"
                for day, net, before, *_ in self._each(self._days())
            ),
        ]

    def _digest(self) -> list[str]:
        day, net, before, hold, closed = self._each(self._days())[-1]
        fees = sum((_money(fill["fee_value"]) for fill in self.fills if time_of(fill["at"]) > self.today), NOTHING)
        return [
            f"{day} {self._gain(net, before)}",
            f"Buy and hold of the markets {_per_cent(hold)}",
            f"Equity {self.equity:,.2f} {self.quote}",
            f"Fees, taken off {fees:,.2f} {self.quote}{_part(fees, before)}",
            f"Drawdown {self._drawdown() * 100:.2f}%",
            f"opened, {closed} closed",
            f"Open positions {len(self.open)}",
        ]

    def _balance(self) -> list[str]:
        return [
            f"Balance {self.equity:,.2f} {self.quote}",
            f"{self.cash:,.2f} {self.quote} (",
            *(
                f"{trade.symbol.partition('/')[0]} {trade.held.normalize():,f} {trade.value:,.2f} {self.quote}"
                for trade in self.open
            ),
        ]

    def _trade(self, trade: Traded) -> str:
        return f"{trade.id} {trade.symbol} {signed(trade.net)} ({_per_cent(trade.share)})"

    def _held(self, trade: Traded) -> str:
        return f"{self._trade(trade)} {trade.held.normalize():,f} at "

    def _performance(self) -> list[str]:
        def tallied(name: str, trades: Sequence[Traded]) -> str:
            net, cost = _sums(trades)
            return f"{name} {signed(net)} ({_per_cent(net / cost)}) won {self._won(trades).removeprefix('Won ')}"

        markets = dict.fromkeys(trade.symbol for trade in self.closed)
        contexts = dict.fromkeys(trade.context for trade in self.closed)
        return [
            self._title(self.closed),
            self._won(self.closed),
            f"Bought for {_sums(self.closed)[1]:,.2f} {self.quote}",
            *(tallied(name, [each for each in self.closed if each.symbol == name]) for name in markets),
            *(tallied(f"Strategy {name}", [each for each in self.closed if each.context == name]) for name in contexts),
        ]

    def _title(self, trades: Sequence[Traded]) -> str:
        net, cost = _sums(trades)
        return f"{self._gain(net, cost)}, {len(trades)} closed trades"

    def _won(self, trades: Sequence[Traded]) -> str:
        won = sum(trade.net > 0 for trade in trades)
        return f"Won {won} of {len(trades)} ({Decimal(won) / len(trades) * 100:.2f}%)"

    def _in(self, begins: Sequence[datetime]) -> str:
        before = self._before(begins[0])
        return self._gain(self.equity - before, before)

    def _periods(self, begins: Sequence[datetime], form: str = "%m-%d") -> list[str]:
        return [
            f"{day:{form}} {signed(net)} {_per_cent(net / before)[:-1]} {_per_cent(hold)[:-1]} {closed}"
            for day, net, before, hold, closed in self._each(begins)
        ]

    def _each(self, begins: Sequence[datetime]) -> list[tuple[date, Decimal, Decimal, Decimal, int]]:
        """Of each period its first day, the net, the equity before it, buy and hold, the trades closed."""
        periods = []
        for begin, end in zip(begins, [*begins[1:], None], strict=True):
            before, after = self._before(begin), self._before(end) if end else self.equity
            hold = (self._benchmark(end) if end else self.rows[-1][2]) / self._benchmark(begin) - 1
            closed = [t for t in self.closed if t.ended and begin < t.ended and (end is None or t.ended <= end)]
            periods.append((begin.date(), after - before, before, hold, len(closed)))
        return periods

    def _days(self) -> list[datetime]:
        first = self.began.replace(hour=0, minute=0, second=0, microsecond=0)
        return [first + timedelta(days=n) for n in range((self.today - first).days + 1)]

    def _weeks(self) -> list[datetime]:
        days = self._days()
        first = days[0] - timedelta(days=days[0].weekday())
        return [first + timedelta(weeks=n) for n in range((days[-1] - first).days // 7 + 1)]

    def _before(self, at: datetime) -> Decimal:
        return next((equity for when, equity, _ in reversed(self.rows) if when <= at), self.opening)

    def _benchmark(self, at: datetime) -> Decimal:
        return next((benchmark for when, _, benchmark in reversed(self.rows) if when <= at), Decimal(1))

    def _drawdown(self) -> Decimal:
        peak = max(self.opening, self.equity, *(equity for _, equity, _ in self.rows))
        return 1 - self.equity / peak

    def _largest_drawdown(self) -> Decimal:
        peak, largest = self.opening, self._drawdown()
        for _, equity, _ in self.rows:
            peak = max(peak, equity)
            largest = max(largest, 1 - equity / peak)
        return largest

    def _gain(self, net: Decimal, before: Decimal) -> str:
        return f"{signed(net)} {self.quote} ({_per_cent(net / before)})"


def flow(fills: Iterable[Json]) -> Decimal:
    """What fills have brought in cash, less what they took; fees taken off."""
    return sum(
        (_worth(fill) * (1 if fill["side"] == "sell" else -1) - _money(fill["fee_value"]) for fill in fills), NOTHING
    )


def time_of(kept: str | datetime) -> datetime:
    """A time as a database has it."""
    return (datetime.fromisoformat(kept) if isinstance(kept, str) else kept).astimezone(UTC)


def signed(amount: Decimal) -> str:
    """An amount with its sign; nothing has none."""
    rounded = round(amount, 2)
    return f"{rounded:+,.2f}" if rounded else "0.00"


def _sums(trades: Sequence[Traded]) -> tuple[Decimal, Decimal]:
    return sum((trade.net for trade in trades), NOTHING), sum((trade.cost for trade in trades), NOTHING)


def _per_cent(share: Decimal) -> str:
    return f"{signed(share * 100)}%"


def _part(amount: Decimal, whole: Decimal) -> str:
    return f" ({amount / whole * 100:.2f}%)"


def _signed(fill: Json) -> Decimal:
    return _money(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)


def _worth(fill: Json) -> Decimal:
    return _money(fill["quantity"]) * _money(fill["price"])


def _money(kept: object) -> Decimal:
    return Decimal(str(kept))
