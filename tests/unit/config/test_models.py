"""Who runs language models, who is asked, and what is wrong with how that was written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from config.kinds import MASK
from config.loader import load
from config.models import key_of
from config.settings import Settings, secrets
from engine.domain.errors import ConfigError

KEY = "sk-proj-1234567890"
OPENAI = {"BOT_LLM__PROVIDERS__OPENAI__API_KEY": KEY, "BOT_LLM__PROVIDERS__OPENAI__MODEL": "gpt-x"}


def read(folder: Path, yaml: str = "", **environ: str) -> Settings:
    file = folder / "my.yaml"
    file.write_text(f"extends: demo\n{yaml}")
    return load(None, file, {}, environ, folder).settings


def refused(folder: Path, yaml: str = "", **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(folder, yaml, **environ)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


@pytest.mark.parametrize("name", ["OPENAI", "openai", "OpenAI"])
def test_a_variable_names_a_provider_in_any_case(tmp_path: Path, name: str):
    environ = {variable.replace("OPENAI", name): value for variable, value in OPENAI.items()}
    environ[f"BOT_LLM__PROVIDERS__{name}__API_URL"] = "http://127.0.0.1:9003/v1/"
    environ[f"BOT_LLM__PROVIDERS__{name}__PRICE"] = '{"input": 1.25, "output": "10", "cached": 0.125}'
    settings = read(tmp_path, **environ)
    (provider,) = settings.llm.providers.items()
    assert (provider[0], provider[1].api_url, provider[1].model) == ("openai", "http://127.0.0.1:9003/v1", "gpt-x")
    price = provider[1].price
    assert (price.input, price.output, price.cached) == (Decimal("1.25"), Decimal(10), Decimal("0.125"))
    assert settings.asks_models


def test_keys_are_masked_and_known_to_the_log(tmp_path: Path):
    settings = read(tmp_path, **OPENAI)
    assert [secret.get_secret_value() for secret in secrets(settings)] == [KEY]
    shown = json.dumps(settings.model_dump(mode="json"))
    assert KEY not in shown
    assert KEY not in repr(settings)
    assert settings.model_dump(mode="json")["llm"]["providers"]["openai"]["api_key"] == MASK


def test_a_key_does_not_belong_in_a_file(tmp_path: Path):
    (line,) = refused(tmp_path, f"llm: {{providers: {{openai: {{api_key: {KEY}, model: gpt-x}}}}}}")
    assert line.startswith("my.yaml, line 2: llm.providers.openai.api_key: a secret does not belong in a YAML file;")
    assert "set BOT_LLM__PROVIDERS__OPENAI__API_KEY" in line
    assert KEY not in line


def test_without_a_provider_nobody_is_asked_unless_somebody_says_so(tmp_path: Path):
    undecided = "ai: {enabled: null}"
    assert not read(tmp_path, undecided).asks_models
    assert read(tmp_path, undecided, **OPENAI).asks_models
    assert read(tmp_path).asks_models  # the demo says so
    assert not read(tmp_path, BOT_AI__ENABLED="false", **OPENAI).asks_models


def test_the_caps_and_times_have_defaults_that_are_safe(tmp_path: Path):
    llm = read(tmp_path).llm
    assert (llm.max_monthly_cost_usd, llm.max_daily_cost_usd) == (100, None)
    changed = read(tmp_path, BOT_LLM__MAX_MONTHLY_COST_USD="12.50", BOT_LLM__MAX_DAILY_COST_USD="0.75").llm
    assert (changed.max_monthly_cost_usd, changed.max_daily_cost_usd) == (Decimal("12.50"), Decimal("0.75"))
    assert llm.deadline == timedelta(minutes=1)


def test_a_second_model_of_a_provider_has_its_key(tmp_path: Path):
    llm = read(tmp_path, "llm: {providers: {cheap: {kind: openai, model: gpt-mini}}}", **OPENAI).llm
    assert key_of("cheap", llm.providers).get_secret_value() == KEY


def test_a_model_of_a_file_is_called_as_its_file(tmp_path: Path):
    provider = read(tmp_path, BOT_LLM__PROVIDERS__LOCAL__PATH="models/qwen3-8b.gguf").llm.providers["local"]
    assert (provider.path, provider.model) == (Path("models/qwen3-8b.gguf"), "qwen3-8b")
    named = read(tmp_path, "llm: {providers: {mine: {kind: local, path: a.gguf, model: calm}}}").llm.providers["mine"]
    assert named.model == "calm"


def test_roles_and_strategies_may_ask_others(tmp_path: Path):
    yaml = """\
