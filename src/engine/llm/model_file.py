"""A model that is a file on this machine, run by llama.cpp: on a GPU where its library finds one.

question ─▶ a process of its own, begun at the first one, serves chat.completions on loopback ─▶ as of any local server

In a process of its own, because it takes every core and gigabytes, may crash, and must end at once when it is told to.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from pydantic import SecretStr

from engine.domain.errors import ModelError
from engine.domain.model_calls import UNBILLED, ModelFault, ModelReply, ModelRequest
from engine.llm.local import LocalProvider
from engine.llm.model_file_server import serve
from engine.llm.sdk import SILENT_FOR

LIBRARY = "xllamacpp"
"""The module that runs it."""
_SPAWN = multiprocessing.get_context("spawn")


class ModelFileProvider:
    """A member of the family that runs a model itself. One that has ended is begun again at the next question.

    Args:
        path: The file, in the GGUF format.
        name: What it is called in the settings.
        streamed: Whether answers are taken in pieces.
        silent_for: Wall seconds without a byte after which a question is given up.
    """

    def __init__(
        self, *, path: Path, name: str = "local", streamed: bool = False, silent_for: float = SILENT_FOR
    ) -> None:
        self._path = path
        self._name = name
        self._streamed = streamed
        self._silent_for = silent_for
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        """While it is open, the process goes on."""
        self._opening: asyncio.Task[LocalProvider] | None = None

    @property
    def name(self) -> str:
        """What it is called in the settings."""
        return self._name

    async def open(self) -> None:
        """Nothing: the first question loads the model, and costs as little as the others."""

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Ask the model; whoever asks first waits until it is loaded, which goes on where they have no more time.

        Raises:
            ModelError: No answer.
        """
        if self._opening is None or self._is_over(self._opening):
            self._opening = asyncio.create_task(self._open(self._opening), name=f"{self._name} is loaded")
        local = await asyncio.shield(self._opening)
        return replace(await local.ask(request), model=request.model)  # it would say the path

    async def close(self) -> None:
        """End the process; a question after that begins another."""
        opening, self._opening = self._opening, None
        await self._let_go(opening)

    def _is_over(self, opening: asyncio.Task[LocalProvider]) -> bool:
        if not opening.done():
            return False
        return opening.exception() is not None or self._process is None or not self._process.is_alive()

    async def _open(self, before: asyncio.Task[LocalProvider] | None) -> LocalProvider:
        await self._let_go(before)
        if find_spec(LIBRARY) is None:
            raise self._error(f"needs the package {LIBRARY}, which is not installed", "Install the extra gguf.")
        key = secrets.token_urlsafe()
        ours, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs, self._path, key), daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = ours
        address = await asyncio.get_running_loop().run_in_executor(None, _received, ours)
        if address is None:
            self._end()
            raise self._error(
                f"cannot run {self._path}", "It must be a model in the GGUF format, and fit into the memory."
            )
        return LocalProvider(
            name=self._name,
            api_url=f"{address}/v1",
            api_key=SecretStr(key),
            streamed=self._streamed,
            silent_for=self._silent_for,
        )

    async def _let_go(self, opening: asyncio.Task[LocalProvider] | None) -> None:
        """End what runs; who waits for it then reads that nothing comes."""
        self._end()
        if opening is not None:
            with suppress(ModelError):
                await (await opening).close()

    def _end(self) -> None:
        pipe, self._pipe = self._pipe, None
        process, self._process = self._process, None
        if process is not None and process.pid is not None:
            process.kill()
            process.join()
            process.close()
        if pipe is not None:
            pipe.close()

    def _error(self, what: str, remedy: str) -> ModelError:
        return ModelError(f"{self._name} {what}.", remedy, fault=ModelFault.REQUEST, usage=UNBILLED)


def _received(ours: Connection) -> str | None:
    """Where the server is; ``None`` where its process has ended before it said so."""
    with suppress(EOFError, OSError):
        address: str = ours.recv()
        return address
    return None
