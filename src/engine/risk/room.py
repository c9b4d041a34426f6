"""What the limits leave for an entry into a market, before there is a plan: how much, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.market import Listing
from engine.domain.positions import Buying, Portfolio, Position
from engine.risk.limits import RiskLimits, in_words, percent

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a limit leaves for an entry: nothing where it is below 0.

    Attributes:
        quote: The currency that ``value`` and ``taken`` are in.
        rule: The limit in words.
        taken: What has been taken of it.
        already: The same in words; empty for nothing.
    """

    value: Decimal
    quote: str
    rule: str
    taken: Decimal = _NOTHING
    already: str = ""

    @property
    def words(self) -> str:
        """Why there is no more."""
        room = f"there is room for {in_words(self.value, self.quote)}" if self.value > 0 else "there is no room left"
        return f"{self.rule}: {room}{f', for {self.already}' if self.already else ''}"


def coin_room(symbol: str, account: Portfolio, limits: RiskLimits) -> Room:
    """What may still be bought of a market's coin."""
    base, _, quote = symbol.partition("/")
    taken, already = _taken(quote, account, lambda coin: coin == base)
    return Room(
        quote=quote,
        value=limits.coin_limit(account) - taken,
        taken=taken,
        rule=f"{base} is at most {limits.share_words(limits.max_position, account)}",
        already=already,
    )


def sector_room(symbol: str, sector: str, account: Portfolio, limits: RiskLimits, share: Decimal) -> Room:
    """What may still be bought of the coins of a sector."""
    quote = symbol.partition("/")[2]
    taken, already = _taken(quote, account, lambda coin: limits.sector_of(coin) == sector)
    return Room(
        quote=quote,
        value=share * account.equity - taken,
        taken=taken,
        rule=f"the sector {sector} is at most {percent(share)} of equity",
        already=already,
    )


def correlated_room(
    symbol: str, known: Mapping[str, float], account: Portfolio, limits: RiskLimits, share: Decimal
) -> Room:
    """What may still be bought of what moves together with a market: coins of which it is not known do.

    Args:
        symbol: The market.
        known: Its correlations, by symbol.
        account: What is held.
        limits: From which correlation on coins move together.
        share: What they may be worth together, as a fraction of equity.
    """
    base, _, quote = symbol.partition("/")
    apart = {other.partition("/")[0] for other, value in known.items() if value < limits.correlated_above} - {base}
    taken, already = _taken(quote, account, lambda coin: coin not in apart)
    return Room(
        quote=quote,
        value=share * account.equity - taken,
        taken=taken,
        rule=f"what moves together with {base} (correlation {limits.correlated_above} or more) is at most "
        f"{percent(share)} of equity",
        already=already,
    )


def exposure_room(quote: str, account: Portfolio, limits: RiskLimits) -> Room:
    """What may still be bought of anything."""
    return Room(
        quote=quote,
        value=limits.exposure_limit(account) - account.exposure,
        taken=account.exposure,
        rule=f"exposure is at most {limits.share_words(limits.max_exposure, account)}",
        already=f"{in_words(account.exposure, quote)} is held or being bought" if account.exposure else "",
    )


def capital_room(listing: Listing, account: Portfolio, limits: RiskLimits) -> Room | None:
    """What may still be bought of what the bot may use at all; ``None`` where that is all of the account."""
    if account.capital is None:
        return None
    quote = listing.symbol.partition("/")[2]
    taken = account.used
    return Room(
        quote=quote,
        value=(account.capital - taken) / (1 + 2 * limits.max_slippage),
        taken=taken,
        rule=f"the stage of capital is {in_words(account.capital, quote)} {quote}, less room for slippage and fees",
        already=f"{in_words(taken, quote)} is held or being bought" if taken else "",
    )


def cash_room(listing: Listing, account: Portfolio, limits: RiskLimits) -> Room:
    """What can still be paid at a market's venue: it is named where there are others."""
    where = f" at {listing.venue}" if len(account.free_at or ()) > 1 else ""
    return Room(
        quote=listing.symbol.partition("/")[2],
        value=account.spendable(listing.venue) / (1 + 2 * limits.max_slippage),
        rule=f"cash is limited to what is free{where}, less room for slippage and fees",
    )


def full(listing: Listing, account: Portfolio, limits: RiskLimits, least: Decimal) -> str:
    """Why no entry worth ``least``, in the quote currency, may be made into a market; empty where it may."""
    rooms = (
        coin_room(listing.symbol, account, limits),
        exposure_room(listing.symbol.partition("/")[2], account, limits),
        capital_room(listing, account, limits),
        cash_room(listing, account, limits),
    )
    return next((room.words for room in rooms if room and (room.value <= 0 or room.value < least)), "")


def _taken(quote: str, account: Portfolio, counts: Callable[[str], bool]) -> tuple[Decimal, str]:
    """What is held of some coins or being bought, and the same in words."""

    def of(bought: Position | Buying) -> bool:
        return counts(bought.symbol.partition("/")[0])

    held = [(f"{p.id} ({p.context}) holds", p.notional(account.mark(p))) for p in account.positions if of(p)]
    buying = [(f"{o.order_id} ({o.context}) is buying", o.value) for o in account.buying if of(o)]
    found = (*held, *buying)
    words = ", ".join(f"{who} {in_words(value, quote)}" for who, value in found)
    return sum((value for _, value in found), _NOTHING), words
