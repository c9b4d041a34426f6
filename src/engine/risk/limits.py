"""The limits that entries are held to, and what a drawdown leaves of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo
from decimal import Decimal

from engine.domain.currencies import rounded
from engine.domain.figures import grouped
from engine.domain.hours import Hours
from engine.domain.positions import Portfolio
from engine.risk import scalars
from engine.risk.units import ppm_down, ppm_up

_MOST_PLACES = 12
"""After the point of a per cent, where what is told apart lies close together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimits:
    """What one context is held to beside the limits of the account, which they only tighten; ``None`` for nothing."""

    risk_per_trade: Decimal | None = None
    max_position: Decimal | None = None
    max_exposure: Decimal | None = None
    max_open_risk: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """The limits in force, as fractions: of equity where money is meant, of the price where prices are.

    Attributes:
        risk_per_trade: What one trade may lose at its stop.
        max_position: The largest value held of one coin, over all contexts.
        max_exposure: The largest value of everything held.
        max_drawdown: The step at which falls below the peak count: at each further one entries pause.
        drawdown_pause: How long such a pause lasts.
        recovery_size: What each such step leaves of the three sizes above, until drawdown is less than it again.
        max_total_drawdown: From this fall on there are no entries until an admin says so.
        max_spread: The widest spread traded into.
        max_price_gap: The farthest the book may be from the last close.
        max_slippage: The farthest the mean fill price may be from the best price.
        max_daily_volume: The largest value of an entry, as a fraction of what a day trades in its market.

    The following are ``None`` where they do not limit anything.

    Attributes:
        risk_per_day: What one trade may lose on a bad day, by the volatility of its market.
        max_open_risk: What everything open may lose together if each position is stopped.
        max_positions: How many positions may be open at once.
        max_sector: The largest value held of the coins of one sector.
        sectors: The coins of each sector, by its name.
        max_correlated: The largest value held of coins that move together with the one that is entered.
        correlated_above: From which correlation on coins do.
        max_var, max_cvar: What everything held may lose on a day: value at risk, and what lies beyond it, at 95 %.
        max_volatility: The volatility of a day from which on a market is not entered.
        max_fall: How far a price may have fallen within ``fall_within`` before its market is not entered.
        closed_hours: When nothing is entered, by the clocks of ``hours_zone``.
        max_losses: From how many losses in a row on a context enters nothing for ``losing_pause``.
        max_signals: How many times strategies may want to enter within ``signals_within`` before people have a look.
        max_silence: For how long nobody may answer anything before entries end.
        own: What contexts are held to beside these, by their names; see ``of``.
    """

    risk_per_trade: Decimal = Decimal("0.01")
    max_position: Decimal = Decimal("0.25")
    max_exposure: Decimal = Decimal("0.75")
    max_drawdown: Decimal = Decimal("0.10")
    drawdown_pause: timedelta = timedelta(hours=48)
    recovery_size: Decimal = Decimal("0.5")
    max_total_drawdown: Decimal = Decimal("0.25")
    max_spread: Decimal = Decimal("0.005")
    max_price_gap: Decimal = Decimal("0.02")
    max_slippage: Decimal = Decimal("0.005")
    max_daily_volume: Decimal | None = Decimal("0.01")
    risk_per_day: Decimal | None = None
    max_open_risk: Decimal | None = None
    max_positions: int | None = None
    max_sector: Decimal | None = None
    sectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    max_correlated: Decimal | None = None
    correlated_above: Decimal = Decimal("0.8")
    max_var: Decimal | None = None
    max_cvar: Decimal | None = None
    max_volatility: Decimal | None = None
    max_fall: Decimal | None = None
    fall_within: timedelta = timedelta(hours=1)
    closed_hours: tuple[Hours, ...] = ()
    hours_zone: tzinfo = UTC
    max_losses: int | None = None
    losing_pause: timedelta = timedelta(hours=24)
    max_signals: int | None = None
    signals_within: timedelta = timedelta(hours=1)
    max_silence: timedelta | None = None
    own: Mapping[str, OwnLimits] = field(default_factory=dict)

    def of(self, context: str) -> RiskLimits:
        """The limits that a context is held to: of the account's and its own the tighter ones."""
        own = self.own.get(context)
        if own is None:
            return self
        return replace(
            self,
            risk_per_trade=_tighter(self.risk_per_trade, own.risk_per_trade),
            max_position=_tighter(self.max_position, own.max_position),
            max_exposure=_tighter(self.max_exposure, own.max_exposure),
            max_open_risk=own.max_open_risk
            if self.max_open_risk is None
            else _tighter(self.max_open_risk, own.max_open_risk),
        )

    @property
    def live_only(self) -> tuple[str, ...]:
        """The limits in force that a backtest without the live cycle cannot tell, by their names."""
        names = ("risk_per_day", "max_correlated", "max_var", "max_cvar", "max_losses", "max_signals")
        return tuple(name for name in names if getattr(self, name) is not None)

    def sector_of(self, coin: str) -> str:
        """The sector of a coin; empty where it is of none."""
        return next((name for name, coins in self.sectors.items() if coin in coins), "")

    def steps(self, drawdown: Decimal) -> int:
        """How many times ``max_drawdown`` fits into a drawdown."""
        return scalars.steps(ppm_up(drawdown), ppm_down(self.max_drawdown))

    def size_at(self, drawdown: Decimal) -> Decimal:
        """What a drawdown leaves of the sizes of entries: ``recovery_size`` to the power of its steps."""
        return self.recovery_size ** self.steps(drawdown)

    def coin_limit(self, account: Portfolio) -> Decimal:
        """What one coin may be worth now, in the quote currency."""
        return self.max_position * self.size_at(account.drawdown) * account.equity

    def exposure_limit(self, account: Portfolio) -> Decimal:
        """What everything held may be worth now, in the quote currency."""
        return self.max_exposure * self.size_at(account.drawdown) * account.equity

    def pause_due(self, portfolio: Portfolio) -> bool:
        """Whether drawdown has reached a step further down than the one at which entries were last paused."""
        return self.steps(portfolio.drawdown) > self.steps(portfolio.paused_drawdown)

    def total_reached(self, portfolio: Portfolio) -> bool:
        """Whether only an admin lets entries go on."""
        return scalars.has_reached(ppm_up(portfolio.total_fall), ppm_down(self.max_total_drawdown))

    def recovered(self, portfolio: Portfolio) -> bool:
        """Whether so little of a drawdown is left that its first step counts again."""
        return scalars.has_recovered(ppm_up(portfolio.drawdown), ppm_down(self.max_drawdown))

    def pause_words(self, portfolio: Portfolio) -> str:
        """Why entries pause."""
        reached = self.steps(portfolio.drawdown) * self.max_drawdown
        return f"drawdown {portfolio.drawdown:.1%} has reached the limit of {reached:.1%}"

    def total_words(self, portfolio: Portfolio) -> str:
        """Why entries have ended."""
        if portfolio.total_from is None:
            return f"drawdown {portfolio.drawdown:.1%} has reached the total limit of {self.max_total_drawdown:.1%}"
        return (
            f"drawdown {portfolio.drawdown:.1%}: equity has fallen by the total limit of {self.max_total_drawdown:.1%} "
            f"from {in_words(portfolio.total_from, portfolio.quote)}, its highest since an admin let entries go on"
        )

    def share(self, usual: Decimal, account: Portfolio) -> Decimal:
        """What the drawdown leaves of a share of equity."""
        return usual * self.size_at(account.drawdown)

    def share_words(self, usual: Decimal, account: Portfolio) -> str:
        """The same in words, with what it was before."""
        share = self.share(usual, account)
        without = "" if share == usual else f" ({percent(usual)} without the drawdown of {account.drawdown:.1%})"
        return f"{percent(share)} of equity{without}"


def in_words(value: Decimal, currency: str) -> str:
    """An amount as people read it, rounded as is usual in its currency."""
    return grouped(rounded(value, currency))


def percent(share: Decimal) -> str:
    """A share in hundredths of a per cent; what is less than these with its first digit."""
    exact = 100 * share
    places = 2 if not exact or round(exact, 2) else -exact.adjusted()
    return f"{round(exact, places).normalize():f}%"


def apart(share: Decimal | float, limit: Decimal) -> tuple[str, str]:
    """A share beside a limit in hundredths of a per cent, or as exactly as it takes to tell one from the other."""
    exact = Decimal(repr(share)) if isinstance(share, float) else share
    places = next((some for some in range(2, _MOST_PLACES) if f"{exact:.{some}%}" != f"{limit:.{some}%}"), _MOST_PLACES)
    return f"{exact:.{places}%}", f"{limit:.{places}%}"


def _tighter(limit: Decimal, own: Decimal | None) -> Decimal:
    return limit if own is None else min(limit, own)
