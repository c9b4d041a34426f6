"""The kernel as machine code: made by numba at the first call, kept on disk, and loaded from there afterwards.

The only module that knows numba, which is loaded when it is first asked for; chat and live never do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from inspect import getmembers, getsource, isfunction
from typing import Any

import numpy as np

from engine.risk import scalars as risk_scalars
from engine.simulation import intrabar, kernel, scalars, tapes
from engine.simulation.kernel import run
from engine.simulation.tapes import ACCOUNT, DAY, MARKET, SLOT, TRADE, Tape, Terms

_SOURCES = (risk_scalars, scalars, intrabar, kernel, tapes)
_UNCOUNTED: dict[str, Any] = {"_nrt": False, "forceinline": True}
"""The kernel allocates nothing, so numba need not count who holds its arrays: that took longer than the rest."""
Kernel = Callable[[Tape], None]


@cache
def compiled() -> Kernel:
    """``kernel.run``, compiled. Once on a machine that takes ten seconds, later on a fifth of one."""
    import numba
    from numba.extending import register_jitable

    for module in _SOURCES:
        for _, function in getmembers(module, isfunction):
            if function.__module__ == module.__name__:
                register_jitable(**_UNCOUNTED)(function)
    version = sha256("".join(map(getsource, _SOURCES)).encode()).hexdigest()
    made: Kernel = numba.njit(cache=True, **_UNCOUNTED)(_entry(version))
    made(_blank())
    return made


def _entry(version: str) -> Kernel:
    """What is compiled.

    numba looks at this file alone to see whether what it kept is still right. The version of all others is a part of
    the function, so that a change of theirs counts as well.
    """

    def entry(tape: Tape) -> None:
        _ = version
        run(tape)

    return entry


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
        said_ms=millis,
        entry=bools,
        exit=bools,
        confidence=floats,
        stop=floats,
        target=floats,
        markets=np.zeros(0, MARKET),
        slots=np.zeros(0, SLOT),
        account=np.zeros(1, ACCOUNT),
        trades=np.zeros(0, TRADE),
        days=np.zeros(0, DAY),
        levels=np.empty(0),
        sizes=np.empty(0),
    )
