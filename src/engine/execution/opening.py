"""Opening the books of an account: what its venue has already is taken over, left beside, or refused, and told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.domain.errors import NoData, StoreError
from engine.domain.events import InventoryFound
from engine.domain.figures import grouped
from engine.domain.inventory import Holding, Inventory, Rule
from engine.domain.market import Listing
from engine.domain.positions import EXTERNAL, Position
from engine.execution import external
from engine.ports import Cursor, Exchange, MarketData
from engine.store.unit_of_work import UnitOfWork


async def observe(exchange: Exchange, market_data: MarketData, quote: str) -> tuple[Inventory, Cursor]:
    """What there is on an account at its venue, at the prices of now; and the cursor of what has happened there.

    Raises:
        VenueError: The venue does not answer.
    """
    batch = await exchange.events(None)  # first: what happens from now on is told of again
    balances = await exchange.balances()
    holdings = [
        Holding(currency=currency, quantity=quantity, price=await _price(market_data, f"{currency}/{quote}"))
        for currency, quantity in sorted(balances.items())
        if quantity and currency != quote
    ]
    found = Inventory(
        venue=exchange.name,
        quote=quote,
        cash=balances.get(quote, Decimal(0)),
        holdings=tuple(holdings),
        orders=await exchange.open_orders(),
    )
    return found, batch.cursor


async def _price(market_data: MarketData, symbol: str) -> Decimal | None:
    try:
        return (await market_data.book(symbol)).mid
    except NoData:
        return None


def open_account(uow: UnitOfWork, found: Sequence[tuple[Inventory, Cursor]], rule: Rule, now: datetime) -> None:
    """Open the books with what was found.

    Args:
        uow: The transaction in which they are opened.
        found: What there is at each venue, and the cursor up to which what has happened there is in it.
        rule: What is done with what is no cash of the account's currency.
        now: Market time.

    Raises:
        StoreError: There is something, and the rule is to refuse it.
    """
    for used in (each for each, _ in found if each.is_used and rule is Rule.REFUSE):
        raise StoreError(
            f"The account at the venue {used.venue} is not empty: {_listed(used)}.",
            "To count it, or to leave it beside, set BOT_ACCOUNT__HOLDINGS to adopt or ignore; or sell it there first.",
        )
    for there, cursor in found:
        _open_at(uow, there, cursor, now, adopts=rule is Rule.ADOPT)


def _open_at(uow: UnitOfWork, found: Inventory, cursor: Cursor, now: datetime, *, adopts: bool) -> None:
    counted = [each for each in found.holdings if adopts and each.price is not None]
    worth = sum((each.quantity * (each.price or 0) for each in counted), Decimal(0))
    uow.account.open(found.venue, found.quote, found.cash, worth)
    uow.ledger.keep_cursor(found.venue, cursor)
    holdings = tuple(_take_over(uow, found, each, now) if each in counted else each for each in found.holdings)
    for beside in (each for each in holdings if not each.position_id):
        uow.ledger.change(found.venue, beside.currency, beside.quantity)
    for order in found.orders:
        external.write_down(uow, found.venue, order, now)
    if found.is_used:
        uow.ledger.keep_inventory(replace(found, holdings=holdings, adopted=adopts))
        uow.emit(InventoryFound(at=now, venue=found.venue))


def rest(uow: UnitOfWork, venue: str) -> Inventory | None:
    """What was found at a venue, where some of it is still to be adopted; ``None`` where nothing is."""
    found = uow.ledger.inventory(venue)
    is_left = found is not None and found.adopted and not all(each.position_id for each in found.holdings)
    return found if is_left else None


def adopt_rest(uow: UnitOfWork, venue: str, now: datetime) -> None:
    """Take over what had no price when the books were opened, and has one now.

    It counts as paid in: it is no profit of the time since.
    """
    found = rest(uow, venue)
    if found is None:
        return
    marks = uow.account.marks()
    holdings = tuple(_adopted(uow, found, each, marks, now) for each in found.holdings)
    if holdings != found.holdings:
        uow.ledger.keep_inventory(replace(found, holdings=holdings))
        uow.emit(InventoryFound(at=now, venue=venue))


def _adopted(
    uow: UnitOfWork, found: Inventory, holding: Holding, marks: Mapping[Listing, Decimal], now: datetime
) -> Holding:
    """A holding once it is taken over, as far as it is still there; the same where it has no price, or is counted."""
    price = marks.get(Listing(found.venue, f"{holding.currency}/{found.quote}"))
    there = uow.ledger.balances().get((found.venue, holding.currency), Decimal(0))
    quantity = min(holding.quantity, there)
    if holding.position_id or price is None or quantity <= 0:
        return holding
    taken = _take_over(uow, found, replace(holding, quantity=quantity, price=price), now)
    uow.ledger.change(found.venue, holding.currency, -quantity)
    uow.account.count_as_paid(quantity * price, now)
    return taken


def _take_over(uow: UnitOfWork, found: Inventory, holding: Holding, now: datetime) -> Holding:
    """Make somebody else's position of a holding, at the price of now."""
    price = holding.price or Decimal(0)
    position = Position(
        id=uow.positions.next_id(),
        context=EXTERNAL,
        venue=found.venue,
        symbol=f"{holding.currency}/{found.quote}",
        quantity=holding.quantity,
        entry_price=price,
        opened_at=now,
        bought=holding.quantity,
        cost=holding.quantity * price,
    )
    uow.positions.put(position, "")
    uow.account.mark({position.listing: price}, now)
    return replace(holding, position_id=position.id)


def _listed(found: Inventory) -> str:
    held = [f"{grouped(each.quantity)} {each.currency}" for each in found.holdings]
    number = len(found.orders)
    orders = [f"{number} open order{'s' if number > 1 else ''}"] if number else []
    return ", ".join([*held, *orders])
