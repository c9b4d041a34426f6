import re
from datetime import timedelta
from pathlib import Path

import pytest

from engine.domain.approvals import Declined, Expired, Ordered
from engine.domain.days import Period
from engine.domain.errors import BadInput, NotAllowed, UnknownId
from engine.domain.halts import HaltKind
from engine.domain.messages import Person, Role
from handlers.cards import wording
from handlers.cards.lines import flowing, for_phone
from handlers.cards.monospace import WIDTH, aligned
from handlers.commands import Call, build_commands
from handlers.slack.speech import Speech
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
from tests.fakes.panel import rules_alone

README = Path(__file__).parents[3] / "README.md"
VIEWER = Person(name="Vic", role=Role.VIEWER)
TRADER = Person(name="Ann", role=Role.TRADER)
ADMIN = Person(name="Ada", role=Role.ADMIN)

ALL = (
    *("start", "help", "whoami", "status", "positions", "balance", "count"),
    *("risk", "var", "exposure", "profit", "daily", "weekly", "monthly"),
    *(
        "performance",
        "stats",
        "strategies",
        "trades",
        "chart",
        "backtest",
        "pending",
        "approve",
        "reject",
        "why",
        "agents",
        "pause",
    ),
    *(
        "resume",
        "close",
        "venues",
        "orders",
        "order",
        "cancel",
        "capital",
        "emergency",
        "strangers",
        "logs",
        "digest",
        "health",
        "quality",
        "ask",
        "sentiment",
        "predict",
        "ppo",
        "llm",
        "version",
    ),
)


class Room:
    """A command table over an engine of fakes."""

    def __init__(self):
        self.clock = FakeClock()
        self.views = FakeViews(
            approvals_by_id={"A17": reports.asked(), "A4": reports.asked(Expired(at=reports.NOON), id="A4")},
            trades_by_id={"T3": reports.position()},
        )
        self.desk = FakeDesk(self.views, self.clock)
        self.results = FakeResults()
        self.table = build_commands(
            views=self.views,
            results=self.results,
            risk=FakeRiskReports(),
            venues=FakeVenueReports(),
            logs=no_logs,
            backtest=no_backtest,
            desk=self.desk,
            clock=self.clock,
            version="0.1.0",
            asker=rules_alone(),
        )

    async def say(self, text, person=TRADER):
        command, words = self.table.find(text)
        return await self.table.run(command, Call(person=person, platform="telegram", words=words))


@pytest.fixture
def room():
    return Room()


def test_the_menu_lists_every_command_of_this_version_and_no_other(room):
    assert tuple(name for name, _ in room.table.menu()) == ALL


def test_every_menu_entry_fits_the_platforms(room):
    for name, text in room.table.menu():
        assert name.isalpha()
        assert name.islower()
        assert 3 <= len(text) <= 100


def test_viewers_may_use_exactly_the_commands_that_change_and_cost_nothing(room):
    traders = [command.name for command in room.table.commands if command.role is not Role.VIEWER]
    assert traders == [
        "backtest",
        "approve",
        "reject",
        "pause",
        "resume",
        "close",
        "cancel",
        "emergency",
        "strangers",
        "logs",
    ]


@pytest.mark.parametrize("text", ["/Status", "/status@GreenlightBot", "  /STATUS  "])
async def test_a_command_is_found_however_it_is_written(room, text):
    assert (await room.say(text)).title.startswith("Trading")


def test_freqtrades_names_are_understood_where_they_mean_the_same(room):
    assert room.table.find("/stopentry")[0].name == "pause"
    assert {room.table.find(f"/{name} 3")[0].name for name in ("forceexit", "fx", "forcesell")} == {"close"}


async def test_the_manual_fits_a_phone_and_names_every_other_name(room):
    lines = for_phone(await room.say("/help", ADMIN)).text.splitlines()
    also = [line for line in lines if line.startswith("also ")]
    assert also == ["also /reduce, /stopentry, /stopbuy", "also /forceexit, /fx, /forcesell", "also /panic, /halt"]
    assert [line for line in lines if len(line) > WIDTH] == []
    before = [line for line in lines[: lines.index(also[0])] if line.startswith("/")]
    assert before[-1] == "/pause [duration]:"


