"""``bot doctor``: each check says what is well, or what is wrong and what to do; looking changes nothing."""

import asyncio
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import CHECKS, Case, Check, Line, Verdict, examine
from bot.lock import only_instance
from config.loader import load
from config.settings import Settings
from engine.domain.errors import GreenlightError
from engine.domain.halts import Halt, HaltKind
from engine.learning.policy_files import save_policy
from engine.store.halting import begin_halt
from tests.fakes.command_line import bot
from tests.fakes.policies import any_policy
from tests.fakes.program import running
from tests.fakes.telegram import FakeTelegram, Fault

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ADA = {"name": "Ada", "role": "admin", "telegram": "7", "web": "ada"}


def wall() -> datetime:
    return datetime.now(UTC)


def settings_of(folder: Path, fake: FakeTelegram | None = None, **changes: Any) -> Settings:
    sections: dict[str, Any] = {
        "database": {"url": f"sqlite:///{folder}/var/greenlight.sqlite"},
        "web": {"port": 0},
        "people": [ADA],
    }
    environ = {}
    if fake:
        sections["telegram"] = {"api_url": fake.url, "chat_id": "7"}
        environ["BOT_TELEGRAM__TOKEN"] = fake.token
    for name, change in changes.items():
        sections[name] = sections.get(name, {}) | change if isinstance(change, dict) else change
    return load(None, None, sections, environ, folder).settings


def looked(settings: Settings, *, now=wall) -> dict[str, Line]:
    return {line.name: line for line in examine(Case(settings=settings, wall=now))}


def wrong(lines: dict[str, Line]) -> list[str]:
    return [line.name for line in lines.values() if line.verdict is Verdict.WRONG]


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        fake.chat(7)
        yield fake


def test_a_new_account_is_well_and_stays_unmade(tmp_path):
    lines = looked(settings_of(tmp_path))
    assert wrong(lines) == []
    assert "is new" in lines["database"].text
    assert list(tmp_path.iterdir()) == []


async def test_a_venue_that_has_not_what_the_books_say_is_named_with_what_to_do(tmp_path):
    settings = settings_of(tmp_path, replay={"speed": 1})
    halt = Halt(kind=HaltKind.BALANCES, reason="kraken has not what the books say", since=wall(), venue="kraken")
    async with running(settings) as app:
        assert app.program is not None
        await app.program.engine.store.transact(lambda uow: begin_halt(uow, halt))
    line = (await asyncio.to_thread(looked, settings))["balances"]
    assert line.verdict is Verdict.WRONG
    assert "Kraken has not what the books say (H1)." in line.text
    assert "bot run --accept-balances" in line.remedy


async def test_an_account_that_has_run_is_recognised(tmp_path):
    settings = settings_of(tmp_path, replay={"speed": 1})
    async with running(settings):
        pass
    lines = await asyncio.to_thread(looked, settings)
    assert wrong(lines) == []
    assert "sound, revision" in lines["database"].text
    assert "has reached" in lines["account"].text
    assert "sound" in lines["venue file"].text

    lines = await asyncio.to_thread(looked, settings_of(tmp_path, market={"seed": 99}))
    assert wrong(lines) == ["account"]
    assert "belongs to market" in lines["account"].text
    assert "BOT_DATABASE__URL" in lines["account"].remedy


@pytest.mark.parametrize(("file", "check"), [("greenlight.sqlite", "database"), ("venue.sqlite", "venue file")])
def test_a_file_that_is_no_database_is_named(tmp_path, file, check):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / file).write_text("these are my notes, not a database " * 200)
    lines = looked(settings_of(tmp_path))
    assert check in wrong(lines)
    assert file in lines[check].text
    assert (tmp_path / "var" / file).read_text().startswith("these are my notes")


