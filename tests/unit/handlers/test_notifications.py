from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain import events
from engine.domain.approvals import Expired
from engine.domain.halts import HaltKind
from engine.domain.messages import CardKind, Destination, Lane
from handlers.cards.lines import flowing
from handlers.notifications import Notifications
from handlers.topics import routes
from tests.fakes import reports
from tests.fakes.chat import FakeViews

CHAT = Destination(platform="telegram", address="-100")
AT = reports.NOON


@pytest.fixture
def views():
    return FakeViews(
        approvals_by_id={"A17": reports.asked()},
        trades_by_id={"T3": reports.position(), "T4": reports.closed_position(id="T4")},
        halts_by_id={"H1": reports.halt()},
    )


@pytest.mark.parametrize(
    ("topic", "lane", "title"),
    [
        ("approval:A17", Lane.URGENT, "Buy 0.01234 BTC/USDT? (A17)"),
        ("unprotected:T3", Lane.URGENT, "T3 has no stop: 0.00617 BTC/USDT"),
        ("unmanaged:N1", Lane.URGENT, "T3: no strategy manages 0.00617 BTC/USDT"),
        ("halt:H1", Lane.URGENT, "No new entries: pause by Ann (H1)"),
        ("recovery:H1", Lane.URGENT, "Entries are possible again: the pause has ended (H1)"),
        ("streak:S1", Lane.URGENT, "btc momentum: 4 losses in a row (S1)"),
        ("budget:20220501-day-80", Lane.URGENT, "Language models: 80% of the day's budget is used"),
        ("platform:P1", Lane.URGENT, "Telegram is in trouble (P1)"),
        ("confirm:Q3", Lane.URGENT, "Use up to 2,500 USDT? (Q3)"),
        ("capital:2", Lane.URGENT, "Capital: up to 500 USDT"),
        ("trade:T3", Lane.NORMAL, "T3: holding 0.00617 BTC/USDT"),
        ("closed:T4", Lane.NORMAL, "T4: BTC/USDT closed, +5.92 USDT (+4.80%)"),
        ("welcome:1", Lane.NORMAL, "Greenlight is running"),
        ("digest:2022-05-01", Lane.QUIET, "2022-05-01: +34.57 USDT (+0.35%)"),
    ],
)
async def test_every_topic_has_a_card_as_loud_as_it_matters(views, topic, lane, title):
    card = await Notifications(views).card(topic)
    assert (card.topic, card.lane, flowing(card.title)) == (topic, lane, title)


async def test_every_topic_an_event_can_have_has_a_card(views):
    raised = (
        events.ApprovalAsked(at=AT, approval_id="A17"),
        events.ProtectionFailed(at=AT, position_id="T3", reason="refused"),
        events.PositionUnmanaged(at=AT, unmanaged_id="N1", position_id="T3", why="context"),
        events.UnmanagedEnded(at=AT, unmanaged_id="N1", position_id="T3"),
        events.PositionClosed(at=AT, position_id="T4", closed_by="stop", net=Decimal(1)),
        events.Halted(at=AT, halt_id="H1", kind=reports.halt().halt.kind),
        events.HaltEnded(at=AT, halt_id="H1", kind=HaltKind.DRAWDOWN),
        events.LosingStreakChanged(at=AT, streak_id="S1", losses=4),
        events.ModelBudgetUsed(at=AT, notice_id="20220501-day-80"),
        events.AdjusterFailed(at=AT, notice_id="20220501-atr"),
        events.ConfirmationAsked(at=AT, confirmation_id="Q3"),
        events.CapitalChanged(at=AT, number=2),
        events.PolicyProposed(at=AT, proposal_id="R1"),
        events.PlatformTroubled(at=AT, trouble_id="P1", platform="telegram", text="away"),
        events.PlatformRecovered(at=AT, trouble_id="P1", platform="telegram"),
        events.DigestDue(at=AT, digest_id="2022-05-01"),
        events.Welcomed(at=AT),
    )
    route = routes({CHAT: tuple(CardKind)}, losing_streak=1)
    for event in raised:
        topics = [topic for topic, places in route(event).items() if places]
        assert topics
        for topic in topics:
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
