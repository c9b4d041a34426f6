"""``bot order --dry-run``: what would be sent, to whom, at what price."""

from __future__ import annotations

import asyncio
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from bot.commands.config import REFUSED, ConfigOption, ProfileOption, load_run_or_exit
from engine.domain.errors import GreenlightError
from engine.domain.orders import OrderRequest, OrderType, Side


def _number(text: str) -> Decimal:
    """A number above 0, as people write it."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text} is no number.") from None
    if not number.is_finite() or number <= 0:
        raise typer.BadParameter("It must be above 0.")
    return number


def order(
    symbol: Annotated[str, typer.Argument(help="The market, e.g. BTC/USDT.")],
    side: Annotated[Side, typer.Argument(help="buy or sell.")],
    quantity: Annotated[Decimal, typer.Argument(parser=_number, help="In the base currency.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and send nothing.")] = False,  # noqa: FBT002 - a flag
    kind: Annotated[OrderType, typer.Option("--type", help="How it asks to be filled.")] = OrderType.MARKET,
    limit: Annotated[Decimal | None, typer.Option(parser=_number, help="Its limit; of an oco the target.")] = None,
    stop: Annotated[Decimal | None, typer.Option(parser=_number, help="Its stop.")] = None,
    venue: Annotated[str, typer.Option(help="One of exchanges; without it that of the contexts.")] = "",
    profile: ProfileOption = None,
    config: ConfigOption = None,
) -> None:
    """Say what an order would be at the venue: lots, ticks, minimum, price and fees. It sends nothing."""
    from bot.order_preview import lines, look

    if not dry_run:
        said = "Nothing is sent from here: the bot orders, and people in chat."
        typer.echo(f"{said} --dry-run shows what would be sent.", err=True)
        raise typer.Exit(REFUSED)
    asked = OrderRequest(
        client_id="",
        venue=venue,
        symbol=symbol.upper(),
        side=side,
        type=kind,
        quantity=quantity,
        limit_price=limit,
        trigger_price=stop,
    )
    try:
        found, receiver = asyncio.run(look(load_run_or_exit(profile, config, {}).settings, asked))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    typer.echo("\n".join(lines(found, receiver)))
    if found.refusals:
        raise typer.Exit(1)
