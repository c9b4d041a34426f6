"""How an account stands against its limits: figures of the books, and of candles as the last cycle saw them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.market import Listing, Timeframe
from engine.risk.limits import RiskLimits
from engine.risk.metrics import VaRCalculator
from tests.fakes.engine import CASH, Room, engine_room, settled

LIMITS = RiskLimits(max_open_risk=Decimal("0.05"), max_sector=Decimal("0.2"), sectors={"large": ("BTC",)})


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with engine_room(tmp_path, limits=LIMITS) as found:
        yield found


async def buy(room: Room, **changes: object) -> None:
    """Ten BTC, by way of a question that was answered."""
    approval = await room.ask(**changes)
    await settled(room.approvals, approval.id, Press(person="Ann", verb=Verb.APPROVE))


async def test_an_empty_account_uses_nothing_and_names_what_is_off(room: Room) -> None:
    report = await room.risk.risk()
    assert (report.state, report.positions, report.streaks, report.size) == (None, 0, {}, 1)
    used = {each.name: each.used for each in report.shares if each.limit is not None}
    assert used == dict.fromkeys(
        ("max_drawdown", "max_total_drawdown", "max_exposure", "max_position", "max_open_risk", "max_sector"), 0
    )
    assert {"max_var", "max_cvar", "max_positions"} < set(report.off)
    assert "max_sector" not in report.off
    assert (await room.risk.var()).markets == ()
    assert (await room.risk.exposure()).free_cash == CASH


async def test_what_is_held_counts_for_coin_sector_strategy_and_stops(room: Room) -> None:
    await buy(room, context="hand")
    exposure, status = await room.risk.exposure(), await room.views.status()
    (held,) = await room.views.positions()
    assert exposure.exposure == status.exposure
    assert exposure.coins == (("BTC", status.exposure),)
    assert exposure.sectors == (("large", status.exposure),)
    assert exposure.contexts == (("hand", status.exposure),)
    assert held.position.stop is not None
    price = status.exposure / held.position.quantity
    assert exposure.at_risk == held.position.quantity * (price - held.position.stop)
    report = await room.risk.risk()
    share = {each.name: each.share for each in report.shares}
    assert share["max_sector"] == status.exposure / status.equity / Decimal("0.2")
    assert share["max_open_risk"] == exposure.at_risk / status.equity / Decimal("0.05")
    assert report.positions == 1


async def test_value_at_risk_is_known_once_a_cycle_has_seen_the_candles(room: Room) -> None:
    await buy(room, context="hand")
    await room.cycle()
    stats = room.services.stats.last(Listing("paper", "BTC/USDT"), Timeframe.H1)
    assert stats is not None
    report, status = await room.risk.var(), await room.views.status()
    assert (report.timeframe, report.candles, report.as_of, report.unknown) == (
        "1h",
        len(stats.returns),
        stats.as_of,
        "",
    )
    results = float(status.exposure / status.equity) * stats.returns
    historical = VaRCalculator().historical(results)
    assert historical is not None
    assert report.var.historical == pytest.approx(max(0, historical) * np.sqrt(24))
    assert [each.symbol for each in report.markets] == ["BTC/USDT"]
    assert report.markets[0].var == pytest.approx(report.var.value)


async def test_figures_that_are_too_old_are_not_told(room: Room) -> None:
    await room.cycle()
    await buy(room, context="hand")
    assert (await room.risk.var()).as_of is not None
    room.clock.at += 3 * Timeframe.H1.duration
    old = await room.risk.var()
    assert (old.var.value, old.as_of, old.unknown) == (None, None, "BTC/USDT")
