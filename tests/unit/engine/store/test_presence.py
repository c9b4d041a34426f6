"""Who waits until nobody is there."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from engine.store.presence import Presence


async def test_who_waits_goes_on_once_the_last_one_has_gone():
    here, (first, second) = Presence(), (ExitStack(), ExitStack())
    for each in (first, second):
        each.enter_context(here.one_more())
    waiting = asyncio.ensure_future(here.gone(60))
    await asyncio.sleep(0)
    first.close()
    await asyncio.sleep(0)
    assert not waiting.done()
    assert here.some
    second.close()
    await asyncio.wait_for(waiting, 5)
    assert not here.some


async def test_nobody_is_waited_for_for_ever():
    here = Presence()
    with here.one_more():
        await asyncio.wait_for(here.gone(0.01), 5)
        assert here.some
