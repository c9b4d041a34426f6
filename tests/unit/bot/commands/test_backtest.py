"""``bot backtest`` as it is typed, on candle files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from engine.data.files import write_candles
from engine.domain.market import Timeframe
from engine.simulation.frames import resample
from tests.fakes import oracle
from tests.fakes.series import BEGIN, walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]
MOMENTUM = {"name": "a", "strategy": "momentum", "markets": ["BTC/USDT"]}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Candle files of three markets, two of them in USDT."""
    monkeypatch.chdir(tmp_path)
    for number, symbol in enumerate(("BTC/USDT", "ETH/USDT", "ETH/BTC")):
        name = f"{symbol.replace('/', '')}-1h.parquet"
        write_candles(tmp_path / name, replace(walk(20 + number, 3_000, sigma=0.01), symbol=symbol))
    return {name.stem.removesuffix("-1h"): str(name) for name in tmp_path.glob("*.parquet")}


def backtest(*words: str) -> Result:
    return CliRunner().invoke(app, ["backtest", *words])


def told(tmp_path: Path, *words: str) -> dict:
    answer = backtest(*words, "--json", str(tmp_path / "out" / "told.json"))
    assert answer.exit_code == 0, answer.output
    return json.loads((tmp_path / "out" / "told.json").read_text())


def test_a_bare_run_comes_to_what_plain_python_does(files: dict[str, str], tmp_path: Path) -> None:
    words = ("--symbol", "BTC", "--strategy", "sma_cross", "--set", "fast=5", "--set", "slow=15", "--cash", "5000")
    found = told(tmp_path, *words, "--fee", "0.002", "--size", "0.5", "--risk", "off", "--data", files["BTCUSDT"])
    book = oracle.sma_cross(walk(20, 3_000, sigma=0.01), 5, 15, cash=5_000, size=0.5, fee=0.002)
    assert found["final_equity"] == pytest.approx(book.final_equity, abs=5e-5)
    assert [each["exit_price"] for each in found["trades"]] == pytest.approx([each.exit for each in book.trades])
    assert found["trades"][0]["opened_at"].endswith("+00:00")
    assert (found["terms"], found["cash"], found["quote"]) == ("bare", 5_000, "USDT")
    assert 0 < found["kernel_seconds"] < 60


def test_several_markets_share_one_portfolio(files: dict[str, str], tmp_path: Path) -> None:
    found = told(tmp_path, "--strategy", "rsi_bands", "--data", files["BTCUSDT"], files["ETHUSDT"])
    assert found["terms"] == "risk"
    assert set(found["by_symbol"]) == {"BTC/USDT", "ETH/USDT"}
    assert found["final_equity"] - 10_000 == pytest.approx(
        sum(each["net"] for each in found["trades"])
        + sum(each["quantity"] * (each["price"] - each["entry_price"]) for each in found["held"]),
        abs=20,  # the fees of what is held
    )


def test_a_coin_is_meant_against_the_quote_of_the_profile(files: dict[str, str], tmp_path: Path) -> None:
    words = ("--strategy", "sma_cross", "--symbol", "eth", "--data", files["ETHBTC"], files["ETHUSDT"])
    assert list(told(tmp_path, *words)["by_symbol"]) == ["ETH/USDT"]
    other = told(tmp_path, "--strategy", "sma_cross", "--symbol", "ETH", "--data", files["ETHBTC"])
    assert (other["quote"], list(other["by_symbol"])) == ("BTC", ["ETH/BTC"])


def test_the_contexts_of_a_profile_trade_the_files_that_there_are(files: dict[str, str], tmp_path: Path) -> None:
    found = told(tmp_path, "--profile", "demo", "--approve", "all", "--data", files["BTCUSDT"])
    assert [each["context"] for each in found["strategies"]] == ["trend", "momentum", "reversion"]
    assert set(found["by_context"]) <= {"trend", "momentum", "reversion"}
    alone = backtest("--profile", "demo", "--data", files["BTCUSDT"], "--json", str(tmp_path / "alone.json"))
    fewer = json.loads((tmp_path / "alone.json").read_text())
    assert len(found["trades"]) > len(fewer["trades"])
    assert fewer["short_entries"] > found["short_entries"]
    left_out = f"left out   {fewer['short_entries']} entries with a confidence below 0.8 (approval.auto_above)"
    assert left_out in alone.output


