"""Every command on every platform: as it should be written, without what it needs, wrongly, and with bad intent."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from engine.domain.health import LogLine
from tests.fakes.program import ASKED, Json
from tests.fakes.reckoning import Reckoning, read
from tests.fakes.telegram import Call
from tests.fakes.three_platforms import CHANNEL, Everywhere, everywhere
from tests.fakes.traded import OPENING, price_now, traded

ADA, VIC, GROUP = 1001, 1004, -100
TEAM: list[Json] = [
    {"name": "Ada", "role": "admin", "telegram": ADA, "slack": "U0ADA", "web": "ada"},
    {"name": "Vic", "role": "viewer", "telegram": VIC, "slack": "U0VIC", "web": "vic"},
]
BAD = "'; DROP TABLE positions; -- <b>&amp;</b> <@U0ADA> `x` ../../etc 🙂\u202e"
NOTHING = "Nothing comes after this command."
LOG = LogLine(at=ASKED, level="warning", logger="handlers.strangers", text="a stranger wrote name=/emergency now <b>")

ANSWERED_WITHIN = 20.0
"""Wall seconds."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a command is written, each with what its answer says: what comes after its name, or after its slash.

    Attributes:
        missing: What it needs is not there; ``None`` where it needs nothing.
        wrong: What it does not take, by mistake.
        bad: What it does not take, with bad intent, or takes as nothing but words.
        also: By its other names, and words that do not come to the end of it.
        good: As it should be.
    """

    good: dict[str, str]
    wrong: dict[str, str]
    bad: dict[str, str]
    missing: str | None = None
    also: dict[str, str] = field(default_factory=dict)

    def texts(self, name: str) -> Iterator[tuple[str, str]]:
        """What is written, in the order in which nothing stands in the way of the rest, and what is answered."""
        if self.missing is not None:
            yield f"/{name}", self.missing
        yield from ((f"/{name} {rest}", words) for rest, words in (self.wrong | self.bad).items())
        yield from ((f"/{text}", words) for text, words in self.also.items())
        yield from ((f"/{name} {rest}".rstrip(" "), words) for rest, words in self.good.items())


def alone(words: str) -> Asked:
    """A command that takes no words."""
    return Asked(good={"": words}, wrong={"now": NOTHING}, bad={BAD: NOTHING})


SAID: dict[str, Asked] = {
    "start": alone("Hello Ada"),
    "help": alone("Commands"),
    "whoami": alone("Signed in as Ada"),
    "status": Asked(
        good={"": "Trading", "table": "1 open position"},
        wrong={"tables": "'tables' is not understood after this command"},
        bad={BAD: "is not understood after this command"},
    ),
    "positions": alone("1 open position"),
    "balance": alone("Balance"),
    "count": alone("1 of 6 positions open"),
    "risk": alone("Risk: active"),
    "var": alone("VaR of a day"),
    "exposure": alone("Exposure: "),
    "profit": Asked(
        good={"": "EUR (+0.12%) in 2 days", "1": "EUR (+0.08%) in 1 day"},
        wrong={"0": "a whole number from 1 to 365"},
        bad={BAD: "a whole number"},
    ),
    "daily": Asked(
        good={"": "EUR (+0.12%) in 2 days", "1": "EUR (+0.08%) in 1 day"},
        wrong={"-1": "The number of days is"},
        bad={BAD: "a whole number from 1 to 365"},
    ),
    "weekly": Asked(
        good={"": "EUR (+0.12%) in 2 weeks", "1": "EUR (+0.08%) in 1 week"},
        wrong={"1e3": "The number of weeks is"},
        bad={BAD: "from 1 to 104"},
    ),
    "monthly": Asked(
        good={"": "EUR (+0.12%) in 1 month", "2": "EUR (+0.12%) in 1 month"},
        wrong={"٣": "The number of months is"},
        bad={BAD: "from 1 to 60", "9" * 900: "from 1 to 60"},
    ),
    "performance": alone("2 closed trades"),
    "stats": alone("2 closed trades"),
    "strategies": alone("3 strategies at work"),
    "trades": Asked(
        good={"": "The last 3 trades", "2": "The last 2 trades"},
        wrong={"51": "a whole number from 1 to 50"},
        bad={BAD: "The number of trades is"},
    ),
    "chart": Asked(
        good={"": "Equity in EUR, 30 days", "7": "Equity in EUR, 7 days", "t1": "T1"},
        wrong={"t9": "There is no trade T9", "0": "from 1 to"},
        bad={BAD: "A trade is named by its id"},
    ),
    "backtest": Asked(
        good={"momentum eth 3": "Backtest of "},
        missing="A strategy and a market belong here",
        wrong={"momentun btc": "There is no strategy momentun", "momentum eth 9m": "'9m' is no time"},
        bad={BAD: "belong here", "<b>x</b> btc": "There is no strategy <b>x</b>"},
    ),
    "pending": alone("3 open approvals"),
    "why": Asked(
        good={"a1": "Why D", "D1": "Why D1", "O1": "Why D", "T1": "Why D"},
        missing="One id belongs here",
        wrong={"A9": "There is no", "A1 A1": "One id belongs here"},
        bad={BAD: "One id belongs here", "<b>A1</b>": "is not an id"},
    ),
    "agents": Asked(
        good={"a1": "No panel was asked about D"},
        missing="One id belongs here",
        wrong={"A9": "There is no", "A1 A1": "One id belongs here"},
        bad={BAD: "One id belongs here", "<b>A1</b>": "is not an id"},
    ),
    "ask": Asked(
        good={"what do we hold?": "positions shows it"},
        missing="A question belongs here",
        wrong={"zzz": "status shows it"},
        bad={BAD: "A command answers that", "approve A1 now": "A command answers that"},
    ),
    "approve": Asked(
        good={"A1 half": "You approved half of A1: order O"},
        missing="Which approval?",
        wrong={"A9": "There is no", "A1 whole": "is not understood after the id"},
        bad={BAD: "is not the id", f"A1 {BAD}": "is not understood after the id"},
    ),
    "reject": Asked(
        good={"A3 too thin": "You declined A3"},
        missing="Which approval?",
        wrong={"A0": "is not the id"},
        bad={BAD: "is not the id", f"A2 {BAD}": "You declined A2"},
    ),
    "pause": Asked(
        good={"2h": "No new entries: pause by Ada", "": "No new entries: pause by Ada"},
        wrong={"soon": "A duration looks like", "-2h": "A duration looks like"},
        bad={BAD: "A duration looks like"},
        also=dict.fromkeys(("reduce 1h", "stopentry 1h", "stopbuy 1h30m"), "No new entries: pause by Ada"),
    ),
    "resume": Asked(good={"": "Ended: pause"}, wrong={"XMR/EUR": "XMR/EUR"}, bad={BAD: "is not a market"}),
    "close": Asked(
        good={"T3 half": "Close half of T3: sell", "eth/eur": "Close T3: sell"},
        missing="Nothing was named",
        wrong={"T9": "There is no trade T9", "all 150%": "150%"},
        bad={BAD: "is neither a trade nor a market"},
        also={"forceexit T3 25%": "Close 25% of T3", "fx 3": "Close T3: sell", "forcesell all": "Close 2 positions"},
    ),
    "venues": alone("1 venue: all well"),
    "orders": alone("open order"),
    "order": Asked(
        good={"o1": "O1: buy", "1": "O1: buy"},
        missing="One order belongs here",
        wrong={"T1": "'T1' is not the id of an order", "O999": "There is no order O999"},
        bad={BAD: "One order belongs here", "<b>O1</b>": "is not the id of an order"},
    ),
    "cancel": Asked(
        good={"O1": "O1 is over: filled"},
        missing="One order belongs here",
        wrong={"A1": "is not the id of an order", "O999": "There is no order O999"},
        bad={BAD: "One order belongs here", "<b>O1</b>": "is not the id of an order"},
    ),
    "capital": Asked(
        good={"": "Capital: no stages"},
        wrong={"maybe": "'maybe' is neither yes nor no", "yes": "No next stage is proposed"},
        bad={BAD: "is neither yes nor no"},
    ),
    "strangers": alone("No strangers"),
    "logs": Asked(
        good={"": "The last 1 warning or error", "1": "The last 1 warning or error"},
        wrong={"51": "a whole number from 1 to 50"},
        bad={BAD: "The number of lines is"},
    ),
    "digest": alone("2024-01-0"),
    "health": alone("well"),
    "quality": Asked(
        good={"": "Data ", "eth": "Data "},
        wrong={"btc paper now": "is not a market", "all": "'all' is not a market"},
        bad={BAD: "is not a market", "<b>BTC</b>": "is not a market"},
    ),
    "sentiment": Asked(
        good={"btc": "No sources of sentiment are asked"},
        missing="One market belongs here",
        wrong={"btc eth": "One market belongs here", "all": "'all' is not a market"},
        bad={BAD: "One market belongs here", "<b>BTC</b>": "is not a market"},
    ),
    "predict": Asked(
        good={"btc": "Nothing is predicted"},
        missing="One market belongs here",
        wrong={"btc paper now": "One market belongs here", "all": "'all' is not a market"},
        bad={BAD: "One market belongs here", "<b>BTC</b>": "is not a market"},
    ),
    "ppo": Asked(
        good={"": "Adjuster: off", "active": "There is no policy to ask"},
        wrong={"actve": "is no mode"},
        bad={BAD: "is no mode"},
    ),
    "llm": alone("Language models are off"),
    "version": alone("Greenlight"),
    "emergency": Asked(
        good={"now": "UTC by Ada"},  # it may be edited by then: to how far it is
        missing="The emergency stop sells everything",
        wrong={"yes": "is not understood after this command"},
        bad={BAD: "is not understood after this command"},
        also=dict.fromkeys(("panic", "halt"), "The emergency stop sells everything"),
    ),
}
"""Every command, in the order in which they are tried; an emergency ends it all."""

SAID_OF_NOTHING = {
    "/status table": "No open positions",
    "/positions": "No open positions",
    "/balance": "Balance: 10,000.00 USDT",
    "/count": "0 of 1 position open",
    "/profit": "0.00 USDT (0.00%) in 1 day",
    "/performance": "No closed trades yet",
    "/stats": "No closed trades yet",
    "/trades": "No trades yet",
    "/close all": "Nothing is held",
}
"""What the figures are before the first trade."""

Say = Callable[[str, str], Awaitable[None]]
Heard = Callable[[str, int], list[str]]
"""What somebody was answered, but for the first so many answers."""


class Talk:
    """Somebody on a platform: what they write, and what they are answered."""

    def __init__(self, say: Say, heard: Heard) -> None:
        self._say = say
        self._heard = heard
        self._seen: dict[str, int] = {}

    async def ask(self, text: str, words: str, who: str = "Ada") -> str:
        """Write, and return the answer that says what it should."""
        before = self._seen.get(who, 0)
        await self._say(who, text)

        def answers() -> list[str]:
            return self._heard(who, before)

        def found() -> list[tuple[int, str]]:
            new = enumerate(answers(), before)
            return [(number, said) for number, said in new if words in " ".join(said.split()) or words in read(said)]

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_WITHIN):
                while not found():  # noqa: ASYNC110 - the platforms tell nobody
                    await asyncio.sleep(0.01)
        assert found(), f"{text!r} was answered {answers()}, not {words!r}"
        number, said = found()[0]
        self._seen[who] = number + 1
        return said


def on_telegram(at: Everywhere) -> Talk:
    chats = {"Ada": ADA, "Vic": VIC}

    async def say(who: str, text: str) -> None:
        at.telegram.type(chats[who], chats[who], text)

    return Talk(say, lambda who, since: [each.text for each in at.telegram.messages(chats[who])[since:]])


def on_slack(at: Everywhere) -> Talk:
    people = {"Ada": at.slack.user("U0ADA"), "Vic": at.slack.user("U0VIC")}

    async def say(who: str, text: str) -> None:
        if text.startswith("/"):
            people[who].command(text.removeprefix("/"))
        else:
            people[who].say(text)

    return Talk(say, lambda who, since: [each.text for each in people[who].messages()[since:]])


def on_the_web(at: Everywhere) -> Talk:
    async def say(who: str, text: str) -> None:
        await at.pages[who].say(text)

    def heard(who: str, since: int) -> list[str]:
        rows = at.files.rows("SELECT id FROM chat_messages WHERE audience = ? AND author = '' ORDER BY id", who)
        return [text for row in rows[since:] if (text := at.pages[who].text(row["id"]))]

    return Talk(say, heard)


def test_every_command_is_tried_as_it_should_be_without_words_with_wrong_ones_and_with_bad_ones() -> None:
    lacking = {
        name: asked
        for name, asked in SAID.items()
        if not asked.good
        or (asked.missing is None and "" not in asked.good)
        or not any(asked.wrong)
        or not any(BAD in rest for rest in asked.bad)
        or any(BAD in rest for rest in (*asked.good, *asked.also, *asked.wrong))
    }
    assert lacking == {}


@asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[Everywhere]:
    """The program with trades, open and closed, and three questions."""
    async with everywhere(folder, people=TEAM, **traded(folder)) as at, at.running(lambda _: (LOG,)):
        await at.until(lambda: len(at.files.rows("SELECT id FROM approvals")) == 3 and at.files.is_quiet())
        yield at


@pytest.mark.parametrize(
    "platform", [pytest.param(each, marks=pytest.mark.slow) for each in (on_slack, on_telegram, on_the_web)]
)
async def test_every_command_is_answered_however_it_is_written(
    tmp_path: Path, platform: Callable[[Everywhere], Talk]
) -> None:
    async with at_work(tmp_path) as at:
        talk = platform(at)
        tries_every_name(at)
        await the_figures_are_those_of_the_store(at, talk)
        for name, asked in SAID.items():
            for text, words in asked.texts(name):
                await talk.ask(text, words)
        # A word without its slash, where nobody else reads; a viewer sees figures, and not the log.
        await talk.ask("weekly 3", "in 2 weeks")
        await talk.ask("hello there", "I understand commands")
        await talk.ask("stats", "closed trades", "Vic")
        await talk.ask("/logs", "/logs needs the role admin" if platform is not on_slack else "logs needs", "Vic")
        shows_the_log_as_data(await talk.ask("/logs 1", "/emergency now"), at, platform)
        await at.until(lambda: not at.files.rows("SELECT id FROM positions WHERE status = 'open'"))
        await the_figures_are_those_of_the_store(at, talk)
        answered_as_was_written(at)
        if platform is on_the_web:
            assert any(title.startswith("You approved half of A1: order O") for title in at.answers()["web"])
        assert at.files.complaints() == []
        done = [shown(call) for call in at.telegram.calls if call.code == 200]  # a card may be edited to what it says
        assert [call for call in at.telegram.calls if call.code == 400 and shown(call) not in done] == []
        assert [call for call in at.slack.calls if call.outcome.startswith("invalid")] == []


def tries_every_name(at: Everywhere) -> None:
    """No command of this program is left out, and no other name of one; what needs words is also tried without."""
    assert at.app
    assert at.app.program
    commands = at.app.program.chat.commands.commands
    assert {command.name for command in commands} == SAID.keys()
    for command in commands:
        asked = SAID[command.name]
        written = [text.split()[0] for text in (*asked.also, *([command.name] if asked.good else []))]
        assert {command.name, *command.aliases} == set(written)
        needs_words = command.args[:1] not in ("", "[")
        assert asked.missing is not None or not needs_words


def answered_as_was_written(at: Everywhere) -> None:
    """One question was approved by half, two were declined, and what was written with bad intent is but a reason."""
    half, thin, bad = (at.files.approval(each) for each in ("A1", "A3", "A2"))
    assert [each["status"] for each in (half, thin, bad)] == ["ordered", "declined", "declined"]
    asked = Decimal(json.loads(half["plan"])["quantity"])
    (bought,) = at.files.rows("SELECT quantity FROM orders WHERE approval_id = 'A1'")
    assert asked / 2 - 1 < Decimal(str(bought["quantity"])) <= asked / 2
    assert thin["state"]["reason"] == "too thin"
    assert bad["state"]["reason"].startswith("'; DROP TABLE positions; -- <b>&amp;</b>")


async def the_figures_are_those_of_the_store(at: Everywhere, talk: Talk) -> None:
    assert at.app
    assert at.app.program
    reckoned = Reckoning(at.files, OPENING, price_now, at.app.program.engine.clock.now())
    for text, parts in reckoned.says().items():
        said = read(await talk.ask(text, parts[0]))
        assert [part for part in parts if part not in said] == [], said
    measured = {sample.name: sample.value for sample in samples(await at.pages["Ada"].read("/metrics"))}
    assert {name: measured[name] for name in reckoned.measures()} == pytest.approx(reckoned.measures())


def samples(text: str) -> Iterator[Sample]:
    """What Prometheus reads."""
    return (sample for family in text_string_to_metric_families(text) for sample in family.samples)


def shown(call: Call) -> tuple[object, object, object]:
    """What a call to Telegram shows and where, sent or edited."""
    return call.params.get("chat_id"), call.params.get("text"), call.params.get("reply_markup")


def shows_the_log_as_data(said: str, at: Everywhere, platform: object) -> None:
    """What a stranger calls themselves is nothing to press, and no markup."""
    assert "<b>" in said
    if platform is on_telegram:
        shown = at.telegram.messages(ADA)[-1]
        kinds = {entity["type"] for entity in shown.entities}
        assert "pre" in kinds
        assert kinds <= {"pre", "bold"}


async def test_an_account_without_trades_says_so_everywhere(tmp_path: Path) -> None:
    async with everywhere(tmp_path, people=TEAM) as at, at.running():
        await at.until(lambda: at.files.rows("SELECT id FROM approvals") and at.files.is_quiet())
        for talk in (on_telegram(at), on_slack(at), on_the_web(at)):
            for text, words in SAID_OF_NOTHING.items():
                await talk.ask(text, words)


async def test_in_a_group_a_command_needs_its_slash(tmp_path: Path) -> None:
    async with everywhere(tmp_path, people=TEAM) as at, at.running():
        await at.until(lambda: at.files.rows("SELECT id FROM approvals") and at.files.is_quiet())
        at.telegram.type(GROUP, ADA, "pause")
        await at.until(lambda: at.telegram.texts(GROUP))
        assert at.telegram.texts(GROUP)[0].startswith("I understand commands")
        at.telegram.type(ADA, ADA, "pause")
        await at.until(lambda: at.telegram.texts(ADA))
        assert at.telegram.texts(ADA)[0].startswith("No new entries: pause by Ada")
        assert len(at.files.rows("SELECT * FROM halts")) == 1


async def test_what_only_an_admin_may_read_is_read_by_nobody_else_of_a_group(tmp_path: Path) -> None:
    async with everywhere(tmp_path, people=TEAM) as at, at.running(lambda _: (LOG,)):
        await at.until(lambda: at.files.rows("SELECT id FROM approvals") and at.files.is_quiet())
        at.slack.channel(CHANNEL, "U0ADA", "U0VIC")
        at.telegram.type(ADA, ADA, "/logs")
        at.telegram.type(GROUP, ADA, "/logs")
        at.telegram.type(GROUP, ADA, "/strangers")
        at.slack.user("U0ADA").mention("logs", CHANNEL)
        at.slack.user("U0ADA").mention("strangers", CHANNEL)
        await on_the_web(at).ask("/logs", "a stranger wrote")
        ada = at.slack.user("U0ADA")
        await at.until(lambda: len(at.telegram.texts(GROUP)) == 2 and len(ada.messages()) == 2)
        await at.until(lambda: sum("direct messages" in text for text in at.slack.texts(CHANNEL)) == 2)
    told = "The answer is in your direct messages with me"
    assert at.telegram.texts(GROUP) == [told, told]
    public = "\n".join([*at.telegram.texts(GROUP), *at.slack.texts(CHANNEL)])
    assert "a stranger wrote" not in public
    assert "No strangers" not in public
    alone = [at.telegram.texts(ADA)[1:], [message.text for message in ada.messages()]]
    assert [("a stranger wrote" in logs, "No strangers" in strangers) for logs, strangers in alone] == [
        (True, True)
    ] * 2
    rows = at.files.rows("SELECT audience FROM chat_messages WHERE card LIKE '%a stranger wrote%'")
    assert [row["audience"] for row in rows] == ["Ada"]
