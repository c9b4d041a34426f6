"""The limits that entries are held to, and what a drawdown leaves of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from engine.domain.currencies import rounded
from engine.domain.figures import grouped
from engine.domain.positions import Portfolio
from engine.risk import scalars
from engine.risk.units import ppm_down, ppm_up


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
        without = "" if share == usual else f" ({_percent(usual)} without the drawdown of {account.drawdown:.1%})"
        return f"{_percent(share)} of equity{without}"


def in_words(value: Decimal, currency: str) -> str:
    """An amount as people read it, rounded as is usual in its currency."""
    return grouped(rounded(value, currency))


def _percent(share: Decimal) -> str:
    """A share in hundredths of a per cent; what is less than these with its first digit."""
    exact = 100 * share
    places = 2 if not exact or round(exact, 2) else -exact.adjusted()
    return f"{round(exact, places).normalize():f}%"
