"""The venues by their names, and which of them a context trades on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.account import owner_of
from bot.lock import account_files
from bot.markets import source
from bot.run_rules import demand
from bot.venues import prices_of, venue_files
from config.loader import load
from config.settings import Settings, secrets
from engine.domain.errors import ConfigError


def read(folder: Path, yaml: str = "", profile: str = "paper", **environ: str) -> Settings:
    file = folder / "my.yaml"
    file.write_text(f"extends: {profile}\n{yaml}")
    return load(None, file, {}, environ, folder).settings


def contexts(*exchanges: str | None) -> str:
    named = [f"exchange: {each}, " if each else "" for each in exchanges]
    each = [f"{{name: c{number}, {name}strategy: momentum, markets: [BTC/USDT]}}" for number, name in enumerate(named)]
    return f"contexts: [{', '.join(each)}]\n"


def routed(venues: str, exchange: str = "") -> str:
    own = f"exchange: {exchange}, " if exchange else ""
    return f"contexts: [{{name: c, {own}venues: [{venues}], strategy: momentum, markets: [BTC/USDT]}}]\n"


def test_a_context_of_several_venues_is_on_the_first_of_them_and_may_trade_at_the_others(tmp_path: Path):
    settings = read(tmp_path, f"exchanges: {{okx: {{}}, kraken: {{}}}}\n{routed('okx, kraken')}", profile="demo")
    demand(settings)
    (context,) = source(settings).contexts
    assert (context.venue, context.others) == ("okx", ("kraken",))


def test_a_context_that_names_none_trades_on_the_only_one_that_is_on(tmp_path: Path):
    name, asked = read(tmp_path).exchange
    assert (name, asked.orders, asked.enabled) == ("binance", "paper", True)
    assert {context.exchange for context in read(tmp_path).contexts} == {"binance"}


@pytest.mark.parametrize("variable", ["BOT_EXCHANGES__BINANCE__API_URL", "BOT_EXCHANGES__binance__API_URL"])
def test_a_variable_names_a_venue_in_any_case(tmp_path: Path, variable: str):
    _, asked = read(tmp_path, **{variable: "http://127.0.0.1:9003"}).exchange
    assert (asked.api_url, asked.poll_every.total_seconds()) == ("http://127.0.0.1:9003", 5)


def test_one_variable_takes_another_venue(tmp_path: Path):
    settings = read(tmp_path, BOT_EXCHANGES='{"binance": {"enabled": false}, "kraken": {}}')
    assert settings.exchange[0] == "kraken"
    assert source(settings).label == "kraken, public data"


def test_a_context_names_its_venue_where_there_are_several(tmp_path: Path):
    settings = read(tmp_path, f"exchanges: {{kraken: {{}}}}\n{contexts('kraken', 'kraken')}")
    assert settings.exchange[0] == "kraken"
    demand(settings)


def test_where_prices_are_replayed_no_venue_is_needed(tmp_path: Path):
    settings = read(tmp_path, profile="demo")
    assert settings.exchange[0] == ""
    assert {context.exchange for context in settings.contexts} == {None}
    assert source(settings).live is None


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        (contexts("krakn"), "my.yaml, line 2: contexts.0.exchange: is not among exchanges"),
        (contexts("binanc"), "contexts.0.exchange: is not among exchanges; did you mean binance?"),
        (
            f"exchanges:\n  kraken: {{}}\n{contexts(None)}",
            "my.yaml, line 4 and my.yaml, line 3: contexts.0.exchange: must name one of binance, kraken, or leave one",
        ),
        (
            f"exchanges:\n  kraken: {{enabled: false}}\n{contexts('kraken')}",
            "my.yaml, line 4 and my.yaml, line 3: contexts.0.exchange: is off",
        ),
        (routed("krakn, binance"), "contexts.0.venues: krakn is not among exchanges"),
        (
            f"exchanges: {{kraken: {{enabled: false}}}}\n{routed('kraken, binance')}",
            "contexts.0.venues: kraken is off",
        ),
        (
            f"exchanges: {{kraken: {{}}}}\n{routed('binance, kraken')}",
            "contexts.0.venues: binance must have orders: real, as paper orders at real prices have one venue",
        ),
        (routed("binance, binance"), "contexts.0.venues: names a venue twice"),
        (
            f"exchanges: {{kraken: {{}}}}\n{routed('binance, kraken', 'kraken')}",
            "contexts.0.exchange: must be binance, the first of its venues, or left out",
        ),
        ("exchanges: {binance: {enabled: false}}", "exchanges: must have a venue that is on, e.g. binance: {}"),
        ("exchanges: {Binance: {}}", "exchanges.Binance: must be a venue's id in ccxt, in small letters"),
        ("exchanges: {binance: {order: real}}", "there is no such setting; did you mean exchanges.binance.orders?"),
    ],
)
def test_a_venue_that_cannot_be_meant_is_refused(tmp_path: Path, yaml: str, words: str):
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, yaml)
    assert words in str(refused.value)


REAL = """
live_trading: I understand
capital: {stages: [100]}
exchanges: {binance: {orders: real}, kraken: {orders: real}, okx: {orders: real}, second: {orders: real, venue: kraken}}
"""
ALL_KEYS = {
    f"BOT_EXCHANGES__{name}__{part}": "x"
    for name in ("BINANCE", "KRAKEN", "OKX", "SECOND")
    for part in ("API_KEY", "SECRET")
}


def test_contexts_at_real_venues_decide_each_on_the_prices_of_its_own(tmp_path: Path):
    settings = read(tmp_path, REAL + contexts("binance", "kraken", "second"), **ALL_KEYS)
    demand(settings)
    market = source(settings)
    assert settings.price_venues == ("binance", "kraken")
    assert market.label == "binance and kraken, public data"
    assert {each.name: each.venue for each in market.contexts} == {"c0": "binance", "c1": "kraken", "c2": "second"}
    assert market.feed_at("kraken") is market.feed_at("second") is not market.feed_at("binance")
    assert market.live is not None
    assert market.live.at("kraken") is not market.live.at("binance")


def test_a_further_venue_goes_by_the_candles_of_the_first_unless_contexts_of_several_may_buy_there(tmp_path: Path):
    alone = read(tmp_path, REAL + routed("binance, okx"), **ALL_KEYS)
    assert (alone.price_venues, prices_of(alone, "okx")) == (("binance",), "binance")
    each = "{{name: {0}, venues: [{0}, okx], strategy: momentum, markets: [BTC/USDT]}}"
    beside = ", ".join(each.format(name) for name in ("kraken", "binance"))
    several = read(tmp_path, f"{REAL}contexts: [{beside}]\n", **ALL_KEYS)
    assert (several.price_venues, prices_of(several, "okx")) == (("kraken", "binance", "okx"), "okx")


def test_two_venues_at_once_are_not_traded_on_with_play_money(tmp_path: Path):
    settings = read(tmp_path, f"exchanges: {{kraken: {{}}}}\n{contexts('binance', 'kraken')}")
    with pytest.raises(ConfigError, match=r"contexts\.1\.exchange: is kraken, and another context trades on binance"):
        demand(settings)


def test_each_venue_of_a_replay_is_a_paper_venue_with_a_file_of_its_own(tmp_path: Path):
    venues = "exchanges: {okx: {}, kraken: {}, binance: {enabled: false}}\n"
    settings = read(tmp_path, f"{venues}{contexts('okx', 'kraken', 'okx')}", profile="demo")
    demand(settings)
    market = source(settings)
    assert [(each.name, each.venue) for each in market.contexts] == [("c0", "okx"), ("c1", "kraken"), ("c2", "okx")]
    assert owner_of(settings, market)["venue"] == "kraken and okx"
    files = {name: str(file) for name, file in venue_files(settings).items()}
    assert files == {"kraken": "var/demo/venue-kraken.sqlite", "okx": "var/demo/venue-okx.sqlite"}
    assert account_files(settings)[:2] == tuple(venue_files(settings).values())


def test_one_venue_of_a_replay_is_the_paper_venue_whatever_it_is_called(tmp_path: Path):
    for yaml in ("", "exchanges: {kraken: {}}\n", "exchanges: {kraken: {}, okx: {enabled: false}}\n"):
        named = contexts("kraken" if yaml else None)
        settings = read(tmp_path, yaml + named, profile="demo")
        assert {each.venue for each in source(settings).contexts} == {"paper"}
        assert {name: str(file) for name, file in venue_files(settings).items()} == {"paper": "var/demo/venue.sqlite"}


def test_a_context_of_a_replay_names_its_venue_where_there_are_several(tmp_path: Path):
    with pytest.raises(
        ConfigError, match=r"contexts\.1\.exchange: must name one of kraken, okx, or leave one alone on"
    ):
        read(tmp_path, f"exchanges: {{kraken: {{}}, okx: {{}}}}\n{contexts('kraken', None)}", profile="demo")


@pytest.mark.parametrize(
    ("yaml", "environ", "line"),
    [
        ("market: {exchange: kraken}", {}, "my.yaml, line 2: market.exchange: is now the name in exchanges, e.g."),
        ("market: {api_url: 'http://h'}", {}, "my.yaml, line 2: market.api_url: is now exchanges.NAME.api_url"),
        ("market: {poll_every: 5s}", {}, "my.yaml, line 2: market.poll_every: is now exchanges.NAME.poll_every"),
        ("market: {answer_within: 5s}", {}, "market.answer_within: is now exchanges.NAME.answer_within"),
        ("venue: {orders: real}", {}, "my.yaml, line 2: venue.orders: is now exchanges.NAME.orders"),
        (
            "",
            {"BOT_MARKET__EXCHANGE": "kraken"},
            "environment (BOT_MARKET__EXCHANGE): market.exchange: is now the name in exchanges",
        ),
        ("", {"BOT_VENUE__ORDERS": "real"}, "environment (BOT_VENUE__ORDERS): venue.orders: is now exchanges.NAME"),
        (contexts("paper"), {}, "contexts.0.exchange: is not among exchanges"),
    ],
)
def test_an_old_key_is_refused_and_the_new_one_named(tmp_path: Path, yaml: str, environ: dict[str, str], line: str):
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, yaml, **environ)
    assert line in str(refused.value)


def test_real_orders_are_refused_also_of_a_venue_that_is_off(tmp_path: Path):
    off = read(tmp_path, "exchanges: {kraken: {}, binance: {enabled: false, orders: real}}")
    on = read(tmp_path, "exchanges: {binance: {orders: real}}")
    assert (off.exchange[0], on.exchange[0]) == ("kraken", "binance")
    for settings in (off, on):
        with pytest.raises(ConfigError, match="sends orders to a real venue"):
            demand(settings)


def test_a_database_of_before_is_still_its_accounts(tmp_path: Path):
    """Its stamp has the paper venue's name, whichever venue the prices come from."""
    settings = read(tmp_path)
    assert owner_of(settings, source(settings)) == {
        "profile": "paper",
        "venue": "paper",
        "market": "binance, public data",
    }