async def test_the_manual_fits_a_phone_on_slack_too(room):
    shown = for_phone(Speech("/bot", room.table.names).shown(await room.say("/help", ADMIN)))
    lines = shown.text.splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []
    assert "also /bot forceexit, /bot fx,\n/bot forcesell" in shown.text
    assert "1d,\n  or until /bot resume; exits go on;\n  of two pauses the longer holds\n" in shown.text


def test_the_table_in_the_readme_has_every_command_its_role_and_its_other_names(room):
    rows = re.findall(r"^\| `(/.+?)` \| (\w+) \| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    told = {usage.replace("\\|", "|"): (role, set(re.findall(r"`/(\w+)`", text))) for usage, role, text in rows}
    assert told.keys() == {command.usage for command in room.table.commands}
    for command in room.table.commands:
        role, names = told[command.usage]
        assert role == command.role
        assert set(command.aliases) <= names, command.name


@pytest.mark.parametrize("text", ["hello", "", "   ", "approve A17"])
def test_a_text_that_is_not_a_command_is_none(room, text):
    assert room.table.find(text) is None


def test_a_misspelt_command_is_answered_with_the_nearest(room):
    with pytest.raises(BadInput) as refused:
        room.table.find("/statuz")
    assert str(refused.value) == "There is no command /statuz. Did you mean /status?"


@pytest.mark.parametrize("typed", ["/buy", "/thanks", "/menu", "/"])
def test_a_word_that_is_like_no_command_is_answered_with_the_way_to_all_of_them(room, typed):
    with pytest.raises(BadInput) as refused:
        room.table.find(typed)
    assert refused.value.remedy == "/help lists what there is."


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/price", "/predict"),
        ("/stat", "/stats"),
        ("/statu", "/status"),
        ("/res", "/resume"),
        ("/pa", "/pause"),
        ("/stopen", "/stopentry"),
    ],
)
def test_a_command_that_was_only_begun_is_answered_with_the_shortest_that_begins_so(room, typed, meant):
    with pytest.raises(BadInput) as refused:
        room.table.find(typed)
    assert refused.value.remedy == f"Did you mean {meant}?"


def test_a_stroke_alone_is_answered_with_help(room):
    with pytest.raises(BadInput, match="/help lists"):
        room.table.find("/")


def test_a_command_like_no_other_is_answered_with_help(room):
    with pytest.raises(BadInput, match="/help lists"):
        room.table.find("/xyzzyx")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("/start", "Hello Ann"),
        ("/whoami", "Signed in as Ann"),
        ("/positions", "1 open position"),
        ("/balance", "Balance: 9,124.52 USDT"),
        ("/profit", "-5.00 USDT"),
        ("/daily", "-5.00 USDT (-0.05%) in 2 days"),
        ("/weekly", "-5.00 USDT (-0.05%) in 2 weeks"),
        ("/monthly 2", "-5.00 USDT (-0.05%) in 2 months"),
        ("/backtest momentum btc 12w", "Backtest: momentum, BTC, 84"),
        ("/performance", "+120.50 USDT (+2.50%), 23 closed trades"),
        ("/stats", "+120.50 USDT (+2.50%), 23 closed trades"),
        ("/count", "2 of 6 positions open"),
        ("/risk", "Risk: active"),
        ("/var", "VaR of a day: "),
        ("/exposure", "Exposure: 1,500.00 EUR (15.00%)"),
        ("/strategies", "1 strategy at work"),
        ("/status table", "1 open position"),
        ("/trades", "The last 1 trade"),
        ("/chart", "Equity in USDT, 30 days: +50.50 USDT"),
        ("/chart 7", "Equity in USDT, 7 days: +50.50 USDT"),
        ("/chart t3", "T3: BTC/USDT open"),
        ("/pending", "1 open approval"),
        ("/why d12", "Why D12"),
        ("/why A17", "Why D12"),
        ("/agents A17", "The panel on D12: enter BTC/USDT"),
        ("/ask what do we hold", "A command answers that"),
        ("/digest", "2026-01-03"),
        ("/health", "All is well"),
        ("/predict btc", "Prediction for BTC/USDT: bullish"),
        ("/venues", "2 venues: 1 does not trade freely"),
        ("/orders", "4 open orders"),
        ("/order o5", "O5: buy 0.00617 BTC/USDT"),
        ("/capital", "Capital: stage 2 of 3, up to 500 USDT"),
        ("/ppo", "Adjuster: advisory"),
        ("/quality", "Data is not good: BTC/USDT"),
        ("/quality eth", "Data is good: 1 market"),
        ("/sentiment btc", "Sentiment on BTC/USDT: +0.11, bullish"),
        ("/llm", "Language models: all is well"),
        ("/version", "Greenlight 0.1.0"),
    ],
)
async def test_every_reading_command_answers(room, text, title):
    assert flowing((await room.say(text)).title).startswith(title)


