"""An order that is looked at and not sent: to whom it would go, at what price, and what would stand in its way."""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches

from bot.live import live_accounts
from bot.live_market import SHARE
from bot.venues import fees_at
from config.settings import Settings
from engine.domain.errors import BadInput
from engine.domain.figures import grouped
from engine.domain.orders import OrderRequest, OrderType
from engine.exchanges.ccxt.client import VenueClient
from engine.execution.preview import OrderPreview, preview
from engine.timing.clocks import WallClock
from handlers.cards import wording


async def look(settings: Settings, asked: OrderRequest) -> tuple[OrderPreview, str]:
    """What would be sent of what somebody asks for, and to whom, in words. Only public data is asked for.

    Raises:
        BadInput: The settings have no venue of now, or it has no such market.
        VenueError: The venue does not answer.
    """
    name = asked.venue or settings.exchange[0]
    if settings.market.source != "ccxt" or name not in settings.exchanges:
        known = ", ".join(settings.exchanges) or "none"
        raise BadInput(
            f"There is no venue {name or 'of now'} in profile {settings.profile}: nothing could be sent there.",
            f"Its venues: {known}. `--profile paper`, `sandbox` and `prod` have one.",
        )
    own = settings.exchanges[name]
    client = VenueClient(
        exchange=own.venue or name,
        name=name,
        sandbox=own.sandbox,
        api_url=own.api_url,
        answer_within=own.answer_within,
        clock=WallClock(),
        share=SHARE,
    )
    try:
        await client.open()
        listed = await client.listings()
        if asked.symbol not in listed:
            near = get_close_matches(asked.symbol, listed, n=1)
            raise BadInput(f"{name} has no market {asked.symbol}.", f"Did you mean {near[0]}?" if near else "")
        market = listed[asked.symbol].market
        book = await client.book(market)
    finally:
        await client.close()
    fee: Decimal = fees_at(settings, name)["fee"]
    return preview(asked, market, book, fee), _receiver(settings, name)


def lines(found: OrderPreview, receiver: str) -> list[str]:
    """The same for a terminal."""
    request = found.request
    quote = request.symbol.partition("/")[2]
    return [
        f"To {receiver}:",
        f"  {request.side} {grouped(request.quantity, 12)} {request.symbol} {_how(request)}",
        f"  worth {wording.money(found.notional, quote)}, fees about {grouped(found.fee, 4)} {quote}",
        *([f"  at {grouped(found.price, 8)} on average{_worst(found)}"] if found.price is not None else []),
        *(f"  {each}" for each in found.rounded),
        *(f"It would be refused: {each}." for each in found.refusals),
        "Nothing was sent.",
    ]


def _receiver(settings: Settings, name: str) -> str:
    account = next((each for each in live_accounts(settings) if each.venue == name), None)
    if account is None:
        return f"the paper venue, along {name}'s prices"
    return f"{name}, {account.kind}, key ends in {account.key}"


def _how(request: OrderRequest) -> str:
    prices = {"stop": request.trigger_price, "limit": request.limit_price}
    told = ", ".join(f"{name} {grouped(price, 8)}" for name, price in prices.items() if price is not None)
    kind = "at market" if request.type is OrderType.MARKET else request.type.value.replace("_", " ")
    return f"{kind}{f' ({told})' if told else ''}"


def _worst(found: OrderPreview) -> str:
    return f", {grouped(found.worst, 8)} at worst, by the book of now" if found.worst is not None else ""
