from decimal import Decimal
from pathlib import Path

import pytest

from engine.ai.account import AccountReader
from tests.fakes.engine import BTC, CASH, DAY, QUIET, Room, engine_room
from tests.fakes.panel import a_proposal

RISK = Decimal("0.01")
UP = (100, 111, 100, 110, 10_000)
RISING = (*(QUIET,) * 25, UP, *((110, 110.5, 109.5, 110, 10_000),) * 60)


async def told(room: Room) -> tuple[dict[str, Decimal | None], Decimal | None]:
    found = await AccountReader(store=room.store, risk_per_trade=RISK).of(
        a_proposal(venue=room.venue.name, close=100.0)
    )
    return {line.name: line.figure for line in found.lines}, found.at_risk


async def test_of_an_empty_account_nothing_is_told_but_what_may_be_lost(room: Room):
    assert await told(room) == ({}, CASH * RISK)


@pytest.mark.parametrize(("quote", "is_told"), [("USDC", True), ("EUR", True), ("BTC", False), ("JPY", False)])
async def test_what_may_be_lost_is_told_in_currencies_of_about_a_dollars_worth(
    room: Room, quote: str, *, is_told: bool
):
    """Seen: a panel of an account in bitcoin was never asked, as a cent was more than 2 % of 0.005."""
    brief = AccountReader(store=room.store, risk_per_trade=RISK)
    found = await brief.of(a_proposal(venue=room.venue.name, symbol=f"ETH/{quote}", close=100.0))
    assert (found.at_risk is not None) is is_told


async def test_what_is_held_and_how_trades_ended_is_told_with_the_gain(tmp_path: Path):
    async with engine_room(tmp_path, RISING) as room:
        assert a_proposal().symbol == BTC.symbol
        await room.enter(1.0)
        held, _ = await told(room)
        assert held.keys() == {"held.1"}
        assert held["held.1"] < 0, "the fees of the purchase"
        room.clock.to(DAY + 119)
        await room.orchestrator.sync_venue_events()
        past, _ = await told(room)
        assert past.keys() == {"past.1"}
        assert past["past.1"] > 0, "its target was reached"