@pytest.mark.parametrize("text", ["/chart 0", "/chart 366", "/chart -7", "/chart BTC/USDT", "/chart T3 7", "/chart T0"])
async def test_what_is_no_chart_is_answered_with_what_is(room, text):
    with pytest.raises(BadInput) as refused:
        await room.say(text)
    assert "from 1 to 365. A trade is named by its id, such as T3." in refused.value.message
    assert refused.value.remedy == "Usage: /chart [days | ID]"


async def test_a_trade_that_is_not_there_has_no_chart(room):
    with pytest.raises(UnknownId, match="There is no T99"):
        await room.say("/chart T99")


async def test_help_lists_what_the_person_may_do_by_role(room):
    assert "/approve ID [half]" in (await room.say("/help", TRADER)).text
    for_viewers = (await room.say("/help", VIEWER)).text
    assert "/status" in for_viewers
    assert "/approve" not in for_viewers


@pytest.mark.parametrize(
    ("text", "title"),
    [("/strangers", "1 stranger wrote and got no answer"), ("/logs 3", "No warnings since the start")],
)
async def test_what_strangers_wrote_is_shown_to_admins_alone(room, text, title):
    assert (await room.say(text, ADMIN)).title == title
    for person in (TRADER, VIEWER):
        with pytest.raises(NotAllowed, match=f"{text.split()[0]} needs the role admin"):
            await room.say(text, person)


async def test_periods_are_as_many_as_asked_for(room):
    for text in ("/daily", "/weekly 3", "/monthly"):
        await room.say(text)
    assert room.results.asked_periods == [(Period.DAY, 7), (Period.WEEK, 3), (Period.MONTH, 6)]


async def test_lists_of_trades_are_beside_what_holding_came_to_since_the_first_was_opened(room):
    room.views.trades_by_id = {
        "T4": reports.closed_position(id="T4", opened_at=reports.NOON),
        "T3": reports.closed_position(opened_at=reports.NOON - timedelta(days=2)),
    }
    for text, since in (("/trades", reports.NOON - timedelta(days=2)), ("/positions", reports.ANSWERED)):
        card = await room.say(text)
        assert ("Buy and hold of the markets", "+2.01%") in card.fields
        assert room.views.asked_since == since
        assert ("Since", wording.moment(since)) in card.fields


READING = (
    *("/start", "/help", "/whoami", "/status", "/status table", "/positions", "/balance", "/count"),
    *("/risk", "/var", "/exposure", "/profit 2"),
    *(
        "/daily",
        "/weekly",
        "/monthly",
        "/performance",
        "/stats",
        "/strategies",
        "/trades",
        "/chart",
        "/pending",
        "/why D12",
        "/agents A17",
        "/ask how much did we lose today?",
    ),
    *(
        "/backtest momentum BTC",
        "/emergency",
        "/strangers",
        "/logs",
        "/digest",
        "/health",
        "/sentiment btc",
        "/predict btc",
        "/ppo",
        "/capital",
        "/venues",
        "/orders",
        "/order O5",
        "/quality btc",
    ),
    "/llm",
    "/version",
)


@pytest.mark.parametrize("text", READING)
async def test_whatever_is_read_fits_a_phone(room, text):
    """What is of one width cannot be broken anew there, and figures are not to be; a reason is a sentence, and may."""
    card = for_phone(await room.say(text, ADMIN))
    assert card.table is None or max(map(len, aligned(card.table))) <= WIDTH
    lines = [line for item in card.items for line in (item.title, *item.text.splitlines())]
    assert [line for line in lines if len(line) > WIDTH and not line.startswith("Not ")] == []


@pytest.mark.parametrize("text", ["/daily", "/weekly", "/monthly", "/count", "/risk", "/var", "/exposure", "/pending"])
async def test_so_do_the_words_beside_figures(room, text):
    card = for_phone(await room.say(text, ADMIN))
    fields = [line for name, value in card.fields for line in f"{name}: {value}".splitlines()]
    assert card.text
    assert [line for line in (*fields, *card.text.splitlines()) if len(line) > WIDTH] == []


