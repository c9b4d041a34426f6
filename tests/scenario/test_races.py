"""Everybody presses at once: one order, one winner, and everybody hears who it was (faults 18 and 19)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from bot.externals import Externals
from config.settings import Settings
from engine.domain.orders import OrderRequest, SubmitResult
from engine.exchanges.paper import PaperExchange
from tests.fakes import crowd
from tests.fakes.program import CHAT, Files, Json, browser, cards, crew, question, running, settings_of
from tests.fakes.telegram import FakeTelegram
from tests.fakes.three_races import ROOM

PATIENCE = 90.0
EIGHT = tuple(f"P{n}" for n in range(1, 9))
ON_BOTH = pytest.mark.parametrize(
    "each_database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
TWO_PEOPLE = {"approval": {"two_people_above": 1}}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The program with a question open, and everybody at their devices."""

    fake: FakeTelegram
    files: Files
    message: int
    pages: Sequence[httpx.AsyncClient]

    def press_on_telegram(self, person: int, times: int = 1) -> None:
        """Press from a screen that may show the card as it was: the n-th person."""
        for n in range(times):
            button = ("approve:A1", "half:A1")[(n + person) % 2]
            self.fake.press(CHAT, self.message, 1000 + person, button, forged=True)

    async def press_in_web_chat(self, person: int, times: int = 1) -> list[httpx.Response]:
        page = self.pages[person - 1]
        press = {"data": "approve:A1"}
        return [await page.post("/chat/press", json=press | {"delivery_id": str(uuid4())}) for _ in range(times)]

    async def press_by_api(self, person: int, times: int = 1) -> list[httpx.Response]:
        page = self.pages[person - 1]
        return [await page.post("/api/approvals/A1/approve", json={"half": n % 2 == 1}) for n in range(times)]

    async def settled(self, replies: int) -> None:
        """Return once so many replies were given on Telegram and everybody sees everything."""
        await self.fake.wait_for(lambda: len(self.replies()) == replies and self.files.is_quiet(), PATIENCE)

    def replies(self) -> list[str]:
        """What people were told on Telegram: under the card they pressed, where the trade's own card stands too, or,
        in a crowd, by the acknowledgement of their press.
        """
        under = [shown.text for shown in self.fake.messages(CHAT) if shown.reply_to == self.message]
        by_ack = [text for text in list(self.fake.api.told.values()) if text]
        return [text for text in (*under, *by_ack) if not text.startswith("T1:")]

    def chat_replies(self) -> list[str]:
        """What people were told in the web chat."""
        rows = self.files.rows("SELECT card FROM chat_messages WHERE audience <> ''")
        return [json.loads(row["card"])["title"] for row in rows]

    def web_cards(self) -> list[Json]:
        """The approval's cards in the web chat."""
        rows = self.files.rows("SELECT card FROM chat_messages WHERE audience = ''")
        return [card for row in rows if (card := json.loads(row["card"]))["topic"] == "approval:A1"]

    def entries(self) -> list[Json]:
        return self.files.rows("SELECT * FROM orders WHERE purpose = 'entry'")


@asynccontextmanager
async def scene(folder: Path, *, people: int, **changes: Json) -> AsyncIterator[Scene]:
    async with FakeTelegram(answer_within=PATIENCE) as fake, AsyncExitStack() as stack:
        fake.chat(CHAT)
        app = await stack.enter_async_context(running(settings_of(folder, fake, people=crew(people), **changes)))
        pages = [await stack.enter_async_context(browser(app, f"p{n}")) for n in range(1, people + 1)]
        await fake.wait_for(lambda: question(fake))
        files, asked = Files(folder=folder), question(fake)
        assert asked
        await fake.wait_for(files.is_quiet)
        yield Scene(fake=fake, files=files, message=asked.message_id, pages=pages)


def winner_of(scene: Scene) -> str:
    (vote,) = scene.files.approval()["state"]["votes"]
    return vote["person"]


