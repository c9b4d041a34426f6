"""Where a policy is trained: many backtests side by side, in each of which it has its say on every entry.

    reset ─▶ observations ─▶ actions ─▶ step ─▶ observations, rewards, which have ended

A step is a decision, from one entry that a strategy wants to the next; in between the kernel trades by the very rules
of a backtest (``simulation.episodes``), so that an episode with the same actions is that backtest, to the cent. Each
episode is a stretch of the time that the candles tell of, with costs drawn anew: an ended one begins another at once,
or stays as it is for who asks what it came to.
Pure numpy over the compiled kernel; chance comes from the generator that is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.learning.features import AccountFigures, Shares, Voices, observations
from engine.learning.policy import ActionBounds, adjustments
from engine.learning.reward import RewardKind, RewardTerms
from engine.learning.splits import Stretch
from engine.simulation.compiled import compiled_episodes
from engine.simulation.episodes import EPISODE, Episodes
from engine.simulation.tapes import DAY_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.columns import Bools
    from engine.domain.market import Floats
    from engine.simulation.tapes import Tape

    Rows = NDArray[np.int64]

_PPM = 1e6
_EVEN = 1e-4
"""The least deviation that a differential Sharpe ratio is held against."""
_TRIES = 20
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomising:
    """How costs differ from episode to episode: each is multiplied by something between two bounds.

    Attributes:
        fee: Of the fee.
        slippage: Of the distances of the book's levels. Orders that are longer under way find a book that has moved:
            ``latency`` widens its first level by so many times the typical move of a candle, at most.
    """

    fee: tuple[float, float] = (0.5, 2.0)
    slippage: tuple[float, float] = (0.5, 3.0)
    latency: float = 0.05


NO_CHANCE = Randomising(fee=(1.0, 1.0), slippage=(1.0, 1.0), latency=0.0)
"""Costs as they are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """What episodes go over.

    Attributes:
        tape: All candles, and what is said of them; a run with risk limits that trades at the next open.
        market: ``float64[n, 6]``, the figures of the market at each close that something is said of, of those with an
            entry (``features.market_figures``).
        correlations: ``float64[n, markets]``.
        shares: The limits that observations are held against.
        cash: What each episode begins with.
    """

    tape: Tape
    market: Floats
    correlations: Floats
    shares: Shares
    cash: float


class Step(NamedTuple):
    """What came of a step.

    Attributes:
        observations: ``float64[n, 17]``, of the next entries; where an episode has ended, of the first of another one,
            if another one begins.
        rewards: ``float64[n]``.
        ended: ``bool[n]``.
        growth: ``float64[n]``, the logarithm of what equity was multiplied by.
    """

    observations: Floats
    rewards: Floats
    ended: Bools
    growth: Floats


