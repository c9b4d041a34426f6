"""The kernel, and what sums a run up, as machine code.

numba makes it at the first call and keeps it on disk, from where it is loaded afterwards. The only module that knows
numba, which is loaded when it is first asked for; chat and live never do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from inspect import getmembers, getsource, isfunction
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis import flags
from engine.domain.columns import Crossing
from engine.risk import scalars as risk_scalars
from engine.simulation import (
    crossings,
    episodes,
    intrabar,
    kernel,
    kernel_account,
    kernel_fills,
    kernel_sizing,
    kernel_time,
    scalars,
    summary,
    tapes,
)
from engine.simulation.crossings import mark_crossing
from engine.simulation.episodes import EPISODE, Episodes, advance_all
from engine.simulation.kernel import run
from engine.simulation.summary import SUMMARY, summarize
from engine.simulation.tapes import ACCOUNT, DAY, MARKET, SLOT, TRADE, Tape, Terms

if TYPE_CHECKING:
    from engine.domain.columns import Bools
    from engine.domain.market import Floats, Millis
    from engine.simulation.tapes import Table

_KERNEL = (
    risk_scalars,
    scalars,
    intrabar,
    kernel_time,
    kernel_account,
    kernel_sizing,
    kernel_fills,
    kernel,
    tapes,
)
_SUMMARY = (summary, tapes)
_EPISODES = (*_KERNEL, episodes)
_UNCOUNTED: dict[str, Any] = {"_nrt": False, "forceinline": True}
"""They allocate nothing, so numba need not count who holds their arrays: that took longer than the rest."""
Kernel = Callable[[Tape], None]
Summarize = Callable[[Tape, float, "Floats", "Floats", "Table"], None]
AdvanceAll = Callable[[Episodes, "Millis"], None]
MarkCrossing = Callable[["Floats", "Floats", "Bools", "Bools"], None]


@cache
def compiled() -> Kernel:
    """``kernel.run``, compiled. Once on a machine that takes ten seconds, later on a fifth of one."""
    made: Kernel = _made(_entry(_version(_KERNEL)), _KERNEL)
    made(_blank())
    return made


@cache
def compiled_summary() -> Summarize:
    """``summary.summarize``, compiled, of a table of one row. Once on a machine that takes two seconds."""
    made: Summarize = _made(_summary_entry(_version(_SUMMARY)), _SUMMARY)
    made(_blank(), 1.0, np.empty(0), np.empty(2), np.zeros(1, SUMMARY))
    return made


@cache
def compiled_episodes() -> AdvanceAll:
    """``episodes.advance_all``, compiled. Once on a machine that takes half a minute."""
    made: AdvanceAll = _made(_episodes_entry(_version(_EPISODES)), _EPISODES)
    made(_no_episodes(), np.empty(0, dtype=np.int64))
    return made


@cache
def compiled_crossing() -> MarkCrossing:
    """``crossings.mark_crossing``, compiled. Once on a machine that takes a second."""
    made: MarkCrossing = _made(_crossing_entry(_version((crossings, flags))), (crossings,))
    floats = np.empty(0)
    floats.setflags(write=False)
    made(floats, floats, np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.bool_))
    return made


def cross(fast: Floats, slow: Floats) -> Crossing:
    """As ``analysis.flags.crossing``, by compiled code, of means that are read-only."""
    rose, below = np.empty(len(slow), dtype=np.bool_), np.empty(len(slow), dtype=np.bool_)
    compiled_crossing()(fast, slow, rose, below)
    return Crossing(rose=rose, below=below)


def _made(entry: Callable[..., None], sources: tuple[ModuleType, ...]) -> Any:
    import numba

    for module in sources:
        _register(module)
    return numba.njit(cache=True, **_UNCOUNTED)(entry)


@cache
def _register(module: ModuleType) -> None:
    """Let what is compiled call the functions of a module."""
    from numba.extending import register_jitable

    for _, function in getmembers(module, isfunction):
        if function.__module__ == module.__name__:
            register_jitable(**_UNCOUNTED)(function)


def _version(sources: tuple[ModuleType, ...]) -> str:
    """Of what is compiled.

    numba looks at this file alone to see whether what it kept is still right. The version of all others is a part of
    the function, so that a change of theirs counts as well.
    """
    return sha256("".join(map(getsource, sources)).encode()).hexdigest()


def _entry(version: str) -> Kernel:
    def entry(tape: Tape) -> None:
        _ = version
        run(tape)

    return entry


def _summary_entry(version: str) -> Summarize:
    def summary_entry(tape: Tape, cash: float, lots: Floats, curve: Floats, summary: Table) -> None:
        _ = version
        summarize(tape, cash, lots, curve, summary[0])

    return summary_entry


def _episodes_entry(version: str) -> AdvanceAll:
    def episodes_entry(all_: Episodes, which: Millis) -> None:
        _ = version
        advance_all(all_, which)

    return episodes_entry


def _crossing_entry(version: str) -> MarkCrossing:
    def crossing_entry(fast: Floats, slow: Floats, rose: Bools, below: Bools) -> None:
        _ = version
        mark_crossing(fast, slow, rose, below)

    return crossing_entry


def _no_episodes() -> Episodes:
    """No episodes, to have ``advance_all`` compiled by."""
    floats, numbers = np.empty(0), np.empty(0, dtype=np.int64)
    return Episodes(
        tape=_blank(),
        fee=floats,
        first=numbers,
        step=numbers,
        markets=np.zeros((0, 0), MARKET),
        slots=np.zeros((0, 0), SLOT),
        account=np.zeros((0, 1), ACCOUNT),
        trades=np.zeros((0, 0), TRADE),
        days=np.zeros((0, 0), DAY),
        correlations=np.empty((0, 0)),
        episodes=np.zeros(0, EPISODE),
    )


def _blank() -> Tape:
    """A tape with nothing on it, to have the kernel compiled by."""
    floats, millis, bools = np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    for column in (floats, millis, bools):
        column.setflags(write=False)
    return Tape(
        terms=Terms(bare=True, at_close=False, worst=False, size=0.0, fee=0.0),
        open_ms=millis,
        open=floats,
        high=floats,
        low=floats,
        close=floats,
        offered=floats,
        day_close=floats,
        said_ms=millis,
        entry=bools,
        exit=bools,
        confidence=floats,
        stop=floats,
        target=floats,
        traded=floats,
        markets=np.zeros(0, MARKET),
        slots=np.zeros(0, SLOT),
        account=np.zeros(1, ACCOUNT),
        trades=np.zeros(0, TRADE),
        days=np.zeros(0, DAY),
        levels=np.empty(0),
        sizes=np.empty(0),
        adjusted=np.empty((0, 3)),
    )
