"""The page of a backtest: what is on it, and that it is whole, whatever the run came to."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine.backtest.kernel_run import backtest
from engine.backtest.registry import TrialRegistry
from engine.backtest.report import BacktestReport, report_of
from engine.backtest.returns import Curve
from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.domain.backtests import Asked, BacktestFill, BookFills, ShorterCandles
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from handlers.backtests import figures
from handlers.backtests.page import page
from handlers.backtests.pictures import equity_chart, trades_chart
from tests.fakes.backtests import jumpy, setup
from tests.fakes.browser import DESK, PHONE, chromium, needs_chromium
from tests.fakes.series import BEGIN, walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def reported(asked: BacktestSetup, folder: Path) -> BacktestReport:
    registry = TrialRegistry(file=folder / "trials.jsonl")
    return report_of(asked, backtest(asked), registry, at=AT, rng=np.random.default_rng(1))


def busy(folder: Path) -> BacktestReport:
    return reported(setup(RsiBands(), jumpy(4, 3_000), jumpy(7, 2_500, symbol="ETH/USDT")), folder)


def idle(folder: Path) -> BacktestReport:
    return reported(setup(SmaCross(slow=90), walk(3, 80)), folder)


def one_trade(folder: Path) -> BacktestReport:
    asked = setup(SmaCross(fast=3, slow=8), walk(3, 400))
    first = backtest(asked).trades[0]
    return reported(replace(asked, end=first.closed_at + timedelta(hours=1)), folder)


def losing(folder: Path) -> BacktestReport:
    return reported(setup(RsiBands(), jumpy(12, 4_000), terms=RiskTerms()), folder)


RUNS = {"busy": busy, "idle": idle, "one trade": one_trade, "losing": losing}


def words(html: str) -> str:
    """What is read on a page."""
    body = html.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_page_needs_nothing_beside_it_and_tells_what_was_run(tmp_path: Path) -> None:
    report = busy(tmp_path)
    html = page(report, AT)
    assert not re.findall(r"(?:src|href|url)\s*[=(]", html)
    assert "<script" not in html
    read = words(html)
    assert f"{report.result.final_equity:,.2f}" in read
    assert "Backtest of c" in read
    assert "c on BTC/USDT, ETH/USDT in 1h candles" in read
    assert "5,500 candles" in read
    assert "By market" in read
    assert "By what closed them" in read
    assert "By strategy" not in read  # there is one
    assert "The last 30 trades Closed Opened Market Strategy Bought at Sold at By Net" in read
    assert f"Net {report.result.trades[-1].closed_at:%Y-%m-%d %H:%M}" in read
    assert html.count("<svg") == 2 * 3  # equity and two markets, for a desk and for a phone
    assert "2026-03-01 12:30 UTC" in read


def test_a_run_without_a_trade_is_a_page_too(tmp_path: Path) -> None:
    read = words(page(idle(tmp_path), AT))
    assert "Trades 0 nothing was bought and sold" in read
    assert "Largest drawdown none" in read
    assert "BTC/USDT, 1h: no trades" in read
    assert "Nothing to say of chance" in read
    assert "By what closed them" not in read


def test_one_trade_is_a_page_too(tmp_path: Path) -> None:
    report = one_trade(tmp_path)
    assert report.statistics.trades.trades == 1
    read = words(page(report, AT))
    assert "BTC/USDT, 1h: 1 trade" in read
    assert "Trades Closed Opened" in read


def test_what_people_were_asked_is_told(tmp_path: Path) -> None:
    report = idle(tmp_path)
    asked = replace(report.result, asked=Asked(ordered=2, expired=1))
    assert "People were asked 3 questions: 2 ordered, 1 expired" in words(page(replace(report, result=asked), AT))
    assert "People were asked" not in words(page(report, AT))


def test_parts_and_what_they_were_made_by_are_told(tmp_path: Path) -> None:
    report = one_trade(tmp_path)
    assert "Fills" not in words(page(report, AT)), "the kernel notes none"
    (trade,) = report.result.trades
    part = BacktestFill(at=trade.opened_at, side="buy", quantity=1.0, price=100.0, fee=0.1, fee_currency="USDT")
    later = replace(part, at=trade.opened_at + timedelta(minutes=20))
    sold = replace(part, at=trade.closed_at, side="sell")
    for fills, waited in (((part, later, sold), 1), ((part, part, sold), 0)):
        result = replace(report.result, read_trades=lambda fills=fills: (replace(trade, fills=fills),))
        html = words(page(replace(report, result=result), AT))
        assert f"Fills: 3; {waited} of 1 trade waited for a part" in html
        assert ("3, waited" in html) is bool(waited)
    followed = ShorterCandles(symbol="BTC/USDT", timeframe="1m", followed=7, gaps=1, others=2, fills=3)
    books = BookFills(recorded=1, modelled=2, targets=0)
    html = words(page(replace(report, result=replace(result, shorter=(followed,), books=books)), AT))
    assert "Followed BTC/USDT in 1m candles: 3 fills, 7 of 10 1h candles; 1 have gaps, 2 say something else" in html
    assert "3 fills: 1 from recorded books, 2 from price and volume, 0 at their targets" in html


def test_names_are_no_markup(tmp_path: Path) -> None:
    report = idle(tmp_path)
    [context] = report.setup.contexts
    hostile = replace(context, name="<img src=x onerror=alert(1)>")
    contexts = replace(report.setup.contexts, contexts=(hostile,))
    html = page(replace(report, setup=replace(report.setup, contexts=contexts)), AT)
    assert "<img" not in html
    assert "&lt;img" in html


def test_months_come_to_their_year(tmp_path: Path) -> None:
    report = busy(tmp_path)
    table = page(report, AT).partition('<table class="months">')[2].partition("</table>")[0]
    cells = [float(each) for each in re.findall(r">([+-]?[\d.]+)%</td>", table)]
    assert len(cells) == 5 + 1  # January to May, and the year
    assert np.prod([1 + each / 100 for each in cells[:-1]]) == pytest.approx(1 + cells[-1] / 100, abs=0.005)
    assert cells[-1] == pytest.approx(100 * report.statistics.account.gain, abs=0.005)


def test_the_curve_keeps_its_extremes_however_few_points_there_are(tmp_path: Path) -> None:
    report = busy(tmp_path)
    curve, chart = report.statistics.curve, equity_chart(report, 5, ZoneInfo("Asia/Kolkata"))
    assert len(chart.times) < 20 < len(curve.equity)
    assert (max(chart.equity), min(chart.equity)) == (curve.equity.max(), curve.equity.min())
    assert max(chart.drawdown) == curve.drawdown.max() == report.statistics.account.drawdown.depth
    assert (chart.times[0], chart.times[-1]) == (report.result.begins, report.result.ends)
    assert (chart.zone, chart.title) == ("Asia/Kolkata", "Equity in USDT, 2024-01-01 to 2024-05-05")


def test_a_fall_from_a_new_peak_is_kept_beside_the_lowest_point(tmp_path: Path) -> None:
    report = idle(tmp_path)
    equity = np.array([100.0, 90, 200, 120, 150, 160, 170])
    curve = Curve(at_ms=report.statistics.curve.at_ms[0] + 86_400_000 * np.arange(7), equity=equity)
    found = replace(report.statistics, curve=curve, hold_curve=curve)
    assert equity_chart(replace(report, statistics=found), 1, ZoneInfo("UTC")).equity == (100, 90, 200, 120, 170)


def test_the_last_trades_are_on_candles_that_show_them(tmp_path: Path) -> None:
    report = busy(tmp_path)
    own = sorted((each for each in report.result.trades if each.symbol == "ETH/USDT"), key=lambda t: t.opened_at)
    few, all_ = trades_chart(report, "ETH/USDT", 5, 100), trades_chart(report, "ETH/USDT", 10_000, 100)
    assert [each.begin for each in few.trades][-1] >= own[-1].opened_at
    assert len(few.trades) == 5
    assert few.times[0] <= few.trades[0].begin
    assert few.seconds == 4 * 3600
    assert few.title == f"ETH/USDT, 4h: the last 5 of {len(all_.trades)} trades"
    assert all_.times[0] == BEGIN
    assert len(all_.times) <= 100
    assert all_.seconds > few.seconds


def test_evidence_in_words(tmp_path: Path) -> None:
    said = figures.evidence(busy(tmp_path))
    assert said[0].startswith("Sharpe ")
    assert "of trades won, 95% between" in said[1]
    assert said[2].startswith("beats holding: not shown, p 0.")
    assert said[3].endswith("(deflated Sharpe) after 1 trial")


@pytest.mark.browser
@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
async def test_a_browser_shows_it_whole_on_a_desk_and_on_a_phone(run: object, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(run(tmp_path), AT))
    async with chromium() as browser:
        for size in (DESK, PHONE):
            async with browser.visit(size) as visitor:
                asked: list[str] = []
                visitor.page.on("request", lambda request, asked=asked: asked.append(request.url))
                await visitor.page.goto((tmp_path / "page.html").as_uri())
                assert await visitor.fits()
                cut = "[...document.querySelectorAll('section')].filter(s => s.scrollWidth > s.clientWidth + 1).length"
                assert await visitor.page.evaluate(cut) == 0
                seen = "[...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 0).length"
                drawn = await visitor.page.evaluate("document.querySelectorAll('svg').length")
                assert await visitor.page.evaluate(seen) == drawn / 2
                assert asked == [(tmp_path / "page.html").as_uri()]
                assert visitor.complaints == []
