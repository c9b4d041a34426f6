"""``bot llm`` as it is typed, with the real client against a strict server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from engine.analysis.technical import HISTORY
from engine.data.files import write_candles
from engine.domain.market import Timeframe
from tests.fakes.database import new_file, url_of
from tests.fakes.llm_servers import KEY, LlmServer, Turn, serving
from tests.fakes.series import walk


def llm(folder: Path, *words: str, server: LlmServer | None = None, **more: str) -> Result:
    env = {"BOT_DATABASE__URL": url_of(folder), "BOT_PROFILE": "demo"}
    if server is not None:
        env |= {
            "BOT_LLM__PROVIDERS__OPENAI__API_KEY": KEY,
            "BOT_LLM__PROVIDERS__OPENAI__MODEL": "gpt-5-mini",
            "BOT_LLM__PROVIDERS__OPENAI__API_URL": server.openai_url,
        }
    return CliRunner(env=env | more).invoke(app, ["llm", *words])


async def typed(folder: Path, *words: str, server: LlmServer | None = None, **more: str) -> Result:
    """In a thread: the server is in this one."""
    return await asyncio.to_thread(llm, folder, *words, server=server, **more)


async def test_a_try_is_answered_booked_recorded_and_replayed_for_nothing(tmp_path: Path):
    new_file(tmp_path)
    tape = tmp_path / "calls.tape"
    async with serving() as server:
        server.turns.append(Turn(text="I am here."))
        first = await typed(tmp_path, "try", "Are you there?", server=server)
        assert first.exit_code == 0, first.output
        answer, told = first.stdout.splitlines()
        assert answer == "I am here."
        assert told.startswith("(openai gpt-5-mini; $0.0000")
        assert told.endswith(", L1)")
        again = await typed(tmp_path, "try", "Are you there?", server=server)
        assert "; $0.00, " in again.stdout
        assert "answered before, L1)" in again.stdout
        assert llm(tmp_path, "tape", "export", str(tape)).stdout == f"{tape} has 1 call.\n"
        assert KEY not in tape.read_text()
        assert tape.stat().st_mode & 0o777 == 0o600
        replayed = await typed(tmp_path, "try", "Are you there?", server=server, BOT_LLM__TAPE=str(tape))
        assert replayed.stdout.startswith("I am here.\n(openai gpt-5-mini; $0.00")
        unknown = await typed(tmp_path, "try", "Who are you?", server=server, BOT_LLM__TAPE=str(tape))
        assert (unknown.exit_code, "the tape has no answer to this" in unknown.stdout) == (1, True)
        assert len(server.asked) == 1
    (short,) = llm(tmp_path, "tape", "show").stdout.splitlines()
    assert short.startswith("L1 20")
    assert " try | openai gpt-5-mini | $0.0000" in short
    assert short.endswith(" | valid")
    whole = llm(tmp_path, "tape", "show", "L1").stdout
    assert all(text in whole for text in ("Prompt:\nAre you there?", "Answer:\nI am here.", " written"))


async def test_a_tape_is_taken_in_once_and_answers_there_while_it_is_fresh(tmp_path: Path):
    new_file(tmp_path / "here")
    new_file(tmp_path / "there")
    tape = tmp_path / "calls.tape"
    async with serving() as server:
        await typed(tmp_path / "here", "try", "Are you there?", server=server)
        llm(tmp_path / "here", "tape", "export", str(tape))
        there = tmp_path / "there"
        assert (await typed(there, "tape", "import", str(tape))).stdout == f"1 call new of {tape}.\n"
        assert (await typed(there, "tape", "import", str(tape))).stdout == f"0 calls new of {tape}.\n"
        assert "$0.00 (imported)" in llm(there, "tape", "show").stdout
        answered = await typed(there, "try", "Are you there?", server=server)
        assert "answered before, L1)" in answered.stdout
        assert len(server.asked) == 1


async def test_a_try_that_nobody_answers_says_why_and_what_it_cost(tmp_path: Path):
    new_file(tmp_path)
    async with serving() as server:
        server.turns.append(Turn(status=401))
        away = await typed(tmp_path, "try", "Hello?", server=server, BOT_LLM__CHAIN='["openai"]')
        assert away.exit_code == 1
        assert "nobody: openai gpt-5-mini: openai does not take the key" in away.stdout
        assert KEY not in away.output
        over = await typed(tmp_path, "try", "Hello?", server=server, BOT_LLM__MAX_MONTHLY_COST_USD="0")
        assert "the month's budget has $0 left" in over.stdout
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"BOT_LLM__PROVIDERS__OPENAI__API_KEY": ""}, "must be set. Set BOT_LLM__PROVIDERS__OPENAI__API_KEY"),
        ({"BOT_LLM__PROVIDERS__OPENAI__MODEL": "gpt-9"}, "Nobody knows what gpt-9 of openai costs."),
        ({"BOT_LLM__TAPE": "no.tape"}, "there is no file no.tape"),
    ],
)
async def test_what_is_missing_is_said_before_anybody_is_asked(tmp_path: Path, more: dict[str, str], words: str):
    async with serving() as server:
        refused = await typed(tmp_path, "try", "Hello?", server=server, **more)
        assert (refused.exit_code, server.asked) == (2, [])
        assert words in refused.stderr


def test_without_a_provider_a_try_says_that_models_are_off(tmp_path: Path):
    new_file(tmp_path)
    assert "language models are off" in llm(tmp_path, "try", "Hello?", BOT_AI__ENABLED="false").stdout
    assert llm(tmp_path, "tape", "show").stdout == "Nothing has been asked yet.\n"
    assert llm(tmp_path, "tape", "show", "L3").stderr.startswith("There is no call L3")


def test_what_is_no_tape_is_refused_with_its_line(tmp_path: Path):
    file = new_file(tmp_path)
    assert "is no UTF-8 text" in llm(tmp_path, "tape", "show", "--file", str(file)).stderr
    tape = tmp_path / "bad.tape"
    tape.write_text('{"tape":"greenlight","version":1}\n{"id": "L1"}\n')
    assert f"{tape}, line 2: this is no call of a model." in llm(tmp_path, "tape", "import", str(tape)).stderr
    assert "cannot be read" in llm(tmp_path, "tape", "import", str(tmp_path / "none.tape")).stderr


def test_the_leakage_card_of_the_offline_analyst_says_that_it_follows_the_brief(tmp_path: Path):
    new_file(tmp_path)
    file = tmp_path / "BTCUSDT-1d.csv"
    write_candles(file, walk(7, HISTORY + 600, sigma=0.03, timeframe=Timeframe.D1))
    chain = {"BOT_LLM__CHAIN": '["offline"]', "BOT_AI__ENABLED": "true"}
    found = llm(tmp_path, "leakage", "--data", str(file), "--cases", "20", "--cut-off", "2026-06-01", **chain)
    assert found.exit_code == 0, found.output
    head, before, *_ = found.stdout.splitlines()
    assert head.startswith("model    when")
    assert before.startswith("offline  before 2026-06-01")


def test_the_leakage_card_is_asked_by_the_prompt_of_ones_own(tmp_path: Path):
    new_file(tmp_path)
    file, own = tmp_path / "BTCUSDT-1d.csv", tmp_path / "own.md"
    write_candles(file, walk(7, HISTORY + 600, sigma=0.03, timeframe=Timeframe.D1))
    chain = {"BOT_LLM__CHAIN": '["offline"]', "BOT_AI__ENABLED": "true", "BOT_AI__PREDICTION__PROMPT": str(own)}
    form = "<!-- version: 1 -->\n# System\nYou foretell.\n# Question\nSymbol: $symbol\n{}\n$brief\n"
    verdicts = []
    for line in ("Timeframe: $timeframe", "Candles of $timeframe"):
        own.write_text(form.format(line))
        found = llm(tmp_path, "leakage", "--data", str(file), "--cases", "2", **chain)
        verdicts.append(found.stdout.splitlines()[1].split()[2:4])
    assert verdicts == [["2", "2"], ["2", "0"]], "rules find their timeframe by the line that says so"


def test_the_leakage_card_needs_a_past(tmp_path: Path):
    new_file(tmp_path)
    file = tmp_path / "BTCUSDT-1d.csv"
    write_candles(file, walk(7, 20, timeframe=Timeframe.D1))
    found = llm(tmp_path, "leakage", "--data", str(file))
    assert found.exit_code != 0
    assert "are needed" in found.output