@ON_BOTH
@pytest.mark.parametrize(
    ("telegram", "chat", "api"),
    [(1, 1, 2), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((3, 3, 4), (15, 15, 20)))],
    ids=["80", "200", "1000"],
)
async def test_presses_of_twenty_people_on_two_platforms_make_one_order(tmp_path, each_database, telegram, chat, api):
    people = range(1, 21)
    async with scene(tmp_path, people=len(people)) as at:
        for person in people:
            at.press_on_telegram(person, telegram)
        pressed, answered = await asyncio.gather(
            asyncio.gather(*(at.press_in_web_chat(person, chat) for person in people)),
            asyncio.gather(*(at.press_by_api(person, api) for person in people)),
        )
        await at.settled(replies=len(people) * telegram)

        won, lost = one_order_and_one_winner(at, flat(answered))
        assert len(won) + len(lost) == len(people) * api
        everybody_was_told(at, presses=len(people) * (telegram + chat), by_api=len(won))
        assert {answer.status_code for answer in flat(pressed)} == {204}
        audited = at.files.rows("SELECT person FROM audit WHERE action LIKE '%A1%'")
        assert len(audited) == len(people) * (telegram + chat + api)


def one_order_and_one_winner(
    at: Scene, answers: Sequence[httpx.Response]
) -> tuple[list[httpx.Response], list[httpx.Response]]:
    """What must hold in the database, at the venue and on every screen; the API's answers, won and lost."""
    winner, approval = winner_of(at), at.files.approval()
    (entry,) = at.entries()
    (bought,) = at.files.venue("SELECT * FROM orders WHERE side = 'buy'")
    assert bought["client_id"] == entry["client_id"]
    assert (approval["status"], approval["state"]["order_id"]) == ("ordered", entry["id"])
    assert at.files.complaints() == []
    settled_on_every_screen(at, winner)

    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code == 409]
    assert len(won) + len(lost) == len(answers)
    assert all(answer.json()["by"] == [winner] for answer in lost)
    return won, lost


def settled_on_every_screen(at: Scene, *people: str) -> None:
    (card,) = cards(at.fake)
    assert (card.message_id, card.buttons) == (at.message, [])
    assert all(person in card.text.partition("\n")[0] for person in people)
    (page_card,) = at.web_cards()
    assert page_card["buttons"] == []


def everybody_was_told(at: Scene, *, presses: int, by_api: int) -> None:
    """Each press in a chat has its reply; one, or a caller of the API, has won, and all others hear who did."""
    told = [*at.replies(), *at.chat_replies()]
    assert len(told) == presses
    thanked = [text for text in told if text.startswith("You approved")]
    assert len(thanked) + by_api == 1
    assert all(f"by {winner_of(at)} at" in text for text in told if text not in thanked)
    assert set(at.fake.api.answered) == set(at.fake.api.queries)


@pytest.mark.slow
async def test_where_two_people_are_needed_a_person_on_two_platforms_is_one(tmp_path):
    async with scene(tmp_path, people=3, **TWO_PEOPLE) as at:
        at.press_on_telegram(1, 10)
        _, answered = await asyncio.gather(at.press_in_web_chat(1, 30), at.press_by_api(1, 30))
        await at.settled(replies=10)
        approval = at.files.approval()
        assert (approval["status"], [vote["person"] for vote in approval["state"]["votes"]]) == ("pending", ["P1"])
        assert at.entries() == []
        told = [*at.replies(), *at.chat_replies(), *(answer.text for answer in answered)]
        assert sum("Your approval counts" in text or '"counted"' in text for text in told) == 1
        assert sum("already" in text for text in told) == 69
        assert question(at.fake), "it still asks"

        at.press_on_telegram(2)
        await at.press_in_web_chat(3)
        await at.settled(replies=11)
        approval = at.files.approval()
        assert approval["status"] == "ordered"
        first, second = (vote["person"] for vote in approval["state"]["votes"])
        assert (first, second) in {("P1", "P2"), ("P1", "P3")}
        assert len(at.entries()) == 1
        settled_on_every_screen(at, first, second)
        assert at.files.complaints() == []


class SlowVenue(PaperExchange):
    """A venue that takes its time before it takes an order, as any does that is far away."""

    async def submit(self, request: OrderRequest) -> SubmitResult:
        await asyncio.sleep(0.3)
        return await super().submit(request)


