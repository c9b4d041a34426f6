"""How the account stands against its risk limits, for those who look. Reads only, each answer from one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import TypeVar

from engine.domain.market import Listing, Timeframe
from engine.domain.positions import Buying, Portfolio, Position
from engine.domain.results import AtWork
from engine.domain.risk_stats import RiskStats
from engine.domain.risk_views import ExposureReport, RiskReport, Tail, Use, VarMarket, VarReport
from engine.domain.slippage import mean_slippage
from engine.execution.streaks import losses_of
from engine.inputs.stats import KeptStats
from engine.ports import Clock, MarketDataAt
from engine.risk.limits import RiskLimits
from engine.risk.metrics import correlation, realised_volatility
from engine.risk.portfolio_risk import PortfolioRisk, risk_of, values_of, with_entry
from engine.store.database import DatabaseReader
from engine.store.unit_of_work import UnitOfWork
from engine.views.prices import prices_of_held

T = TypeVar("T")
_NOTHING = Decimal(0)
_SLIPPAGE_OF = 100
"""So many of the newest orders are told of."""
_OPTIONAL = (
    "max_open_risk",
    "max_sector",
    "max_correlated",
    "max_var",
    "max_cvar",
    "max_positions",
    "max_volatility",
    "max_fall",
    "max_losses",
    "max_signals",
    "max_silence",
    "risk_per_day",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReports:
    """The figures of risk, at the prices of now.

    Attributes:
        at_work: The strategies, in the order they were configured.
        limits: Those in force.
        stats: How each market has moved of late, as the last cycle saw it.
    """

    store: DatabaseReader
    market_data: MarketDataAt
    clock: Clock
    at_work: Sequence[AtWork]
    limits: RiskLimits
    stats: KeptStats

    async def risk(self) -> RiskReport:
        """Every limit, and how much of it is used."""
        return await self._with_account(self._risk)

    async def var(self) -> VarReport:
        """What everything held may lose on a day."""
        return await self._with_account(lambda uow, account: self._var(uow.account.quote, account))

    async def exposure(self) -> ExposureReport:
        """What is held, by coin, sector and context."""
        return await self._with_account(self._exposure)

    async def _with_account(self, work: Callable[[UnitOfWork, Portfolio], T]) -> T:
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: work(uow, uow.account.portfolio().valued(prices)))

    def _risk(self, uow: UnitOfWork, account: Portfolio) -> RiskReport:
        limits, tail = self.limits, self._var(uow.account.quote, account)
        standing = uow.halts.open()
        streaks = {each.name: losses_of(uow, each.name).count for each in self.at_work}
        equity = account.equity
        return RiskReport(
            quote=uow.account.quote,
            equity=equity,
            state=uow.trading_states.current(),
            halts=standing,
            drawdown=account.drawdown,
            size=limits.size_at(account.drawdown),
            risk_per_trade=limits.share(limits.risk_per_trade, account),
            shares=(
                Use(name="max_drawdown", used=account.drawdown, limit=limits.max_drawdown),
                Use(name="max_total_drawdown", used=account.total_fall, limit=limits.max_total_drawdown),
                Use(
                    name="max_exposure",
                    used=_of(account.exposure, equity),
                    limit=limits.share(limits.max_exposure, account),
                ),
                Use(
                    name="max_position",
                    used=_largest(_coins(account), equity),
                    limit=limits.share(limits.max_position, account),
                ),
                Use(name="max_open_risk", used=_of(account.at_risk, equity), limit=limits.max_open_risk),
                Use(name="max_sector", used=_largest(self._sectors(account), equity), limit=limits.max_sector),
                Use(name="max_var", used=_decimal(tail.var.value), limit=limits.max_var),
                Use(name="max_cvar", used=_decimal(tail.cvar.value), limit=limits.max_cvar),
            ),
            positions=len({(each.context, each.symbol) for each in _all(account)}),
            max_positions=limits.max_positions,
            streaks={name: losses for name, losses in streaks.items() if losses},
            max_losses=limits.max_losses,
            off=tuple(name for name in _OPTIONAL if getattr(limits, name) is None),
            volatility=self._volatilities(),
            slippage=mean_slippage(uow.orders.newest(_SLIPPAGE_OF)),
        )

    def _exposure(self, uow: UnitOfWork, account: Portfolio) -> ExposureReport:
        limits, equity = self.limits, account.equity
        return ExposureReport(
            quote=uow.account.quote,
            equity=equity,
            free_cash=account.free_cash,
            exposure=account.exposure,
            max_exposure=limits.exposure_limit(account),
            at_risk=account.at_risk,
            max_open_risk=None if limits.max_open_risk is None else limits.max_open_risk * equity,
            coins=_ranked(_coins(account)),
            max_coin=limits.coin_limit(account),
            sectors=_ranked(self._sectors(account)),
            max_sector=None if limits.max_sector is None else limits.max_sector * equity,
            contexts=_ranked(_by(account, lambda each: each.context)),
        )

    def _sectors(self, account: Portfolio) -> Mapping[str, Decimal]:
        found = _by(account, lambda each: self.limits.sector_of(each.symbol.partition("/")[0]))
        return {name: value for name, value in found.items() if name}

    def _var(self, quote: str, account: Portfolio) -> VarReport:
        values = values_of(account)
        stats = self._told_by(values)
        risk = risk_of(account, stats) if stats is not None and account.equity > 0 else None
        unknown = risk.unknown if risk is not None else ", ".join(sorted(values))
        return VarReport(
            quote=quote,
            equity=account.equity,
            exposure=account.exposure,
            timeframe=str(stats.timeframe) if stats else "",
            candles=len(stats.returns) if stats else 0,
            as_of=stats.as_of if stats else None,
            var=Tail(
                historical=risk.var_historical if risk else None,
                cornish_fisher=risk.var_cornish_fisher if risk else None,
                value=(risk.var if risk else None) if values else 0.0,
                limit=self.limits.max_var,
            ),
            cvar=Tail(
                historical=risk.cvar_historical if risk else None,
                cornish_fisher=risk.cvar_cornish_fisher if risk else None,
                value=(risk.cvar if risk else None) if values else 0.0,
                limit=self.limits.max_cvar,
            ),
            unknown=unknown,
            markets=tuple(_alone(symbol, value, risk) for symbol, value in _ranked(values)),
            correlations=_correlations(values, risk),
        )

    def _volatilities(self) -> tuple[tuple[str, float], ...]:
        """How much each traded market moves on a day, by the candles that it was last decided on."""
        found: dict[str, float] = {}
        for each in self.at_work:
            for symbol in each.markets:
                stats = self.stats.last(Listing(each.venue, symbol), Timeframe(each.timeframe))
                if stats is not None and stats.volatility is not None and not stats.is_stale(self.clock.now()):
                    found[symbol] = stats.volatility
        return tuple(sorted(found.items()))

    def _told_by(self, held: Mapping[str, Decimal]) -> RiskStats | None:
        """The figures of which the most of what is held is known on the same candles; of several the shortest ones."""
        traded = [
            (Listing(each.venue, symbol), Timeframe(each.timeframe)) for each in self.at_work for symbol in each.markets
        ]
        now = self.clock.now()
        known = [
            stats for each in dict.fromkeys(traded) if (stats := self.stats.last(*each)) and not stats.is_stale(now)
        ]

        def missing(stats: RiskStats) -> tuple[int, object]:
            return len(set(held) - {stats.symbol, *stats.others}), stats.timeframe.duration

        return min(known, key=missing, default=None)


def _alone(symbol: str, value: Decimal, risk: PortfolioRisk | None) -> VarMarket:
    returns = risk.returns.get(symbol) if risk is not None else None
    if risk is None or returns is None:
        return VarMarket(symbol=symbol, value=value, var=None, volatility=None)
    own = with_entry(risk.emptied, symbol, value)
    candles_a_day = risk.to_a_day**2
    return VarMarket(symbol=symbol, value=value, var=own.var, volatility=realised_volatility(returns, candles_a_day))


def _correlations(values: Mapping[str, Decimal], risk: PortfolioRisk | None) -> tuple[tuple[str, str, float], ...]:
    known = risk.returns if risk is not None else {}
    pairs = combinations(sorted(symbol for symbol in values if symbol in known), 2)
    found = [
        (one, other, value) for one, other in pairs if (value := correlation(known[one], known[other])) is not None
    ]
    return tuple(sorted(found, key=lambda each: -each[2]))


def _all(account: Portfolio) -> Iterable[Position | Buying]:
    return (*account.positions, *account.buying)


def _coins(account: Portfolio) -> Mapping[str, Decimal]:
    return _by(account, lambda each: each.symbol.partition("/")[0])


def _by(account: Portfolio, named: Callable[[Position | Buying], str]) -> Mapping[str, Decimal]:
    """What is held or being bought, by what it is called."""
    values: defaultdict[str, Decimal] = defaultdict(Decimal)
    for held in account.positions:
        values[named(held)] += held.notional(account.mark(held))
    for order in account.buying:
        values[named(order)] += order.value
    return dict(values)


def _ranked(values: Mapping[str, Decimal]) -> tuple[tuple[str, Decimal], ...]:
    return tuple(sorted(values.items(), key=lambda each: (-each[1], each[0])))


def _largest(values: Mapping[str, Decimal], equity: Decimal) -> Decimal | None:
    return _of(max(values.values(), default=_NOTHING), equity)


def _of(amount: Decimal, equity: Decimal) -> Decimal | None:
    return amount / equity if equity > 0 else None


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))
