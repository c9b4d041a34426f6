"""Run an app until a signal stops it, and see that it ends in time."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import structlog

from bot.app import App

_log = structlog.get_logger(__name__)

END_WITHIN = 9.5
"""Wall seconds after a signal when the program ends, whatever holds it up: what counts is on the disk at any moment."""


async def run_until_signal(app: App) -> None:
    """Run an app; the first SIGINT or SIGTERM stops it in order. Stopping, whatever the reason, ends in time."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, app.stop)
    limit = asyncio.create_task(_end_in_time(app), name="end in time")
    try:
        await app.run()
    finally:
        limit.cancel()


async def _end_in_time(app: App) -> None:
    await app.stopping.wait()
    overdue = threading.Timer(END_WITHIN, _end)
    overdue.daemon = True
    overdue.start()


def _end() -> None:
    """End at once, e.g. where a thread waits for a database that somebody else has locked."""
    _log.error("stopping took too long: ended without waiting any more", seconds=END_WITHIN)
    os._exit(1)
