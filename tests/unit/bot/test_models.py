"""Who is asked by the settings, what that may cost, and what is missing for it."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from bot.model_chains import all_links, caps_of, chain_of, faults, price_list
from bot.models import build_models
from config.loader import load
from config.settings import Settings
from engine.domain.days import Period
from engine.domain.model_calls import ModelReply, ModelRequest
from engine.domain.model_ledger import Cap
from engine.llm.canary import Canaries
from engine.store.database import Database
from engine.timing.clocks import WallClock, wall
from tests.fakes.database import new_database
from tests.fakes.models import FakeProvider, reply

YAML = """\
extends: demo
llm:
  providers:
    openai: {model: gpt-5-mini, answer_within: 20s}
    local: {model: llama, api_url: "http://127.0.0.1:1/v1"}
    mine: {kind: anthropic, model: claude-mine, price: {input: 2, output: 8}}
  roles: {analyst: {chain: [local, openai/gpt-5-mini], max_daily_cost_usd: 3, max_tokens: 300}}
  contexts: {momentum: {chain: [mine], max_monthly_cost_usd: 7}, calm: {}}
contexts:
  - {name: momentum, strategy: momentum, markets: [BTC/USDT]}
  - {name: calm, strategy: momentum, markets: [ETH/USDT]}
"""
KEYS = {"BOT_LLM__PROVIDERS__OPENAI__API_KEY": "sk-a", "BOT_LLM__PROVIDERS__MINE__API_KEY": "sk-b"}


def read(folder: Path, yaml: str = YAML, **environ: str) -> Settings:
    file = folder / "my.yaml"
    file.write_text(yaml)
    return load(None, file, {}, KEYS | environ, folder).settings


def names(settings: Settings, purpose: str = "", context: str = "") -> list[str]:
    return [str(link) for link in chain_of(settings.llm, purpose, context)]


def test_a_strategy_says_whom_to_ask_else_the_role_else_all(tmp_path: Path):
    settings = read(tmp_path)
    usual = ["openai gpt-5-mini", "local llama", "mine claude-mine", "offline"]
    assert names(settings) == names(settings, "risk", "calm") == usual
    assert names(settings, "analyst", "calm") == ["local llama", "openai gpt-5-mini"]
    assert names(settings, "analyst", "momentum") == ["mine claude-mine"]
    chosen = read(tmp_path, BOT_LLM__CHAIN='["offline", "openai/gpt-5-nano"]')
    assert names(chosen) == ["offline", "openai gpt-5-nano"]
    assert [link.within for link in chain_of(chosen.llm, "", "")][1] == 20
    assert len(all_links(chosen.llm)) == 5


def test_caps_are_on_all_on_roles_and_on_strategies(tmp_path: Path):
    assert caps_of(read(tmp_path, BOT_LLM__MAX_DAILY_COST_USD="1.5").llm) == (
        Cap(period=Period.MONTH, usd=Decimal(100)),
        Cap(period=Period.DAY, usd=Decimal("1.5")),
        Cap(period=Period.DAY, usd=Decimal(3), purpose="analyst"),
        Cap(period=Period.MONTH, usd=Decimal(7), context="momentum"),
    )


def test_prices_are_those_configured_those_known_or_none_at_home(tmp_path: Path):
    prices = price_list(read(tmp_path).llm)
    asked = {"purpose": "", "system_message": "", "prompt": "x", "max_tokens": 1000}
    worst = {
        (provider, model): prices.worst(provider, ModelRequest(model=model, **asked))
        for provider, model in [("openai", "gpt-5-mini"), ("mine", "claude-mine"), ("local", "any"), ("offline", "")]
    }
    assert worst["mine", "claude-mine"] > Decimal("0.008")
    assert 0 < worst["openai", "gpt-5-mini"] < Decimal("0.01")
    assert (worst["local", "any"], worst["offline", ""]) == (0, 0)


def test_a_server_that_costs_something_runs_no_other_model_for_nothing(tmp_path: Path):
    paid = {"BOT_LLM__PROVIDERS__LOCAL__PRICE": '{"input": 1, "output": 2}', "BOT_LLM__CHAIN": '["local/bigger"]'}
    (unknown,) = faults(read(tmp_path, **paid))
    assert unknown.key == "llm.providers.local.price"
    assert "bigger of local" in unknown.message
    assert unknown.remedy.endswith("That is for llama alone: another is a provider of its own.")


def test_all_that_is_missing_is_said_with_its_setting(tmp_path: Path):
    assert list(faults(read(tmp_path))) == []
    bare = read(tmp_path, BOT_LLM__PROVIDERS__MINE__API_KEY="")
    assert [error.key for error in faults(bare)] == ["llm.providers.mine.api_key"]
    (unknown,) = faults(read(tmp_path, BOT_LLM__CHAIN='["openai/gpt-99"]'))
    assert unknown.key == "llm.providers.openai.price"
    sdks = list(faults(read(tmp_path), has=lambda name: name != "anthropic"))
    assert [(error.key, "'.[ai]'" in error.remedy) for error in sdks] == [("llm.providers.mine", True)]
    assert list(faults(read(tmp_path, BOT_AI__ENABLED="false", BOT_LLM__PROVIDERS__MINE__API_KEY=""))) == []
    assert [error.key for error in faults(read(tmp_path, BOT_LLM__TAPE="no.tape"))] == ["llm.tape"]


@pytest.fixture
async def store(tmp_path: Path) -> Database:
    opened = new_database(tmp_path)
    yield opened
    await opened.close()


async def test_who_is_asked_over_a_network_has_a_canary_and_a_line_on_the_board(tmp_path: Path, store: Database):
    models = build_models(read(tmp_path), store, WallClock(), wall)
    assert models.remote == ("local", "mine", "openai")
    assert [str(link) for link in models.canaries] == ["openai gpt-5-mini", "local llama", "mine claude-mine"]
    models.board.canaries = Canaries(schemaless={"mine": "it rambles"}, silent={"openai": "it is away"})
    assert [models.health_of(name)() for name in models.remote] == ["ok", "it rambles", "it is away"]
    assert [each.name for each in (await models.overview.view()).providers] == ["openai", "local", "mine", "offline"]
    await models.close()
    silent = build_models(read(tmp_path, BOT_LLM__CANARY="false"), store, WallClock(), wall)
    assert silent.canaries == ()


async def test_what_a_client_takes_to_load_is_not_taken_of_the_time_for_a_canary(tmp_path: Path, store: Database):
    hasty = {"model": "llama", "api_url": "http://127.0.0.1:1/v1", "answer_within": "1s"}
    environ = {"BOT_LLM__PROVIDERS": json.dumps({"local": hasty})}
    settings = load(None, None, {}, environ, tmp_path).settings
    came = asyncio.Event()

    async def answers(_: ModelRequest) -> ModelReply:
        came.set()
        return reply()

    local = FakeProvider("local", script=[answers], opens=1.1)
    models = build_models(settings, store, WallClock(), wall, lambda _: local)
    await models.begin()
    async with asyncio.timeout(10):
        await came.wait()
    await models.close()
    assert [request.purpose for request in local.asked] == ["canary"]


async def test_where_nobody_is_asked_nobody_is_made(tmp_path: Path, store: Database):
    for environ in ({"BOT_AI__ENABLED": "false"},):
        models = build_models(read(tmp_path, **environ), store, WallClock(), wall)
        assert (models.providers, models.canaries, models.manager.is_on) == ({}, (), False)
    tape = tmp_path / "a.tape"
    tape.write_text('{"tape":"greenlight","version":1}\n')
    taped = build_models(read(tmp_path, BOT_LLM__TAPE=str(tape)), store, WallClock(), wall)
    assert (taped.providers, taped.canaries, taped.manager.is_on) == ({}, (), True)
    assert (await taped.overview.view()).tape == str(tape)


async def test_a_model_of_a_file_is_run_here_for_nothing(tmp_path: Path):
    file = tmp_path / "calm.gguf"
    settings = load(None, None, {}, {"BOT_LLM__PROVIDERS__LOCAL__PATH": str(file)}, tmp_path).settings
    (missing, *others) = faults(settings, has=lambda name: name != "xllamacpp")
    assert missing.message == f"llm.providers.local.path: there is no file {file}."
    assert "[gguf]" in others[0].remedy
    file.write_bytes(b"GGUF")
    assert list(faults(settings, has=lambda _: True)) == []
    store = new_database(tmp_path)
    models = build_models(settings, store, WallClock(), wall)
    assert type(models.providers["local"]).__name__ == "ModelFileProvider"
    assert price_list(settings.llm).of("local", "calm").output == 0
    await models.close()
    await store.close()