@pytest.mark.parametrize("text", READING)
async def test_what_only_an_admin_may_read_is_for_the_one_who_asked_alone(room, text):
    command, _ = room.table.find(text)
    assert (await room.say(text, ADMIN)).private == (command.role is Role.ADMIN)


async def test_what_an_admin_does_is_told_where_it_was_done(room):
    assert not (await room.say("/emergency now", ADMIN)).private
    assert (await room.say("/emergency", ADMIN)).private


def test_every_reading_command_is_looked_at(room):
    read = {text.split()[0].removeprefix("/") for text in READING}
    acts = {"approve", "reject", "pause", "resume", "close", "cancel"}
    assert read | acts == {command.name for command in room.table.commands}


@pytest.mark.parametrize(
    ("text", "slashed"),
    [("status", "/status"), (" Why  A1 ", "/Why  A1"), ("/status", "/status"), ("hello", "hello"), ("", "")],
)
def test_the_slash_is_put_before_the_name_of_a_command_alone(room, text, slashed):
    assert room.table.slashed(text) == slashed


@pytest.mark.parametrize("text", ["/approve A17", "/reject A17", "/pause", "/resume", "/close T3", "/cancel O5"])
async def test_viewers_may_only_look(room, text):
    with pytest.raises(NotAllowed, match="needs the role trader; yours is viewer"):
        await room.say(text, VIEWER)
    assert room.views.approvals_by_id["A17"] == reports.asked()
    assert room.desk.paused_until == []


@pytest.mark.parametrize(
    ("text", "half"), [("/approve A17", False), ("/approve a17 half", True), ("/APPROVE 17 HALF", True)]
)
async def test_approve_takes_the_id_as_people_write_it(room, text, half):
    card = await room.say(text)
    assert card.title == f"You approved {'half of ' if half else ''}A17: order O5 at 20,000.00."
    state = room.views.approvals_by_id["A17"].state
    assert isinstance(state, Ordered)
    assert state.votes[0].half is half
    assert state.votes[0].person == "Ann"


async def test_a_misspelt_half_approves_nothing(room):
    with pytest.raises(BadInput) as refused:
        await room.say("/approve A17 hlaf")
    assert "Did you mean half? Usage: /approve ID [half]" in str(refused.value)
    assert room.views.approvals_by_id["A17"] == reports.asked()


async def test_reject_keeps_the_reason(room):
    assert (await room.say("/reject 17 too   hot for me")).title == "You declined A17. Nothing is traded."
    assert room.views.approvals_by_id["A17"].state == Declined(by="Ann", reason="too hot for me", at=reports.NOON)


async def test_an_answer_that_comes_too_late_says_since_when(room):
    assert (await room.say("/approve A4")).title == "Too late: A4 expired at 2026-01-03 12:00 UTC."


@pytest.mark.parametrize("text", ["/approve A71", "/reject 99"])
async def test_an_unknown_id_is_answered_with_the_nearest_open_one(room, text):
    with pytest.raises(UnknownId, match=r"Did you mean A17\?"):
        await room.say(text)


async def test_an_unknown_id_without_open_questions_says_that_there_are_none(room):
    room.views.approvals_by_id.clear()
    with pytest.raises(UnknownId, match="No approval is open"):
        await room.say("/approve A71")


async def test_why_of_an_unknown_id_names_one_that_exists(room):
    with pytest.raises(UnknownId, match="Try /why A4"):
        await room.say("/why A99")


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        ("/approve", "/approve ID [half]"),
        ("/approve what", "/approve ID [half]"),
        ("/reject", "/reject ID [reason]"),
        ("/agents", "/agents ID"),
        ("/ask", "/ask QUESTION"),
        ("/agents A1 A2", "/agents ID"),
        ("/why", "/why ID"),
        ("/why 17", "/why ID"),
        ("/why A1 A2", "/why ID"),
        ("/profit 0", "/profit [days]"),
        ("/profit 366", "/profit [days]"),
        ("/trades 51", "/trades [n]"),
        ("/pause soon", "/pause [duration]"),
        ("/status now", "/status [table]"),
        ("/daily 0", "/daily [n]"),
        ("/weekly 105", "/weekly [n]"),
        ("/monthly two", "/monthly [n]"),
        ("/monthly 2 3", "/monthly [n]"),
        ("/performance BTC/USDT", "/performance"),
        ("/stats 3", "/stats"),
        ("/count all", "/count"),
        ("/strategies btc_momentum", "/strategies"),
        ("/resume all", "/resume [market [venue]|reason]"),
        ("/resume BTC/USDT ETH/USDT", "/resume [market [venue]|reason]"),
    ],
)
async def test_wrong_arguments_are_answered_with_the_usage(room, text, usage):
    with pytest.raises(BadInput) as refused:
        await room.say(text)
    assert re.search(rf"[.?!] Usage: {re.escape(usage)}$", str(refused.value))


