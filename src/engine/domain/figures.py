"""Numbers in plain digits, never with an exponent, however small or large they are: for people and for programs."""

from __future__ import annotations

from decimal import Decimal

_DECIMALS, _SIGNIFICANT = 8, 12
"""What a number that was worked out keeps: so many digits after the point, or significant ones where it is small."""


def plain(value: Decimal | float, digits: int | None = None) -> str:
    """A number in plain digits: ``0.0000008306`` rather than ``8.306e-07``.

    Args:
        value: What is missing or infinite reads ``nan`` or ``inf``.
        digits: At most so many significant ones after the point, and no zeros at the end; all of them where not given.
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if not exact.is_finite():
        return str(exact).lower()
    if digits is None:
        return f"{exact:f}"
    places = digits - 1 - exact.adjusted()
    text = f"{round(exact, places) if places > 0 else exact.to_integral_value():f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def grouped(value: Decimal | float, digits: int | None = None) -> str:
    """The same for people, with a comma between thousands: ``20,000.00``."""
    text = plain(value, digits)
    exact = Decimal(text)
    return f"{exact:,f}" if exact.is_finite() else text


def bounded(value: Decimal) -> Decimal:
    """A number that was worked out, without the digits that a division leaves behind and the zeros at its end.

    Eight digits after the point stay, and twelve significant ones where these reach further; what is missing or
    infinite stays what it is.
    """
    if not value.is_finite():
        return value
    rounded = round(value, max(_DECIMALS, _SIGNIFICANT - 1 - value.adjusted())).normalize()
    return rounded or Decimal(0)
