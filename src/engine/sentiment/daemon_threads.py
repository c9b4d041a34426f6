"""Waiting for a library that blocks, in a thread that keeps nobody: not the loop, nor the program's end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")


def in_daemon_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """What a function gives, later. Nobody need wait for it: what goes wrong then is nobody's trouble.

    Must be called where a loop is running.
    """
    loop = asyncio.get_running_loop()
    given: asyncio.Future[T] = loop.create_future()
    given.add_done_callback(lambda done: done.cancelled() or done.exception())

    def settle(how: Callable[[], None]) -> None:
        if not given.done():
            how()

    def run() -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - whatever it was, it is the business of who waits
            told = partial(given.set_exception, error)
        else:
            told = partial(given.set_result, value)
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, told)

    threading.Thread(target=run, name=name, daemon=True).start()
    return given