async def test_days_and_counts_reach_the_views(room):
    await room.say("/profit 365")
    await room.say("/trades 50")
    assert (room.views.asked_days, room.views.asked_trades) == (365, 50)


async def test_a_pause_ends_by_itself_after_its_duration(room):
    card = await room.say("/pause 2h")
    assert room.desk.paused_until == [reports.NOON + timedelta(hours=2)]
    assert card.title == "No new entries: pause by Ann (H1)"
    assert dict(card.fields)["Until"] == "2026-01-03 14:00 UTC"


async def test_trades_name_their_venue_where_there_are_several(room):
    assert "BTC/USDT at " not in (await room.say("/trades")).items[0].title
    room.views.venues = ("okx", "paper")
    assert "BTC/USDT at paper" in (await room.say("/trades")).items[0].title


async def test_a_pause_without_a_duration_lasts_until_resume(room):
    await room.say("/pause")
    assert room.desk.paused_until == [None]
    assert (await room.say("/resume")).title == "Ended: pause (H1)"


async def test_what_only_an_admin_may_end_is_left_to_the_desk(room):
    room.views.halts_by_id["H2"] = reports.halt(HaltKind.DRAWDOWN)
    with pytest.raises(NotAllowed, match="admin"):
        await room.say("/resume", TRADER)
    assert (await room.say("/resume", ADMIN)).title.startswith("Ended: drawdown halt")


@pytest.mark.parametrize("typed", ["/resume LUNA/USDT", "/resume luna/usdt", "/resume luna", "/resume luna-usdt"])
async def test_a_market_that_has_changed_is_resumed_by_its_name(room, typed):
    room.views.halts_by_id["H3"] = reports.halt(HaltKind.CHANGED, symbol="LUNA/USDT")
    assert (await room.say(typed, TRADER)).title == "Ended: data halt (H1)"
    with pytest.raises(BadInput, match="DOGE/USDT has not changed"):
        await room.say("/resume DOGE/USDT", TRADER)


async def test_the_emergency_stop_explains_itself_and_acts_on_its_word_only(room):
    shown = await room.say("/emergency", ADMIN)
    assert "/emergency now does it" in shown.text
    assert room.desk.stopped_by == []
    done = await room.say("/panic now", ADMIN)
    assert done.title == "The emergency stop is called (H2)"
    assert room.desk.stopped_by == ["Ada"]


async def test_the_answer_to_the_call_of_the_emergency_stop_says_nothing_that_will_not_be_so_any_more(room):
    """Not every answer can be brought up to date: how far it is stands on its card, and in what is asked for anew."""
    called = await room.say("/emergency now", ADMIN)
    assert not called.alarm
    assert [name for name, _ in called.fields] == ["Called"]
    asked = await room.say("/emergency", ADMIN)
    assert asked.title == "The emergency stop as of 2026-01-03 12:00 UTC (H2)"
    assert "State" in dict(asked.fields)
    assert "goes on" not in asked.text
    assert [card.topic.partition("/")[0] for card in (called, asked)] == ["emergency_answer:H2"] * 2
    assert not asked.alarm


@pytest.mark.parametrize("text", ["/emergency no", "/emergency now now"])
async def test_an_emergency_stop_is_called_by_nothing_but_its_word(room, text):
    with pytest.raises(BadInput, match="is not understood after this command"):
        await room.say(text, ADMIN)
    assert room.desk.stopped_by == []


async def test_an_admin_sets_the_adjuster_with_a_press_that_confirms_and_nobody_else_does(room):
    card = await room.say("/ppo active", ADMIN)
    assert [each.label for each in card.buttons] == ["Make it active", "Leave it"]
    with pytest.raises(NotAllowed, match="Setting the adjuster"):
        await room.say("/ppo active", TRADER)
    with pytest.raises(BadInput, match=r"'actve' is no mode; there are off, advisory, active\."):
        await room.say("/ppo actve", ADMIN)
