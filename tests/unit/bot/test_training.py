"""What a policy is trained on, by the settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.backtests.asked import Asked
from bot.markets import source
from bot.training import training_setup
from config.loader import load
from config.settings import Settings
from engine.data.files import write_candles
from engine.domain.errors import BadInput
from tests.fakes.series import walk


def read(folder: Path, **ppo: bool) -> Settings:
    """Two contexts on markets of their own, each with the policy or without."""
    contexts = [
        {"name": name, "strategy": "momentum", "markets": [f"{coin}/EUR"], "ppo": ppo[name]}
        for name, coin in (("trend", "BTC"), ("rev", "ETH"))
    ]
    market = {"lot": "0.0001", "tick": "0.01", "start_price": 100}
    markets = {"history": "1d", "markets": {"BTC/EUR": market, "ETH/EUR": market}}
    options = {"contexts": contexts, "venue": {"balances": {"EUR": 9_000}}, "market": markets}
    return load("demo", None, options, {}, folder).settings


def candles(folder: Path) -> tuple[Path, ...]:
    files = (folder / "BTCEUR-1h.parquet", folder / "ETHEUR-1h.parquet")
    for number, file in enumerate(files):
        write_candles(file, replace(walk(number, 900), symbol=f"{file.name[:3]}/EUR"))
    return files


def test_what_a_policy_leaves_alone_it_is_not_trained_on(tmp_path: Path) -> None:
    settings = read(tmp_path, trend=True, rev=False)
    setup = training_setup(Asked(data=candles(tmp_path), approved=True), settings)
    assert [each.name for each in setup.contexts] == ["trend"]
    assert set(setup.candles) == set(setup.markets) == {"BTC/EUR"}
    assert [each.adjusted for each in source(settings).contexts] == [True, False]


def test_where_it_leaves_all_alone_there_is_nothing_to_train(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No context has its entries adjusted"):
        training_setup(Asked(data=candles(tmp_path), approved=True), read(tmp_path, trend=False, rev=False))
