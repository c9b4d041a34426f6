import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine.domain.approvals import Ordered, Pending
from engine.domain.closing import ALL, Wanted
from engine.domain.errors import BadInput
from engine.domain.messages import Card, Destination, Incoming, Person, Pressed, Ref, Role, Typed
from engine.store.database import Database
from engine.store.migrate import upgrade
from engine.store.strangers import KEPT
from handlers.access import Access, Identity
from handlers.commands import build_commands
from handlers.reception import Reception
from handlers.strangers import AT_ONCE, LONGEST_NAME
from tests.fakes import reports
from tests.fakes.chat import (
    FakeClock,
    FakeDesk,
    FakeResults,
    FakeRiskReports,
    FakeVenueReports,
    FakeViews,
    no_backtest,
    no_logs,
)
from tests.fakes.engine import engine_room
from tests.fakes.panel import rules_alone

STARTED = reports.NOON
PEOPLE = {"1001": ("Ann", Role.TRADER), "1002": ("Vic", Role.VIEWER), "1003": ("Bob", Role.TRADER)}
CHAT = Destination(platform="telegram", address="-100")


def wait_for(event, loop):
    """Hold a thread up until something is set in a loop."""
    asyncio.run_coroutine_threadsafe(event.wait(), loop).result(30)


def begun(strategy, market, days):
    if strategy == "nothing":
        raise BadInput("There is no strategy nothing.")
    return Card(title=f"{strategy} has begun")


class Room:
    """A reception over a real database and an engine of fakes."""

    def __init__(self, url):
        self.database = Database(url)
        self.clock = FakeClock()
        self.views = FakeViews(approvals_by_id={"A17": reports.asked()})
        self.deliveries = 0
        self.reception = self.open(started_at=STARTED)

    def open(self, *, started_at, desk=None):
        """The reception of a process that started then."""
        people = {user: Person(name=name, role=role) for user, (name, role) in PEOPLE.items()}
        desk = desk or FakeDesk(self.views, self.clock)
        return Reception(
            access=Access([Identity(person=person, platform="telegram", user=user) for user, person in people.items()]),
            commands=build_commands(
                views=self.views,
                results=FakeResults(),
                risk=FakeRiskReports(),
                venues=FakeVenueReports(),
                logs=no_logs,
                backtest=no_backtest,
                backtest_begun=begun,
                desk=desk,
                clock=self.clock,
                version="0.1.0",
                asker=rules_alone(),
            ),
            database=self.database,
            desk=desk,
            clock=self.clock,
            wall=lambda: STARTED + timedelta(seconds=30),
            started_at=started_at,
            monotonic=self.clock.monotonic,
        )

    def incoming(
        self, action, *, user="1001", delivery=None, sent_at=None, platform="telegram", ref=None, name="", private=False
    ):
        self.deliveries += 1
        return Incoming(
            platform=platform,
            user=user,
            delivery_id=delivery or str(self.deliveries),
            sent_at=sent_at,
            address=CHAT.address,
            action=action,
            ref=ref,
            name=name,
            is_private=private,
        )

    async def type(self, text, **changes):
        return await self.reception.receive(self.incoming(Typed(text=text), **changes))

    async def press(self, data, **changes):
        return await self.reception.receive(self.incoming(Pressed(data=data), **changes))

    async def strangers(self):
        return await self.database.read(lambda uow: uow.strangers.recent())

    async def audit(self):
        """What was noted, oldest first."""
        return tuple(reversed(await self.database.read(lambda uow: uow.chat.newest_audit(50))))

    @property
    def state(self):
        return self.views.approvals_by_id["A17"].state


@pytest.fixture
async def room(tmp_path):
    url = f"sqlite:///{tmp_path / 'chat.sqlite'}"
    await asyncio.to_thread(upgrade, url)
    opened = Room(url)
    yield opened
    await opened.database.close()


async def test_a_command_is_answered_and_audited(room):
    card = await room.type("/status")
    assert card.title.startswith("Trading")
    (entry,) = await room.audit()
    assert (entry.platform, entry.user, entry.person) == ("telegram", "1001", "Ann")
    assert (entry.action, entry.outcome) == ("/status", card.title)
    assert (entry.at, entry.wall_at) == (reports.NOON, STARTED + timedelta(seconds=30))