async def test_the_market_stands_still_until_an_approved_order_is_filled_and_protected(tmp_path):
    settings, files = settings_of(tmp_path), Files(folder=tmp_path)
    async with running(settings, Externals(venue=SlowVenue)) as app, browser(app, "p1") as page:
        while not (await page.get("/api/approvals")).json():  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.05)
        answer = await page.post("/api/approvals/A1/approve", json={})
        assert (answer.status_code, answer.json()["status"]) == (200, "ordered")
        assert files.rows("SELECT at FROM fills") == [], "who has pressed does not wait for the venue"
        await app.program.engine.approvals.finished()
        settled = files.approval()["settled_at"]
        assert {fill["at"] for fill in files.rows("SELECT at FROM fills")} == {settled}
        assert {order["created_at"] for order in files.rows("SELECT created_at FROM orders")} == {settled}
        assert files.complaints() == []


@ON_BOTH
@pytest.mark.parametrize(
    ("contexts", "times"),
    [pytest.param(1, 125, marks=pytest.mark.slow), (8, 16)],
    ids=["one question", "eight questions"],
)
async def test_a_thousand_presses_from_eight_processes_make_one_order_for_each_question(
    tmp_path, each_database, contexts, times
):
    settings = settings_of(tmp_path, **several_contexts(contexts))
    questions = await crowd.ask(settings)
    assert len(questions) == contexts
    heard = await pressed_by(EIGHT, settings, questions, times)
    for asked in questions:
        assert counted(heard, asked) == {"taken": 1, "too late": 8 * times - 1}
        (vote,) = Files(folder=tmp_path).approval(asked)["state"]["votes"]
        assert {who for each in heard for about, who in each.winners if about == asked} == {vote["person"]}
    each_question_became_one_order(tmp_path, len(questions))


@pytest.mark.slow
@ON_BOTH
async def test_no_vote_is_lost_when_eight_processes_vote_at_once(tmp_path, each_database):
    settings = settings_of(tmp_path, **several_contexts(4))
    questions = await crowd.ask(settings)
    Files(folder=tmp_path).write("UPDATE approvals SET votes_needed = 8")
    heard = await pressed_by(EIGHT, settings, questions, 5)
    for asked in questions:
        total = counted(heard, asked)
        assert (total["counted"], total["taken"]) == (7, 1)
        votes = Files(folder=tmp_path).approval(asked)["state"]["votes"]
        assert sorted(vote["person"] for vote in votes) == sorted(EIGHT)
    each_question_became_one_order(tmp_path, len(questions))


@pytest.mark.slow
@ON_BOTH
async def test_a_thousand_presses_of_one_person_in_eight_processes_are_one_vote(tmp_path, each_database):
    settings = settings_of(tmp_path, **several_contexts(1), **TWO_PEOPLE)
    questions = await crowd.ask(settings)
    heard = await pressed_by(("P1",) * 8, settings, questions, 125)
    assert counted(heard, questions[0]) == {"counted": 1, "repeated": 999}
    approval = Files(folder=tmp_path).approval()
    assert (approval["status"], len(approval["state"]["votes"])) == ("pending", 1)
    assert crowd.sent(tmp_path) == []


async def pressed_by(
    people: Sequence[str], settings: Settings, questions: Sequence[str], times: int
) -> list[crowd.Heard]:
    """What each process was told; none may have met an error."""
    heard = await asyncio.to_thread(crowd.press_together, settings, people=people, questions=questions, times=times)
    assert [error for each in heard for error in each.errors] == []
    await crowd.look_again(settings)
    return heard


def counted(heard: Sequence[crowd.Heard], asked: str) -> Counter[str]:
    """How often each reply was given to a question."""
    return sum((each.count(asked) for each in heard), Counter())


def several_contexts(count: int) -> Json:
    """So many contexts on the same market."""
    trend = {"strategy": "momentum", "markets": ["BTC/USDT"], "timeframe": "1h", "higher": []}
    return {"contexts": [trend | {"name": f"trend {n}"} for n in range(count)], "risk": ROOM}


def each_question_became_one_order(folder: Path, questions: int) -> None:
    files = Files(folder=folder)
    entries = files.rows("SELECT client_id, approval_id FROM orders WHERE purpose = 'entry'")
    assert len({entry["approval_id"] for entry in entries}) == len(entries) == questions
    sent = crowd.sent(folder)
    assert len(set(sent)) == len(sent), "an order was sent twice"
    assert {entry["client_id"] for entry in entries} <= set(sent)
    assert files.complaints() == []


def flat(answers: Sequence[Sequence[httpx.Response]]) -> list[httpx.Response]:
    return [one for each in answers for one in each]
