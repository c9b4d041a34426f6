"""Stories on three platforms: one question, answered anywhere, edited everywhere; and what Slack does to that."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.program import address
from tests.fakes.slack import Fault, Signing
from tests.fakes.slack_delivery import Act
from tests.fakes.three_platforms import CHANNEL, STRANGER, Everywhere, asked, everywhere
from tests.fakes.three_races import Race, run_races, summary

pytestmark = pytest.mark.slow

TWO_PEOPLE = {"approval": {"two_people_above": 1}}
ON_BOTH = pytest.mark.parametrize(
    "each_database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
QUESTION = "Buy 0.12403 BTC/USDT? (A1)"


def told(at: Everywhere, platform: str) -> list[str]:
    """What people were told on a platform, without the mention before it."""
    return [re.sub(r"^@\S+\n", "", text) for text in at.answers()[platform]]


# One question, three platforms


@ON_BOTH
@pytest.mark.parametrize(
    ("platform", "name", "others"),
    [
        ("web", "Ann", [("telegram", "Tom"), ("slack", "Sue")]),
        ("telegram", "Tom", [("slack", "Sue"), ("web", "Ann")]),
        ("slack", "Sue", [("web", "Ann"), ("telegram", "Tom")]),
    ],
)
async def test_a_question_is_shown_on_all_three_and_whoever_answers_first_wins(
    tmp_path: Path, each_database: str, platform: str, name: str, others: Sequence[tuple[str, str]]
) -> None:
    async with asked(tmp_path) as at:
        for seen in at.cards().values():
            assert seen.title == QUESTION
            assert seen.labels == ("Approve", "Approve half", "Reject")
        await at.press(platform, name, "approve:A1")
        await at.until(lambda: at.say(f"Approved by {name}, filled (A1)") and at.settled())
        for where, whom in others:
            await at.press(where, whom, "reject:A1")
            await at.until(lambda where=where: told(at, where))
            (late,) = told(at, where)
            assert late.startswith(f"Too late: A1 was approved by {name} at ")
        assert told(at, platform)[0].startswith("You approved A1: order O1 at ")
        await at.until(at.files.is_quiet)
        only_one_order(at)


def only_one_order(at: Everywhere) -> None:
    """One order, as the venue has it, and nothing anybody would have to complain of."""
    (order,) = at.orders()
    (bought,) = at.files.venue("SELECT * FROM orders WHERE side = 'buy'")
    assert bought["client_id"] == order["client_id"]
    assert at.files.complaints() == []
    everything_was_right_on_slack(at)


def everything_was_right_on_slack(at: Everywhere) -> None:
    assert at.slack.at.complaints == []
    assert at.slack.doubles(CHANNEL) == []
    assert {call.outcome for call in at.slack.calls} <= {"ok", "ratelimited", *Fault}
    acked = [attempt for act in at.slack.acts for attempt in act.attempts if attempt.acked_at is not None]
    assert all(attempt.acked_at - attempt.at < 3 for attempt in acked)


async def test_a_rejection_anywhere_ends_it_everywhere(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        act = at.slacker("Sue").command("reject A1 too hot", CHANNEL)
        await at.until(lambda: at.say("Declined by Sue: too hot (A1)") and at.settled())
        await at.until(lambda: at.slack.messages(CHANNEL)[-1].only_for == "U0SUE")
        assert at.slack.messages(CHANNEL)[-1].text.startswith("You declined A1.")
        assert act.acked_by.startswith("socket")
        assert at.orders() == []


async def test_a_question_nobody_answers_expires_everywhere(tmp_path: Path) -> None:
    async with asked(tmp_path, approval={"expires_after": "2s"}) as at:
        await at.until(lambda: at.say("Expired: nobody answered in time (A1)") and at.settled())
        await at.press("slack", "Sue", "approve:A1")
        await at.press("telegram", "Tom", "approve:A1")
        await at.until(lambda: told(at, "slack") and told(at, "telegram"))
        assert all(
            late.startswith("Too late: A1 expired at ") for where in ("slack", "telegram") for late in told(at, where)
        )
        assert at.orders() == []


# Two people


@ON_BOTH
async def test_a_person_on_two_platforms_is_one_and_the_card_says_who_is_missing(
    tmp_path: Path, each_database: str
) -> None:
    async with asked(tmp_path, **TWO_PEOPLE) as at:
        assert at.say("0 of 2; 2 of Ann, Tom and Sue must approve")
        await at.press("telegram", "Tom", "approve:A1")
        await at.until(lambda: at.say("1 of 2; Tom, ") and at.say("; Ann or Sue must approve too"))
        await at.press("slack", "Tom", "approve:A1")
        await at.until(lambda: told(at, "slack"))
        assert told(at, "slack")[0].startswith("You have approved it already: A1 has 1 of 2.")
        assert at.orders() == []
        assert not at.settled()

        await at.press("slack", "Sue", "approve:A1")
        await at.until(lambda: at.say("Approved by Tom and Sue, filled (A1)") and at.settled())
        await at.press("web", "Ann", "approve:A1")
        await at.until(lambda: told(at, "web"))
        assert told(at, "web")[0].startswith("Too late: A1 was approved by Tom and Sue at ")
        await at.until(at.files.is_quiet)
        only_one_order(at)


async def test_one_who_rejects_is_enough_where_two_must_approve(tmp_path: Path) -> None:
    async with asked(tmp_path, **TWO_PEOPLE) as at:
        await at.press("slack", "Tom", "approve:A1")
        await at.until(lambda: at.say("1 of 2; Tom, "))
        await at.press("web", "Ann", "reject:A1")
        await at.until(lambda: at.say("Declined by Ann (A1)") and at.settled())
        assert at.orders() == []


# Who may not


async def test_a_stranger_in_slack_is_acknowledged_and_gets_nothing(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        nobody, card = at.slack.user(STRANGER), at.on_slack()
        assert card
        shown = at.slack.texts(CHANNEL)
        did = [
            nobody.press(card, "approve:A1", forged=True),
            nobody.command("approve A1", CHANNEL),
            nobody.mention("status", CHANNEL),
            nobody.say("approve A1"),
            nobody.open_home(),
        ]
        for act in did:
            assert act
            assert (await act.finished()).acked
        strangers = "SELECT action FROM audit WHERE person = '' AND platform = 'slack'"
        await at.until(lambda: len(at.files.rows(strangers)) == 4)
        assert at.slack.texts(CHANNEL) == shown
        assert nobody.messages() == []
        assert at.slack.home(STRANGER) is None
        assert at.orders() == []
        assert not at.settled()


async def test_a_viewer_is_told_what_it_takes(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        await at.press("slack", "Vic", "approve:A1")
        await at.until(lambda: told(at, "slack"))
        assert "trader" in told(at, "slack")[0]
        assert at.orders() == []


# Everything twice


@ON_BOTH
async def test_doubled_deliveries_have_one_effect_also_across_a_restart(tmp_path: Path, each_database: str) -> None:
    async with everywhere(tmp_path) as at:
        async with at.running():
            await at.until(lambda: at.say("(A1)") and at.files.is_quiet())
            pressed = at.press_on_slack("Sue", "half:A1")
            asked_for = at.slacker("Sue").mention("status", CHANNEL)
            assert asked_for
            for act in (pressed, asked_for):
                at.slack.redeliver(await act.finished())
                assert await all_acked([at.slack.redeliver(act) for _ in range(3)])
            await at.until(lambda: at.say("Approved half by Sue, filled (A1)") and at.settled())
            await at.until(
                lambda: len(replies_to_sue(at)) == len(status_of(at, asked_for)) == 1 and at.files.is_quiet()
            )
        async with at.running():
            await at.until(lambda: at.slack.sockets.connections)
            assert await all_acked([at.slack.redeliver(act) for act in (pressed, asked_for)])
            late = at.press_on_slack("Sue", "approve:A1")
            await late.finished()
            await at.until(lambda: len(replies_to_sue(at)) == 2)
            assert len(status_of(at, asked_for)) == 1
            assert "Too late: A1 was approved half by Sue" in replies_to_sue(at)[-1]
            assert len(at.files.rows("SELECT * FROM audit WHERE platform = 'slack'")) == 3
            only_one_order(at)


async def test_what_was_said_while_the_program_did_not_run_is_answered_once_it_does(tmp_path: Path) -> None:
    async with everywhere(tmp_path) as at:
        async with at.running():
            await at.until(lambda: at.say("(A1)") and at.files.is_quiet())
        at.slack.patience.retry_after = (0.0, 0.2, 5.0)
        said = at.slacker("Sue").mention("approve A1", CHANNEL)
        pressed = await at.press_on_slack("Sue", "approve:A1").finished()
        assert said
        assert pressed.failed == "connection_failed", "Sue sees that at once"
        await asyncio.sleep(1)  # Slack tells times in seconds
        async with at.running():
            assert (await said.finished()).acked
            await at.until(lambda: status_of(at, said))
            assert [text.partition(";")[0] for text in status_of(at, said)] == ["That was sent while I was away"]
            assert at.orders() == []
            await press_until_acknowledged(at)
            await at.until(lambda: at.say("Approved by Sue, filled (A1)") and at.settled())
            await at.until(at.files.is_quiet)
            only_one_order(at)


async def test_what_comes_while_the_platform_restarts_is_answered_once(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        assert at.app
        assert at.app.program
        (slack,) = [platform for platform in at.app.program.chat.remote if platform.name == "slack"]
        await slack.stop()
        said = at.slacker("Sue").mention("approve A1", CHANNEL)
        assert said
        await at.until(lambda: len(said.attempts) == 2)
        await slack.start()
        assert (await said.finished()).acked
        await at.until(lambda: at.say("Approved by Sue, filled (A1)") and at.settled())
        await at.until(lambda: status_of(at, said) and at.files.is_quiet())
        assert [text.partition(":")[0] for text in status_of(at, said)] == ["You approved A1"]
        only_one_order(at)


async def all_acked(acts: Sequence[Act]) -> bool:
    return all([(await act.finished()).acked for act in acts])


def replies_to_sue(at: Everywhere) -> list[str]:
    """The messages that name her."""
    return [text for text in at.slack.texts(CHANNEL) if text.startswith("@U0SUE")]


def status_of(at: Everywhere, asked_for: Act) -> list[str]:
    """The answers under what somebody wrote in the channel."""
    ts = asked_for.payload["event"]["ts"]
    return [message.text for message in at.slack.messages(CHANNEL) if message.thread_ts == ts]


# What Slack does


@pytest.mark.parametrize(
    "trouble", ["cut", *(pytest.param(each, marks=pytest.mark.slow) for each in ("stalled", "refreshed", "announced"))]
)
async def test_a_press_is_answered_once_whatever_becomes_of_the_socket(tmp_path: Path, trouble: str) -> None:
    async with asked(tmp_path, slack={"ping_interval": 0.5}) as at:
        match trouble:
            case "cut":
                at.slack.cut_sockets()
            case "stalled":
                at.slack.stall_sockets()
            case "refreshed":
                at.slack.refresh_sockets()
            case _:
                at.slack.refresh_sockets("warning", grace=0.2)
        presses = await press_until_acknowledged(at)
        await at.until(lambda: at.say("Approved by Sue, filled (A1)") and at.settled())
        await at.until(lambda: told(at, "slack"))
        assert len(presses) == 1 or trouble in {"cut", "stalled"}, "nothing falls between two connections"
        assert [text.partition(":")[0] for text in told(at, "slack")] == ["You approved A1"]
        await at.until(at.files.is_quiet)
        only_one_order(at)


async def test_over_http_only_what_is_signed_and_young_has_an_effect(tmp_path: Path) -> None:
    async with asked(tmp_path, slack={"mode": "http"}) as at:
        assert at.app
        at.slack.delivers_to(f"{address(at.app)}/hooks/slack")
        assert await at.slack.verify_url()
        with at.slack.held():
            press = at.press_on_slack("Sue", "approve:A1")
        for signing in (Signing.NONE, Signing.WRONG, Signing.OLD):
            assert await at.slack.knock(press, signing) == 401
        assert at.files.rows("SELECT * FROM audit WHERE platform = 'slack'") == []
        at.slack.release(press)
        await at.until(lambda: at.say("Approved by Sue, filled (A1)") and at.settled())
        assert (await press.finished()).acked
        assert await all_acked([at.slack.redeliver(press) for _ in range(3)])
        await at.until(lambda: told(at, "slack") and at.files.is_quiet())
        assert len(told(at, "slack")) == 1
        only_one_order(at)


async def press_until_acknowledged(at: Everywhere) -> list[Act]:
    """What Sue does who sees that Slack could not reach the app: she presses again."""
    presses = []
    while not presses or not presses[-1].acked:
        presses.append(await at.press_on_slack("Sue", "approve:A1").finished())
        await asyncio.sleep(0.05)
    return presses


async def test_presses_on_other_platforms_do_not_wait_for_a_slack_that_refuses_everything(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        at.slack.fail(Fault.RATE_LIMITED)
        await at.press("telegram", "Tom", "approve:A1")
        await at.until(lambda: not any(at.cards()[where].labels for where in ("telegram", "web")), 10)
        card = at.on_slack()
        assert card
        assert card.labels, "Slack has not shown it yet"
        at.slack.recover()
        await at.until(lambda: at.say("Approved by Tom, filled (A1)") and at.settled())
        await at.until(at.files.is_quiet)
        only_one_order(at)


async def test_a_storm_of_presses_against_slacks_limits_is_answered_in_the_end_each_once(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        at.slack.limits.set("chat.postMessage", 3, 1.0, retry_after=1)
        at.slack.limits.set("chat.update", 2, 1.0, retry_after=1)
        for _ in range(4):
            at.press_on_slack("Sue", "approve:A1")
            at.press_on_slack("Tom", "half:A1")
        await at.until(lambda: len(told(at, "slack")) == 8 and at.settled())
        kinds = sorted(text.partition(":")[0] for text in told(at, "slack"))
        assert kinds == ["Too late"] * 7 + ["You approved A1"] or kinds == ["Too late"] * 7 + [
            "You approved half of A1"
        ]
        await at.until(at.files.is_quiet)
        assert any(call.outcome == "ratelimited" for call in at.slack.calls)
        assert at.files.complaints() == []
        assert len(at.orders()) == 1


async def test_a_lost_answer_of_slack_leaves_one_card_and_one_order(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        at.slack.fail(Fault.LOST, method="chat.update", times=2)
        await at.press("web", "Ann", "approve:A1")
        await at.until(lambda: at.say("Approved by Ann, filled (A1)") and at.settled())
        await at.until(at.files.is_quiet)
        only_one_order(at)


async def test_home_shows_the_question_and_a_press_there_answers_it(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        sue = at.slacker("Sue")
        sue.open_home()
        await at.until(lambda: at.slack.home("U0SUE"))
        home = at.slack.home("U0SUE")
        assert home
        assert QUESTION in home.text
        sue.press_at_home("approve:A1")
        await at.until(lambda: at.say("Approved by Sue, filled (A1)") and at.settled())
        await at.until(lambda: (home := at.slack.home("U0SUE")) and "A1" not in home.text)


# All at once

MANY = int(os.environ.get("GREENLIGHT_RACES", "100"))
"""Five hundred take several minutes: ask for them by hand."""


@pytest.mark.parametrize(
    ("races", "on_postgres"),
    [
        (4, False),
        pytest.param(25, True, marks=pytest.mark.slow),
        pytest.param(MANY, False, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
    ids=["4", "25 on PostgreSQL", "many"],
)
async def test_a_press_on_each_platform_within_a_millisecond_is_one_order_and_everybody_hears_who_won(
    tmp_path: Path, races: int, *, on_postgres: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await run_races(tmp_path, races, random.Random(races), on_postgres=on_postgres)  # noqa: S311 - seeded
    assert len(found) == races
    for race in found:
        check(race)
    capsys.readouterr()
    with capsys.disabled():
        print(f"\n{summary(found)}")  # noqa: T201 - the measurement is what one looks for here


def check(race: Race) -> None:
    """One order; the winner thanked, both others told who it was."""
    assert race.orders == 1
    thanked = [text for texts in race.told.values() for text in texts if text.startswith("You approved")]
    late = [text for texts in race.told.values() for text in texts if "Too late" in text]
    assert (len(thanked), len(late)) == (1, 2), race
    assert all(re.search(rf"was approved (half )?by {race.winner} at ", text) for text in late), race
    assert all(f"by {race.winner}" in title for title in race.titles), race
