"""What happened, as facts in the past tense; written in the same transaction as the change they tell of.

The list of classes is the list of what people can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.halts import HaltKind
from engine.domain.money import Money
from engine.domain.orders import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked:
    """People were asked to approve a trade."""

    at: datetime
    approval_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalChanged:
    """An approval was voted on, claimed, answered, refused, or ran out of time."""

    at: datetime
    approval_id: str
    status: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntended:
    """An order was written down before being sent."""

    at: datetime
    order_id: str
    approval_id: str = ""
    position_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """The venue took, refused, cancelled or completed an order, or its answer was lost."""

    at: datetime
    order_id: str
    status: str
    reason: str = ""
    approval_id: str = ""
    position_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesEnded:
    """What was to follow of an entry in slices is not bought after all, and why."""

    at: datetime
    order_id: str
    reason: str
    approval_id: str = ""
    position_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """A part of an order traded.

    Attributes:
        fee: What the fee was worth, in the quote currency.
        fee_paid: The fee as it was taken; ``None`` as long as the venue has not said.
    """

    at: datetime
    order_id: str
    venue: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    position_id: str
    approval_id: str = ""
    fee_paid: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPartlyFilled:
    """A part of an order has traded, and the rest of it still waits."""

    at: datetime
    order_id: str
    position_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOpened:
    """The first fill of an entry made a position."""

    at: datetime
    position_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionProtected:
    """The venue holds a stop and a target for a position."""

    at: datetime
    position_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionMoved:
    """The stop and target of a position were placed anew, for another size or at another price.

    Attributes:
        approvals: Those that led to what is held.
    """

    at: datetime
    position_id: str
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionFailed:
    """The venue refused a stop; the position is being closed instead."""

    at: datetime
    position_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionClosed:
    """Everything of a position was sold.

    Attributes:
        closed_by: Stop, target or the exit's reason.
        approvals: Those that led to what was held.
    """

    at: datetime
    position_id: str
    closed_by: str
    net: Decimal
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionUnmanaged:
    """No strategy at work manages what is held: its context was renamed, removed, or trades something else."""

    at: datetime
    unmanaged_id: str
    position_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedEnded:
    """A strategy manages a position again, or it is another one's absence that leaves it alone."""

    at: datetime
    unmanaged_id: str
    position_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LosingStreakChanged:
    """A strategy context has lost once more in a row, or its losses in a row are over.

    Attributes:
        losses: How many they are, or were.
    """

    at: datetime
    streak_id: str
    losses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalTraded:
    """Somebody else traded on this account, and it is in the books now under an order of its own."""

    at: datetime
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCancelled:
    """An order of ours was cancelled at the venue, and not by us."""

    at: datetime
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAdopted:
    """A difference between the venue and the books was booked as paid in or out: the venue told so, or an admin."""

    at: datetime
    venue: str
    currency: str
    before: Decimal
    after: Decimal
    notice_id: str = ""
    """What people are told of it; empty in what older versions wrote down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryFound:
    """An account was opened on which there was more than cash."""

    at: datetime
    venue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyProgressed:
    """The emergency stop got further, or met an obstacle."""

    at: datetime
    halt_id: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """New entries are halted: a pause, a drawdown, bad data, an emergency.

    Attributes:
        approvals: The open ones that it holds up.
    """

    at: datetime
    halt_id: str
    kind: HaltKind
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltEnded:
    """A halt ended, by itself or by somebody.

    Attributes:
        approvals: The open ones that it held up.
    """

    at: datetime
    halt_id: str
    kind: HaltKind
    by: str = ""
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformTroubled:
    """A platform on somebody else's servers is not well, and not for the blink of an eye."""

    at: datetime
    trouble_id: str
    platform: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRecovered:
    """A platform has been well again for a while."""

    at: datetime
    trouble_id: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBudgetUsed:
    """A part of what language models may cost in a day or a month is used."""

    at: datetime
    notice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjusterFailed:
    """The policy that adjusts entries could not be asked: the static rules hold."""

    at: datetime
    notice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationAsked:
    """People were asked to confirm something beside trades."""

    at: datetime
    confirmation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationChanged:
    """It was answered, or what it was about is no longer so."""

    at: datetime
    confirmation_id: str
    stage: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalChanged:
    """Another part of the account may be used than before.

    Attributes:
        number: Of the time that began by it.
    """

    at: datetime
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStarted:
    """The program started with accounts that orders really go to."""

    at: datetime
    notice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyProposed:
    """A policy that was trained anew was proposed, or somebody has answered to that."""

    at: datetime
    proposal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDue:
    """A day ended and its figures were fixed; or a week did, where people are told once a week."""

    at: datetime
    digest_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcomed:
    """The program started for the first time on this database."""

    at: datetime


Event = (
    ApprovalAsked
    | ApprovalChanged
    | OrderIntended
    | OrderChanged
    | SlicesEnded
    | OrderFilled
    | OrderPartlyFilled
    | PositionOpened
    | PositionProtected
    | ProtectionMoved
    | ProtectionFailed
    | PositionClosed
    | PositionUnmanaged
    | UnmanagedEnded
    | LosingStreakChanged
    | ExternalTraded
    | ExternalCancelled
    | BalanceAdopted
    | InventoryFound
    | EmergencyProgressed
    | Halted
    | HaltEnded
    | PlatformTroubled
    | PlatformRecovered
    | ModelBudgetUsed
    | AdjusterFailed
    | ConfirmationAsked
    | ConfirmationChanged
    | CapitalChanged
    | LiveStarted
    | PolicyProposed
    | DigestDue
    | Welcomed
)


def traded(event: Event) -> str:
    """The position whose orders or holding look different after this event; empty where none does."""
    match event:
        case OrderIntended() | OrderChanged() | OrderFilled() | SlicesEnded():
            return event.position_id
        case PositionProtected() | ProtectionFailed() | PositionClosed():
            return event.position_id
        case _:
            return ""


def emergency_of(event: Event) -> str:
    """The emergency stop that looks different after this event; empty where none does."""
    match event:
        case EmergencyProgressed(halt_id=halt_id) | HaltEnded(halt_id=halt_id, kind=HaltKind.EMERGENCY):
            return halt_id
        case _:
            return ""
