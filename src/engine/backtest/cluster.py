"""Does a piece of work for many parameters on a cluster of Ray, as ``workers`` does it on the cores of one machine.

What is worked with is sent once to each process of the cluster. A piece whose process has ended is done again by
another. Every machine of the cluster needs this program, of the same version. Ray is loaded when somebody asks.
"""

from __future__ import annotations

import logging
import pickle
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib.abc import InspectLoader
from importlib.util import find_spec
from types import ModuleType, TracebackType
from typing import Any, Generic, Self, TypeVar

from engine.domain.errors import BadInput, GreenlightError
from engine.domain.extras import install
from engine.strategies.guarded import OWN_MODULE

Given = TypeVar("Given")
Found = TypeVar("Found")

_Source = tuple[str, str, str]
"""A module's name, its file, and what is in it."""

LOCAL = "local"
"""The address for a cluster of this machine alone, which ends with the work."""
_AGAIN = 3
"""How often a piece is done again whose process has ended."""
_AHEAD = 2
"""How many pieces there are under way for each processor."""
_MOST = 16
"""How much there is in a piece at most: a process that ends takes no more with it."""
_LISTENS_WITHIN = 5.0
_LOOK_UP = 0.2
"""Seconds after which it is seen whether to stop."""


class ClusterWorkers(Generic[Given, Found]):
    """Processes of a cluster that work side by side; this program leaves it with the block.

    Args:
        work: What is done with each thing that is given; it must be fit for pickle.
        address: Of the cluster, such as ``10.0.0.5:6379``, or ``local``.
        count: How many processors a local one has; ``None`` for all.

    Raises:
        BadInput: Ray is not installed, or nobody answers at the address.
    """

    def __init__(self, work: Callable[[Given], Found], address: str, count: int | None = None) -> None:
        if find_spec("ray") is None:
            raise BadInput("A cluster needs ray.", install("cluster"))
        import ray

        self._ray, self._address, self._count = ray, address, count
        self._packed, self._sources = ray.cloudpickle.dumps(work), _own_sources()

    def __enter__(self) -> Self:
        own: dict[str, Any] = {"num_cpus": self._count, "include_dashboard": False} if self._is_local else {}
        self._demand_somebody()
        try:
            self._ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise self._nobody(_line(error)) from None
        self._sent = self._ray.put(self._packed)
        self._do = self._ray.remote(_worked).options(max_retries=_AGAIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ray.shutdown()

    def _demand_somebody(self) -> None:
        """See that somebody listens there: Ray looks for minutes, and then ends the program."""
        host, _, port = self._address.rpartition(":")
        if self._is_local or not port.isdigit():
            return
        try:
            socket.create_connection((host, int(port)), _LISTENS_WITHIN).close()
        except OSError as error:
            raise self._nobody(error.strerror or str(error)) from None

    def _nobody(self, why: str) -> BadInput:
        return BadInput(f"There is no cluster at {self._address}: {why}.", "Begin one: ray start --head.")

    @property
    def _is_local(self) -> bool:
        return self._address == LOCAL

    def each(self, given: Sequence[Given], is_stopped: Callable[[], bool] = lambda: False) -> Iterator[list[Found]]:
        """Do it for all, in any order, and tell what came of it as soon as it is there.

        Args:
            given: Everything.
            is_stopped: Whether to stop: what is begun is finished, nothing else is begun.

        Raises:
            GreenlightError: One failed, or processes ended again and again.
        """
        processors = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        size = max(1, min(_MOST, len(given) // (processors * _AHEAD * 2)))
        pieces = [given[first : first + size] for first in range(0, len(given), size)]
        pieces.reverse()
        under_way: list[Any] = []
        while under_way or (pieces and not is_stopped()):
            while pieces and len(under_way) < processors * _AHEAD and not is_stopped():
                under_way.append(self._do.remote(self._sent, self._sources, pieces.pop()))
            ready, under_way = self._ray.wait(under_way, timeout=_LOOK_UP)
            for each in ready:
                yield self._received(each)

    def _received(self, each: Any) -> list[Found]:
        try:
            found: list[Found] | GreenlightError = self._ray.get(each)
        except self._ray.exceptions.RayError as error:
            raise GreenlightError(
                f"The cluster could not do it: {_line(error)}", "Every machine of it needs this program and its files."
            ) from None
        if isinstance(found, GreenlightError):
            raise found
        return found


def _own_sources() -> tuple[_Source, ...]:
    """The files of somebody's own strategies that this program has read: no other process can import them."""
    found = [(name, module) for name, module in tuple(sys.modules.items()) if name.startswith(OWN_MODULE)]
    return tuple(
        (name, module.__file__ or "", module.__spec__.loader.get_source(name) or "")
        for name, module in found
        if module.__spec__ is not None and isinstance(module.__spec__.loader, InspectLoader)
    )


def _read(name: str, file: str, source: str) -> None:
    """The same module, of the same source, in a process of the cluster."""
    if name in sys.modules:
        return
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module  # dataclasses and pydantic look up there what annotations mean
    exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102 - as whoever asks for it has it run here


def _worked(packed: bytes, sources: tuple[_Source, ...], piece: Sequence[Any]) -> list[Any] | GreenlightError:
    work = _unpacked(packed, sources)
    try:
        return [work(each) for each in piece]
    except GreenlightError as error:
        return GreenlightError(error.message, error.remedy)


@lru_cache(maxsize=1)
def _unpacked(packed: bytes, sources: tuple[_Source, ...]) -> Callable[[Any], Any]:
    """What is worked with, once in each process: what pieces have in common is made once there."""
    for each in sources:
        _read(*each)
    found: Callable[[Any], Any] = pickle.loads(packed)  # noqa: S301 - sent by this program to its own cluster
    return found


def _line(error: BaseException) -> str:
    """What went wrong, in the last line of what is told of it."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
