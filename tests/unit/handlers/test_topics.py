from collections.abc import Mapping
from decimal import Decimal

import pytest

from engine.domain import events
from engine.domain.halts import HaltKind
from engine.domain.messages import CardKind, Destination
from engine.domain.orders import Side
from handlers.topics import routes
from tests.fakes import reports
from tests.fakes.events import EVENTS

CHAT = Destination(platform="telegram", address="-100")
ROOM = Destination(platform="web", address="everybody")
AT = reports.NOON
ALL = tuple(CardKind)
EVERYTHING = routes({CHAT: ALL}, losing_streak=1)

TOPICS = {
    "ApprovalAsked": ("approval:A1",),
    "ApprovalChanged": ("approval:A1",),
    "OrderIntended": ("approval:A1",),
    "OrderChanged": (),
    "SlicesEnded": ("approval:A1", "trade:T1"),
    "OrderFilled": ("approval:A1", "trade:T1"),
    "PositionOpened": ("trade:T1",),
    "PositionProtected": ("trade:T1",),
    "ProtectionFailed": ("trade:T1", "unprotected:T1"),
    "PositionClosed": ("approval:A1", "trade:T1", "closed:T1"),
    "Halted": ("halt:H1", "approval:A1", "approval:A2"),
    "HaltEnded": ("halt:H1", "recovery:H1", "approval:A2"),
    "PositionUnmanaged": ("unmanaged:N1",),
    "UnmanagedEnded": ("unmanaged:N1",),
    "LosingStreakChanged": ("streak:S1",),
    "OrderPartlyFilled": ("part:O1",),
    "ProtectionMoved": ("moved:T1",),
    "ExternalTraded": ("external:O3",),
    "ExternalCancelled": ("external:O2",),
    "BalanceAdopted": ("payment:paper-USDT-1",),
    "InventoryFound": ("inventory:paper",),
    "EmergencyProgressed": ("emergency:H2",),
    "PlatformTroubled": ("platform:P1",),
    "PlatformRecovered": ("platform:P1",),
    "ModelBudgetUsed": ("budget:20260101-month-80",),
    "AdjusterFailed": ("adjuster:20260103-atr",),
    "ConfirmationAsked": ("confirm:Q1",),
    "ConfirmationChanged": ("confirm:Q1",),
    "CapitalChanged": ("capital:2",),
    "LiveStarted": ("live:20260103120000",),
    "PolicyProposed": ("policy:R1",),
    "DigestDue": ("digest:2026-01-03",),
    "Welcomed": ("welcome:1",),
}


def told(route: Mapping[str, tuple[Destination, ...]]) -> dict[str, tuple[Destination, ...]]:
    """The topics that are told somewhere; the others are shown anew where they are shown already."""
    return {topic: places for topic, places in route.items() if places}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_changes_the_cards_of_what_it_is_about(event: events.Event):
    assert tuple(told(EVERYTHING(event))) == TOPICS[type(event).__name__]


@pytest.mark.parametrize("kind", [events.OrderFilled, events.PositionProtected, events.PositionClosed])
def test_an_alarm_about_a_position_is_shown_anew_where_people_were_told_of_it(kind: type):
    (event,) = [each for each in EVENTS if type(each) is kind]
    assert EVERYTHING(event)["unprotected:T1"] == ()


def test_an_approval_is_shown_anew_where_a_stop_moved_that_its_card_names():
    (event,) = [each for each in EVENTS if isinstance(each, events.ProtectionMoved)]
    assert EVERYTHING(event)["approval:A1"] == ()


@pytest.mark.parametrize("kind", [events.OrderFilled, events.OrderChanged])
def test_a_part_is_shown_anew_where_people_were_told_of_it(kind: type):
    (event,) = [each for each in EVENTS if type(each) is kind]
    assert EVERYTHING(event)[f"part:{event.order_id}"] == ()


def test_an_emergency_has_one_card_from_the_call_to_its_end():
    stopped, over = (kind(at=AT, halt_id="H2", kind=HaltKind.EMERGENCY) for kind in (events.Halted, events.HaltEnded))
    assert tuple(EVERYTHING(stopped)) == tuple(EVERYTHING(over)) == ("emergency:H2",)


def test_every_destination_is_shown_every_topic_of_an_event():
    filled = events.OrderFilled(
        venue="paper",
        at=AT,
        order_id="O5",
        symbol="BTC/USDT",
        side=Side.BUY,
        quantity=Decimal(1),
        price=Decimal(1),
        fee=Decimal(0),
        position_id="T3",
        approval_id="A17",
    )
    assert told(routes({CHAT: ALL, ROOM: ALL})(filled)) == {
        "approval:A17": (CHAT, ROOM),
        "trade:T3": (CHAT, ROOM),
    }


def test_a_place_is_shown_only_the_kinds_of_cards_it_is_to_have():
    places = {CHAT: [CardKind.APPROVALS], ROOM: [CardKind.ALERTS, CardKind.TRADES]}
    route = routes(places)
    assert route(events.ApprovalAsked(at=AT, approval_id="A17")) == {"approval:A17": (CHAT,)}
    assert route(events.ProtectionFailed(at=AT, position_id="T3", reason="refused")) == {
        "trade:T3": (ROOM,),
        "unprotected:T3": (ROOM,),
    }
    assert told(route(events.DigestDue(at=AT, digest_id="2022-05-01"))) == {}
    assert route(events.Welcomed(at=AT)) == {"welcome:1": (CHAT, ROOM)}


@pytest.mark.parametrize(("losses", "from_on", "shown"), [(3, 4, False), (4, 4, True), (9, 4, True), (9, 0, False)])
def test_losses_in_a_row_are_told_from_so_many_on(losses: int, from_on: int, shown: bool):  # noqa: FBT001
    route = routes({CHAT: ALL}, losing_streak=from_on)
    changed = events.LosingStreakChanged(at=AT, streak_id="S1", losses=losses)
    assert route(changed) == ({"streak:S1": (CHAT,)} if shown else {})


def test_without_destinations_nothing_is_shown():
    assert told(routes({})(events.Welcomed(at=AT))) == {}


def test_an_order_that_nobody_was_asked_about_changes_no_card_when_it_is_sent():
    assert routes({CHAT: ALL})(events.OrderIntended(at=AT, order_id="O5")) == {}
