"""The App Home: what it shows, to whom, and how long it is kept fresh."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from itertools import count

import pytest

from engine.domain.approvals import Verb
from engine.domain.messages import Button, Card, Person, Role
from handlers.access import Access, Identity
from handlers.slack import board
from handlers.slack.home import MOST_BYTES, composed
from handlers.slack.speech import Speech
from tests.fakes import reports
from tests.fakes.chat import FakeViews
from tests.fakes.patience import until
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_blocks import VIEW_BLOCKS, checked, plain
from tests.fakes.slack_bot import CHANNEL, Bot, running, to
from tests.fakes.slack_http import Fault

ANN = Identity(person=Person(name="Ann", role=Role.TRADER), platform="slack", user="U1")
SPEECH = Speech("/bot", ("pending", "positions"))


class Boards:
    """Homes that a test changes."""

    def __init__(self) -> None:
        self.title = "first"

    async def __call__(self, user: str) -> Sequence[Card] | None:
        return None if user == "U9" else (Card(title=f"{self.title} for {user}"),)


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        fake.channel(CHANNEL, "U1", "U2", "U9")
        yield fake
        assert fake.at.complaints == []


@pytest.fixture
def boards() -> Boards:
    return Boards()


@pytest.fixture
async def bot(fake: FakeSlack, boards: Boards) -> AsyncIterator[Bot]:
    async with running(fake, home=boards) as bot:
        yield bot


def text_of(fake: FakeSlack, user: str) -> str:
    home = fake.home(user)
    return home.text if home else ""


async def test_who_opens_it_sees_it_and_strangers_see_nothing(fake: FakeSlack, bot: Bot) -> None:
    for user in ("U9", "U1"):
        act = fake.user(user).open_home()
        assert act is not None
        await act.finished()
    await until(lambda: text_of(fake, "U1") == "first for U1")
    assert fake.home("U9") is None


async def test_it_is_kept_fresh_for_those_who_opened_it_and_for_no_others(
    fake: FakeSlack, bot: Bot, boards: Boards
) -> None:
    fake.user("U1").open_home()
    await until(lambda: text_of(fake, "U1") == "first for U1")
    boards.title = "second"
    for number in range(3):
        await bot.platform.put(to(), Card(title=f"Alert {number}"), None)
    await until(lambda: text_of(fake, "U1") == "second for U1")
    assert len(fake.called("views.publish")) == 2
    assert fake.home("U2") is None


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.RATE_LIMITED])
async def test_a_home_that_cannot_be_shown_holds_up_no_card_and_is_shown_later(
    fake: FakeSlack, bot: Bot, fault: Fault
) -> None:
    fake.fail(fault, method="views.publish", times=1)
    fake.user("U1").open_home()
    await until(lambda: bool(fake.called("views.publish")))
    if fault is Fault.UNAVAILABLE:
        await bot.platform.put(to(), Card(title="Alert"), None)
    await until(lambda: text_of(fake, "U1") == "first for U1")
    assert bot.platform.health == "ok"


async def test_homes_that_cannot_be_shown_wait_for_one_next_try_together(fake: FakeSlack, bot: Bot) -> None:
    fake.fail(Fault.RATE_LIMITED, method="views.publish", times=1)
    fake.user("U1").open_home()
    await until(lambda: bool(fake.called("views.publish")))
    fake.user("U2").open_home()
    await until(lambda: all(text_of(fake, user) == f"first for {user}" for user in ("U1", "U2")))
    await until(lambda: not bot.platform._home._lanes._tasks)
    assert len(fake.called("views.publish")) == 3, "the one refused, and one for each"


async def test_a_home_that_slack_refuses_is_not_tried_for_ever(fake: FakeSlack, bot: Bot) -> None:
    fake.methods.views.home_enabled = False
    fake.user("U1").open_home()
    await until(lambda: "slack.home_not_shown" in [entry["event"] for entry in bot.logs])
    assert len(fake.called("views.publish")) == 1


async def test_the_board_has_status_questions_with_buttons_and_positions_for_known_people() -> None:
    cards = board(FakeViews(approvals_by_id={"A17": reports.asked()}), Access([ANN]))
    assert await cards("U2") is None
    shown = await cards("U1")
    assert shown is not None
    assert [bool(card.buttons) for card in shown] == [False, True, False]
    assert "A17" in shown[1].title


@pytest.mark.parametrize("size", [0, 400, 2000])
def test_what_is_too_much_is_left_out_and_that_is_said(size: int) -> None:
    def question(number: int) -> Card:
        button = Button(label="Approve", verb=Verb.APPROVE, about=f"A{number}")
        return Card(title=f"Buy? (A{number})", text="x" * size, buttons=(button,))

    blocks = composed([question(number) for number in range(1, 90)], SPEECH)
    names = map(str, count())
    text = plain(checked(blocks, most=VIEW_BLOCKS, name=lambda: next(names)))
    assert len(json.dumps(blocks)) < MOST_BYTES + 500
    assert "do not fit here: /bot pending and /bot positions show them." in text
    assert "Buy? (A1)" in text
