"""The commands that show what is there: the account, its trades, what was decided, the program itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.ai import questions
from engine.ai.questions import Asker
from engine.domain.autonomy import Hold
from engine.domain.errors import BadInput, UnknownId
from engine.domain.health import LogLine
from engine.domain.messages import Card
from engine.domain.positions import Position
from engine.domain.trade_views import TradeView
from engine.ports import Clock
from engine.views.risk import RiskReports
from engine.views.trading import Views
from handlers import arguments
from handlers.cards import (
    account,
    alerts,
    answers,
    approval,
    health,
    logs,
    models,
    panel,
    people,
    pictures,
    prediction,
    quality,
    sentiment,
    trades,
    why,
    wording,
)
from handlers.commands.table import Call

PROFIT_DAYS, MOST_DAYS = 7, 365
TRADES_SHOWN, MOST_TRADES = 10, 50
CHART_DAYS = 30
TABLE = "table"
TOLD_TRADES, TOLD_DECISIONS, LOOKED_AT = 20, 12, 100
"""What a question is answered from: so many trades, and decisions among the newest."""
LINES_SHOWN, MOST_LINES = 10, 50

_MARKET_AND_VENUE = 2

RecentLogs = Callable[[int], Sequence[LogLine]]
"""Tells the last so many warnings and errors of the log, oldest first."""


class Reads:
    """The commands that change nothing."""

    def __init__(
        self, views: Views, risk: RiskReports, clock: Clock, version: str, logs: RecentLogs, asker: Asker
    ) -> None:
        self._views = views
        self._risk = risk
        self._asker = asker
        self._clock = clock
        self._version = version
        self._logs = logs

    async def start(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return people.start(call.person)

    async def whoami(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return people.whoami(call.person, call.platform)

    async def status(self, call: Call) -> Card:
        if arguments.flag(call.words, TABLE):  # as freqtrade calls what is held
            held, status = await self._held(), await self._views.status()
            return replace(held, text=wording.lines(f"State: {account.state(status.state)}.", held.text))
        return account.status(await self._views.status())

    async def positions(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return await self._held()

    async def _held(self) -> Card:
        held = await self._views.positions()
        benchmark = await self._benchmark([view.position for view in held])
        return trades.positions(held, self._clock.now(), benchmark)

    async def _benchmark(self, trades: Sequence[Position]) -> Decimal | None:
        """What holding the markets has come to since the first of some trades was opened."""
        begin = min((trade.opened_at for trade in trades), default=None)
        return await self._views.benchmark_since(begin) if begin is not None else None

    async def balance(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return account.balance(await self._views.balance())

    async def profit(self, call: Call) -> Card:
        days = arguments.number(call.words, default=PROFIT_DAYS, most=MOST_DAYS, noun="days")
        return account.profit(await self._views.profit(days))

    async def trades(self, call: Call) -> Card:
        count = arguments.number(call.words, default=TRADES_SHOWN, most=MOST_TRADES, noun="trades")
        newest, venues = await self._views.trades(count), await self._views.several_venues()
        held = await self._views.positions() if any(each.is_open for each in newest) else ()
        return trades.trades(newest, held, self._clock.now(), await self._benchmark(newest), venues)

    async def chart(self, call: Call) -> Card:
        wanted = arguments.days_or_trade(call.words, default=CHART_DAYS, most=MOST_DAYS)
        if isinstance(wanted, int):
            return pictures.equity(await self._views.curve(wanted), wanted, self._views.days.zone)
        return pictures.trade(await self._views.trade_candles(wanted), self._views.days.zone)

    async def pending(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return approval.pending(await self._views.pending(), await self._views.deliberations())

    async def why(self, call: Call) -> Card:
        wanted = arguments.any_id(_only(call.words))
        try:
            return why.card(await self._views.why(wanted))
        except UnknownId as error:
            newest = [view.approval.id for view in await self._views.approvals(1)]
            raise UnknownId(error.message, f"Try /why {newest[0]}." if newest else error.remedy) from error

    async def strangers(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return people.strangers(await self._views.strangers())

    async def logs(self, call: Call) -> Card:
        count = arguments.number(call.words, default=LINES_SHOWN, most=MOST_LINES, noun="lines")
        return logs.card(self._logs(count))

    async def digest(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return alerts.digest(await self._views.latest_digest())

    async def health(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return health.health(await self._views.health())

    async def quality(self, call: Call) -> Card:
        if not call.words:
            return quality.card(await self._views.quality("", ""))
        return quality.card(await self._views.quality(*arguments.market_at(call.words)))

    async def agents(self, call: Call) -> Card:
        wanted = arguments.any_id(_only(call.words))
        story = await self._views.why(wanted)
        if isinstance(story, TradeView):
            raise UnknownId(f"Somebody else bought {wanted.upper()}: no panel was asked.")
        return panel.card(story)

    async def ask(self, call: Call) -> Card:
        question = " ".join(call.words)
        if not question:
            raise BadInput("A question belongs here, such as: how much did we lose today?")
        (status, held), newest = await self._views.status_and_positions(), await self._views.trades(TOLD_TRADES)
        decided = [each for each in await self._views.decisions(LOOKED_AT) if not isinstance(each.ruling, Hold)]
        lines = questions.account_lines(status, await self._risk.risk(), held, newest, decided[:TOLD_DECISIONS])
        return answers.card(await self._asker.answer(question, lines, status.now))

    async def sentiment(self, call: Call) -> Card:
        if len(call.words) != 1:
            raise BadInput("One market belongs here, such as BTC.")
        (market,) = arguments.market_at(call.words)[:1]
        return sentiment.card(await self._views.sentiment(market))

    async def predict(self, call: Call) -> Card:
        if not 1 <= len(call.words) <= _MARKET_AND_VENUE:
            raise BadInput("One market belongs here, such as BTC.")
        return prediction.card(await self._views.prediction(*arguments.market_at(call.words)))

    async def llm(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return models.overview(await self._views.models())

    async def version(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return health.version(self._version)


def _only(words: Sequence[str]) -> str:
    if len(words) != 1:
        raise BadInput("One id belongs here.")
    return words[0]
