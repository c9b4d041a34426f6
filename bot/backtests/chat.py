"""Backtests that people ask for in chat: on the candles the running bot knows, in a process of their own.

words ─▶ a context of the profile, or a strategy as it comes ─▶ candles of its venue ─▶ SideProcess ─▶ Card
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

import numpy as np

from bot.backtests.asked import Asked, Known
from bot.backtests.setups import alone, setup_of
from bot.strategies.registry import STRATEGIES, strategy_of
from bot.venues import venue_of
from config.contexts import ContextSettings
from config.settings import Settings
from engine.domain.errors import BadInput, GreenlightError
from engine.domain.market import Candles, Market, names_of
from engine.domain.messages import Card
from engine.ports import Clock, MarketDataAt, Strategy, market_data_of
from engine.support.side_process import SideProcess
from handlers.cards import wording

WITHIN = 120.0
"""Wall seconds that a backtest may take: the first one on a machine compiles the kernel."""
_FIRST = "The first one of a new version compiles its loop, which may take half a minute; later ones take seconds."
_LEAST = timedelta(seconds=1)
_SEED = 1
_SHOWN = 30
"""Characters that are shown of what is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What the process is given: all of it can be pickled."""

    settings: Settings
    asked: Asked
    known: Known
    days: int
    at: datetime
    zone: ZoneInfo


class ChatBacktests:
    """Runs one backtest at a time.

    Args:
        settings: Where contexts, costs and limits stand.
        market_data: Where candles come from.
        clock: Market time, at which the candles end.
        wall: Wall time, which the register of trials has.
        zone: Whose clock the picture has.
    """

    def __init__(
        self,
        settings: Settings,
        market_data: MarketDataAt,
        clock: Clock,
        wall: Callable[[], datetime],
        zone: ZoneInfo,
    ) -> None:
        self.settings = settings
        self._market_data = market_data
        self._clock = clock
        self._wall = wall
        self._zone = zone
        self._aside = SideProcess(WITHIN)
        self._took: timedelta | None = None

    @property
    def busy(self) -> bool:
        """Whether one is running."""
        return self._aside.busy

    async def card(self, strategy: str, market: str, days: int) -> Card:
        """What trading a market for the last days would have come to.

        Args:
            strategy: The name of a context, which trades as the profile says, or of a strategy as it comes.
            market: As people write it.
            days: How many; fewer where the candles do not reach as far back.

        Raises:
            BadInput: There is no such strategy or market; the nearest is named.
            GreenlightError: Another one is running, it cannot be run, or it took too long.
        """
        if self.busy:
            raise GreenlightError("Another backtest is running.", "Ask again when it has answered.")
        context = self._context(strategy, market)
        (symbol,) = context.markets
        candles, traded = await self._candles(context, days)
        order = _Order(
            settings=self.settings.model_copy(update={"contexts": (context,)}),
            asked=Asked(symbols=(symbol,), start=self._clock.now() - timedelta(days=days)),
            known=Known(candles={symbol: candles}, markets={symbol: traded}),
            days=days,
            at=self._wall(),
            zone=self._zone,
        )
        begun = self._wall()
        try:
            card = await self._aside.do(_run, order)
        except TimeoutError:
            raise GreenlightError("The backtest took too long.", "Ask for fewer days.") from None
        if card is None:
            raise GreenlightError("The backtest came to no end.", "Try again in a minute.")
        self._took = max(_LEAST, self._wall() - begun)
        return card

    def begun(self, strategy: str, market: str, days: int) -> Card | None:
        """What is said at once: how long it may take, for the first one since the start may have to compile.

        Nothing while another one is running, for then this one will be refused.

        Raises:
            BadInput: As ``card``.
        """
        if self.busy:
            return None
        (symbol,) = self._context(strategy, market).markets
        takes = _FIRST if self._took is None else f"The last one took {wording.span(self._took)}."
        title = f"Backtest of {strategy} on {symbol} has begun"
        return Card(title=title, text=f"{wording.count(days, 'day')}. {takes}")

    def close(self) -> None:
        """Give up what is being run."""
        self._aside.close()

    def _context(self, strategy: str, market: str) -> ContextSettings:
        """The context that is meant, on the one market: one by its name, else one of that strategy, else a new one."""
        contexts = self.settings.contexts
        meant = [each for each in contexts if each.name == strategy]
        meant = meant or [each for each in contexts if each.strategy == strategy]
        if not meant and strategy not in STRATEGIES:  # never a file: what a chat says is no code
            names = tuple(dict.fromkeys((*(each.name for each in contexts), *STRATEGIES)))
            near = get_close_matches(strategy, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
            raise BadInput(f"There is no strategy {strategy[:_SHOWN]}.", hint)
        venue, symbol = self._market(market)
        here = [each for each in contexts if symbol in each.markets]
        if meant:
            there = next((each for each in meant if each in here), meant[0])
            return there.model_copy(update={"markets": (symbol,), "exchange": venue})
        timeframe = here[0].timeframe
        return alone(strategy, (), (symbol,), timeframe).model_copy(update={"exchange": venue})

    def _market(self, market: str) -> tuple[str, str]:
        """The venue and the market that somebody means, of those that are traded."""
        traded = {symbol: each for each in self.settings.contexts for symbol in each.markets}
        found = [symbol for symbol in traded if market in names_of(symbol)]
        if len(found) != 1:
            near = get_close_matches(market, [name for symbol in traded for name in names_of(symbol)], n=1)
            hint = f"Did you mean {near[0]}?" if near and not found else f"There are {', '.join(found or traded)}."
            raise BadInput(f"{market[:_SHOWN]} {'may be several' if found else 'is not traded here'}.", hint)
        return venue_of(self.settings, traded[found[0]]), found[0]

    async def _candles(self, context: ContextSettings, days: int) -> tuple[Candles, Market]:
        """The candles of the time, and before it what the indicators remember."""
        (symbol,) = context.markets
        data = market_data_of(self._market_data, venue_of(self.settings, context))
        wanted = timedelta(days=days) + _memory(strategy_of(context, "contexts"))
        candles = await data.candles(symbol, context.timeframe, int(wanted / context.timeframe.duration) + 1)
        return candles, data.market(symbol)


def _memory(strategy: Strategy) -> timedelta:
    """How far back a strategy looks."""
    return max(strategy.history * timeframe.duration for timeframe in strategy.timeframes)


def _run(order: _Order) -> Card:
    """What the process does."""
    from engine.backtest.kernel_run import backtest
    from engine.backtest.look_ahead import refuse_peeking
    from engine.backtest.registry import TrialRegistry
    from engine.backtest.report import report_of
    from handlers.backtests.card import card

    setup = setup_of(order.asked, order.settings, order.known)
    refuse_peeking(setup)
    registry = TrialRegistry(file=order.settings.backtest.trials)
    report = report_of(setup, backtest(setup), registry, at=order.at, rng=np.random.default_rng(_SEED))
    return card(report, order.days, order.zone)