KEYS = {
    "BOT_EXCHANGES__BINANCE__API_KEY": "the-key",
    "BOT_EXCHANGES__BINANCE__SECRET": "the-secret",
    "BOT_EXCHANGES__BINANCE__PASSWORD": "the-password",
}


def test_keys_come_by_the_environment_and_are_masked(tmp_path: Path):
    settings = read(tmp_path, **KEYS)
    _, asked = settings.exchange
    assert [each.get_secret_value() for each in (asked.api_key, asked.secret, asked.password) if each] == [
        "the-key", "the-secret", "the-password"
    ]  # fmt: skip
    assert {"the-key", "the-secret", "the-password"} <= {each.get_secret_value() for each in secrets(settings)}
    assert "the-" not in settings.model_dump_json()
    assert "the-" not in repr(settings)


def test_keys_come_from_files_as_well(tmp_path: Path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "bot_exchanges__kraken__api_key").write_text("a-key\n")
    (folder / "bot_exchanges__kraken__secret").write_text("a-secret\n")
    settings = read(tmp_path, "exchanges: {kraken: {}}", profile="demo", BOT_SECRETS_DIR=str(folder))
    asked = settings.exchanges["kraken"]
    assert [each.get_secret_value() for each in (asked.api_key, asked.secret) if each] == ["a-key", "a-secret"]


@pytest.mark.parametrize("name", ["api_key", "secret", "password"])
def test_keys_are_never_read_from_yaml(tmp_path: Path, name: str):
    with pytest.raises(ConfigError, match=f"exchanges.binance.{name}.*BOT_EXCHANGES__BINANCE__{name.upper()}"):
        read(tmp_path, f"exchanges: {{binance: {{{name}: my-own}}}}")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("API_KEY", "exchanges.binance.secret: must be set"),
        ("SECRET", "exchanges.binance.secret: is set without api_key"),
        ("PASSWORD", "exchanges.binance.password: is set without api_key"),
    ],
)
def test_half_a_key_is_refused(tmp_path: Path, given: str, words: str):
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, **{f"BOT_EXCHANGES__BINANCE__{given}": "one"})