llm:
  providers: {local: {model: llama, api_url: "http://10.0.0.7:8080/v1"}}
  chain: [openai/gpt-mini, local, offline]
  roles: {analyst: {chain: [local], max_tokens: 300}}
  contexts: {momentum: {chain: [openai], max_daily_cost_usd: 2}}
"""
    name = read(tmp_path).contexts[0].name
    llm = read(tmp_path, yaml.replace("momentum:", f"{name}:"), BOT_LLM__ROLES__RISK='{"chain": []}', **OPENAI).llm
    assert llm.chain == ("openai/gpt-mini", "local", "offline")
    assert (llm.roles["analyst"].max_tokens, llm.roles["risk"].chain) == (300, ())
    assert llm.contexts[name].max_daily_cost_usd == 2


@pytest.mark.parametrize(
    ("yaml", "place", "words"),
    [
        (
            "{providers: {openia: {model: x}}}",
            "providers.openia.kind",
            "must be one of openai, anthropic, local; did you",
        ),
        ("{providers: {local: {model: x}}}", "providers.local.api_url", "must be set: where the server is"),
        ("{providers: {local: {api_url: 'http://h/v1'}}}", "providers.local.model", "is missing"),
        ("{providers: {openai: {model: x, path: x.gguf}}}", "providers.openai.path", "is for local alone"),
        (
            "{providers: {local: {path: x.gguf, api_url: 'http://h'}}}",
            "providers.local.path",
            "in the place of api_url",
        ),
        ("{providers: {offline: {model: x}}}", "providers.offline", "must be a name in small letters"),
        (
            "{providers: {local: {model: x, api_url: 'http://h', pric: 1}}}",
            "providers.local.pric",
            "did you mean llm.pro",
        ),
        ("{chain: [ofline]}", "chain.0", "is not among llm.providers; did you mean offline?"),
        ("{chain: [offline, openai/gpt]}", "chain.1", "is not among llm.providers"),
        ("{chain: [offline/rules]}", "chain.0", "must name a model after the slash"),
        ("{roles: {analist: {}}}", "roles.analist", "did you mean analyst?"),
        ("{roles: {analyst: {chain: [local]}}}", "roles.analyst.chain.0", "is not among llm.providers"),
        ("{contexts: {nobody: {}}}", "contexts.nobody", "is not among contexts"),
        ("{max_monthly_cost_usd: -1}", "max_monthly_cost_usd", "must be greater than or equal to 0"),
        ("{deadline: 0.5s}", "deadline", "must be between 1s and 30m"),
        ("{max_dayly_cost_usd: 1}", "max_dayly_cost_usd", "did you mean llm.max_daily_cost_usd?"),
    ],
)
def test_a_mistake_names_its_place(tmp_path: Path, yaml: str, place: str, words: str):
    (line,) = refused(tmp_path, f"llm: {yaml}")
    assert line.startswith("my.yaml, line 2")
    assert f": llm.{place}: " in line
    assert words in line


def test_when_a_training_ended_is_known_of_the_model_that_is_set_and_of_no_other(tmp_path: Path):
    llm = read(tmp_path, "llm: {providers: {openai: {model: gpt-x, cut_off: 2025-06-30}}}", **OPENAI).llm
    assert llm.cut_off_of("openai", llm.providers["openai"].model) == datetime(2025, 6, 30, tzinfo=UTC)
    assert llm.cut_off_of("openai", "gpt-y") is None
    assert llm.cut_off_of("anthropic", "gpt-x") is None
