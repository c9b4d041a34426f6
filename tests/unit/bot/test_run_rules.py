"""What must hold for a run: everything that is broken is told at once, each with its key, file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.markets import source
from bot.run_rules import RULES, demand, driver_missing
from bot.strategies.registry import higher_of, strategy_of
from config.contexts import ContextSettings
from config.loader import load
from engine.domain.errors import ConfigError
from engine.domain.market import Timeframe

Refusal = Callable[..., list[str]]
OWN = "contexts: [{name: a, strategy: momentum, markets: [LTC/USDT], timeframe: 1d, higher: []}]\n"
EURO = (
    "market: {markets: {BTC/EUR: {start_price: 30000}%s}}\n"
    "contexts: [{name: a, strategy: momentum, markets: [BTC/EUR%s], timeframe: 1h}]\n"
)


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """Reads a configuration as a run does, and returns the lines of its refusal; none where there is none."""

    def read(yaml: str | None = None, *, profile: str | None = None, data: tuple[str, ...] = (), **environ: str):
        file = tmp_path / "my.yaml"
        file.write_text(yaml or "", encoding="utf-8")
        over = {"replay": {"data": list(data)}} if data else {}
        try:
            load(profile, file if yaml is not None else None, over, environ, tmp_path, RULES)
        except ConfigError as error:
            return [line.removeprefix("  ") for line in str(error).splitlines()[1:]]
        return []

    return read


@pytest.mark.parametrize(
    ("yaml", "beginning"),
    [
        ("people: [{name: Api, role: admin}]", "my.yaml, line 1: people.0.name: nobody can be called Api"),
        (
            "replay: {end: 2025-06-01}",
            "my.yaml, line 1 and profile demo, line 22: replay.end: must be after market.start, which is",
        ),
        (
            "replay: {start: 2020-01-01}",
            "my.yaml, line 1: replay.start: the generated market begins at 2025-03-07 00:00 UTC",
        ),
        (
            "market: {timeframe: 4h}\ncontexts: [{name: a, strategy: momentum, markets: [BTC/USDT], higher: []}]",
            "my.yaml, line 2 and my.yaml, line 1: contexts.0.timeframe: is 1h, and the generated candles are 4h.",
        ),
        (
            "contexts: [{name: a, strategy: momentum, markets: [BTC/USDT, BTC/USDT]}]",
            "my.yaml, line 1: contexts.0.markets: has BTC/USDT twice.",
        ),
        (
            "contexts: [{name: a, strategy: momentum, markets: [BTC/USDT], timeframe: 4h, higher: [4h]}]",
            "my.yaml, line 1: contexts.0.higher: must be longer than the context's timeframe of 4h: 4h is not.",
        ),
        (
            "contexts: [{name: a, strategy: momentum, markets: [BTC/USDT], params: {rsi_low: 80}}]",
            "my.yaml, line 1: contexts.0.params: The strategy momentum cannot work like this: rsi_low must be below",
        ),
        (
            "contexts: [{name: a, strategy: momentum, markets: [BTC/USDT], priority: 2}]",
            "my.yaml, line 1: contexts.0.priority: counts for nothing where consolidation is own. Set cons",
        ),
        (
            "consolidation: netted\ncontexts: [{name: a, strategy: momentum, markets: [BTC/USDT], weight: 2}]",
            "my.yaml, line 2: contexts.0.weight: counts for nothing where consolidation is netted. Set",
        ),
        (
            "market: {clock: wall, source: ccxt}\nexchanges: {binanc: {}}",
            "my.yaml, line 2: exchanges.binanc: ccxt knows no",
        ),
    ],
)
def test_what_a_run_cannot_use_is_named_with_key_file_and_line(refusal: Refusal, yaml: str, beginning: str) -> None:
    (line,) = refusal(yaml)
    assert line.startswith(beginning)


def test_a_context_on_longer_candles_looks_at_those_that_are_longer_still() -> None:
    traded = ContextSettings(name="a", strategy="momentum", markets=("BTC/USDT",), timeframe=Timeframe.H4)
    assert higher_of(traded) == (Timeframe.D1,)
    assert strategy_of(traded, "contexts.0").timeframes == (Timeframe.H4, Timeframe.D1)


def test_everything_is_told_at_once_beside_what_is_wrong_by_itself(refusal: Refusal) -> None:
    lines = refusal(
        "web: {port: x}\n"
        "indicators: [{name: adxx}, {name: cmf, lenght: 20}]\n"
        "contexts:\n"
        "  - {name: a, strategy: momentum, markets: [LTC/USDT], params: {stop_art: 1, max_candles: soon}}\n"
        "  - {name: b, strategy: momentum, markets: [BTC/USD, BTC/USDT], timeframe: 5m, params: {breakout: 0}}\n"
    )
    keys = [line.split(": ")[1] for line in lines]
    assert keys == [
        "web.port",
        "contexts.0.markets.0",
        "contexts.1.markets.0",
        "contexts.1.timeframe",
        "contexts",
        "indicators.0.name",
        "indicators.1.lenght",
        "contexts.0.params.stop_art",
        "contexts.0.params.max_candles",
        "contexts.1.params",
    ]


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("database: {url: 'sqlite:///%s'}", "my.yaml, line 1: database.url: {} is a folder, not a file."),
        ("venue: {file: %s}", "my.yaml, line 1: venue.file: {} is a folder, not a file."),
        ("viewer: {file: %s}", "my.yaml, line 1: viewer.file: {} is a folder, not a file."),
        ("logs: {file: %s}", "my.yaml, line 1: logs.file: {} is a folder, not a file."),
        ("replay: {summary: %s}", "my.yaml, line 1: replay.summary: {} is a folder, not a file."),
        ("venue: {file: %s/my.yaml/x}", "venue.file: {}/my.yaml/x would lie below {}/my.yaml, which is a file"),
    ],
)
def test_a_file_that_there_is_no_room_for_is_refused(refusal: Refusal, tmp_path: Path, yaml: str, line: str) -> None:
    """Seen: a folder as database was called good by ``validate``, and refused by ``run``."""
    found = refusal(yaml % tmp_path)
    assert line.format(tmp_path, tmp_path) in found[0]
    assert len(found) == 1


def test_a_section_that_is_wrong_by_itself_is_asked_nothing_more(refusal: Refusal) -> None:
    (line,) = refusal("contexts: [{name: a, strategy: momentum, markets: [LTC/USDT], timeframe: 7m}]")
    assert "contexts.0.timeframe: must be" in line


def test_a_profile_without_markets_is_good_for_files_alone(refusal: Refusal) -> None:
    """Seen: called good without files, which run refuses."""
    assert refusal(f"extends: base\n{OWN}", data=("LTCUSDT-1d.parquet",)) == []
    (line,) = refusal(f"extends: base\n{OWN}")
    assert "market.markets: There is no market to trade. Set market.markets, or give candle files with --data." in line


def test_markets_that_are_only_in_files_are_right_where_files_are_given(refusal: Refusal) -> None:
    """Seen: refused though run with files works, and by every other command as well."""
    assert refusal(OWN, data=("LTCUSDT-1d.parquet",)) == []
    (line,) = refusal(OWN)
    assert line == (
        "my.yaml, line 1: contexts.0.markets.0: there is no market LTC/USDT in market.markets. Did you mean BTC/USDT?"
    )


def test_profiles_that_do_not_start_are_not_called_good(refusal: Refusal) -> None:
    assert "live_trading: profile prod sends orders to a real venue" in refusal(profile="prod")[0]
    no_keys, *beside = refusal("live_trading: I understand", profile="prod")
    assert "exchanges.binance.api_key: must be set" in no_keys
    assert "BOT_EXCHANGES__BINANCE__API_KEY" in no_keys
    assert ["people: must name an admin" in line for line in beside] == [True]
    assert [line.split(": ")[1] for line in refusal(profile="base")] == ["contexts", "market.markets"]
    assert refusal(profile="demo") == refusal(profile="paper") == []


KEYS = {"BOT_EXCHANGES__BINANCE__API_KEY": "k" * 32, "BOT_EXCHANGES__BINANCE__SECRET": "s" * 32}
ADMIN = "people: [{name: Ada, role: admin, web: ada}]\n"


def test_a_test_net_needs_no_word_about_money_but_keys_and_an_admin(refusal: Refusal) -> None:
    assert refusal(ADMIN, profile="sandbox", **KEYS) == []
    assert [line.split(": ")[1] for line in refusal(profile="sandbox", **KEYS)] == ["people"]
    assert "exchanges.binance.api_key: must be set" in refusal(ADMIN, profile="sandbox")[0]


def test_real_money_needs_the_word_keys_an_admin_and_a_first_stage(refusal: Refusal) -> None:
    agreed = f"{ADMIN}live_trading: I understand\n"
    assert refusal(agreed, profile="prod", **KEYS) == []
    assert "live_trading: profile prod" in refusal(ADMIN, profile="prod", **KEYS)[0]
    (all_of_it,) = refusal(f"{agreed}capital: {{stages: []}}", profile="prod", **KEYS)
    assert "capital.stages: must have a first stage" in all_of_it
    traders = agreed.replace("admin", "trader")
    assert "people: must name an admin" in refusal(traders, profile="prod", **KEYS)[0]


def test_play_money_and_coins_of_a_test_net_have_no_part_in_an_account_with_money(refusal: Refusal) -> None:
    """Their worth would count in the equity that real orders are sized by."""
    agreed = f"{ADMIN}live_trading: I understand\n"
    traded = "{name: %s, strategy: ma_cross, exchange: %s, markets: [BTC/USDT], timeframe: 1h, higher: [4h, 1d]}"
    contexts = f"contexts: [{traded % ('a', 'binance')}, {traded % ('b', 'other')}]\n"
    other = "exchanges: {binance: {}, other: {venue: binance, %s}}\n"
    second = KEYS | {"BOT_EXCHANGES__OTHER__API_KEY": "k" * 32, "BOT_EXCHANGES__OTHER__SECRET": "s" * 32}
    assert refusal(agreed + contexts + other % "orders: real", profile="prod", **second) == []
    for how, key in (
        ("orders: paper", "contexts.1.exchange"),
        ("orders: real, sandbox: true", "exchanges.other.sandbox"),
    ):
        (line,) = refusal(agreed + contexts + other % how, profile="prod", **second)
        assert f"{key}: trades with what is worth nothing, beside real orders" in line


def test_real_orders_at_prices_of_another_time_are_refused(refusal: Refusal) -> None:
    line, *_ = refusal('live_trading: "I understand"\nexchanges: {binance: {orders: real}}', profile="demo")
    assert "exchanges.binance.orders: must be paper while market.source is replay" in line


def test_a_replay_on_the_walls_clock_is_refused_with_all_that_asks_for_it(refusal: Refusal) -> None:
    found = refusal(profile="paper", data=("BTCUSDT-1h.parquet",), BOT_REPLAY__UNTIL_END="true")
    assert [line.split(": ")[1] for line in found] == ["replay.data", "replay.until_end"]
    assert found[1].startswith("environment (BOT_REPLAY__UNTIL_END) and ")


def test_an_account_that_owns_nothing_of_the_quote_is_refused(refusal: Refusal) -> None:
    """Seen: everything called good, and an equity of 0.00 EUR beside 10,000 USDT."""
    (line,) = refusal(EURO % ("", ""))
    assert "venue.balances: has no EUR, which the markets of the contexts are priced in" in line
    for balances in ("{EUR: 0}", "{USDT: 10}"):
        assert "has no EUR" in refusal(EURO % ("", "") + f"venue: {{balances: {balances}}}")[0]


def test_markets_of_two_quotes_are_refused(refusal: Refusal) -> None:
    (line,) = refusal(EURO % (", ETH/USDT: {start_price: 3000}", ", ETH/USDT"))
    assert "contexts: its markets are priced in EUR, USDT. Trade one quote currency at a time." in line


def test_a_server_needs_its_driver_and_a_file_none(tmp_path: Path) -> None:
    server = load(None, None, {}, {"BOT_DATABASE__URL": "postgresql://u:p@h/n"}, tmp_path).settings
    (error,) = driver_missing(server, lambda _: False)
    assert str(error).startswith("database.url: nothing here can talk to PostgreSQL. Install it: ")
    assert list(driver_missing(server, lambda _: True)) == []
    assert list(driver_missing(load(None, None, {}, {}, tmp_path).settings, lambda _: False)) == []


def test_a_market_is_opened_by_the_same_rules(tmp_path: Path) -> None:
    settings = load(None, None, {"people": [{"name": "api", "role": "admin"}]}, {}, tmp_path).settings
    for act in (demand, source):
        with pytest.raises(ConfigError, match=r"people\.0\.name"):
            act(settings)
