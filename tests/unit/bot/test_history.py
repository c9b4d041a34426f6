"""Which markets a download is of, and that there is one at a time."""

from decimal import Decimal
from pathlib import Path

import pytest

from bot.history import chosen, only_download
from engine.domain.errors import BadInput, DataError
from engine.domain.market import Market
from engine.exchanges.ccxt.parsing import Listing


def listed(*symbols: str, halted: str = "") -> dict[str, Listing]:
    def of(symbol: str) -> Listing:
        return Listing(market=Market(symbol=symbol, lot=Decimal(1), tick=Decimal(1)), trading=symbol != halted)

    return {symbol: of(symbol) for symbol in symbols}


LISTED = listed("BTC/USDT", "ETH/USDT", "BTC/EUR", "LUNA/USDT", halted="LUNA/USDT")


def test_patterns_are_of_what_is_traded_and_names_of_all_that_is_listed() -> None:
    assert chosen(["*/usdt"], LISTED, "binance") == ["BTC/USDT", "ETH/USDT"]
    assert chosen(["luna/usdt", "BTC/*", "BTC/EUR"], LISTED, "binance") == ["LUNA/USDT", "BTC/EUR", "BTC/USDT"]


def test_a_name_that_is_not_listed_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(BadInput, match=r"no market BTC/ERU\. Did you mean BTC/EUR"):
        chosen(["BTC/ERU"], LISTED, "binance")


def test_two_downloads_into_one_folder_are_one_too_many_and_two_venues_are_not(tmp_path: Path) -> None:
    with only_download(tmp_path, "binance"):
        with only_download(tmp_path, "kraken"):
            pass
        with (
            pytest.raises(DataError, match=r"another download \(pid \d+ on .*\) is at work"),
            only_download(tmp_path, "binance"),
        ):
            pass
    with only_download(tmp_path, "binance"):
        pass
