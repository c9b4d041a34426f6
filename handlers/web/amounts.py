"""How the API writes decimals: as text in plain digits, never with an exponent.

What somebody else has given is written as it was given, digit by digit. What was worked out from it has as many digits
as mean something: see ``engine.domain.figures.bounded``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

from engine.domain.figures import bounded, plain

Exact = Annotated[Decimal, PlainSerializer(plain, return_type=str)]
"""A price, a quantity or a fee: ``"0.00000001"``, ``"65940.70"``."""

Derived = Annotated[Decimal, PlainSerializer(lambda value: plain(bounded(value)), return_type=str)]
"""A value, a profit, an average price, or a share such as the drawdown: ``"0.0153927823954"``."""

Share = Annotated[float, PlainSerializer(lambda value: float(bounded(Decimal(repr(value)))), return_type=float)]
"""A share that was reckoned in floats, as a number: ``0.166666666667``."""
