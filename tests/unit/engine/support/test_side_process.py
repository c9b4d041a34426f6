"""Work beside everything else: answered, refused, too long, killed, given up."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time

import pytest

from engine.domain.errors import ConfigError, GreenlightError
from engine.support.side_process import SideProcess, WorkFailed


def refused(what: str) -> str:
    raise ConfigError("It cannot be.", "Take another.", key=what)


async def worker() -> multiprocessing.Process:
    """Who is at work, once somebody is."""
    while not (found := multiprocessing.active_children()):  # noqa: ASYNC110 - they tell nobody
        await asyncio.sleep(0.01)
    return found[0]


async def test_it_answers_from_another_process_one_after_the_other():
    aside = SideProcess(within=60.0)
    pids = await asyncio.gather(aside.do(os.getpid), aside.do(os.getpid))
    assert len({os.getpid(), *pids}) == 3
    assert multiprocessing.active_children() == []


async def test_what_is_refused_there_is_refused_here_in_the_same_words():
    with pytest.raises(GreenlightError, match=r"fee: It cannot be\. Take another\."):
        await SideProcess(within=60.0).do(refused, "fee")


async def test_what_nobody_expected_there_comes_back_with_where_it_was():
    with pytest.raises(WorkFailed, match=r"in _work(?s:.)*ZeroDivisionError: integer division or modulo by zero"):
        await SideProcess(within=60.0).do(divmod, 1, 0)


async def test_one_that_takes_too_long_or_is_killed_is_given_up_and_the_next_one_is_done():
    with pytest.raises(TimeoutError):
        await SideProcess(within=0.1).do(time.sleep, 60)
    assert multiprocessing.active_children() == []
    aside = SideProcess(within=60.0)
    doing = asyncio.create_task(aside.do(time.sleep, 60))
    at_work = await worker()
    assert aside.busy
    at_work.kill()
    assert await doing is None
    assert not aside.busy
    assert await aside.do(abs, -3) == 3


async def test_an_end_in_the_middle_leaves_nobody_behind():
    aside = SideProcess(within=60.0)
    doing = asyncio.create_task(aside.do(time.sleep, 60))
    await worker()
    aside.close()
    assert await doing is None
    assert await aside.do(abs, -3) is None
    assert multiprocessing.active_children() == []
