"""What trades has its lines: what they say, in which order, and that what was not kept has none."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.trade_log import TradeLog, writes_trades
from engine.domain.approvals import Press, Verb
from engine.domain.closing import Choice, Wanted
from engine.domain.messages import Person, Role
from engine.domain.orders import Purpose
from tests.fakes.engine import DAY, QUIET, Room, at, engine_room, settled
from tests.fakes.program import settings_of
from tests.fakes.two_venues import two_venues

ADA = Person(name="Ada", role=Role.TRADER)
FALL = (100, 100, 80, 85, 10_000)
"""A candle that falls through a stop at 90."""

Lines = list[dict[str, Any]]


async def flushed(log: TradeLog) -> Lines:
    with capture_logs() as lines:
        await log.flush()
    return lines


async def traded(room: Room) -> Lines:
    """The lines of a question that became a trade, which its stop has ended."""
    log = TradeLog(room.store)
    asked = await room.ask()
    await settled(room.approvals, asked.id, Press(person="Ada", verb=Verb.APPROVE))
    room.clock.to(DAY + 60)
    await room.orchestrator.sync_venue_events()
    return await flushed(log)


async def test_a_trade_is_told_from_its_question_to_its_end(tmp_path: Path):
    async with engine_room(tmp_path, (*(QUIET,) * 24, FALL, QUIET)) as room:
        lines = await traded(room)
    assert [line["event"] for line in lines] == [
        "approval asked",
        "approval given",
        "order sent",
        "position opened",
        "order filled",
        "order sent",
        "position protected",
        "order filled",
        "position closed",
    ]
    assert lines[0] | {"symbol": "BTC/USDT", "quantity": "10", "price": "100.02", "approval": "A1"} == lines[0]
    assert lines[1] | {"approval": "A1", "by": "Ada"} == lines[1]
    assert lines[4] | {"order": "O1", "side": "buy", "quantity": "10", "price": "100.02", "position": "T1"} == lines[4]
    assert lines[4]["fee"] == "1.0002 USDT"
    assert lines[6] | {"position": "T1", "stop": "90", "target": "120"} == lines[6]
    assert lines[8] | {"position": "T1", "by": "stop"} == lines[8]
    assert Decimal(lines[8]["net"]) < -100
    assert {line["log_level"] for line in lines} == {"info"}
    assert lines[0]["market_time"] == at(DAY).isoformat()


async def test_who_closed_a_position_by_hand_is_told(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        log, closings = TradeLog(room.store), room.desk.closings
        asked = await closings.ask("Ada", Wanted(what="T1"))
        await closings.press(asked.closing.id, "Ada", Choice.CLOSE)
        await closings.finished()
        lines = await flushed(log)
    assert lines[-1] | {"event": "position closed", "by": "close", "person": "Ada"} == lines[-1]
    assert [line["person"] for line in lines if line["event"] == "order sent"] == ["Ada"]


async def test_what_goes_wrong_is_a_warning_with_its_reason(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        log = TradeLog(room.store)
        room.venue.refuses = (Purpose.ENTRY,)
        await room.enter()
        (refused,) = await flushed(log)
    assert (refused["event"], refused["log_level"], refused["reason"]) == ("order refused", "warning", "not today")


async def test_what_stops_entries_is_told_and_what_ends_it(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        log = TradeLog(room.store)
        await room.desk.pause(ADA, at(DAY + 5))
        await room.books.end_halts(at(DAY + 5))
        begun, ended = await flushed(log)
    assert (begun["event"], begun["reason"], begun["halt"]) == ("entries halted", "paused by Ada", "H1")
    assert (ended["event"], ended["market_time"]) == ("halt ended", at(DAY + 5).isoformat())


@pytest.mark.parametrize(
    ("logs", "replay", "written"),
    [
        ({}, {"speed": 7200}, True),
        ({}, {"speed": "max"}, False),
        ({"trades": True}, {"speed": "max"}, True),
        ({"trades": False}, {"speed": 7200}, False),
    ],
)
def test_at_full_speed_there_is_none_unless_it_is_asked_for(
    tmp_path: Path,
    logs: dict[str, Any],
    replay: dict[str, Any],
    written: bool,  # noqa: FBT001
):
    assert writes_trades(settings_of(tmp_path, logs=logs, replay=replay)) is written


async def test_lines_name_the_venue_where_the_account_has_several(tmp_path: Path):
    async with two_venues(tmp_path) as two:
        log = TradeLog(two.room.store)
        await two.both_enter()
        lines = await flushed(log)
        told = {(line["event"], line["venue"]) for line in lines}
        events = ("order sent", "order filled", "position opened", "position protected")
        assert told == {(event, venue) for event in events for venue in ("paper", "other")}