async def test_the_audit_has_an_outcome_as_it_was_shown(room):
    for text in ("/daily", "/performance"):
        await room.type(text)
    assert [entry.outcome for entry in await room.audit()] == [
        "-5.00 USDT (-0.05%) in 2 days",
        "+120.50 USDT (+2.50%), 23 closed trades",
    ]


async def test_what_only_reads_is_answered_before_anything_is_written_and_audited_once(room):
    """Seen: two durable records before each answer."""
    asked = room.incoming(Typed(text="/status"), delivery="7")
    writing = asyncio.Event()
    room.database._writer.submit(wait_for, writing, asyncio.get_running_loop())
    try:
        card = await asyncio.wait_for(room.reception.answer(asked), 5)
        assert card.title.startswith("Trading")
        assert await room.audit() == ()
        assert await room.reception.answer(asked) is None, "it is being recorded"
    finally:
        writing.set()
    await room.reception.recorded(asked)
    assert [entry.action for entry in await room.audit()] == ["/status"]
    assert await room.reception.receive(asked) is None, "delivered again, it was answered"
    assert len(await room.audit()) == 1


async def test_those_who_write_together_give_way_until_the_answer_is_shown(room):
    """Seen: a step of a replay between the answer and its message, for it was on record by then."""
    asked = room.incoming(Typed(text="/status"), delivery="7")
    assert await room.reception.answer(asked) is not None
    await room.reception.recorded(asked)
    assert "telegram:7" in room.reception._giving_way
    room.reception.shown(asked)
    going_on = asyncio.ensure_future(room.database.yield_to_callers())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert going_on.done()


async def test_way_is_given_to_what_only_reads_from_when_it_has_arrived(room):
    asked = room.incoming(Typed(text="/status"), delivery="7")
    room.reception.arrived(asked)
    going_on = asyncio.ensure_future(room.database.yield_to_answers())
    await asyncio.sleep(0)
    assert not going_on.done()
    assert await room.reception.answer(asked) is not None
    assert not going_on.done()
    room.reception.shown(asked)
    await asyncio.wait_for(going_on, 5)
    assert room.reception._giving_way == {}


@pytest.mark.parametrize(("text", "user"), [("/pause", "1001"), ("hello", "1001"), ("/status", "6666")])
async def test_way_is_not_given_to_what_acts_or_says_nothing_nor_to_strangers(room, text, user):
    room.reception.arrived(room.incoming(Typed(text=text), user=user))
    assert room.reception._giving_way == {}


async def test_what_arrives_again_once_it_was_answered_leaves_nothing_that_gives_way(room):
    asked = room.incoming(Typed(text="/status"), delivery="7")
    assert await room.reception.receive(asked) is not None
    room.reception.arrived(asked)
    assert await room.reception.answer(asked) is None
    assert room.reception._giving_way == {}


async def test_after_a_crash_what_only_reads_is_answered_again(room):
    asked = room.incoming(Typed(text="/status"), delivery="7")
    card = await room.reception.answer(asked)
    room.reception._recording["telegram:7"].cancel()
    assert await room.open(started_at=STARTED).receive(asked) == card
    assert [entry.action for entry in await room.audit()] == ["/status"]


async def test_what_was_answered_before_a_restart_is_known_after_it(room):
    asked = room.incoming(Typed(text="/status"), delivery="7", sent_at=STARTED + timedelta(seconds=1))
    assert await room.reception.receive(asked) is not None
    assert await room.open(started_at=STARTED + timedelta(seconds=9)).receive(asked) is None


@pytest.mark.parametrize("text", ["/approve A17", "/reject A17", "/pause", "/resume", "/close T1", "/emergency"])
async def test_what_acts_is_on_record_before_it_is_done(room, text):
    asked = room.incoming(Typed(text=text), delivery="7", user="1001")
    begun = []

    async def note(*_):
        begun.append(await room.database.read(lambda uow: uow.chat.has_seen("telegram:7")))

    room.reception._act = note
    await room.reception.answer(asked)
    assert begun == [True]


