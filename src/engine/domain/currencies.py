"""What amounts of a currency are like: how finely they are told, and what is too little to trade.

The one place that knows. Dollars, euros and their like have two decimals; so has a currency that is not listed. Coins
have eight, as their venues show them, and currencies whose unit is less than a cent have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_FINEST = 8
"""Decimals of the smallest amount that is told of any currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Currency:
    """How a currency is counted.

    Attributes:
        decimals: Of an amount.
        dollar: About what a dollar is worth in it, to a power of ten.
    """

    decimals: int
    dollar: Decimal


_USUAL = _Currency(decimals=2, dollar=Decimal(1))
_BITCOIN = _Currency(decimals=8, dollar=Decimal("0.00001"))
_ETHER = _Currency(decimals=8, dollar=Decimal("0.0001"))
_COINS = {
    "BTC": _BITCOIN,
    "XBT": _BITCOIN,
    "WBTC": _BITCOIN,
    "ETH": _ETHER,
    "WETH": _ETHER,
    "PAXG": _ETHER,
    "XAUT": _ETHER,
    "BNB": _Currency(decimals=8, dollar=Decimal("0.001")),
    "BCH": _Currency(decimals=8, dollar=Decimal("0.001")),
    "SOL": _Currency(decimals=8, dollar=Decimal("0.01")),
    "LTC": _Currency(decimals=8, dollar=Decimal("0.01")),
}
_SMALL = {
    "JPY": _Currency(decimals=0, dollar=Decimal(100)),
    "CLP": _Currency(decimals=0, dollar=Decimal(1000)),
    "KRW": _Currency(decimals=0, dollar=Decimal(1000)),
    "IDR": _Currency(decimals=0, dollar=Decimal(10000)),
    "VND": _Currency(decimals=0, dollar=Decimal(10000)),
}


def rounded(value: Decimal, currency: str) -> Decimal:
    """An amount as finely as its currency is told; what is less than that to two significant digits, where it has any.

    Args:
        value: Of any size and sign.
        currency: Its code; empty or unknown counts as a dollar.
    """
    places = _of(currency).decimals
    if abs(value) >= Decimal(1).scaleb(-places):
        return value.quantize(Decimal(1).scaleb(-places))
    finest = max(value.adjusted() - 1, -_FINEST)
    return (value.quantize(Decimal(1).scaleb(finest)) if value else value) or Decimal(0).scaleb(-places)


def dollar(currency: str) -> Decimal:
    """About what a dollar is worth in a currency, to a power of ten: for defaults that must suit any of them."""
    return _of(currency).dollar


def least_order(currency: str) -> Decimal:
    """The smallest value of an order where a market says none: about ten dollars."""
    return dollar(currency).scaleb(1)


def _of(currency: str) -> _Currency:
    return _COINS.get(currency) or _SMALL.get(currency) or _USUAL
