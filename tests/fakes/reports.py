"""Reports with plausible contents, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from engine.domain.account import Balance, DayProfit, EquityCurve, EquityPoint, Profit, Status
from engine.domain.adjustments import Adjusted, AdjustedEntry, AdjusterMode, AdjusterView, Adjustment
from engine.domain.approvals import Approval, Pending, State, Vote
from engine.domain.autonomy import AskHuman
from engine.domain.capital import CapitalPlan, CapitalStage, CapitalStep, CapitalView, StageFigures
from engine.domain.confirmations import Confirmation
from engine.domain.days import Period
from engine.domain.decision_views import ApprovalView, Why
from engine.domain.decisions import (
    Condition,
    Decision,
    Input,
    Issue,
    Judged,
    Opinion,
    Pattern,
    QualityReport,
    Signals,
    Stance,
    TechnicalSignals,
    Verdict,
)
from engine.domain.digests import Digest
from engine.domain.halt_views import HaltView, Recovery
from engine.domain.halts import Halt, HaltKind
from engine.domain.health import LogLine, Part, PlatformTrouble
from engine.domain.judging import Clamp
from engine.domain.market import Candles, Listing, Timeframe, to_millis
from engine.domain.model_ledger import BudgetNotice, Cap
from engine.domain.model_views import CapView, ModelsView, ModelTotals, ProviderView
from engine.domain.money import Money
from engine.domain.orders import Fill, Order, OrderRequest, OrderState, OrderStatus, OrderType, Purpose, Side
from engine.domain.people import Stranger
from engine.domain.plans import TradePlan
from engine.domain.policy_proposals import PolicyProposal
from engine.domain.positions import Position
from engine.domain.predictions import PredictionView, Reason, TrackRecord, Trend, TrendOutlook, TrendPrediction
from engine.domain.proposals import Deliberation, Proposal
from engine.domain.quality_views import CandleQuality, Finding, MarketQuality, Outcome, QualityView
from engine.domain.results import AtWork, ContextView, Counts, Performance, Strategies, Tally, TradeStats
from engine.domain.risk_views import ExposureReport, RiskReport, Tail, Use, VarMarket, VarReport
from engine.domain.sentiment import Headline, SentimentData, SentimentPart, SentimentView, Topic
from engine.domain.streaks import Streak
from engine.domain.totals import Totals
from engine.domain.trade_views import FillView, PositionView, TradeCandles, TradeView, UnmanagedView
from engine.domain.unmanaged import Absence, Ending, Unmanaged
from engine.domain.venue_views import OrderView, VenueFacts, VenueKind, VenueOrders, VenueView

NOON = datetime(2026, 1, 3, 12, 0, tzinfo=UTC)
ANSWERED = NOON + timedelta(minutes=5)


def plan(**changes: Any) -> TradePlan:
    usual = TradePlan(
        venue="paper",
        key="momentum|BTC/USDT|2026-01-03T12|enter",
        context="btc_momentum",
        symbol="BTC/USDT",
        side=Side.BUY,
        quantity=Decimal("0.01234000"),
        price=Decimal("20000.00"),
        stop=Decimal("19500.00"),
        target=Decimal("21000.00"),
    )
    return replace(usual, **changes)


def decision(**changes: Any) -> Decision:
    usual = Decision(
        id="D12",
        key="momentum|BTC/USDT|2026-01-03T12|enter",
        context="btc_momentum",
        strategy="momentum",
        symbol="BTC/USDT",
        at=NOON,
        stance=Stance.ENTER,
        confidence=2 / 3,
        conditions=(
            Condition(name="above_ma_200", holds=True, weight=2, detail="20,000 over 19,200"),
            Condition(name="macd_rising", holds=False),
        ),
        reasons=("The price broke out upwards.",),
        timeframe="1h",
        trigger="the MACD rose above its signal",
    )
    return replace(usual, **changes)


def asked(state: State | None = None, **changes: Any) -> Approval:
    usual = Approval(
        id="A17",
        decision_id="D12",
        plan=plan(),
        asked_at=NOON,
        expires_at=NOON + timedelta(minutes=30),
        votes_needed=1,
        state=state or Pending(),
    )
    return replace(usual, **changes)


def approval_view(state: State | None = None, **changes: Any) -> ApprovalView:
    own = {name: changes.pop(name) for name in ("price", "order", "position", "now", "wall_left") if name in changes}
    return ApprovalView(approval=asked(state, **changes), decision=decision(), **{"now": NOON, "price": None, **own})


def deliberation() -> Deliberation:
    """What a panel was asked about a quarter of a minute ago, with a start."""
    return Deliberation(
        key="eth|ETH/USDT|2026-01-03T12|enter",
        proposal=Proposal(
            context="eth", strategy="momentum", venue="paper", symbol="ETH/USDT", timeframe=Timeframe.H1,
            candle_at=NOON, signals=Signals(trigger="the MACD rose", conditions=()), reasons=(), exits=(), close=2000.0,
            inputs=(), readings=(), quality=QualityReport(),
        ),
        starter="O5",
        asked_at=NOON,
        deadline=NOON + timedelta(seconds=30),
    )  # fmt: skip


def vote(person: str = "Ann", *, half: bool = False) -> Vote:
    return Vote(person=person, half=half, at=ANSWERED)


def order(**changes: Any) -> Order:
    """An entry that was written down; what concerns its request goes into that."""
    usual = Order(
        id="O5",
        request=OrderRequest(
            venue="paper",
            client_id="c" * 32,
            symbol="BTC/USDT",
            side=Side.BUY,
            type=OrderType.MARKET,
            quantity=Decimal("0.00617"),
        ),
        context="btc_momentum",
        purpose=Purpose.ENTRY,
        price=Decimal(20_000),
        status=OrderStatus.INTENT,
        decision_id="D12",
        approval_id="A17",
        position_id="T3",
        created_at=ANSWERED,
        updated_at=ANSWERED,
    )
    return changed(usual, **changes)


def changed(usual: Order, *, average: Decimal | None = None, **changes: Any) -> Order:
    """An order with other values, of its request too; what has traded of it at another mean price."""
    asked = {name: changes.pop(name) for name in list(changes) if name in OrderRequest.__slots__}
    other = replace(usual, request=replace(usual.request, **asked), **changes)
    return other if average is None else replace(other, cost=average * other.filled)


def filled_order(**changes: Any) -> Order:
    """The same once all of it has traded."""
    usual = {"filled": Decimal("0.00617"), "average": Decimal("20011.2345678901"), "fee": Decimal("0.1234")}
    return changed(order(status=OrderStatus.FILLED), **{**usual, **changes})


def position(**changes: Any) -> Position:
    usual = Position(
        venue="paper",
        id="T3",
        context="btc_momentum",
        symbol="BTC/USDT",
        quantity=Decimal("0.00617"),
        entry_price=Decimal("20000.00"),
        opened_at=ANSWERED,
        stop=Decimal("19500.00"),
        target=Decimal("21000.00"),
        fees=Decimal("0.12"),
        bought=Decimal("0.00617"),
        cost=Decimal("123.40"),
    )
    return replace(usual, **changes)


def points(*equity: Decimal) -> tuple[EquityPoint, ...]:
    """An equity curve with a point each hour until noon, its peak the highest so far."""
    begin, peak, found = NOON - len(equity) * timedelta(hours=1), Decimal(0), list[EquityPoint]()
    for hour, value in enumerate(equity):
        peak = max(peak, value)
        found.append(
            EquityPoint(
                at=begin + hour * timedelta(hours=1),
                equity=value,
                cash=value,
                drawdown=1 - value / peak,
                benchmark=1 + Decimal(hour % 5 - 2) / 100,
            )
        )
    return tuple(found)


def equity_curve(**changes: Any) -> EquityCurve:
    usual = EquityCurve(
        quote="USDT",
        points=points(Decimal(10000), Decimal(9900), Decimal("10050.50")),
        net=Decimal("50.50"),
        share=Decimal("0.00505"),
        benchmark=Decimal("-0.02"),
        max_drawdown=Decimal("0.01"),
    )
    return replace(usual, **changes)


def trade_candles(held: Position, **changes: Any) -> TradeCandles:
    """Three hourly candles, the trade opened within the second."""
    begin = to_millis(held.opened_at.replace(minute=0)) - Timeframe.H1.millis
    closes = np.array([19_900.0, 20_000.0, 20_500.0])
    candles = Candles(
        symbol=held.symbol,
        timeframe=Timeframe.H1,
        open_ms=np.arange(3, dtype=np.int64) * Timeframe.H1.millis + begin,
        open=closes - 50,
        high=closes + 100,
        low=closes - 100,
        close=closes,
        volume=np.ones(3),
    )
    usual = TradeCandles(trade=trade_view(held), candles=candles, now=NOON + timedelta(hours=4))
    return replace(usual, **changes)


def closed_position(**changes: Any) -> Position:
    usual = position(
        quantity=Decimal(0),
        realised=Decimal("6.17"),
        fees=Decimal("0.25"),
        closed_at=ANSWERED + timedelta(hours=3),
        closed_by="target",
    )
    return replace(usual, **changes)


def trade_view(position_: Position | None = None, **changes: Any) -> TradeView:
    return TradeView(position=position_ or position(), **{"decision": decision(), **changes})


def halt(kind: HaltKind = HaltKind.PAUSE, **changes: Any) -> HaltView:
    own = {name: changes.pop(name) for name in ("ended_at", "ended_by") if name in changes}
    usual = Halt(kind=kind, reason="a look at the news", since=NOON, by="Ann" if kind is HaltKind.PAUSE else "")
    return HaltView(id="H1", halt=replace(usual, **changes), **own)


def recovery(**changes: Any) -> Recovery:
    usual = Recovery(
        halt=halt(HaltKind.DRAWDOWN, ended_at=ANSWERED),
        quote="USDT",
        drawdown=Decimal("0.12"),
        size=Decimal("0.5"),
        whole_from=Decimal(9000),
    )
    return replace(usual, **changes)


def streak(**changes: Any) -> Streak:
    usual = Streak(
        id="S1",
        context="btc_momentum",
        quote="USDT",
        since=NOON,
        first="T3",
        last="T9",
        equity=Decimal(10000),
        losses=4,
        net=Decimal("-123.4"),
    )
    return replace(usual, **changes)


def models_view(**changes: Any) -> ModelsView:
    openai = ProviderView(
        name="openai", models=("gpt-x", "gpt-mini"), is_offline=False, trouble="", calls=40, usd=Decimal("1.2")
    )
    offline = ProviderView(name="offline", models=("rules",), is_offline=True, trouble="", calls=2, usd=Decimal(0))
    usual = ModelsView(
        is_on=True,
        providers=(openai, offline),
        caps=(CapView(cap=Cap(period=Period.MONTH, usd=Decimal(100)), used=Decimal("1.2")),),
        today=Decimal("0.15"),
        month=Decimal("1.2"),
        forecast=Decimal("12.4"),
        purposes=(("analyst", Decimal("1.15")), ("risk", Decimal("0.05"))),
        calls=42,
        reused=14,
        input_tokens=123_456,
        output_tokens=7_890,
        last_day=(model_totals(),),
    )
    return replace(usual, **changes)


def model_totals(**changes: Any) -> ModelTotals:
    usual = ModelTotals(
        provider="openai",
        model="gpt-x",
        purpose="analyst",
        verdicts={"valid": 7, "failed": 2, "": 1},
        input_tokens=9_000,
        output_tokens=800,
        usd=Decimal("0.15"),
        latencies=(0.5, 1.0, 2.5, 30.0),
    )
    return replace(usual, **changes)


def budget_notice(**changes: Any) -> BudgetNotice:
    cap = Cap(period=Period.DAY, usd=Decimal(5))
    usual = BudgetNotice(id="20220501-day-80", at=NOON, cap=cap, percent=80, used=Decimal("4.07"))
    return replace(usual, **changes)


def trouble(**changes: Any) -> PlatformTrouble:
    usual = PlatformTrouble(id="P1", platform="telegram", text="Telegram cannot be reached.", since=NOON)
    return replace(usual, **changes)


def stranger(**changes: Any) -> Stranger:
    usual = Stranger(platform="telegram", user="666", name="Eve (@eve)", first_at=NOON, last_at=ANSWERED, times=3)
    return replace(usual, **changes)


def status(**changes: Any) -> Status:
    usual = Status(
        profile="demo",
        venue="paper",
        quote="USDT",
        now=NOON,
        trading=True,
        halts=(),
        equity=Decimal("10012.3456"),
        cash=Decimal(9000),
        exposure=Decimal("1012.35"),
        drawdown=Decimal("0.0123"),
        day_net=Decimal("-12.5"),
        day_share=Decimal("-0.00125"),
        day_benchmark=Decimal("0.002"),
        began_at=NOON - timedelta(days=2),
        net=Decimal("12.3456"),
        share=Decimal("0.00123456"),
        benchmark=Decimal("0.0345"),
        positions=1,
        pending=2,
        contexts=("btc_momentum", "eth_reversion"),
        last_cycle_at=NOON,
        prices=(("BTC/USDT", Decimal("20000.00")),),
    )
    return replace(usual, **changes)


def sentiment_data(**changes: Any) -> SentimentData:
    usual = SentimentData(
        symbol="BTC/USDT",
        at=NOON,
        parts=(
            SentimentPart(source="fear_greed", score=-0.5, count=1, weight=1.0, at=NOON - timedelta(hours=12)),
            SentimentPart(source="news", score=0.31, count=12, weight=3.0, at=NOON - timedelta(minutes=40)),
        ),
        mentions={"news": 12},
        trending=(Topic(words="etf inflows", count=4), Topic(words="halving", count=2)),
        headlines=(
            Headline(
                title="Bitcoin ETF inflows surge <b>again</b>",
                source="news",
                url="https://news.example/1",
                at=NOON - timedelta(minutes=40),
                score=0.62,
            ),
        ),
    )
    return replace(usual, **changes)


def sentiment_view(*troubles: tuple[str, str], **changes: Any) -> SentimentView:
    return SentimentView(data=sentiment_data(**changes), troubles=troubles)


def prediction(timeframe: Timeframe = Timeframe.H1, **changes: Any) -> TrendPrediction:
    usual = TrendPrediction(
        venue="paper",
        symbol="BTC/USDT",
        timeframe=timeframe,
        at=NOON,
        made_at=NOON,
        direction=Trend.BULLISH,
        expected_move=0.02,
        horizon=12,
        reasons=(Reason(text="RSI on 1h is oversold", fields=("f2",)),),
        by="offline analyst",
        is_offline=True,
    )
    return replace(usual, **changes)


def candle_quality(coin: str = "BTC", *findings: Finding, **changes: Any) -> CandleQuality:
    usual = CandleQuality(
        listing=Listing("paper", f"{coin}/USDT"),
        timeframe=Timeframe.H1,
        checked_at=NOON,
        closed_at=NOON,
        usable=True,
        findings=findings,
    )
    return replace(usual, **changes)


def finding(outcome: Outcome = Outcome.REPAIRED, **changes: Any) -> Finding:
    usual = Finding(outcome=outcome, kind="gap", detail="missing among the newest 50: 1", closes=3, last=NOON)
    return replace(usual, **changes)


def quality_view(*coins: str) -> QualityView:
    """Of Bitcoin the newest candle was no number, and it is halted; of all others all is well."""
    nan = finding(Outcome.REFUSED, kind="not a number", detail="holds something that is no number", closes=1)
    halt = Halt(kind=HaltKind.DATA, reason="BTC/USDT: holds something that is no number", since=NOON, symbol="BTC/USDT")
    candles = {"BTC": candle_quality("BTC", nan, finding(), usable=False, closed_at=NOON - timedelta(hours=1))}
    return QualityView(
        at=NOON + timedelta(minutes=5),
        markets=[
            MarketQuality(
                name=f"{coin}/USDT",
                candles=[candles.get(coin) or candle_quality(coin)],
                halts=[halt] if coin == "BTC" else [],
                price_at=NOON + timedelta(minutes=5) - timedelta(seconds=2),
                streamed=True,
            )
            for coin in coins
        ],
    )


def prediction_view() -> PredictionView:
    week = prediction(
        Timeframe.W1, direction=Trend.BEARISH, expected_move=-0.05, by="openai gpt-5-mini", is_offline=False
    )
    outlook = TrendOutlook(
        venue="paper",
        symbol="BTC/USDT",
        at=NOON + timedelta(minutes=40),
        predictions=(prediction(), week),
        direction=Trend.BULLISH,
        alignment=0.4,
        expected_move=0.02,
        missing=((Timeframe.D1, "it was not there in time"),),
    )
    return PredictionView(outlook=outlook, record={Timeframe.H1: TrackRecord(right=6, graded=10)})


def adjusted(**changes: Any) -> Adjusted:
    usual = Adjusted(
        mode=AdjusterMode.ADVISORY,
        policy="calm",
        before=Decimal("0.10000"),
        after=Decimal("0.05000"),
        adjustment=Adjustment(scale=0.5, confidence_shift=-0.125, stop_share=0.75),
    )
    return replace(usual, **changes)


def capital_stage(**changes: Any) -> CapitalStage:
    usual = CapitalStage(
        number=2,
        amount=Decimal(500),
        at=NOON - timedelta(days=9),
        by="Ann",
        reason="Ann approved it (Q1)",
        is_breach=False,
        made=Decimal(0),
        best=Decimal("12.5"),
        last_halt=0,
        asked_at=NOON - timedelta(days=9),
    )
    return replace(usual, **changes)


def stage_figures(**changes: Any) -> StageFigures:
    usual = StageFigures(
        result=Decimal("7.5"),
        best=Decimal("12.5"),
        closed=12,
        won=7,
        used=Decimal("123.45"),
        lasted=timedelta(days=9),
    )
    return replace(usual, **changes)


def capital_view(**changes: Any) -> CapitalView:
    first = capital_stage(number=1, amount=Decimal(100), by="", reason="by the settings", at=NOON - timedelta(days=30))
    usual = CapitalView(
        plan=CapitalPlan(stages=(Decimal(100), Decimal(500), Decimal(2500))),
        quote="USDT",
        now=NOON,
        stage=capital_stage(),
        figures=stage_figures(),
        before=(first,),
        wait=timedelta(days=5),
    )
    return replace(usual, **changes)


def confirmation(**changes: Any) -> Confirmation:
    step = CapitalStep(
        stage=2,
        before=Decimal(500),
        after=Decimal(2500),
        figures=stage_figures(lasted=timedelta(days=14)),
        quote="USDT",
    )
    return replace(Confirmation(id="Q3", subject=step, asked_at=NOON), **changes)


def order_state(**changes: Any) -> OrderState:
    usual = OrderState(
        symbol="BTC/USDT",
        side=Side.SELL,
        client_id="by-hand",
        venue_order_id="771",
        status=OrderStatus.OPEN,
        quantity=Decimal("0.5"),
        filled=Decimal(0),
        type=OrderType.LIMIT,
        limit_price=Decimal(99_000),
    )
    return replace(usual, **changes)


def fill_view(**changes: Any) -> FillView:
    traded = Fill(
        venue="paper",
        symbol="BTC/USDT",
        trade_id="9",
        client_id="x",
        side=Side.BUY,
        quantity=Decimal("0.00617"),
        price=Decimal("20001.23"),
        fee=Money(amount=Decimal("0.12"), currency="USDT"),
        at=NOON,
    )
    usual = FillView(id="F1", fill=traded, fee_value=Decimal("0.12"), order_id="O5", position_id="T3")
    return replace(usual, **changes)


def order_view(**changes: Any) -> OrderView:
    usual = OrderView(order=order(), fills=(fill_view(),), venue_order_id="12345678901234567890", stop=Decimal(19_000))
    return replace(usual, **changes)


def venue_views() -> tuple[VenueView, ...]:
    """The paper venue, where all is well, and a real one that does not answer."""
    paper = VenueView(
        orders=VenueOrders(venue="paper", own=(order(), order(id="O6")), others=(order_state(),)),
        facts=VenueFacts(kind=VenueKind.PAPER, exchange="binance", skew=0.2, updates="are filled here"),
        last_at=NOON,
        obstacles=(),
    )
    real = VenueView(
        orders=VenueOrders(venue="kraken", own=(order(id="O7"),), trouble="it did not answer within 5 s"),
        facts=VenueFacts(
            kind=VenueKind.TEST_NET,
            exchange="kraken",
            key="wXyZ",
            skew=-3.4,
            used="120 used this minute",
            updates="are told by polling",
            prices="kraken cannot be reached since 2026-01-03 11:58 UTC",
        ),
        last_at=None,
        obstacles=("nobody has said that it may trade there with the key that ends in wXyZ",),
    )
    return (paper, real)


def policy_proposal(**changes: Any) -> PolicyProposal:
    usual = PolicyProposal(
        id="R1",
        at=NOON,
        name="retrained-2026-01",
        file="var/policies/retrained-2026-01.json",
        about=("Tested once from 2025-06-01 on: -1.00%; no improvement is shown over static rules.",),
        test=(("policy", -0.01, 0.05), ("static rules", -0.02, 0.08)),
    )
    return replace(usual, **changes)


def adjuster_view(**changes: Any) -> AdjusterView:
    static = adjusted(adjustment=None, why="atr is not known.", after=Decimal("0.10000"))
    newest = tuple(
        AdjustedEntry(decision_id=name, symbol="BTC/USDT", at=NOON, adjusted=each, became="executed")
        for name, each in (("D9", adjusted()), ("D7", static))
    )
    usual = AdjusterView(
        mode=AdjusterMode.ADVISORY,
        policy="calm",
        about=("Trained 2018-01-01 00:00 to 2021-01-01 00:00 UTC on 1h candles.",),
        asked=12,
        unknown=1,
        mean_scale=0.5,
        newest=newest,
    )
    return replace(usual, **changes)


def totals(**changes: Any) -> Totals:
    usual = Totals(
        closed=23,
        won=14,
        net=Decimal("12.5"),
        fees=Decimal("3.21"),
        decisions=1234,
        approvals={"pending": 2, "ordered": 5},
        orders={"filled": 30, "rejected": 1},
        unsent={"telegram": 0, "slack": 3},
    )
    return replace(usual, **changes)


def position_view(**changes: Any) -> PositionView:
    usual = PositionView(
        position=position(),
        price=Decimal("20100.00"),
        value=Decimal("124.02"),
        unrealised=Decimal("0.62"),
        net=Decimal("0.50"),
        share=Decimal("0.00405"),
        protected=True,
    )
    return replace(usual, **changes)


def unmanaged_view(
    why: Absence = Absence.CONTEXT, ended_by: Ending | None = None, *, followed: bool = True, **changes: Any
) -> UnmanagedView:
    told = Unmanaged(id="N1", position_id="T3", why=why, since=NOON, ended_by=ended_by)
    return UnmanagedView(told=told, held=position_view(unmanaged=why, **changes), followed=followed)


def balance() -> Balance:
    rows = (("USDT", Decimal("9000.50"), Decimal("9000.50")), ("BTC", Decimal("0.00617"), Decimal("124.02")))
    return Balance(quote="USDT", rows=rows, equity=Decimal("9124.52"))


def profit(days: int = 2) -> Profit:
    rows = tuple(
        DayProfit(
            day=date(2026, 1, 1 + index),
            net=Decimal(10 - 15 * index),
            share=Decimal(10 - 15 * index) / 10000,
            benchmark=Decimal("0.01"),
            equity=Decimal(10000 + index),
            closed=index,
        )
        for index in range(days)
    )
    return Profit(
        days=rows,
        begins=NOON - timedelta(days=2),
        net=Decimal(-5),
        share=Decimal("-0.0005"),
        benchmark=Decimal("0.0201"),
        fees=Decimal("1.25"),
        closed=2,
        won=1,
        drawdown=Decimal("0.015"),
        max_drawdown=Decimal("0.02"),
        quote="USDT",
    )


def digest(**changes: Any) -> Digest:
    usual = Digest(
        id="2026-01-03",
        begins=NOON - timedelta(days=1),
        ends=NOON,
        quote="USDT",
        net=Decimal("34.567"),
        realised=Decimal(20),
        fees=Decimal("1.5"),
        equity=Decimal("10034.57"),
        drawdown=Decimal(0),
        equity_curve=(Decimal(10000), Decimal("10034.57")),
        opened=3,
        closed=2,
        won=1,
        open_positions=1,
        open_risk=Decimal("50.25"),
        asked=5,
        answered=4,
        expired=1,
        share=Decimal("0.003457"),
        benchmark=Decimal("-0.01"),
    )
    return replace(usual, **changes)


def health(*, ok: bool = True) -> tuple[Part, ...]:
    return (
        Part(name="store", ok=True, detail="written 2 s ago"),
        Part(name="telegram", ok=ok, detail="" if ok else "no answer for 40 s"),
    )


def signals(**changes: Any) -> TechnicalSignals:
    usual = TechnicalSignals(
        symbol="BTC/USDT",
        timeframe=Timeframe.H1,
        at=NOON,
        close=20000.0,
        rsi=61.234567,
        macd=12.3456,
        macd_signal=10.0,
        macd_histogram=2.3456,
        bollinger_lower=19000.0,
        bollinger_middle=19500.0,
        bollinger_upper=20000.0,
        ma_200=19200.125,
        supports=(19800.0, 19500.0),
        patterns=(Pattern(name="three_white_soldiers", bullish=True),),
        flags=("golden_cross",),
        extra={"adx": 25.0},
    )
    return replace(usual, **changes)


def judged(**changes: Any) -> Judged:
    usual = Judged(
        decision=decision(),
        inputs=(Input(name="BTC/USDT 1h candles", age=timedelta(seconds=90), detail="250 candles"),),
        signals=(signals(),),
        quality=QualityReport(repaired=(Issue(kind="duplicate", detail="one candle of 11:00"),)),
        ruling=AskHuman(plan=plan(), votes_needed=1, expires_at=NOON + timedelta(minutes=30)),
        plan=plan(),
        clamps=(
            Clamp(
                rule="max_position",
                before=Decimal("0.0200000000001"),
                after=Decimal("0.01234"),
                reason="at most 2.5% of equity in one market",
            ),
        ),
    )
    return replace(usual, **changes)


def heard() -> Judged:
    """A decision about which a panel was asked."""
    said = (
        Opinion(agent="analyst", verdict=Verdict.APPROVE, reasons=("the trend is up",), by="offline analyst"),
        Opinion(agent="risk", verdict=Verdict.APPROVE, share=0.5, stop=Decimal("54000.5"), reasons=("it is wild",)),
        Opinion(
            agent="devils_advocate",
            verdict=Verdict.APPROVE,
            share=0.4,
            reasons=("the 1d close is below its MA 200",),
            evidence=("1d above ma 200 -7.99", "1h rsi 71.2"),
            flip="a close above it",
            by="offline analyst",
        ),
        Opinion(agent="supervisor", verdict=Verdict.ABSTAIN, reasons=("it did not answer in time",), last_word=True),
    )
    return judged(opinions=said)


def why(**changes: Any) -> Why:
    return Why(**{"judged": judged(), **changes})


def tally(trades: int = 23, won: int = 14, net: str = "120.50", cost: str | None = "4820") -> Tally:
    return Tally(trades=trades, won=won, net=Decimal(net), cost=Decimal(cost) if cost else None)


def performance(**changes: Any) -> Performance:
    usual = Performance(
        quote="USDT",
        total=tally(),
        markets=(("BTC/USDT", tally(20, 14, "140.50", "4000")), ("ETH/USDT", tally(3, 0, "-20", "820"))),
        contexts=(("btc_momentum", tally(20, 14, "140.50", "4000")), ("eth_reversion", tally(3, 0, "-20", "820"))),
    )
    return replace(usual, **changes)


def trade_stats(**changes: Any) -> TradeStats:
    usual = TradeStats(
        quote="USDT",
        total=tally(),
        endings=(("target", tally(14, 14, "200", "2800")), ("stop", tally(9, 0, "-79.50", "2020"))),
        won_after=timedelta(hours=5, minutes=20),
        lost_after=timedelta(hours=1),
        expectancy=Decimal("5.24"),
        profit_factor=Decimal("2.5157"),
        best=closed_position(),
        worst=closed_position(id="T4", realised=Decimal(-20), closed_by="stop"),
        losing_streak=4,
        losing_context="btc_momentum",
    )
    return replace(usual, **changes)


def counts(**changes: Any) -> Counts:
    usual = Counts(
        quote="USDT",
        equity=Decimal(10000),
        positions=2,
        possible=6,
        others=0,
        approvals=1,
        asked=Decimal(500),
        exposure=Decimal(1500),
        max_exposure=Decimal(7500),
        coins=(("BTC", Decimal(1000)), ("ETH", Decimal(500))),
        max_coin=Decimal(2500),
        size=Decimal(1),
    )
    return replace(usual, **changes)


def risk_report(**changes: Any) -> RiskReport:
    usual = RiskReport(
        quote="EUR",
        equity=Decimal(10000),
        state=None,
        halts=(),
        drawdown=Decimal("0.02"),
        size=Decimal(1),
        risk_per_trade=Decimal("0.01"),
        shares=(
            Use(name="max_drawdown", used=Decimal("0.02"), limit=Decimal("0.1")),
            Use(name="max_exposure", used=Decimal("0.15"), limit=Decimal("0.75")),
            Use(name="max_open_risk", used=Decimal("0.01"), limit=None),
            Use(name="max_var", used=Decimal("0.0153"), limit=Decimal("0.03")),
            Use(name="max_cvar", used=None, limit=Decimal("0.05")),
        ),
        positions=2,
        max_positions=4,
        streaks={"btc_momentum": 3},
        max_losses=4,
        off=("max_open_risk", "max_fall"),
    )
    return replace(usual, **changes)


def var_report(**changes: Any) -> VarReport:
    usual = VarReport(
        quote="EUR",
        equity=Decimal(10000),
        exposure=Decimal(1500),
        timeframe="1h",
        candles=299,
        as_of=NOON,
        var=Tail(historical=0.0123, cornish_fisher=0.0153, value=0.0153, limit=Decimal("0.03")),
        cvar=Tail(historical=0.0201, cornish_fisher=None, value=0.0201, limit=None),
        unknown="SOL/EUR",
        markets=(
            VarMarket(symbol="BTC/EUR", value=Decimal(1000), var=0.0101, volatility=0.0312),
            VarMarket(symbol="SOL/EUR", value=Decimal(500), var=None, volatility=None),
        ),
        correlations=(("BTC/EUR", "ETH/EUR", 0.8312),),
    )
    return replace(usual, **changes)


def exposure_report(**changes: Any) -> ExposureReport:
    usual = ExposureReport(
        quote="EUR",
        equity=Decimal(10000),
        free_cash=Decimal(8500),
        exposure=Decimal(1500),
        max_exposure=Decimal(7500),
        at_risk=Decimal(80),
        max_open_risk=Decimal(400),
        coins=(("BTC", Decimal(1000)), ("SOL", Decimal(500))),
        max_coin=Decimal(2500),
        sectors=(("layer1", Decimal(500)),),
        max_sector=Decimal(1000),
        contexts=(("btc_momentum", Decimal(1500)),),
    )
    return replace(usual, **changes)


def context_view(**changes: Any) -> ContextView:
    at_work = AtWork(
        name="btc_momentum", strategy="momentum", venue="paper", markets=("BTC/USDT", "ETH/USDT"), timeframe="1h"
    )
    usual = ContextView(
        at_work=at_work,
        held=1,
        closed=tally(),
        obstacles=(("BTC/USDT", "btc_momentum already holds T3"),),
    )
    return replace(usual, **changes)


def strategies(**changes: Any) -> Strategies:
    usual = Strategies(quote="USDT", contexts=(context_view(),), auto_above=0.8, ask_above=0.55)
    return replace(usual, **changes)


def log_line(**changes: Any) -> LogLine:
    usual = LogLine(
        at=NOON, level="warning", logger="handlers.telegram.health", text="telegram.trouble detail=Conflict"
    )
    return replace(usual, **changes)
