"""Where the cards of what is over are shown is forgotten after a while, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from engine.domain.adjustments import AdjusterMode, AdjusterNotice
from engine.domain.approvals import Expired
from engine.domain.closing import Closing, Stage, Wanted
from engine.domain.confirmations import Consent
from engine.domain.halts import Halt, HaltKind
from engine.domain.live import LiveNotice
from engine.domain.messages import Destination, Ref
from engine.domain.orders import Order, OrderRequest, OrderStatus, OrderType, Purpose, Side
from engine.domain.policy_proposals import ProposalStage
from engine.domain.transfers import PaymentNotice
from engine.domain.unmanaged import Absence, Ending
from engine.store.database import Database
from engine.store.old_cards import IS_OLD, let_go_cards
from engine.store.outbox import ANSWERS, emergency_answer_topic
from engine.store.retention import Retention, let_go
from engine.store.tables import HaltRow, OutboxRow, table_of
from engine.store.unit_of_work import UnitOfWork
from handlers.topics import TOPICS
from tests.fakes.reports import (
    NOON,
    asked,
    budget_notice,
    capital_stage,
    closed_position,
    confirmation,
    digest,
    judged,
    policy_proposal,
    position,
    streak,
)

ROOM, CHAT = Destination(platform="web", address="room"), Destination(platform="telegram", address="-100")
REF = Ref(messages=("7",))
OVER = NOON + timedelta(days=1)
KEPT = timedelta(days=90)
LONG_AFTER = OVER + KEPT + timedelta(days=1)
RETENTION = Retention(cards=KEPT)
_HALTS = table_of(HaltRow)


def question(uow: UnitOfWork, over: datetime | None) -> str:
    uow.decisions.add(judged())
    pending = asked()
    uow.approvals.add(pending)
    if over is not None:
        uow.approvals.swap(pending, replace(pending, state=Expired(at=over), version=1))
    return pending.id


def trade(uow: UnitOfWork, over: datetime | None) -> str:
    held = position() if over is None else closed_position(closed_at=over)
    uow.positions.put(held, "D12")
    return held.id


def halt(uow: UnitOfWork, over: datetime | None) -> str:
    halt_id = uow.halts.add(Halt(kind=HaltKind.PAUSE, reason="a look at the news", since=NOON))
    if over is not None:
        uow.halts.end(halt_id, over)
    return halt_id


def order(uow: UnitOfWork, over: datetime | None, approval_id: str = "") -> str:
    intent = OrderRequest(
        venue="paper",
        client_id="c" * 32,
        symbol="BTC/USDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal("0.01"),
    )
    uow.orders.add(
        Order(
            id="O5",
            request=intent,
            purpose=Purpose.EXTERNAL,
            context="momentum",
            price=Decimal(20_000),
            status=OrderStatus.OPEN if over is None else OrderStatus.CANCELLED,
            created_at=over or NOON,
            updated_at=over or NOON,
            approval_id=approval_id,
        )
    )
    return "O5"


def trouble(uow: UnitOfWork, over: datetime | None) -> str:
    begun = uow.troubles.begin("telegram", "Telegram cannot be reached.", NOON)
    if over is not None:
        uow.troubles.end(begun, over)
    return begun.id


def losses(uow: UnitOfWork, over: datetime | None) -> str:
    begun = streak(id=uow.streaks.next_id())
    uow.streaks.put(begun)
    if over is not None:
        uow.streaks.end(begun, over, "T9")
    return begun.id


def left_alone(uow: UnitOfWork, over: datetime | None) -> str:
    begun = uow.unmanaged.begin("T9", Absence.CONTEXT, NOON)
    if over is not None:
        uow.unmanaged.end(begun, over, Ending.MANAGED)
    return begun.id


def budget(uow: UnitOfWork, over: datetime | None) -> str:
    """Told of on the day that is over with the midnight after."""
    used = budget_notice(at=over or LONG_AFTER)
    uow.model_budgets.put(used)
    return used.id


def unasked_policy(uow: UnitOfWork, over: datetime | None) -> str:
    """Told once, at a time."""
    notice = AdjusterNotice(at=over or LONG_AFTER, policy="ppo", why="volatility is 9.", mode=AdjusterMode.ACTIVE)
    uow.adjuster_notices.put(notice)
    return notice.id


def policy(uow: UnitOfWork, over: datetime | None) -> str:
    """Declined at a time, or open."""
    stage = ProposalStage.OPEN if over is None else ProposalStage.DECLINED
    proposal = policy_proposal(id=uow.policy_proposals.next_id(), stage=stage, answered_at=over)
    uow.policy_proposals.put(proposal)
    return proposal.id


def day(uow: UnitOfWork, over: datetime | None) -> str:
    figures = digest(ends=over or LONG_AFTER)
    uow.digests.add(figures)
    return figures.id


def wish(uow: UnitOfWork, over: datetime | None) -> str:
    stage = Stage.ASKED if over is None else Stage.EXPIRED
    asked_for = Closing(
        id="C1",
        person="Ann",
        wanted=Wanted(what="T3"),
        sales=(),
        unsold=(),
        asked_at=NOON,
        expires_at=over or NOON,
        stage=stage,
    )
    uow.closings.put(asked_for)
    return asked_for.id


def confirm(uow: UnitOfWork, over: datetime | None) -> str:
    question = confirmation()
    uow.confirmations.add(question)
    if over is not None:
        uow.confirmations.settle(question.answered(Consent.YES, "Ada", over))
    return question.id


def capital(uow: UnitOfWork, over: datetime | None) -> str:
    """Told once, at a time."""
    uow.capital.add(capital_stage(at=over or LONG_AFTER))
    return "2"


def live_start(uow: UnitOfWork, over: datetime | None) -> str:
    """Told once, at a time."""
    uow.live_notices.put(LiveNotice(id="1", at=over or LONG_AFTER, accounts=(), limits=(), waiting=()))
    return "1"


def payment(uow: UnitOfWork, over: datetime | None) -> str:
    """Told once, at a time."""
    at = over or LONG_AFTER
    told = PaymentNotice(id="1", at=at, venue="paper", currency="USDT", before=Decimal(0), after=Decimal(1))
    uow.payment_notices.put(told)
    return "1"


def answer(uow: UnitOfWork, over: datetime | None) -> str:
    return emergency_answer_topic(halt(uow, over), "web:5").partition(":")[2]


KINDS = {
    question: ("approval",),
    trade: ("trade", "closed", "unprotected", "moved"),
    halt: ("halt", "recovery", "emergency"),
    order: ("external", "part"),
    trouble: ("platform",),
    losses: ("streak",),
    left_alone: ("unmanaged",),
    budget: ("budget",),
    unasked_policy: ("adjuster",),
    policy: ("policy",),
    day: ("digest",),
    wish: ("closing",),
    confirm: ("confirm",),
    capital: ("capital",),
    live_start: ("live",),
    payment: ("payment",),
    answer: ("emergency_answer",),
}
"""What makes the subject of each kind of topic, over at a time or not at all; its id."""


def one_of_each(uow: UnitOfWork, over: datetime | None) -> list[str]:
    return [f"{kind}:{subject}" for make, kinds in KINDS.items() for subject in (make(uow, over),) for kind in kinds]


def show(uow: UnitOfWork, topic: str, *places: Destination) -> None:
    """Let places show a topic as it is to be shown."""
    uow.outbox.changed(topic, places)
    for showing in uow.outbox.due():
        if showing.topic == topic:
            uow.outbox.sent(showing, REF)


async def made(store: Database, over: datetime | None) -> list[str]:
    """A topic of each kind, shown at two places."""

    def work(uow: UnitOfWork) -> list[str]:
        topics = one_of_each(uow, over)
        for topic in topics:
            show(uow, topic, ROOM, CHAT)
        return topics

    return await store.transact(work)


async def left_after(store: Database, now: datetime) -> set[str]:
    """The topics that are still known to be shown somewhere once what is old was let go."""
    await store.transact(lambda uow: let_go(uow, RETENTION, now, now))
    return {row["topic"] for row in await store.read(outbox)}


def outbox(uow: UnitOfWork) -> list[dict[str, Any]]:
    return [dict(row) for row in uow.connection.execute(select(table_of(OutboxRow))).mappings()]


def test_every_kind_of_card_that_comes_again_and_again_is_forgotten():
    assert set(IS_OLD) == set(TOPICS) - {"welcome", "inventory"} == {kind for kinds in KINDS.values() for kind in kinds}


async def test_where_a_card_is_shown_is_forgotten_a_while_after_its_subject_is_over(store: Database):
    topics = await made(store, OVER)
    assert await left_after(store, OVER + KEPT) == set(topics)
    assert await left_after(store, LONG_AFTER) == set()


async def test_what_is_not_over_can_be_edited_however_old_it_is(store: Database):
    topics = await made(store, None)
    assert await left_after(store, NOON + timedelta(days=9000)) == {*topics} - {
        "digest:2026-01-03",
        "budget:20220501-day-80",
        f"adjuster:{LONG_AFTER:%Y%m%d}-volatility-is",
        "capital:2",
        "live:1",
        "payment:1",
    }


async def test_what_was_never_shown_waits_and_what_was_left_does_not(store: Database):
    def work(uow: UnitOfWork) -> list[str]:
        topics = one_of_each(uow, OVER)
        for topic in topics:
            uow.outbox.changed(topic, [ROOM, CHAT])
        uow.outbox.leave(CHAT)
        return topics

    topics = await store.transact(work)
    assert await left_after(store, LONG_AFTER) == set(topics)
    rows = [row for row in await store.read(outbox) if not row["topic"].startswith(ANSWERS)]  # which are never left
    assert {row["platform"] for row in rows} == {"web"}
    assert len(rows) == len(topics) - len(ANSWERS)


async def test_a_question_is_known_while_its_trade_is_told_of_below_it(store: Database):
    def work(uow: UnitOfWork) -> None:
        show(uow, f"approval:{question(uow, OVER)}", ROOM)
        trade(uow, None)

    await store.transact(work)
    assert await left_after(store, LONG_AFTER) == {"approval:A17"}
    closed = LONG_AFTER + timedelta(days=300)
    await store.transact(lambda uow: trade(uow, closed))
    assert await left_after(store, closed + KEPT) == {"approval:A17"}
    assert await left_after(store, closed + KEPT + timedelta(hours=1)) == set()


@pytest.mark.parametrize(("over", "left"), [(None, {"approval:A17"}), (OVER, set())])
async def test_a_question_is_known_while_its_order_can_still_change(
    store: Database, over: datetime | None, left: set[str]
):
    def work(uow: UnitOfWork) -> None:
        show(uow, f"approval:{question(uow, OVER)}", ROOM)
        order(uow, over, approval_id="A17")

    await store.transact(work)
    assert await left_after(store, LONG_AFTER) == left


async def test_halts_and_troubles_go_after_their_cards(store: Database):
    """But not what is asked for later: which changes of a market were accepted, and how a platform was last."""

    def work(uow: UnitOfWork) -> None:
        for kind in HaltKind:
            uow.halts.end(uow.halts.add(Halt(kind=kind, reason="x", since=NOON, symbol="BTC/USDT")), OVER)
            uow.halts.add(Halt(kind=kind, reason="stands", since=NOON, symbol="ETH/USDT"))
        for _ in range(2):
            trouble(uow, OVER)

    def kept(uow: UnitOfWork) -> tuple[list[HaltKind], int, list[str]]:
        query = select(_HALTS.c.kind).where(_HALTS.c.status == "ended")
        found = set(uow.connection.execute(query).scalars())
        ended = [kind for kind in HaltKind if kind in found]
        return ended, len(uow.halts.open()), sorted(uow.settings.starting_with("platform.trouble."))

    await store.transact(work)
    await store.transact(lambda uow: let_go(uow, RETENTION, LONG_AFTER, LONG_AFTER))
    both = ["platform.trouble.P1", "platform.trouble.P2"]
    assert await store.read(kept) == (list(HaltKind), len(HaltKind), both)
    years_after = NOON + timedelta(days=9000)
    await store.transact(lambda uow: let_go(uow, RETENTION, years_after, years_after))
    assert await store.read(kept) == ([HaltKind.CHANGED, HaltKind.EMERGENCY], len(HaltKind), both[1:])
    last = await store.read(lambda uow: uow.troubles.newest("telegram"))
    assert last is not None
    assert last.id == "P2"


async def test_nothing_of_it_goes_where_it_is_kept_for_ever(store: Database):
    topics, years_after = await made(store, OVER), NOON + timedelta(days=9000)
    await store.transact(lambda uow: let_go(uow, Retention(cards=None, halts=None), years_after, years_after))
    assert {row["topic"] for row in await store.read(outbox)} == set(topics)
    assert await store.read(lambda uow: (uow.halts.get("H1").id, uow.troubles.get("P1").id)) == ("H1", "P1")


async def test_more_cards_than_one_transaction_lets_go_of_take_several(store: Database):
    topics = await made(store, OVER)
    went = [await store.transact(lambda uow: let_go_cards(uow.connection, LONG_AFTER, (), 16)) for _ in range(4)]
    assert went == [16, 16, 2 * len(topics) - 32, 0]
