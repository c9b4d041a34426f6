"""A model that is a file: run by llama.cpp in a process of its own, asked like any other, and for nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from engine.domain.errors import ModelError
from engine.domain.model_calls import UNBILLED, ModelFault, ModelRequest, StopReason
from engine.domain.model_ledger import Verdict
from engine.llm.answers import Link
from engine.llm.model_file import ModelFileProvider
from engine.llm.schemas import schema_of
from engine.llm.validating import Unfit
from engine.store.database import Database
from tests.fakes.model_files import write_model
from tests.fakes.models import FakePricing, models

# A process, and a library of 100 MB, which steps back behind everything else.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("llm")]


class Stance(BaseModel):
    """What is asked for."""

    stance: Literal["buy", "hold", "sell"]
    percent: Annotated[int, Field(ge=0, le=100)]


class Long(BaseModel):
    """What takes a while to write."""

    numbers: Annotated[list[Literal[1, 2]], Field(min_length=1500)]


def question(shape: type[BaseModel] | None = Stance, max_tokens: int = 500) -> ModelRequest:
    return ModelRequest(
        purpose="analyst",
        model="tiny",
        system_message="You read markets.",
        prompt="What of SOL/USDT?",
        schema_name=shape.__name__ if shape else "",
        schema=schema_of(shape) if shape else None,
        max_tokens=max_tokens,
    )


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[ModelFileProvider]:
    made = ModelFileProvider(path=write_model(tmp_path / "tiny.gguf"))
    yield made
    await made.close()


def process_of(provider: ModelFileProvider) -> int:
    assert provider._process is not None
    assert provider._process.pid is not None
    return provider._process.pid


async def test_what_it_says_keeps_to_the_schema_and_is_counted(provider: ModelFileProvider):
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    replies = [await provider.ask(question()) for _ in range(5)]
    ticking.cancel()
    for reply in replies:
        assert Stance.model_validate_json(reply.text)
        assert set(json.loads(reply.text)) == {"stance", "percent"}
        assert (reply.stop, reply.model) == (StopReason.END, "tiny")
        assert reply.usage is not None
        assert min(reply.usage.input_tokens, reply.usage.output_tokens) > 10
    assert len({reply.text for reply in replies}) > 1, "it is chance"
    assert ticks > 10, "others have their turn while it is loaded and asked"


async def test_its_nonsense_is_refused_as_such_and_costs_nothing(provider: ModelFileProvider, store: Database):
    tiny, free = Link(provider="local", model="tiny", within=120), FakePricing({"tiny": "0"})
    manager = models(store, provider, chain=(tiny,), pricing=free, deadline=300).manager
    text = await manager.generate("What of SOL?", "You read markets.", Long, "analyst")
    assert text.abstains
    assert text.verdict in (Verdict.TRUNCATED, Verdict.FAILED), "some of what it has cut is an error there"
    odd = await manager.generate(
        "What of SOL?", "You read markets.", Stance, "analyst", validate=lambda _: Unfit(reason="it cites nothing")
    )
    assert odd.reason == "local tiny: it cites nothing"
    good = await manager.generate("What of SOL?", "You read markets.", Stance, "analyst")
    assert isinstance(good.value, Stance)
    calls = await store.read(lambda uow: uow.model_calls.newest(10))
    assert {call.booked for call in calls} == {0}


async def test_who_has_no_more_time_goes_and_the_next_one_is_answered(provider: ModelFileProvider):
    await provider.ask(question())
    began = process_of(provider)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await provider.ask(question(Long, max_tokens=7000))
    async with asyncio.timeout(240):
        assert Stance.model_validate_json((await provider.ask(question())).text)
    assert process_of(provider) == began


async def test_a_process_that_has_ended_is_begun_again(provider: ModelFileProvider):
    await provider.ask(question())
    first = process_of(provider)
    os.kill(first, signal.SIGKILL)
    await asyncio.to_thread(provider._process.join)
    assert (await provider.ask(question())).text
    assert process_of(provider) != first


async def test_closed_it_is_gone(provider: ModelFileProvider):
    await provider.ask(question())
    process = process_of(provider)
    await provider.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_who_does_not_wait_for_the_loading_finds_it_loaded(provider: ModelFileProvider):
    with suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await provider.ask(question())
    loading = provider._opening
    assert (await provider.ask(question())).text
    assert provider._opening is loading


async def test_what_is_no_model_is_an_error_that_says_so(tmp_path: Path):
    file = tmp_path / "notes.gguf"
    file.write_text("no model")
    provider = ModelFileProvider(path=file)
    with pytest.raises(ModelError, match=r"local cannot run .*notes\.gguf") as refused:
        await provider.ask(replace(question(), model="notes"))
    assert (refused.value.fault, refused.value.usage) == (ModelFault.REQUEST, UNBILLED)
    await provider.close()


ALONE = """
import asyncio, sys
from pathlib import Path
from engine.domain.model_calls import ModelRequest
from engine.llm.model_file import ModelFileProvider

async def ask():
    provider = ModelFileProvider(path=Path(sys.argv[1]))
    await provider.ask(ModelRequest(purpose="", model="tiny", system_message="", prompt="?", max_tokens=1))
    print(provider._process.pid, flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(ask())
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells it")
async def test_it_ends_when_the_program_is_killed(tmp_path: Path):
    script = tmp_path / "alone.py"
    script.write_text(ALONE)
    model = str(write_model(tmp_path / "tiny.gguf"))
    program = await asyncio.create_subprocess_exec(sys.executable, str(script), model, stdout=asyncio.subprocess.PIPE)
    assert program.stdout is not None
    process = int(await program.stdout.readline())
    os.kill(process, 0)
    program.kill()
    await program.wait()
    async with asyncio.timeout(30):
        while is_alive(process):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)


def is_alive(process: int) -> bool:
    """Whether it runs; who adopted it may not have buried it yet."""
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
