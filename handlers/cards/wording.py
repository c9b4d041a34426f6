"""How numbers, times and names read to people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.domain.currencies import rounded

_CENT = Decimal("0.01")
_FINEST_PERCENT = -6
"""The power of ten of the smallest per cent that is told."""
_PRICE_DIGITS = 7
_FIGURE_DIGITS = 8
UNKNOWN = "unknown"


def amount(value: Decimal, currency: str) -> str:
    """An amount with the decimals of its currency, which stands beside: ``1,234.50``, ``0.01234500`` bitcoin."""
    return f"{rounded(value, currency):,f}"


def money(value: Decimal, currency: str) -> str:
    """An amount and its currency: ``1,234.50 USDT``."""
    return f"{amount(value, currency)} {currency}"


def signed_amount(value: Decimal, currency: str) -> str:
    """A profit or loss, always with its sign: ``+12.30``, ``-0.41``; nothing is ``0.00``."""
    exact = rounded(value, currency)
    return f"{'+' if exact > 0 else ''}{exact:,f}"


def signed(value: Decimal, currency: str) -> str:
    """A profit or loss and its currency: ``+12.30 USDT``."""
    return f"{signed_amount(value, currency)} {currency}"


def gain(net: Decimal, share: Decimal | None, currency: str) -> str:
    """A profit or loss and what it is of what it was made with: ``+12.30 USDT (+1.20%)``."""
    return _with_share(signed(net, currency), share)


def gain_amount(net: Decimal, share: Decimal | None, currency: str) -> str:
    """The same where its currency stands beside: ``+12.30 (+1.20%)``."""
    return _with_share(signed_amount(net, currency), share)


def part(amount: Decimal, whole: Decimal) -> Decimal | None:
    """What an amount is of another, as a fraction; ``None`` where that is nothing."""
    return amount / whole if whole > 0 else None


def of(amount: Decimal, whole: Decimal, currency: str) -> str:
    """An amount and what it is of another: ``120.00 USDT (1.20%)``."""
    return f"{money(amount, currency)}{in_brackets(amount, whole)}"


def in_brackets(amount: Decimal, whole: Decimal) -> str:
    """What an amount is of another, to stand behind it: `` (1.20%)``; empty where that is nothing."""
    share = part(amount, whole)
    return f" ({percent(share)})" if share is not None else ""


def _with_share(told: str, share: Decimal | None) -> str:
    return told if share is None else f"{told} ({signed_percent(share)})"


def price(value: Decimal | float | None) -> str:
    """A price with the precision it has, but no more than seven digits where two decimals suffice (means, averages).

    One decimal alone is filled up to two: ``54,948.90``.
    """
    exact = _decimal(value)
    if exact is None:
        return UNKNOWN
    if _exponent(exact) == -1:
        return f"{exact:,.2f}"
    places = max(2, _PRICE_DIGITS - 1 - exact.adjusted())
    rounded = round(exact, places)
    return f"{rounded if -_exponent(exact) > places else exact:,f}"


def quantity(value: Decimal) -> str:
    """A quantity without trailing zeros: ``0.01234``, ``1,500``."""
    return f"{value.normalize():,f}"


def figure(value: Decimal | float | None) -> str:
    """Any number, with at most eight significant digits and without trailing zeros."""
    exact = _decimal(value)
    if exact is None:
        return UNKNOWN
    return quantity(round(exact, max(0, _FIGURE_DIGITS - 1 - exact.adjusted())))


def _decimal(value: Decimal | float | None) -> Decimal | None:
    """The exact number; ``None`` for what is missing, NaN or infinite. Floats lose the zeros they never had."""
    if value is None:
        return None
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value))).normalize()
    return exact if exact.is_finite() else None


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def percent(fraction: Decimal | float) -> str:
    """A fraction as ``1.50%``; what is less than a hundredth with its first digit: ``0.004%``."""
    return f"{_percentage(fraction):f}%"


def signed_percent(fraction: Decimal | float) -> str:
    """A change as ``+1.50%``, ``-0.20%`` or ``-0.00005%``; none is ``0.00%``."""
    percentage = _percentage(fraction)
    return f"{'+' if percentage > 0 else ''}{percentage:f}%"


def _percentage(fraction: Decimal | float) -> Decimal:
    """In hundredths; what these would make nothing of keeps one digit, so that no loss reads as none."""
    exact = Decimal(str(fraction)) * 100
    told = exact.quantize(_CENT)
    if exact and not told and exact.adjusted() >= _FINEST_PERCENT:
        told = round(exact, -exact.adjusted()).normalize()
    return told + 0  # adding 0 turns -0.00 into 0.00


def moment(at: datetime) -> str:
    """A time to the minute: ``2026-01-03 14:00 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(length: timedelta) -> str:
    """A length of time in its two largest units: ``40 s``, ``12 min``, ``2 h 5 min``, ``3 d 4 h``."""
    seconds = max(0, int(length.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return _two(days, "d", hours % 24, "h")
    if hours:
        return _two(hours, "h", minutes % 60, "min")
    return f"{minutes} min" if minutes else f"{seconds} s"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def words(name: str) -> str:
    """A technical name as words: ``rsi_oversold`` → ``rsi oversold``."""
    return name.replace("_", " ")


def sentence(text: str) -> str:
    """A text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def listing(names: Sequence[str]) -> str:
    """Names in a sentence: ``Ann, Bob and Cy``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def lines(*parts: str) -> str:
    """The parts that say something, each on its own line."""
    return "\n".join(part for part in parts if part)


def count(number: int, noun: str, several: str = "") -> str:
    """A number of things: ``1 trade``, ``3 trades``; ``several`` where it takes more than an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {several or f'{noun}s'}"


def quote(symbol: str) -> str:
    """The currency a market's prices are in."""
    return symbol.partition("/")[2]
