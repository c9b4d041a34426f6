"""Lives of the bot at a venue that is elsewhere: from its start over one decision to a settled account, or to its kill.

A life is the program put together as ever (``bot.wiring.build``, the real ccxt, the database), as a fork of a process
that has lived once already and kept no thread. That process reads what is wanted from its standard input, a line of
JSON for each life, and answers with a line: how it ended, and the lines that it reached where they were asked for.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from bot.app import App
from bot.engine import Engine
from bot.externals import Externals
from bot.real_venues import follow_news
from bot.wiring import build
from config.loader import load
from config.settings import Settings
from engine.domain.errors import GreenlightError, VenueError
from engine.domain.orders import OrderStatus, Purpose
from engine.flow.cycle import run_cycles
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.kill_story import WarmStore
from tests.fakes.kill_trace import Cut, Tracer, executioner, recorder

PRICES_WITHIN = 20.0
SETTLED_WITHIN = 25.0
"""Wall seconds within which nothing is in doubt any more: a request that may be late is waited for ten."""
LIFE_WITHIN = 90
LOOK_EVERY, LOOKS = 0.3, 3
"""Wall seconds between two looks, and how many in a row must find all settled: a request may still be on its way."""
BUYS, SELLS = "buys", "sells"
ARMED = "armed"
"""The file beside the log that is there from where what is looked at has begun, over all lives of a run."""
REFUSED = 2
"""The exit code of a life that did not start, in words for people: a supervisor starts the next."""


def nothing() -> None:
    """Where nobody needs to be told."""


async def live(settings: Settings, story: str, on_begin: Callable[[], None]) -> None:
    """Start, agree with the venue, decide on the candle that has closed, and end once all is settled.

    Args:
        story: ``buys``, or ``sells``, which sells again what was bought.
        on_begin: Called where what is looked at begins.
    """
    program = await build(settings, externals=Externals(store=WarmStore))
    engine = program.engine
    (real,) = engine.real.values()
    following: asyncio.Task[None] | None = None
    try:
        assert engine.market.live is not None
        engine.market.live.start(engine.advanced)
        found = await engine.market.live.first(PRICES_WITHIN)
        if found != "ok":
            raise VenueError(found)
        await _come_back(App(settings, announce=print), engine)
        following = asyncio.create_task(follow_news(real, engine.services.orchestrator.sync_venue_events))
        if story == BUYS:
            on_begin()
        with suppress(GreenlightError):  # as a job's: it is noted, and what was begun is looked after later
            await run_cycles(engine.services, engine.market.contexts, _last_close(engine))
        if story == SELLS:
            await _settle(engine)
            on_begin()
            for position in await engine.store.read(lambda uow: uow.positions.open()):
                with suppress(GreenlightError):
                    await engine.services.orchestrator.sell(position.id, engine.clock.now())
        await _settle(engine)
    finally:
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        if engine.market.live is not None:
            await engine.market.live.stop()
        await real.close()
        await engine.store.close()


async def _come_back(app: App, engine: Engine) -> None:
    """Agree with the venue; where it does not answer the program would not start, and is started again."""
    deadline = time.monotonic() + SETTLED_WITHIN
    while True:
        try:
            return await app._come_back(engine)
        except GreenlightError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(LOOK_EVERY)


def _last_close(engine: Engine) -> datetime:
    (context,) = engine.market.contexts
    now, length = engine.clock.now(), context.timeframe.duration
    return now - (now - datetime(1970, 1, 1, tzinfo=now.tzinfo)) % length


async def _settle(engine: Engine) -> None:
    """Look at the venue as between two closes, until nothing is in doubt and nothing is left to be done."""
    orchestrator, began, calm = engine.services.orchestrator, time.monotonic(), 0
    while calm < LOOKS and time.monotonic() - began < SETTLED_WITHIN:
        await asyncio.sleep(LOOK_EVERY)
        with suppress(GreenlightError):
            await orchestrator.sync_venue_events()
            await orchestrator.look_again()
        calm = calm + 1 if await engine.store.read(_is_settled) else 0


def _is_settled(uow: UnitOfWork) -> bool:
    """Whether all orders that are not final protect, and every position that is to have a stop has one."""
    unfinished = uow.orders.unfinished()
    protected = {order.position_id for order in unfinished}
    return all(
        order.purpose is Purpose.PROTECTION and order.status is OrderStatus.OPEN and order.cancel_requested_at is None
        for order in unfinished
    ) and all(position.id in protected for position in uow.positions.open() if position.stop is not None)


def _fork(settings: Settings, story: str, log: Path, tracer: Tracer | None, at_end: Callable[[], None]) -> int:
    """Live once in a process of its own; its wait status."""
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    code = 1
    try:
        signal.alarm(LIFE_WITHIN)
        out = log.open("a")
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        if tracer:
            tracer.install()

        def begin() -> None:
            log.with_name(ARMED).touch()
            if tracer:
                tracer.arm()

        asyncio.run(live(settings, story, begin))
        at_end()
        code = 0
    except GreenlightError as error:
        sys.stderr.write(f"It does not start: {error.message}\n")
        code = REFUSED
    finally:
        if code == 1:
            import traceback

            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)
    raise AssertionError("nobody is left")


def _asked(settings: Settings, log: Path, wish: dict[str, Any]) -> dict[str, Any]:
    """One life as it is wished for."""
    lines = log.with_name("lines")
    tracer, at_end = None, nothing
    if wish.get("cut"):
        tracer = executioner(Cut(**wish["cut"]))
    elif wish.get("record"):
        tracer, counts = recorder()

        def at_end() -> None:
            lines.write_text(json.dumps([(file, line, times) for (file, line), times in counts.items()]))

    status = _fork(settings, wish["story"], log, tracer, at_end)
    told: dict[str, Any] = {"status": status}
    if wish.get("record"):
        told["lines"] = json.loads(lines.read_text()) if status == 0 else []
    return told


def main() -> None:
    """Live once to be warm, then live as the lines of the standard input say."""
    config = Path(sys.argv[1])
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    log = config.parent / "log"
    out = log.open("a")
    os.dup2(out.fileno(), 1)
    settings = load(None, config, {}, os.environ, config.parent).settings
    asyncio.run(live(settings, BUYS, nothing))
    assert threading.active_count() == 1, "a fork keeps no other thread"
    gc.freeze()
    answers.write("{}\n")
    for line in sys.stdin:
        answers.write(json.dumps(_asked(settings, log, json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
