"""What must hold between the bot's database and a fake venue, from what both have written: nothing of the engine.

One order per decision, each sent once; every trade of the venue in the books once, to the last digit; what is owned the
same in both; each position with one stop at the venue; money conserved there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from tests.fakes.program import Files
from tests.fakes.venues.kraken import FakeKraken
from tests.fakes.venues.kraken_words import trade_txid
from tests.fakes.venues.spot_orders import CONDITIONAL, SpotOrder, SpotTrade
from tests.fakes.venues.trading_venue import TradingVenue

Json = dict[str, Any]
Span = tuple[int, int]
"""From when to when, in milliseconds of the venue's clock."""
_IN_DOUBT = "('intent', 'sent', 'unknown', 'cancelling')"


def complaints(files: Files, fake: TradingVenue) -> list[str]:
    """Everything that is not as it must be, once nothing is under way."""
    found = [f"{name} was taken {times} times" for name, times in fake.matching.accepted.items() if times > 1]
    try:
        fake.audit()
    except AssertionError as error:
        found.append(f"money was not conserved at the venue: {error}")
    in_doubt = files.rows(f"SELECT id, status FROM orders WHERE status IN {_IN_DOUBT}")  # noqa: S608 - our own words
    found += [f"{row['id']} is {row['status']}" for row in in_doubt]
    found += [*files._decisions(), *_trades(files, fake), *_owned(files, fake), *_protected(files, fake)]
    return found


def _trades(files: Files, fake: TradingVenue) -> Iterator[str]:
    """The trades of the venue and the fills of the books are the same ones."""
    names = _names(fake)
    ours = Counter(
        (names[row["symbol"]], str(row["trade_id"]), row["side"], Decimal(row["quantity"]), Decimal(row["price"]))
        for row in files.rows("SELECT * FROM fills")
    )
    theirs = Counter(
        (each.symbol, _id_of(fake, each), each.side.lower(), each.quantity, each.price) for each in fake.matching.trades
    )
    yield from (f"a fill that the venue does not know: {each}" for each in (ours - theirs))
    yield from (f"a trade that is not in the books: {each}" for each in (theirs - ours))


def owned(files: Files) -> dict[str, Decimal]:
    """What the account owns by the books, positions included."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in files.rows("SELECT currency, amount FROM balances"):
        found[row["currency"]] += Decimal(row["amount"])
    for row in files.rows("SELECT symbol, quantity FROM positions WHERE status = 'open'"):
        found[row["symbol"].partition("/")[0]] += Decimal(row["quantity"])
    return found


def _owned(files: Files, fake: TradingVenue) -> Iterator[str]:
    ours, theirs = owned(files), {_ours(name): fake.ledger.total(name) for name in fake.ledger.assets}
    for name in sorted({*ours, *theirs}):
        here, there = ours.get(name, Decimal(0)), theirs.get(name, Decimal(0))
        if here != there:
            yield f"{name}: {here} in the books, {there} at the venue"


def _protected(files: Files, fake: TradingVenue) -> Iterator[str]:
    """Each position that has a stop has one there for all of it but what is less than a lot; no other order stands."""
    standing: dict[str, list[SpotOrder]] = defaultdict(list)
    for order in fake.matching.open_orders():
        standing[order.symbol].append(order)
    names = _names(fake)
    held: dict[str, list[Json]] = defaultdict(list)
    for row in files.rows("SELECT * FROM positions WHERE status = 'open' AND stop IS NOT NULL"):
        held[names[row["symbol"]]].append(row)
    for name in sorted({*held, *standing}):
        lot = Decimal(fake.symbols[name].lot)
        needed = sorted(Decimal(row["quantity"]) for row in held[name])
        stops = sorted(order.quantity for order in standing[name] if order.type in CONDITIONAL)
        if len(needed) != len(stops) or not all(
            0 <= here - there < lot for here, there in zip(needed, stops, strict=True)
        ):
            yield f"{name}: positions of {[*map(str, needed)]}, stops of {[*map(str, stops)]} at the venue"


def bare(fake: TradingVenue, down: Sequence[Span] = ()) -> list[float]:
    """For how many seconds each purchase had nothing at the venue that would sell it, while the bot was running.

    From its first fill, or from the end of the stop that was taken back to sell, to the next order that sells.

    Args:
        fake: Where it was bought.
        down: When the bot was not running.
    """
    found = []
    for name in fake.symbols:
        sales = [each for each in fake.matching.orders if each.symbol == name and not each.is_buy]
        for begins in sorted(_begins(fake, name)):
            ends = [each.created for each in sales if each.created >= begins]
            if ends:
                found.append(_without(begins, min(ends), down) / 1000)
    return found


def _begins(fake: TradingVenue, name: str) -> Iterator[int]:
    for order in fake.matching.orders:
        if order.symbol == name and order.is_buy and (trades := fake.matching.trades_of(order)):
            yield trades[0].at
        elif order.symbol == name and order.type in CONDITIONAL and order.status == "CANCELED":
            yield order.updated


def _without(begins: int, ends: int, down: Sequence[Span]) -> int:
    away = sum(max(min(ends, to) - max(begins, since), 0) for since, to in down)
    return ends - begins - away


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so great a share of all are not above; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def _id_of(fake: TradingVenue, trade: SpotTrade) -> str:
    """What the venue calls a trade."""
    return trade_txid(trade) if isinstance(fake, FakeKraken) else str(trade.trade_id)


def _names(fake: TradingVenue) -> dict[str, str]:
    """The markets by our names: what the venue calls each."""
    return {f"{_ours(each.base)}/{each.quote}": name for name, each in fake.symbols.items()}


def _ours(name: str) -> str:
    return "BTC" if name == "XBT" else name
