"""What is traded: the strategies, the candles and the market."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.adjuster import about
from bot.derivatives import look_at_futures
from bot.doctor.check import Case, Check
from bot.indicators import faults
from bot.live_market import look_at_venues
from bot.markets import source
from bot.sentiment import has_sources, history_of, look_at_sources
from bot.strategies.registry import strategy_of
from config.settings import Settings
from engine.data.files import check_file
from engine.domain.adjustments import AdjusterMode
from engine.domain.errors import ConfigError
from engine.learning.policy_files import load_policy


def _strategies(case: Case) -> str:
    contexts = case.settings.contexts
    built = [strategy_of(context, f"contexts.{number}") for number, context in enumerate(contexts)]
    for fault in faults(case.settings.indicators, contexts):
        raise fault
    reading = [context.name for context, strategy in zip(contexts, built, strict=True) if strategy.reads_predictions]
    holds = (
        ""
        if case.settings.predicts or not reading
        else f"; nothing is predicted, and so {', '.join(reading)} can only hold"
    )
    named = ", ".join(context.name for context in contexts) or "no contexts"
    return f"profile {case.settings.profile}; {named}{holds}"


def _candle_files(case: Case) -> str:
    files = case.settings.replay.data
    instead = "prices come from a venue" if _is_live(case.settings) else "the market is generated"
    return "; ".join(_candles(file) for file in files) or f"none are asked for: {instead}"


def _candles(file: Path) -> str:
    report = check_file(file)
    if report.first is None or report.last is None:
        raise ConfigError(f"{file} has no candles.", "Give a file with candles.")
    flaws = f", {len(report.findings)} findings: see bot data check {file}" if report.findings else ""
    return f"{file}: {report.rows} candles, {report.first:%Y-%m-%d %H:%M} to {report.last:%Y-%m-%d %H:%M} UTC{flaws}"


def _market(case: Case) -> str:
    market = source(case.settings)
    return " ".join((f"{market.label}, from {market.start:%Y-%m-%d %H:%M} UTC on.", *market.notes))


def _is_live(settings: Settings) -> bool:
    return settings.market.source == "ccxt"


def _venue(case: Case) -> str:
    return asyncio.run(look_at_venues(case.settings))


def _has_futures(settings: Settings) -> bool:
    return settings.derivatives.source == "binance"


def _futures(case: Case) -> str:
    return asyncio.run(look_at_futures(case.settings))


def _sources(case: Case) -> str:
    return asyncio.run(look_at_sources(case.settings))


def _said_then(case: Case) -> str:
    files = case.settings.replay.sentiment
    history_of(case.settings)
    return f"{', '.join(map(str, files))}: can be read"


def _policy(case: Case) -> str:
    own = case.settings.ppo
    if own.policy is None:
        return "none"
    card = load_policy(own.policy).card
    return " ".join((f"{card.name} is {own.mode}.", *about(card)))


def _is_adjusted(settings: Settings) -> bool:
    return settings.ppo.mode is not AdjusterMode.OFF


CHECKS = (
    Check(name="strategies", look=_strategies),
    Check(name="candle files", look=_candle_files),
    Check(name="market", look=_market, needs=("strategies", "candle files")),
    Check(name="venue", look=_venue, needs=("market",), asked=_is_live),
    Check(name="futures", look=_futures, asked=_has_futures),
    Check(name="sentiment", look=_sources, asked=has_sources),
    Check(name="what was said", look=_said_then, asked=lambda settings: bool(settings.replay.sentiment)),
    Check(name="policy", look=_policy, asked=_is_adjusted),
)
