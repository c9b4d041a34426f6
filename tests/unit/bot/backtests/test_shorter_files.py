"""Which file of a market is traded on, and which one fills follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.backtests.shorter_files import beside, traded_and_shorter
from engine.domain.errors import BadInput
from engine.domain.market import Timeframe

BTC, ETH = "BTC/USDT", "ETH/USDT"
HOUR, MINUTE, OTHER = Path("a/BTCUSDT-1h.csv"), Path("b/BTCUSDT-1m.parquet"), Path("ETHUSDT-4h.csv.gz")


def test_of_two_files_of_a_market_the_longer_one_is_traded_on_in_whatever_order() -> None:
    for files in ((HOUR, MINUTE, OTHER), (OTHER, MINUTE, HOUR)):
        own, shorter = traded_and_shorter(files, lambda _: None)
        assert (own, shorter) == ({BTC: HOUR, ETH: OTHER}, {BTC: MINUTE})


def test_what_is_decided_on_candles_as_long_or_longer_needs_no_shorter_ones() -> None:
    assert traded_and_shorter((HOUR, MINUTE), lambda _: Timeframe.H4)[0] == {BTC: HOUR}
    with pytest.raises(BadInput, match="longer candles than the 5m ones"):
        traded_and_shorter((HOUR, MINUTE), lambda _: Timeframe.M5)


def test_three_files_of_a_market_are_one_too_many() -> None:
    with pytest.raises(BadInput, match="There are 3 files of BTC/USDT"):
        traded_and_shorter((HOUR, MINUTE, Path("BTCUSDT-5m.csv")), lambda _: None)


def test_files_beside_are_found_by_their_names_however_they_are_written(tmp_path: Path) -> None:
    for name in ("BTCUSDT-1m.csv.gz", "BTC_USDT-5m.parquet", "ETHUSDT-1h.csv", "notes.txt", "nothing-1m.csv"):
        (tmp_path / name).touch()
    files = {BTC: tmp_path / "BTCUSDT-1h.csv", ETH: tmp_path / "ETHUSDT-1h.csv"}
    assert beside(files, Timeframe.M1) == {BTC: tmp_path / "BTCUSDT-1m.csv.gz"}
    assert beside(files, Timeframe.M5) == {BTC: tmp_path / "BTC_USDT-5m.parquet"}
    with pytest.raises(BadInput, match="there is no BTCUSDT-15m or ETHUSDT-15m in"):
        beside(files, Timeframe.M15)