async def test_where_nobody_else_reads_a_command_needs_no_slash(room):
    card = await room.type("Status", private=True)
    assert card.title.startswith("Trading")
    assert (await room.type("approve 17 half", private=True)).title.startswith("You approved half of A17")
    assert [entry.action for entry in await room.audit()] == ["/Status", "/approve 17 half"]


@pytest.mark.parametrize(("text", "private"), [("status", False), ("my password", True), ("statuz", True)])
async def test_any_other_text_is_no_command_and_leaves_no_trace_of_what_it_says(room, text, private):
    assert (await room.type(text, private=private)).title == "I understand commands"
    assert [entry.action for entry in await room.audit()] == ["a text that is not a command"]


async def test_a_press_becomes_an_order_and_is_audited(room):
    card = await room.press("half:A17")
    assert card.title == "You approved half of A17: order O5 at 20,000.00."
    assert room.state.votes[0].half
    (entry,) = await room.audit()
    assert (entry.action, entry.outcome) == ("pressed half:A17", card.title)


@pytest.mark.parametrize("action", [Typed(text="/status"), Typed(text="hi"), Pressed(data="approve:A17")])
async def test_strangers_learn_nothing_change_nothing_and_are_audited(room, action):
    assert await room.reception.receive(room.incoming(action, user="666")) is None
    assert room.state == Pending()
    (entry,) = await room.audit()
    assert (entry.user, entry.person, entry.outcome) == ("666", "", "stranger: no answer")


async def test_a_strangers_first_message_leaves_one_line_with_the_id_also_after_a_restart(room):
    with capture_logs() as logs:
        for _ in range(3):
            assert await room.type("/status my password", user="666", name="Eve (@eve)") is None
        room.reception = room.open(started_at=STARTED)
        await room.press("approve:A17", user="666", name="Eve (@eve)")
        await room.type("hello", user="U0666", platform="slack")
    lines = [(line["platform"], line["user"], line["name"]) for line in logs if line["event"] == "a stranger wrote"]
    assert lines == [("telegram", "666", "Eve (@eve)"), ("slack", "U0666", "")]
    assert "password" not in str(logs)
    assert [(each.user, each.name, each.times) for each in await room.strangers()] == [
        ("U0666", "", 1),
        ("666", "Eve (@eve)", 4),
    ]


async def test_a_delivery_of_a_stranger_counts_once(room):
    for _ in range(3):
        await room.type("/status", user="666", delivery="77")
    assert len(await room.audit()) == 1
    assert [each.times for each in await room.strangers()] == [1]


async def test_a_strangers_name_is_cut_and_has_nothing_but_what_can_be_shown(room):
    hostile = "Eve\x00\x1b[31m\u202e\n\ud800 <b>&`" + "x" * 4000
    with capture_logs() as logs:
        await room.type("/start", user="666", name=hostile)
    (stranger,) = await room.strangers()
    assert stranger.name.startswith("Eve [31m <b>&`xx")
    assert len(stranger.name) == LONGEST_NAME
    assert [line["name"] for line in logs] == [stranger.name]


async def test_a_flood_of_strangers_fills_neither_log_nor_database_nor_memory_and_a_later_one_is_noted(room):
    with capture_logs() as logs:
        for number in range(3000):
            await room.type("/start", user=str(10_000 + number))
        for _ in range(3000):
            await room.type("/start", user="10000")
    assert len([line for line in logs if line["event"] == "a stranger wrote"]) == AT_ONCE
    assert len(logs) < AT_ONCE + 10
    assert len(await room.database.read(lambda uow: uow.chat.newest_audit(9000))) == 2 * AT_ONCE
    assert len(await room.strangers()) == KEPT
    room.clock.pass_(timedelta(minutes=2))
    await room.type("/start", user="666")
    await room.type("/start", user="10000")
    flooder, newest, *_ = await room.strangers()
    assert (newest.user, newest.times, flooder.user) == ("666", 1, "10000")
    assert await room.type("/version") is not None


