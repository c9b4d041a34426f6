from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain import events
from engine.domain.approvals import Expired
from engine.domain.halts import HaltKind
from engine.domain.messages import CardKind, Destination, Lane
from engine.domain.orders import Side
from handlers.notifications import Notifications, routes
from tests.fakes import reports
from tests.fakes.chat import FakeViews
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
    "OrderFilled": ("approval:A1", "trade:T1"),
    "PositionOpened": ("trade:T1",),
    "PositionProtected": ("trade:T1",),
    "ProtectionFailed": ("trade:T1", "unprotected:T1"),
    "PositionClosed": ("approval:A1", "trade:T1", "closed:T1"),
    "Halted": ("halt:H1", "approval:A1", "approval:A2"),
    "HaltEnded": ("halt:H1", "recovery:H1", "approval:A2"),
    "LosingStreakChanged": ("streak:S1",),
    "ExternalTraded": ("external:O3",),
    "ExternalCancelled": ("external:O2",),
    "BalanceAdopted": (),
    "EmergencyProgressed": ("emergency:H2",),
    "PlatformTroubled": ("platform:P1",),
    "PlatformRecovered": ("platform:P1",),
    "DigestDue": ("digest:2026-01-03",),
    "Welcomed": ("welcome:1",),
}


@pytest.fixture
def views():
    return FakeViews(
        approvals_by_id={"A17": reports.asked()},
        trades_by_id={"T3": reports.position(), "T4": reports.closed_position(id="T4")},
        halts_by_id={"H1": reports.halt()},
    )


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


def test_an_emergency_has_one_card_from_the_call_to_its_end():
    stopped, over = (kind(at=AT, halt_id="H2", kind=HaltKind.EMERGENCY) for kind in (events.Halted, events.HaltEnded))
    assert tuple(EVERYTHING(stopped)) == tuple(EVERYTHING(over)) == ("emergency:H2",)


def test_every_destination_is_shown_every_topic_of_an_event():
    filled = events.OrderFilled(
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
    places = {CHAT: [CardKind.QUESTIONS], ROOM: [CardKind.ALERTS, CardKind.TRADES]}
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


@pytest.mark.parametrize(
    ("topic", "lane", "title"),
    [
        ("approval:A17", Lane.URGENT, "Buy 0.01234 BTC/USDT? (A17)"),
        ("unprotected:T3", Lane.URGENT, "T3 has no stop: 0.00617 BTC/USDT"),
        ("halt:H1", Lane.URGENT, "No new entries: pause by Ann (H1)"),
        ("recovery:H1", Lane.URGENT, "Entries are possible again: the pause has ended (H1)"),
        ("streak:S1", Lane.URGENT, "btc momentum: 4 losses in a row (S1)"),
        ("platform:P1", Lane.URGENT, "Telegram is in trouble (P1)"),
        ("trade:T3", Lane.NORMAL, "T3: holding 0.00617 BTC/USDT"),
        ("closed:T4", Lane.NORMAL, "T4: BTC/USDT closed, +5.92 USDT (+4.80%)"),
        ("welcome:1", Lane.NORMAL, "Greenlight is running"),
        ("digest:2022-05-01", Lane.QUIET, "2022-05-01: +34.57 USDT (+0.35%) net of fees"),
    ],
)
async def test_every_topic_has_a_card_as_loud_as_it_matters(views, topic, lane, title):
    card = await Notifications(views).card(topic)
    assert (card.topic, card.lane, card.title) == (topic, lane, title)


async def test_every_topic_an_event_can_have_has_a_card(views):
    raised = (
        events.ApprovalAsked(at=AT, approval_id="A17"),
        events.ProtectionFailed(at=AT, position_id="T3", reason="refused"),
        events.PositionClosed(at=AT, position_id="T4", closed_by="stop", net=Decimal(1)),
        events.Halted(at=AT, halt_id="H1", kind=reports.halt().halt.kind),
        events.HaltEnded(at=AT, halt_id="H1", kind=HaltKind.DRAWDOWN),
        events.LosingStreakChanged(at=AT, streak_id="S1", losses=4),
        events.PlatformTroubled(at=AT, trouble_id="P1", platform="telegram", text="away"),
        events.PlatformRecovered(at=AT, trouble_id="P1", platform="telegram"),
        events.DigestDue(at=AT, digest_id="2022-05-01"),
        events.Welcomed(at=AT),
    )
    for event in raised:
        for topic in told(routes({CHAT: ALL})(event)):
            assert await Notifications(views).card(topic) is not None


async def test_an_open_question_shows_its_risk_as_a_share_of_equity(views):
    card = await Notifications(views).card("approval:A17")
    assert dict(card.fields)["Risk to the stop"] == "6.17 USDT (0.06% of equity)"


async def test_a_card_shows_the_state_of_now(views):
    notifications = Notifications(views)
    before = await notifications.card("approval:A17")
    views.approvals_by_id["A17"] = replace(reports.asked(), state=Expired(at=AT), version=1)
    after = await notifications.card("approval:A17")
    assert before.buttons
    assert not after.buttons


@pytest.mark.parametrize("topic", ["approval:A99", "trade:", "weather:1", ""])
async def test_what_does_not_exist_has_no_card(views, topic):
    assert await Notifications(views).card(topic) is None


async def test_the_life_of_a_trade_belongs_under_the_question_it_came_from(views):
    views.questions_by_trade = {"T3": "A17"}
    cards = [await Notifications(views).card(f"{kind}:T3") for kind in ("trade", "closed", "unprotected")]
    assert [card.thread for card in cards] == ["approval:A17"] * 3


async def test_the_life_of_a_trade_that_nobody_was_asked_about_belongs_under_its_first_card(views):
    cards = [await Notifications(views).card(f"{kind}:T4") for kind in ("trade", "closed", "unprotected")]
    assert [card.thread for card in cards] == ["", "trade:T4", "trade:T4"]


async def test_what_is_about_no_trade_stands_alone(views):
    cards = [await Notifications(views).card(topic) for topic in ("approval:A17", "halt:H1", "welcome:1")]
    assert [card.thread for card in cards] == ["", "", ""]


async def test_how_entries_come_back_belongs_under_the_card_of_the_halt(views):
    assert (await Notifications(views).card("recovery:H1")).thread == "halt:H1"
