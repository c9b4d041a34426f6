"""One example of every event."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.events import (
    AdjusterFailed,
    ApprovalAsked,
    ApprovalChanged,
    BalanceAdopted,
    DigestDue,
    EmergencyProgressed,
    Event,
    ExternalCancelled,
    ExternalTraded,
    Halted,
    HaltEnded,
    InventoryFound,
    LosingStreakChanged,
    ModelBudgetUsed,
    OrderChanged,
    OrderFilled,
    OrderIntended,
    PlatformRecovered,
    PlatformTroubled,
    PositionClosed,
    PositionOpened,
    PositionProtected,
    PositionUnmanaged,
    ProtectionFailed,
    UnmanagedEnded,
    Welcomed,
)
from engine.domain.halts import HaltKind
from engine.domain.orders import Side
from tests.fakes.reports import NOON

EVENTS: tuple[Event, ...] = (
    ApprovalAsked(at=NOON, approval_id="A1"),
    ApprovalChanged(at=NOON, approval_id="A1", status="claimed", by="Ann"),
    OrderIntended(at=NOON, order_id="O1", approval_id="A1"),
    OrderChanged(at=NOON, order_id="O2", status="cancelled", reason="it was closed meanwhile"),
    OrderFilled(
        venue="paper",
        at=NOON,
        order_id="O1",
        symbol="BTC/USDT",
        side=Side.BUY,
        quantity=Decimal("0.10000"),
        price=Decimal("100.01"),
        fee=Decimal("0.01000100"),
        position_id="T1",
        approval_id="A1",
    ),
    PositionOpened(at=NOON, position_id="T1"),
    PositionProtected(at=NOON, position_id="T1"),
    ProtectionFailed(at=NOON, position_id="T1", reason="the venue refuses ocos"),
    PositionClosed(at=NOON, position_id="T1", closed_by="stop", net=Decimal("-1.23"), approval_id="A1"),
    ExternalTraded(at=NOON, order_id="O3"),
    ExternalCancelled(at=NOON, order_id="O2"),
    InventoryFound(at=NOON, venue="paper"),
    BalanceAdopted(venue="paper", at=NOON, currency="USDT", before=Decimal(1), after=Decimal(2)),
    EmergencyProgressed(at=NOON, halt_id="H2", note="the venue does not answer"),
    Halted(at=NOON, halt_id="H1", kind=HaltKind.PAUSE, approvals=("A1", "A2")),
    HaltEnded(at=NOON, halt_id="H1", kind=HaltKind.DRAWDOWN, by="Ann", approvals=("A2",)),
    PositionUnmanaged(at=NOON, unmanaged_id="N1", position_id="T1", why="context"),
    UnmanagedEnded(at=NOON, unmanaged_id="N1", position_id="T1"),
    LosingStreakChanged(at=NOON, streak_id="S1", losses=4),
    PlatformTroubled(at=NOON, trouble_id="P1", platform="telegram", text="Telegram cannot be reached."),
    PlatformRecovered(at=NOON, trouble_id="P1", platform="telegram"),
    ModelBudgetUsed(at=NOON, notice_id="20260101-month-80"),
    AdjusterFailed(at=NOON, notice_id="20260103-atr"),
    DigestDue(at=NOON, digest_id="2026-01-03"),
    Welcomed(at=NOON),
)