async def test_an_id_that_is_known_elsewhere_is_a_stranger_here(room):
    assert await room.type("/status", platform="web") is None


async def test_the_same_delivery_has_one_effect_also_after_a_restart(room):
    assert await room.press("approve:A17", delivery="77") is not None
    assert await room.press("approve:A17", delivery="77") is None
    room.reception = room.open(started_at=STARTED)
    assert await room.press("approve:A17", delivery="77") is None
    assert len(await room.audit()) == 1


async def test_what_a_crash_interrupted_is_not_done_again_but_said_to_be_uncertain_once(room):
    await room.database.transact(lambda uow: uow.chat.delivered("telegram:77", reports.NOON))
    card = await room.press("approve:A17", delivery="77", sent_at=STARTED - timedelta(days=1))
    assert "cannot say whether it was done" in card.title
    assert "/status" in card.text
    assert room.state == Pending()
    assert [(entry.action, entry.outcome) for entry in await room.audit()] == [("pressed approve:A17", card.title)]
    assert await room.press("approve:A17", delivery="77") is None


async def test_what_a_crash_interrupted_tells_strangers_nothing(room):
    await room.database.transact(lambda uow: uow.chat.delivered("telegram:77", reports.NOON))
    assert await room.type("/status", user="666", delivery="77") is None
    assert [entry.outcome for entry in await room.audit()] == ["stranger: no answer"]


async def test_a_delivery_that_comes_again_while_it_is_acted_on_has_no_effect(room):
    answered = await asyncio.gather(*(room.press("approve:A17", delivery="77") for _ in range(5)))
    assert sum(card is not None for card in answered) == 1
    assert len(await room.audit()) == 1


async def test_two_platforms_that_count_alike_are_not_mistaken_for_each_other(room):
    assert await room.type("/status", user="666", platform="web", delivery="5") is None
    assert await room.type("/status", delivery="5") is not None


@pytest.mark.parametrize("action", [Typed(text="/approve A17"), Pressed(data="approve:A17")])
async def test_what_was_sent_while_the_bot_was_down_is_not_acted_on_but_answered_so(room, action):
    card = await room.reception.receive(room.incoming(action, sent_at=STARTED - timedelta(seconds=1)))
    assert card.title == "That was sent while I was away; nothing was done"
    assert room.state == Pending()
    assert [entry.outcome for entry in await room.audit()] == [card.title]


async def test_what_was_sent_in_the_second_of_the_start_is_acted_on(room):
    assert isinstance((await room.type("/approve A17", sent_at=STARTED)) and room.state, Ordered)


@pytest.mark.parametrize("action", [Typed(text="/approve A17"), Pressed(data="approve:A17")])
async def test_a_viewer_is_told_which_role_it_takes(room, action):
    card = await room.reception.receive(room.incoming(action, user="1002"))
    assert "needs the role trader; yours is viewer" in card.title
    assert room.state == Pending()
    assert [entry.outcome for entry in await room.audit()] == [card.title]


async def test_the_second_of_two_is_told_who_was_first(room):
    await room.press("approve:A17", user="1003")
    card = await room.press("approve:A17", user="1001")
    assert card.title == "Too late: A17 was approved by Bob at 2026-01-03 12:00 UTC."


async def test_where_two_people_are_needed_one_person_cannot_be_both(room):
    room.views.approvals_by_id["A17"] = reports.asked(votes_needed=2)
    assert (await room.press("approve:A17")).title.startswith("Your approval counts: A17 has 1 of 2")
    assert (await room.type("/approve 17")).title.startswith("You have approved it already")
    assert (await room.press("approve:A17", user="1003")).title.startswith("You approved A17: order O5")


@pytest.mark.parametrize("data", ["", "approve", "approve:", "sell:A17", "approve:A17:now"])
async def test_a_forged_button_does_nothing(room, data):
    assert (await room.press(data)).title
    assert room.state == Pending()
    assert len(await room.audit()) == 1