async def test_a_database_of_another_layout_is_sent_to_upgrade_and_its_account_is_not_judged(tmp_path):
    settings = settings_of(tmp_path, replay={"speed": 1})
    async with running(settings):
        pass
    with closing(sqlite3.connect(tmp_path / "var/greenlight.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    lines = await asyncio.to_thread(looked, settings)
    assert lines["database"].verdict is Verdict.WRONG
    assert lines["database"].remedy == "Run bot db upgrade."
    assert lines["account"].verdict is Verdict.SKIPPED


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "var").write_text("a file where the folder should be")
    lines = looked(settings_of(tmp_path))
    assert "folders" in wrong(lines)
    assert lines["database"].verdict is Verdict.SKIPPED


def test_a_strategys_parameter_and_a_candle_file_are_looked_at(tmp_path):
    context = {"name": "quick", "strategy": "momentum", "markets": ["BTC/USDT"], "params": {"stop_attr": 1.5}}
    lines = looked(settings_of(tmp_path, contexts=[context], replay={"data": [str(tmp_path / "BTCUSDT-1h.csv")]}))
    assert wrong(lines) == ["strategies", "candle files"]
    assert "stop_atr" in lines["strategies"].remedy
    assert lines["market"].verdict is Verdict.SKIPPED


@pytest.mark.parametrize("ai", [True, False])
def test_a_strategy_on_predictions_is_said_to_hold_where_nothing_is_predicted(tmp_path, *, ai: bool):
    contexts = [{"name": "expected", "strategy": "ai_trend", "markets": ["BTC/USDT"], "timeframe": "1h"}]
    told = looked(settings_of(tmp_path, contexts=contexts, ai={"enabled": ai}))["strategies"].text
    assert ("nothing is predicted, and so expected can only hold" in told) is not ai


def test_a_policy_is_read_and_one_that_cannot_be_is_named(tmp_path):
    file = tmp_path / "learnt.json"
    asked = settings_of(tmp_path, ppo={"policy": str(file), "mode": "active"})
    lines = looked(asked)
    assert (wrong(lines), lines["policy"].text) == (
        ["policy"],
        "learnt.json cannot be read: No such file or directory.",
    )
    save_policy(any_policy(), file)
    assert looked(asked)["policy"].text == "learnt is active."
    assert "policy" not in looked(settings_of(tmp_path))


def test_files_of_what_was_said_are_read(tmp_path):
    file = tmp_path / "fear_greed.csv"
    asked = settings_of(tmp_path, replay={"sentiment": [str(file)]})
    assert "fear_greed.csv cannot be read" in looked(asked)["what was said"].text
    file.write_text("date,value\n2022-05-01,20\n", encoding="utf-8")
    assert looked(asked)["what was said"].verdict is Verdict.OK


def test_what_a_candle_file_holds_is_said(tmp_path):
    file = tmp_path / "BTCUSDT-1h.csv"
    rows = [f"{(NOW + timedelta(hours=hour)).isoformat()},5,6,4,5,1" for hour in range(400) if hour != 7]
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    text = looked(settings_of(tmp_path, replay={"data": [str(file)]}))["candle files"].text
    assert "399 candles, 2026-05-01 12:00 to 2026-05-18 04:00 UTC" in text
    assert "bot data check" in text


@contextmanager
def rude() -> Iterator[int]:
    """The port of a program that hangs up on whoever calls."""

    def hang_up() -> None:
        with suppress(OSError):
            while True:
                other.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as other:
        calls = threading.Thread(target=hang_up, daemon=True)
        calls.start()
        yield other.getsockname()[1]
        other.shutdown(socket.SHUT_RDWR)
        calls.join()


def test_a_taken_port_is_wrong_unless_our_own_bot_has_it(tmp_path):
    with rude() as port:
        lines = looked(settings_of(tmp_path, web={"port": port}))
    assert wrong(lines) == ["web port"]
    assert f"{port} is in use by another program" in lines["web port"].text


async def test_our_own_bot_on_the_port_is_well(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = settings_of(tmp_path, web={"port": port}, replay={"speed": 1})
    async with running(settings):
        lines = await asyncio.to_thread(looked, settings)
    assert wrong(lines) == []
    assert "our own bot answers" in lines["web port"].text
    assert "a bot is running on this account: pid" in lines["instance"].text


async def test_a_bot_whose_files_are_gone_and_one_on_other_files_are_not_taken_for_a_stranger(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = settings_of(tmp_path, web={"port": port}, replay={"speed": 1})
    other = settings_of(tmp_path / "other", web={"port": port})
    async with running(settings) as app:
        lines = await asyncio.to_thread(looked, other)
        assert wrong(lines) == ["web port"]
        assert "another bot, which runs on other files" in lines["web port"].text
        (tmp_path / "var").rename(tmp_path / "away")
        async with asyncio.timeout(30):
            while app.program.chat.storage.health == "ok":  # noqa: ASYNC110 - read from outside
                await asyncio.sleep(0.02)
        lines = await asyncio.to_thread(looked, settings)
        assert wrong(lines) == ["web port"]
        assert "can write nothing" in lines["web port"].text
        assert "put them back" in lines["web port"].remedy
        asked = await asyncio.to_thread(
            bot, tmp_path, "status", BOT_DATABASE__URL=settings.database.url, BOT_WEB__PORT=str(port)
        )
        assert (asked.returncode, "has left no note" in asked.stderr) == (1, True), asked
        (tmp_path / "away").rename(tmp_path / "var")


def test_a_lock_without_an_answer_does_not_make_the_port_ours(tmp_path):
    with rude() as port:
        settings = settings_of(tmp_path, web={"port": port})
        with only_instance(settings):
            assert wrong(looked(settings)) == ["web port"]


@pytest.mark.parametrize("now", [datetime(1970, 1, 2, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)])
def test_a_clock_that_was_never_set_is_wrong(tmp_path, now):
    assert wrong(looked(settings_of(tmp_path), now=lambda: now)) == ["clock"]


def test_a_clock_that_steps_is_wrong(tmp_path):
    steps = iter(NOW + timedelta(seconds=90 * number) for number in range(100))
    lines = looked(settings_of(tmp_path), now=lambda: next(steps))
    assert wrong(lines) == ["clock"]
    assert "stepped" in lines["clock"].text


def test_nobody_to_ask_is_wrong(tmp_path, telegram):
    assert "people" in wrong(looked(settings_of(tmp_path, people=[])))
    lines = looked(settings_of(tmp_path, telegram, people=[{"name": "Ben", "role": "trader", "web": "ben"}]))
    assert wrong(lines) == ["people"]
    assert "stands with their id in its log and in /strangers" in lines["people"].remedy


def test_where_ids_are_found_is_told_before_a_platform_is_on(tmp_path):
    """Who sets one up needs them first."""
    told = looked(settings_of(tmp_path))
    assert "who writes to this bot stands with their id in its log and in /strangers" in told["telegram ids"].text
    assert "Copy member ID" in told["slack ids"].text


def test_two_people_to_approve_where_only_one_may_is_wrong(tmp_path):
    strict = {"two_people_above": 100}
    ben = {"name": "Ben", "role": "viewer", "web": "ben"}
    lines = looked(settings_of(tmp_path, approval=strict, people=[ADA, ben]))
    assert wrong(lines) == ["people"]
    assert "above 100 need two people" in lines["people"].text
    assert wrong(looked(settings_of(tmp_path, approval=strict, people=[ADA, ben | {"role": "trader"}]))) == []


def test_somebody_without_any_id_is_named(tmp_path):
    lines = looked(settings_of(tmp_path, people=[ADA, {"name": "Ben", "role": "trader"}]))
    assert wrong(lines) == ["people"]
    assert lines["people"].text == "Ben has no id on any platform: nobody would be taken for them."
    assert lines["people"].remedy == "Give them theirs: telegram, slack, web."


# The viewer


def test_the_viewers_token_and_followers_are_looked_at_where_it_has_one(tmp_path, telegram):
    viewer = {"token": telegram.token, "api_url": telegram.url}
    lines = looked(settings_of(tmp_path, viewer=viewer))
    assert wrong(lines) == []
    assert "1 may look" in lines["viewer"].text
    assert f"@{telegram.username}" in lines["viewer token"].text
    assert telegram.called("deleteWebhook") == [], "a running viewer must not be disturbed"
    telegram.token = "110201543:another"
    nobody = looked(settings_of(tmp_path, viewer=viewer, people=[]))
    assert {"viewer", "viewer token"} <= set(wrong(nobody))
    assert "BOT_VIEWER__TOKEN" in nobody["viewer token"].remedy
    assert not [name for name in looked(settings_of(tmp_path)) if name.startswith("viewer")]


# Telegram


def test_a_bot_on_telegram_is_well(tmp_path, telegram):
    lines = looked(settings_of(tmp_path, telegram))
    assert wrong(lines) == []
    assert f"@{telegram.username}" in lines["telegram token"].text
    assert "cards go to User 7" in lines["telegram chat"].text
    assert "agrees" in lines["telegram clock"].text
    assert telegram.called("getUpdates") == [], "a running bot must not be disturbed"


def test_without_a_token_nothing_is_asked(tmp_path):
    assert [name for name in looked(settings_of(tmp_path)) if name.startswith("telegram")] == [
        "telegram ids",
        "telegram token",
    ]


def test_a_wrong_token_is_told_and_never_shown(tmp_path, telegram):
    settings = settings_of(tmp_path, telegram)
    telegram.token = "110201543:another"
    lines = looked(settings)
    assert wrong(lines) == ["telegram token"]
    assert lines["telegram chat"].verdict is Verdict.SKIPPED
    assert "BOT_TELEGRAM__TOKEN" in lines["telegram token"].remedy
    secret = settings.telegram.token.get_secret_value() if settings.telegram.token else ""
    assert secret.rpartition(":")[2] not in repr(lines)


def test_a_chat_that_the_bot_is_not_in_is_wrong(tmp_path, telegram):
    lines = looked(settings_of(tmp_path, telegram, telegram={"chat_id": "-100"}))
    assert wrong(lines) == ["telegram chat"]
    telegram.block(7)
    assert wrong(looked(settings_of(tmp_path, telegram))) == ["telegram chat"]


def test_a_webhook_is_wrong_and_is_left_alone(tmp_path, telegram):
    telegram.api.webhook = "https://elsewhere.example/hook"
    lines = looked(settings_of(tmp_path, telegram))
    assert wrong(lines) == ["telegram updates"]
    assert telegram.api.webhook


HOOKED = {"mode": "webhook", "webhook_url": "https://bot.example.org"}


def test_our_own_webhook_is_well_before_and_after_it_is_set(tmp_path, telegram):
    lines = looked(settings_of(tmp_path, telegram, telegram=HOOKED))
    assert wrong(lines) == []
    assert "the start sets ours" in lines["telegram updates"].text
    telegram.api.call("setWebhook", {"url": "https://bot.example.org/hooks/telegram"})
    lines = looked(settings_of(tmp_path, telegram, telegram=HOOKED))
    assert wrong(lines) == []
    assert "our webhook is set, 0 messages wait" in lines["telegram updates"].text


def test_a_webhook_that_telegram_cannot_call_or_that_is_anothers_is_wrong(tmp_path, telegram):
    telegram.api.call("setWebhook", {"url": "https://bot.example.org/hooks/telegram"})
    telegram.type(7, 7, "hello?")
    telegram.api.hook.failed("Connection refused", 1_700_000_000)
    lines = looked(settings_of(tmp_path, telegram, telegram=HOOKED))
    assert wrong(lines) == ["telegram updates"]
    assert "Connection refused" in lines["telegram updates"].text
    assert "telegram.webhook_url" in lines["telegram updates"].remedy
    telegram.api.call("setWebhook", {"url": "https://elsewhere.example/hook"})
    assert wrong(looked(settings_of(tmp_path, telegram, telegram=HOOKED))) == ["telegram updates"]


def test_a_topic_needs_a_group_that_has_topics(tmp_path, telegram):
    telegram.topic(-100, 45)
    lines = looked(settings_of(tmp_path, telegram, telegram={"chat_id": "-100/45"}))
    assert wrong(lines) == []
    assert "topic 45 of Group -100" in lines["telegram chat"].text
    telegram.chat(-200)
    lines = looked(settings_of(tmp_path, telegram, telegram={"chat_id": "-200/45"}))
    assert wrong(lines) == ["telegram chat"]
    assert "has no topics" in lines["telegram chat"].text


@pytest.mark.parametrize(("off", "way"), [(timedelta(minutes=3), "ahead of"), (-timedelta(minutes=3), "behind")])
def test_a_clock_that_differs_from_telegrams_is_wrong(tmp_path, telegram, off, way):
    lines = looked(settings_of(tmp_path, telegram), now=lambda: wall() + off)
    assert wrong(lines) == ["telegram clock"]
    assert way in lines["telegram clock"].text


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BAD_GATEWAY, Fault.HTML])
def test_a_server_out_of_order_is_wrong(tmp_path, telegram, fault):
    telegram.fail(fault)
    lines = looked(settings_of(tmp_path, telegram))
    assert wrong(lines) == ["telegram token"]
    assert "cannot be reached" in lines["telegram token"].text


# The list itself


def test_a_check_only_needs_what_is_looked_at_before_it():
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen, check.name
        seen.add(check.name)


def test_secrets_are_masked_wherever_a_check_says_them(tmp_path, telegram):
    settings = settings_of(tmp_path, telegram)

    def tells(_: Case) -> str:
        raise GreenlightError(f"{telegram.token} is refused", f"not {telegram.token}!")

    [line] = examine(Case(settings=settings, wall=wall), [Check(name="loud", look=tells)])
    assert telegram.token not in line.text + line.remedy
    assert json.dumps(line.text)