@dataclass(slots=True, kw_only=True, eq=False)
class TradingEnv:
    """Episodes side by side.

    Attributes:
        parts: The time that they lie in, each in one part of it.
        length_ms: How long each lasts; longer than the shortest part for as long as that.
        count: How many there are.
        begins_anew: Whether another one begins where one has ended.
    """

    ground: Ground
    parts: tuple[Stretch, ...]
    length_ms: int
    count: int
    rng: np.random.Generator
    begins_anew: bool = True
    bounds: ActionBounds = field(default_factory=ActionBounds)
    reward: RewardTerms = field(default_factory=RewardTerms)
    chance: Randomising = field(default_factory=Randomising)
    _all: Episodes = field(init=False)
    _before: Floats = field(init=False)
    _deepest: Floats = field(init=False)
    _mean: Floats = field(init=False)
    _square: Floats = field(init=False)
    _typical_move: float = field(init=False)

    def __post_init__(self) -> None:
        tape, count, span = self.ground.tape, self.count, self._span
        entries = max(1, int(np.count_nonzero(tape.entry)))
        self._all = Episodes(
            tape=tape,
            fee=np.zeros(count),
            first=np.zeros(count, dtype=np.int64),
            step=np.zeros(count, dtype=np.int64),
            markets=np.tile(tape.markets, (count, 1)),
            slots=np.tile(tape.slots, (count, 1)),
            account=np.tile(tape.account, (count, 1)),
            trades=np.zeros((count, self._most_trades(span, entries)), tape.trades.dtype),
            days=np.zeros((count, span // DAY_MS + 3), tape.days.dtype),
            correlations=self.ground.correlations,
            episodes=np.zeros(count, EPISODE),
        )
        self._before, self._deepest = np.zeros(count), np.zeros(count)
        self._mean, self._square = np.zeros(count), np.zeros(count)
        self._typical_move = _typical_move(self.ground.market[:, -1])

    def reset(self) -> Floats:
        """Begin all of them anew: ``float64[n, 17]``, the observations of their first entries."""
        self._begin(np.arange(self.count))
        return self._observations()

    def step(self, actions: Floats) -> Step:
        """Have each entry adjusted, and go on to the next.

        Args:
            actions: ``float[n, 3]`` in [-1, 1]; see ``policy.adjustments``.
        """
        return self.step_by(adjustments(actions, self.bounds))

    def step_by(self, wanted: Floats) -> Step:
        """The same by what is made of each entry, ``float64[n, 3]`` as ``policy.adjustments`` has it."""
        self._take(wanted)
        compiled_episodes()(self._all, np.arange(self.count))
        equity, ended = self._all.episodes["equity"], self._all.episodes["done"].copy()
        growth = np.log(np.maximum(equity, _LEAST) / self._before)
        rewards = self._rewards(growth)
        self._before[:] = equity
        if self.begins_anew and ended.any():
            self._begin(np.flatnonzero(ended))
        return Step(self._observations(), rewards, ended, growth)

    def ended_equity(self, number: int) -> Floats:
        """``float64[days]``: equity at the end of each day of an episode that has ended and stays, and at its end."""
        days = self._all.days[number, : self._all.account[number, 0]["days"]]["equity"]
        found: Floats = np.append(days, self._all.episodes["equity"][number])
        return found

    def ended_trades(self, number: int) -> int:
        """How many trades such an episode had, those that were still held among them."""
        held = int(np.count_nonzero(self._all.slots["lots"][number] > 0))
        return int(self._all.account[number, 0]["trades"]) + held

    def ended_won(self, number: int) -> int:
        """How many of those that were closed had a gain."""
        trades = self._all.trades[number, : int(self._all.account[number, 0]["trades"])]
        markets = self.ground.tape.markets[self.ground.tape.slots["market"][trades["slot"]]]
        quantity = trades["lots"] * markets["grain"] / markets["tick"]
        return int(np.count_nonzero(quantity * (trades["exit"] - trades["entry"]) > trades["fees"]))

    def _take(self, wanted: Floats) -> None:
        rows, slots = np.arange(self.count), self._all.episodes["slot"]
        for column, name in enumerate(("scale", "shift", "stop_share")):
            self._all.slots[name][rows, slots] = wanted[:, column]

    def _rewards(self, growth: Floats) -> Floats:
        terms = self.reward
        fall = self._all.episodes["fall"] / _PPM
        deeper = np.maximum(fall - self._deepest, 0.0)
        np.maximum(self._deepest, fall, out=self._deepest)
        beyond = np.maximum(-growth - terms.breach_from, 0.0)
        worth = 100 * growth if terms.kind is RewardKind.GROWTH else self._differential(growth)
        return worth - 100 * (terms.drawdown * deeper + terms.breach * beyond)

    def _differential(self, growth: Floats) -> Floats:
        """(B dA - A dB / 2) / (B - A^2)^1.5, with the moving means A of the growth and B of its square."""
        of_mean, of_square = growth - self._mean, growth**2 - self._square
        variance = np.maximum(self._square - self._mean**2, _EVEN**2)
        found = (self._square * of_mean - self._mean * of_square / 2) / variance**1.5
        self._mean += self.reward.decay * of_mean
        self._square += self.reward.decay * of_square
        return np.clip(found, -10.0, 10.0)

    def _observations(self) -> Floats:
        found = self._all.episodes
        equity, rows = np.maximum(found["equity"], _LEAST), found["row"]
        account = AccountFigures(
            drawdown=found["fall"] / _PPM,
            coin=found["coin"] / equity,
            gross=found["gross"] / equity,
            correlation=found["correlation"],
            streak=found["streak"].astype(np.float64),
            idle=found["idle"],
        )
        none = np.zeros(self.count)
        voices = Voices(confidence=self.ground.tape.confidence[rows], sentiment=none, outlook=none)
        return observations(self.ground.market[rows], account, voices, self.ground.shares)

    def _begin(self, which: Rows) -> None:
        """Begin some anew, and go on to their first entry; a stretch without any is drawn again.

        Raises:
            ValueError: There is no entry in all of the time.
        """
        for _ in range(_TRIES):
            self._draw(which)
            compiled_episodes()(self._all, which)
            which = which[self._all.episodes["done"][which]]
            if not len(which):
                return
        raise ValueError("There are too few entries to train on.")

    def _draw(self, which: Rows) -> None:
        """Set some to the beginning of a stretch of their own."""
        tape, all_, span = self.ground.tape, self._all, self._span
        begins = self._draw_begins(len(which))
        self._draw_costs(which)
        for m, market in enumerate(tape.markets):
            opens = tape.open_ms[market["first"] : market["end"]]
            first = market["first"] + opens.searchsorted(begins)
            all_.markets["first"][which, m] = all_.markets["row"][which, m] = first
            all_.markets["end"][which, m] = market["first"] + opens.searchsorted(begins + span)
            if market["begins"] >= 0:
                all_.markets["begins"][which, m] = market["begins"] + (first - market["first"]) * market["span"]
        all_.slots[which] = tape.slots
        for k, slot in enumerate(tape.slots):
            said = tape.said_ms[slot["first"] : slot["end"]]
            turn = slot["first"] + said.searchsorted(begins - slot["span"])
            all_.slots["turn"][which, k] = np.maximum(turn, slot["turn"])
        all_.account[which] = tape.account
        all_.account["cash"][which] = all_.account["peak"][which] = self.ground.cash
        all_.episodes[which] = np.zeros(1, EPISODE)
        all_.episodes["now"][which] = all_.episodes["slot"][which] = -1
        self._before[which] = self.ground.cash
        self._deepest[which] = self._mean[which] = self._square[which] = 0.0

    def _draw_begins(self, count: int) -> Rows:
        """Where so many stretches begin: each moment from which one is left in a part is as likely as any other."""
        firsts = np.array([each.begin_ms for each in self.parts])
        rooms = np.array([each.end_ms - each.begin_ms - self._span for each in self.parts])
        ends = np.cumsum(rooms)
        drawn = (self.rng.random(count) * ends[-1]).astype(np.int64)
        part = np.minimum(ends.searchsorted(drawn, side="right"), len(ends) - 1)
        begins: Rows = firsts[part] + drawn - (ends - rooms)[part]
        return begins

    @property
    def _span(self) -> int:
        """How long an episode lasts."""
        return min(self.length_ms, *(each.end_ms - each.begin_ms for each in self.parts))

    def _draw_costs(self, which: Rows) -> None:
        terms, chance, count = self.ground.tape.terms, self.chance, len(which)
        wider = self.rng.uniform(*chance.slippage, count)
        late = self.rng.uniform(0.0, chance.latency, count) * self._typical_move
        self._all.fee[which] = terms.fee * self.rng.uniform(*chance.fee, count)
        self._all.first[which] = np.round(terms.first * wider + terms.whole * late).astype(np.int64)
        self._all.step[which] = np.round(terms.step * wider).astype(np.int64)

    def _most_trades(self, span: int, entries: int) -> int:
        """How many trades an episode may have: no more than there are entries, nor candles in it."""
        shortest = min(int(slot["span"]) for slot in self.ground.tape.slots)
        return min(entries, len(self.ground.tape.slots) * (span // shortest + 2))


def _typical_move(atr: Floats) -> float:
    """The mean true range of a candle that is entered at, as a fraction of its close."""
    known = atr[np.isfinite(atr)]
    return float(known.mean()) if len(known) else 0.0