async def test_a_press_gives_back_a_message_that_a_crash_lost(room):
    await room.database.transact(lambda uow: uow.outbox.want("approval:A17", CHAT))
    await room.press("approve:A17", ref=Ref(messages=("42",)))
    (showing,) = await room.database.read(lambda uow: uow.outbox.due())
    assert showing.ref == Ref(messages=("42",))


async def test_a_viewers_press_gives_back_nothing(room):
    await room.database.transact(lambda uow: uow.outbox.want("approval:A17", CHAT))
    await room.press("approve:A17", ref=Ref(messages=("42",)), user="1002")
    (showing,) = await room.database.read(lambda uow: uow.outbox.due())
    assert showing.ref is None


async def test_a_text_that_is_not_a_command_gets_a_hint_and_is_not_written_down(room):
    card = await room.type("my key is hunter2")
    assert "/help" in card.text
    (entry,) = await room.audit()
    assert entry.action == "a text that is not a command"


async def test_what_is_not_understood_is_answered_in_words(room):
    assert (await room.type("/statuz")).plain == "There is no command /statuz.\nDid you mean /status?"
    assert "Usage: /approve ID [half]" in (await room.type("/approve")).text


async def test_an_unexpected_error_reaches_people_as_an_id_only(room):
    room.views.broken = True
    with capture_logs() as logs:
        card = await room.type("/status")
    assert "hunter2" not in card.plain
    (entry,) = logs
    assert entry["reference"] in card.text
    assert "hunter2" in str(entry["exc_info"])
    assert [noted.outcome for noted in await room.audit()] == [card.title]


async def test_a_very_long_text_is_cut_before_it_is_kept(room):
    await room.type("/reject A17 " + "no " * 5000)
    assert len(room.state.reason) <= 1000
    assert len((await room.audit())[0].action) <= 1000


async def test_a_store_that_fails_is_told_to_people_and_to_no_stranger(room):
    await room.database.close()
    with capture_logs():
        for text in ("/pause", "/status"):
            assert "Something went wrong" in (await room.type(text)).title
            assert await room.type(text, user="666") is None


async def test_a_press_on_an_answer_that_the_outbox_edits_is_not_replied_to_as_well(tmp_path):
    """Two edits of one message would overtake one another. One that was shown twice is edited where it was pressed."""
    async with engine_room(tmp_path) as engine:
        await engine.enter()
        room = Room(f"sqlite:///{tmp_path / 'greenlight.sqlite'}")
        room.database, own = engine.store, room.database
        room.reception = room.open(started_at=STARTED, desk=engine.desk)
        topic = f"closing:{(await engine.desk.closings.ask('Ann', Wanted(what=ALL))).closing.id}"
        await engine.store.transact(lambda uow: uow.answered(topic, CHAT, Ref(messages=("4",))))
        assert await room.press("keep:C1", ref=Ref(messages=("3",))) is None
        assert await room.press("keep:C1", ref=Ref(messages=("4",))) is None
        assert (await room.press("keep:C1")).title == "Kept: nothing was sold (C1)"
        assert [entry.outcome for entry in await room.audit()] == ["Kept: nothing was sold (C1)"] * 3
        due = await engine.store.read(lambda uow: [(each.topic, each.ref) for each in uow.outbox.due()])
        assert (topic, Ref(messages=("3", "4"))) in due
        await own.close()


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        ("/backtest momentum btc", {}, "momentum has begun"),
        ("backtest momentum btc", {"private": True}, "momentum has begun"),
        ("/status", {}, None),
        ("/backtest", {}, None),
        ("/backtest nothing btc", {}, None),
        ("/nonsense", {}, None),
        ("/backtest momentum btc", {"user": "1002"}, None),  # a viewer may not
        ("/backtest momentum btc", {"user": "9"}, None),  # a stranger
        ("/backtest momentum btc", {"sent_at": STARTED - timedelta(minutes=1)}, None),
    ],
)
async def test_what_takes_long_is_announced_unless_it_will_be_refused(room, text, changes, said):
    card = room.reception.interim(room.incoming(Typed(text=text), **changes))
    assert (card and card.title) == said
