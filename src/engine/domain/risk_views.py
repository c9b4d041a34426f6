"""How the account stands against its limits: the answers of ``engine.views.risk``.

All money is in the quote currency of the account; shares are fractions of equity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.halt_views import HaltView
from engine.domain.slippage import Slippage
from engine.domain.trading_states import StateChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """A loss of a day at 95 %, two ways, as shares; ``None`` where there are too few returns for one.

    Attributes:
        value: The larger of both, which counts.
        limit: What it may come to; ``None`` where it is not limited.
    """

    historical: float | None
    cornish_fisher: float | None
    value: float | None
    limit: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VarMarket:
    """What is held or being bought of one market, and what that alone may lose on a day at 95 %, as a share."""

    symbol: str
    value: Decimal
    var: float | None
    volatility: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VarReport:
    """What everything held may lose on a day.

    Attributes:
        exposure: What is held or being bought.
        timeframe, candles, as_of: The returns that it is told by: empty and none where none are known.
        unknown: What is held without known returns, in words; it is in no figure.
        markets: The largest value first.
        correlations: Of pairs of what is held, the highest first.
    """

    quote: str
    equity: Decimal
    exposure: Decimal
    timeframe: str
    candles: int
    as_of: datetime | None
    var: Tail
    cvar: Tail
    unknown: str
    markets: tuple[VarMarket, ...]
    correlations: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How much of a limit is used.

    Attributes:
        name: As settings call the limit.
        limit: ``None`` where it is off; ``used`` is then of nothing.
    """

    name: str
    used: Decimal | None
    limit: Decimal | None

    @property
    def share(self) -> Decimal | None:
        """What is used as a fraction of the limit; ``None`` where there is none, or nothing is known."""
        return self.used / self.limit if self.limit and self.used is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """How risk stands.

    Attributes:
        state: How far the bot may trade, since when and why; ``None`` where nothing was ever halted.
        size: What a drawdown leaves of the sizes of entries, as a fraction.
        risk_per_trade: What a trade may lose at its stop now, as a share.
        shares: The limits that are shares of equity, and what is used of each.
        positions: How many are open or being bought.
        max_positions: How many may be; ``None`` for any number.
        streaks: Losses in a row, by context; those without any are left out.
        max_losses: From how many on a context rests; ``None`` for never.
        off: The limits that are off, as settings call them.
        volatility: Of a day, of each traded market whose newest closes tell it, as fractions.
        slippage: Of the newest orders, what it was and what the books told; ``None`` where none are known.
    """

    quote: str
    equity: Decimal
    state: StateChange | None
    halts: tuple[HaltView, ...]
    drawdown: Decimal
    size: Decimal
    risk_per_trade: Decimal
    shares: tuple[Use, ...]
    positions: int
    max_positions: int | None
    streaks: Mapping[str, int]
    max_losses: int | None
    off: tuple[str, ...]
    volatility: tuple[tuple[str, float], ...] = ()
    slippage: Slippage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureReport:
    """What is held or being bought, by coin, sector and context, the largest first.

    Attributes:
        at_risk: What all of it loses at its stops.
        max_coin, max_sector: What each may come to; ``None`` where it is not limited.
    """

    quote: str
    equity: Decimal
    free_cash: Decimal
    exposure: Decimal
    max_exposure: Decimal
    at_risk: Decimal
    max_open_risk: Decimal | None
    coins: tuple[tuple[str, Decimal], ...]
    max_coin: Decimal
    sectors: tuple[tuple[str, Decimal], ...]
    max_sector: Decimal | None
    contexts: tuple[tuple[str, Decimal], ...]
