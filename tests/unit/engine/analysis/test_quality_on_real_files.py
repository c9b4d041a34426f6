"""Every real candle file through the gate, close by close: what would have halted trading, and what would not.

The clean ones were looked at as pictures, each with its highs and lows: no tick stands out of them that the market
did not stay at, or that its volume does not bear.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from engine.analysis.quality import QualityLimits, check
from engine.data.candle_table import read_columns
from engine.data.files import parse_name
from engine.data.importing import Dump, read_dump
from engine.domain.decisions import QualityReport
from engine.domain.market import Candles, Timeframe, from_millis
from tests.fakes.closes import HISTORY, refusals
from tests.fakes.data import real_file


def words(text: str) -> list[str]:
    return text.split()


CLEAN = words("""
ADAUSDT-1d APEUSDT-15m APEUSDT-1d BNBUSDT-1d BTC-PERP-FTX-1m BTCUSD-BITSTAMP-1h BTCUSD-COINBASE20171217-1m BTCUSDT-1d
CHZUSDT-1d DOGEUSDT-1d EGLDUSDT-1d EOSUSDT-1d ETHBTC-5m ETHUSDT-1d FLOWUSDT-1d FTMUSDT-1d LTCBTC-5m LTCUSDT-1d
MANAUSDT-1d MATICUSDT-1d SANDUSDT-1d SOLUSDT-1d THETAUSDT-1d TRXBTC-5m XLMBTC-5m XMRBTC-5m XMRUSDT-1d XRPUSDT-1d
XRPUSDT-PERP2021-5m XTZUSDT-1d
""")
OUTAGES = {
    Timeframe.H1: words("""
        2017-09-07T00:00 2018-02-09T11:00 2018-06-26T13:00 2018-07-04T09:00 2018-11-14T10:00 2019-03-12T09:00
        2019-05-15T14:00 2019-08-15T11:00 2020-02-19T18:00 2020-12-21T19:00 2021-08-13T07:00
    """),
    Timeframe.M15: words("""
        2020-11-30T07:15 2020-12-21T18:15 2020-12-25T03:15 2021-02-11T05:15 2021-03-06T03:45 2021-04-20T04:45
        2021-04-25T09:00 2021-08-13T06:45 2021-09-29T09:15
    """),
}
"""The first closes after Binance was away for more than three candles: the same in each of its series."""
HOURLY = words("ADA BNB BTC DOGE EOS ETH LINK LTC MATIC SOL XMR XRP")
QUARTERLY = words("EGLD FLOW MANA SOL")
OTHERS = {
    "ADABTC-5m": [("gap", "2018-01-15T11:35")],
    "ALGOUSDT-1d": [("spike", "2020-03-13T00:00")],  # a crash: until the next close nobody can tell, but for a book
    "LINKUSDT-1d": [],  # a low of 0.0001 on 2020-03-12, on nearly six times the usual volume
    "BTCUSD-COINBASE-1d": [
        ("changed gone", "2015-08-02T00:00"),
        ("spike", "2016-06-08T00:00"),
        ("spike", "2017-03-08T00:00"),
        ("spike", "2017-04-16T00:00"),  # a low of 0.06
    ],
}


@cache
def series(name: str) -> Candles:
    path = real_file(f"candles/{name}.parquet")
    open_ms, columns = read_columns(path)
    symbol, timeframe = ("BTC/USD", Timeframe.M1) if "FTX" in name else parse_name(path)
    return Candles(symbol=symbol, timeframe=timeframe, open_ms=open_ms, **columns)


def told(name: str) -> list[tuple[str, str]]:
    return [(kind, f"{at:%Y-%m-%dT%H:%M}") for kind, at in refusals(series(name))]


@pytest.mark.parametrize("name", CLEAN)
def test_a_series_that_was_looked_through_by_eye_halts_nothing(name: str) -> None:
    assert told(name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [f"{coin}USDT-1h" for coin in HOURLY] + [f"{coin}USDT-15m" for coin in QUARTERLY])
def test_where_the_venue_was_away_trading_halts_and_nowhere_else(name: str) -> None:
    own = series(name)
    begins = from_millis(int(own.open_ms[HISTORY - 1]))
    outages = [each for each in OUTAGES[own.timeframe] if datetime.fromisoformat(each).replace(tzinfo=UTC) > begins]
    spikes = [("spike", "2020-11-26T05:15")] if name == "EGLDUSDT-15m" else []
    assert told(name) == spikes + [("gap", each) for each in outages]


@pytest.mark.parametrize("name", OTHERS)
def test_what_else_is_wrong_in_the_files_is_found(name: str) -> None:
    assert told(name) == OTHERS[name]


@pytest.mark.parametrize(("name", "times"), [("BTCUSD-COINBASE2016-1m", 13), ("XRPETH-1m", 3)])
def test_minutes_of_which_most_had_no_trade_are_not_traded_on(name: str, times: int) -> None:
    found = told(name)
    assert {kind for kind, _ in found} == {"gap"}
    assert len(found) == times


def as_it_stands(dump: Dump, timeframe: Timeframe, seconds: int = 1) -> QualityReport:
    """A dump's rows as they stand, times in seconds made milliseconds where that is asked for."""
    times = np.array([int(float(record.unix or 0)) for record in dump.records], dtype=np.int64)
    open_ms = np.where(times < 10**11, times * seconds, times)
    columns = {
        name: np.array([float(getattr(record, name)) for record in dump.records])
        for name in ("open", "high", "low", "close", "volume")
    }
    candles = Candles(symbol="BTC/USDT", timeframe=timeframe, open_ms=open_ms, **columns)
    return check(candles, from_millis(int(open_ms.max())) + timeframe.duration, QualityLimits())[1]


BITSTAMP, BINANCE, DAILY = (
    "BTC_USD-Hourly_bitstamp.csv.gz",
    "Binance_BTCUSDT_1h.csv.gz",
    "Binance_BTCUSDT_d_s260895.csv",
)


@pytest.mark.parametrize(
    ("name", "timeframe", "found"),
    [(BITSTAMP, Timeframe.H1, {"grid"}), (BINANCE, Timeframe.H1, {"gone"}), (DAILY, Timeframe.D1, {"gone"})],
)
def test_a_dump_whose_times_are_seconds_or_both_is_no_market_to_trade_on(
    name: str, timeframe: Timeframe, found: set[str]
) -> None:
    report = as_it_stands(read_dump(real_file(f"candles_dirty/{name}")), timeframe)
    assert {issue.kind for issue in report.refused} | {change.kind for change in report.changes} == found
    assert "order" in {issue.kind for issue in report.repaired}  # newest first


@pytest.mark.parametrize(
    ("name", "timeframe", "found"),
    [
        (BITSTAMP, Timeframe.H1, []),
        (BINANCE, Timeframe.H1, ["2020-08-01 23:00 UTC and 2648 more came with different values"]),
        (DAILY, Timeframe.D1, ["2017-12-18 00:00 UTC came with different values"]),
    ],
)
def test_hours_that_a_dump_has_twice_with_other_values_are_refused(
    name: str, timeframe: Timeframe, found: list[str]
) -> None:
    report = as_it_stands(read_dump(real_file(f"candles_dirty/{name}")), timeframe, seconds=1000)
    assert [issue.detail for issue in report.refused] == found