def test_longer_candles_and_a_part_of_the_time(files: dict[str, str], tmp_path: Path) -> None:
    found = told(
        tmp_path,
        *("--strategy", "rsi_bands", "--timeframe", "4h", "--start", "2024-02-01", "--end", "2024-04-01"),
        *("--data", files["BTCUSDT"]),
    )
    assert (found["begins"][:10], found["ends"][:10]) == ("2024-02-01", "2024-04-01")
    assert found["strategies"][0]["timeframe"] == Timeframe.H4
    assert found["candles"] == 60 * 24


@pytest.fixture
def shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Candle files of a market in two lengths; of the shorter ones the first and one later are missing."""
    monkeypatch.chdir(tmp_path)
    made = replace(walk(31, 800, sigma=0.004, timeframe=Timeframe.M15), symbol="ETH/USDT")
    kept = np.delete(np.arange(1, 800), 402)
    names = ("open_ms", "open", "high", "low", "close", "volume")
    with_gaps = replace(made, **{name: getattr(made, name)[kept] for name in names})
    for each in (resample(made, Timeframe.H1), with_gaps):
        write_candles(tmp_path / f"ETHUSDT-{each.timeframe}.csv", each)
    return {length: str(tmp_path / f"ETHUSDT-{length}.csv") for length in ("1h", "15m")}


def test_with_full_fees_are_taken_in_a_currency_of_their_own_and_count_at_its_price(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_VENUE__FEE_IN", "ETH")
    monkeypatch.setenv("BOT_VENUE__BALANCES", '{"USDT": 5000, "ETH": 0.5}')
    words = ("--strategy", "rsi_bands", "--symbol", "BTC", "--start", "2024-02-01", "--end", "2024-02-09", "--full")
    found = told(tmp_path, *words, "--data", files["BTCUSDT"], files["ETHUSDT"])
    fills = [fill for trade in found["trades"] for fill in trade["fills"]]
    assert len(fills) > 4
    assert {each["fee_currency"] for each in fills} == {"ETH"} == set(found["fees_by_currency"])
    ethers, worth = sum(each["fee"] for each in fills), sum(each["quantity"] * each["price"] for each in fills)
    assert found["fees_by_currency"]["ETH"] == pytest.approx(ethers)
    assert sum(each["fees"] for each in found["trades"]) == pytest.approx(worth / 1000, rel=1e-3)
    assert ethers != pytest.approx(worth / 1000, rel=1e-3)
    held = sum(each["quantity"] * (each["price"] - each["entry_price"]) for each in found["held"])
    earned = held + sum(each["net"] + each["fees"] for each in found["trades"]) - found["fees"]
    assert found["final_equity"] == pytest.approx(5000 + earned)
    assert found["daily"][-1]["equity"] == found["final_equity"]


@pytest.mark.parametrize(
    ("balances", "words", "said"),
    [
        (
            '{"USDT": 1, "ETH": 1}',
            ("--full",),
            "nothing tells its price: there are no 1h candles of ETH/USDT. Give its",
        ),
        ('{"USDT": 1}', ("--full",), "fees are taken in ETH, and the account has none. Set venue.balances.ETH"),
        ('{"USDT": 1}', (), "fees in ETH are counted in the live cycle alone. Say bot backtest --full, or set quote"),
    ],
)
def test_fees_that_cannot_be_counted_are_said(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch, balances: str, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("BOT_VENUE__FEE_IN", "ETH")
    monkeypatch.setenv("BOT_VENUE__BALANCES", balances)
    answer = backtest("--strategy", "rsi_bands", "--data", files["BTCUSDT"], *words)
    assert answer.exit_code == 2
    assert said in answer.stderr


@pytest.fixture
def books(tmp_path: Path) -> list[str]:
    """Two files of order books, together one at each second hour."""
    head = "symbol,timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount\n"
    for number in range(2):
        hours = range(number * 2, 24 * 9, 4)
        rows = (f"ETHUSDT,{int((BEGIN.timestamp() + 3600 * hour) * 1e6)},100.01,900,99.99,900\n" for hour in hours)
        (tmp_path / f"books-{number}.csv").write_text(head + "".join(rows))
    return [str(tmp_path / f"books-{number}.csv") for number in range(2)]


def test_with_full_fills_follow_shorter_candles_and_take_from_recorded_books_and_it_says_how_many(
    shorter: dict[str, str], books: list[str], tmp_path: Path
) -> None:
    words = ("--strategy", "rsi_bands", "--set", "rsi_low=45", "--start", "2024-01-04", "--full", "--latency", "2s-9s")
    files = ("--data", shorter["1h"], "--books", *books, shorter["15m"])
    answer = backtest(*words, *files, "--json", str(tmp_path / "told.json"))
    assert "orders under way for 2 to 9 s" in answer.output
    assert "followed   ETH/USDT in 15m candles: " in answer.output
    assert "127 of 128 1h candles; 1 have gaps" in answer.output
    found = json.loads((tmp_path / "told.json").read_text())
    (followed,) = found["shorter"]
    assert {**followed, "fills": 0} == {
        "symbol": "ETH/USDT",
        "timeframe": "15m",
        "followed": 127,
        "gaps": 1,
        "others": 0,
        "fills": 0,
    }
    assert followed["fills"] >= len(found["trades"]) > 0
    assert f"{found['books']['recorded']} from recorded books" in answer.output
    assert all(found["books"].values()), found["books"]
    assert sum(found["books"].values()) >= 2 * len(found["trades"])
    assert found["live"] == {"latency": [2.0, 9.0]}
    for trade in found["trades"]:
        bought = [each for each in trade["fills"] if each["side"] == "buy"]
        assert sum(each["quantity"] for each in bought) == pytest.approx(trade["quantity"])
        assert sum(each["fee"] for each in trade["fills"]) == pytest.approx(trade["fees"])
        assert (bought[0]["at"], bought[0]["fee_currency"]) == (trade["opened_at"], "USDT")
    moments = {each["closed_at"] for each in found["trades"]}
    assert not all(at.endswith(":00:00+00:00") for at in moments), "a stop is met within the hour"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "{1h}", "{15m}"), "both hold ETH/USDT: without --full whole candles are traded on"),
        (("--data", "{1h}", "--shorter", "15m"), "--shorter 15m: without --full whole candles are traded on"),
        (("--full", "--data", "{1h}", "--shorter", "1m"), "there is no ETHUSDT-1m in"),
        (("--full", "--data", "{15m}", "--shorter", "1h"), "ETHUSDT-15m.csv are no longer than that"),
        (("--full", "--data", "{1h}", "{15m}", "--timeframe", "15m"), "longer candles than the 15m ones"),
        (("--data", "{1h}", "--books", "x.csv"), "--books: without --full there is no moment"),
        (("--full", "--data", "{1h}", "--books", "x.csv"), "--books: a bare run has no book"),
        (("--full", "--data", "{1h}", "{1h}"), "both hold ETH/USDT in 1h candles"),
    ],
)
def test_shorter_candles_that_cannot_be_followed_are_said(
    shorter: dict[str, str], words: tuple[str, ...], said: str
) -> None:
    answer = backtest("--strategy", "sma_cross", *(word.format(**shorter) for word in words))
    assert answer.exit_code == 2
    assert said in answer.stderr


def test_the_terminal_says_what_was_traded_and_what_it_came_to(files: dict[str, str]) -> None:
    said = backtest("--strategy", "sma_cross", "--data", files["BTCUSDT"]).output
    assert "sma_cross on BTC/USDT in 1h candles; bare" in said
    assert np.all([word in said for word in ("trades", "closed by", "fees", "equity", "USDT")])
    assert np.all([word in said for word in ("Sharpe", "drawdown", "holding", "beats holding", "after 1 trial")])


def test_all_figures_are_in_the_json(files: dict[str, str], tmp_path: Path) -> None:
    found = told(tmp_path, "--strategy", "rsi_bands", "--risk", "off", "--data", files["BTCUSDT"], files["ETHUSDT"])
    assert {"cagr", "sharpe", "sortino", "calmar", "volatility", "var", "cvar", "drawdown"} <= set(found["account"])
    assert set(found["account"]) == set(found["hold"])
    equity = np.array([found["cash"], *(each["equity"] for each in found["daily"])])
    assert found["account"]["drawdown"]["depth"] == pytest.approx(max(1 - equity / np.maximum.accumulate(equity)))
    assert found["account"]["drawdown"]["peak_at"] < found["account"]["drawdown"]["lowest_at"]
    assert found["account"]["gain"] == pytest.approx(found["final_equity"] / found["cash"] - 1)
    wins = [each["net"] > 0 for each in found["trades"]]
    assert found["all_trades"]["win_rate"] == pytest.approx(sum(wins) / len(wins))
    assert (
        found["evidence"]["win_rate"]["low"] < found["all_trades"]["win_rate"] < found["evidence"]["win_rate"]["high"]
    )
    assert 0 <= found["evidence"]["beats_hold"] <= 1
    assert found["evidence"]["tried"] == {"count": 1, "variance": 0.0, "expected_best": 0.0}


def test_each_try_makes_the_next_harder_to_believe_and_a_repetition_does_not(
    files: dict[str, str], tmp_path: Path
) -> None:
    def tried(*words: str) -> tuple[int, float]:
        evidence = told(tmp_path, "--strategy", "sma_cross", "--data", files["BTCUSDT"], *words)["evidence"]
        return evidence["tried"]["count"], evidence["deflated"]

    first = tried()
    assert [tried("--set", f"fast={fast}")[0] for fast in (5, 10)] == [2, 3]
    assert tried("--fee", "0")[0] == 4
    last = tried()
    assert (first[0], last[0]) == (1, 4)
    assert last[1] < first[1]
    assert len((tmp_path / "var" / "trials.jsonl").read_text().splitlines()) == 5


def test_the_same_run_says_the_same(files: dict[str, str], tmp_path: Path) -> None:
    words = ("--strategy", "sma_cross", "--data", files["BTCUSDT"])
    one, other = (told(tmp_path, *words) for _ in range(2))
    assert {**one, "kernel_seconds": 0, "compile_seconds": 0} == {**other, "kernel_seconds": 0, "compile_seconds": 0}


def test_a_run_without_a_trade_says_so(files: dict[str, str], tmp_path: Path) -> None:
    words = ("--strategy", "sma_cross", "--set", "slow=2000", "--start", "2024-01-01", "--end", "2024-01-02")
    answer = backtest(*words, "--data", files["BTCUSDT"], "--json", str(tmp_path / "told.json"))
    assert answer.exit_code == 0
    assert "trades     none" in answer.output
    assert "nothing to say of chance: 1 day, 0 trades" in answer.output
    found = json.loads((tmp_path / "told.json").read_text())
    assert (found["account"]["sharpe"], found["all_trades"]["win_rate"], found["evidence"]["deflated"]) == (None,) * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strategy", "sma_kross"), "There is no strategy sma_kross. Did you mean sma_cross?"),
        (("--strategy", "sma_cross", "--symbol", "BTX"), "There are no candles of BTX. Did you mean BTC/USDT?"),
        (("--strategy", "sma_cross", "--set", "fasst=2"), "--set fasst: sma_cross has no such parameter. Did you mean"),
        (("--strategy", "sma_cross", "--set", "fast=x"), "--set fast: must be a valid integer"),
        (("--strategy", "sma_cross", "--set", "fast=[1]"), "--set fast: must be a single value"),
        (("--strategy", "sma_cross", "--set", "fast"), "--set fast gives no value"),
        (("--strategy", "sma_cross", "--set", "fast=50"), "The strategy SMA cross cannot work like this: fast must"),
        (("--strategy", "sma_cross", "--risk", "on"), "sma_cross gives no stop"),
        (("--strategy", "rsi_bands", "--size", "0.5"), "--size is about bare runs"),
        (("--strategy", "sma_cross", "--size", "1"), "--size 1.0 cannot be paid"),
        (("--strategy", "sma_cross", "--fee", "1.5"), "--fee 1.5 is no fraction"),
        (("--strategy", "sma_cross", "--cash", "lots"), "--cash lots is no number"),
        (("--strategy", "sma_cross", "--cash", "0"), "--cash 0 buys nothing"),
        (("--strategy", "sma_cross", "--timeframe", "15m"), "there are only 1h candles, none of 15m"),
        (("--strategy", "sma_cross", "--start", "2030-01-01"), "no candles within --start and --end"),
        (
            ("--strategy", "rsi_bands", "--approve", "human"),
            "People take their time in the live cycle alone. Say --full",
        ),
        (("--strategy", "sma_cross", "--timeframe", "15m", "--full"), "there are only 1h candles, none of 15m"),
        (("--strategy", "sma_cross", "--start", "2030-01-01", "--full"), "no candles within --start and --end"),
        (("--strategy", "sma_cross", "--latency", "2s"), "--latency: without --full whole candles are traded on"),
        (("--strategy", "sma_cross", "--full", "--latency", "3s-1s"), "--latency 3s-1s: must be seconds or a duration"),
        (("--strategy", "sma_cross", "--full", "--latency", "1h"), "--latency 1h: must not be longer than 10m"),
        (
            ("--strategy", "ai_trend"),
            "ai_trend trades on predictions, and only bot backtest --full makes them. Say --full",
        ),
        (("--strategy", "ai_trend", "--full"), "ai_trend trades on predictions, and nothing is predicted in this run"),
        (("--set", "fast=2"), "--set is about one strategy"),
    ],
)
def test_what_cannot_be_run_is_said_with_the_way_out(files: dict[str, str], words: tuple[str, ...], said: str) -> None:
    answer = backtest(*words, "--data", files["BTCUSDT"])
    assert answer.exit_code == 2
    assert said in answer.stderr


def test_contexts_of_which_one_is_heard_on_a_coin_are_tried_in_the_live_cycle_alone(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--profile", "demo", "--data", files["BTCUSDT"])
    monkeypatch.setenv("BOT_CONSOLIDATION", "netted")
    refused = backtest(*words)
    assert refused.exit_code == 2
    assert "consolidation: netted settles which context is heard on BTC" in refused.stderr
    assert "Say --full as well." in refused.stderr
    assert told(tmp_path, "--strategy", "sma_cross", "--data", files["BTCUSDT"])["trades"], "one alone has no opposite"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"entry": {"slices": {"most": 3}}}, "entry.slices are bought one after the other"),
        ({"entry": {"type": "limit"}}, "entry.type limit waits for its price"),
        ({"fast": {"share": 0.3, "min_confidence": 0.9}}, "fast buys a part before the rest"),
    ],
)
def test_what_is_not_bought_at_once_is_tried_in_the_live_cycle_alone(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch, how: dict, said: str
) -> None:
    monkeypatch.setenv("BOT_CONTEXTS", json.dumps([{**MOMENTUM, **how}]))
    refused = backtest("--profile", "demo", "--data", files["BTCUSDT"])
    assert refused.exit_code == 2
    assert f"a: {said}" in refused.stderr
    assert "Say --full as well." in refused.stderr


def test_with_full_an_entry_at_a_limit_waits_for_its_price(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--profile", "demo", "--approve", "all", "--full", "--end", "2024-02-01", "--data", files["BTCUSDT"])
    monkeypatch.setenv("BOT_CONTEXTS", json.dumps([MOMENTUM]))
    at_market = {each["opened_at"][:13]: each["entry_price"] for each in told(tmp_path, *words)["trades"]}
    limit = {"type": "limit", "offset": "0.004", "patience": "59m"}
    monkeypatch.setenv("BOT_CONTEXTS", json.dumps([{**MOMENTUM, "entry": limit}]))
    waited = told(tmp_path, *words)["trades"]
    shares = [
        each["entry_price"] / at_market[each["opened_at"][:13]]
        for each in waited
        if each["opened_at"][:13] in at_market
    ]
    assert shares
    assert all(0.993 < each < 0.997 for each in shares), "the one without a spread and slippage, the other with both"


def test_a_stop_that_a_drawdown_calls_for_is_told_in_the_live_cycle_alone(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_EMERGENCY__DRAWDOWN__LEADS_TO", "halted")
    refused = backtest("--profile", "demo", "--data", files["BTCUSDT"])
    assert refused.exit_code == 2
    assert "emergency.drawdown: a stop cannot be told market by market" in refused.stderr
    assert "bot backtest --full" in refused.stderr


def test_a_latency_that_is_set_is_said_to_be_left_out_without_full(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--strategy", "sma_cross", "--data", files["BTCUSDT"])
    assert "left out" not in backtest(*words).stderr
    monkeypatch.setenv("BOT_BACKTEST__LATENCY", "1s-2s")
    assert "backtest.latency is left out: only --full counts it" in backtest(*words).stderr


def test_without_a_file_the_made_up_market_is_tested_up_to_an_end(tmp_path: Path) -> None:
    assert "has no end" in backtest("--strategy", "rsi_bands", "--symbol", "SOL").stderr
    words = ("--strategy", "rsi_bands", "--symbol", "SOL", "--start", "2026-01-01", "--end", "2026-02-01")
    assert set(told(tmp_path, *words)["by_symbol"]) <= {"SOL/USDT"}
