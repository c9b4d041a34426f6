"""What followers can ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.domain.days import Period
from engine.domain.errors import BadInput
from engine.domain.messages import Card
from handlers import arguments
from handlers.cards import usage
from handlers.cards.wording import sentence
from handlers.charts.illustrating import Illustrated
from handlers.viewer.subscribers import Subscribers
from handlers.viewer.window import CHART_DAYS, MOST_DAYS, Window

LONGEST_NAME = 30
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command as a follower wrote it: in which chat, and the words after it."""

    chat: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing followers can ask for."""

    name: str
    help: str
    run: Callable[[Asked], Awaitable[Card | Illustrated]]


class ViewerCommands:
    """The table of everything the viewer can do: it looks, and remembers who wants to be sent the daily report."""

    def __init__(self, window: Window, subscribers: Subscribers) -> None:
        self._report = f"the report of each {window.told_of}"
        self._window = window
        self._subscribers = subscribers
        self.table = (
            Command(name="start", help="what this bot shows", run=self._help),
            Command(name="help", help="what can be asked for", run=self._help),
            Command(name="status", help="where things stand", run=self._status),
            Command(name="daily", help="the running day, and the last ones: /daily 14", run=self._daily),
            Command(name="weekly", help="profit and trades by week, from Monday on: /weekly 8", run=self._weekly),
            Command(name="monthly", help="profit and trades by month: /monthly 6", run=self._monthly),
            Command(name="performance", help="closed trades by market and by strategy", run=self._performance),
            Command(name="stats", help="how trades ended, how long they lasted, what one brings", run=self._stats),
            Command(name="chart", help="the equity as a picture: /chart 7 for the last 7 days", run=self._chart),
            Command(name="subscribe", help=f"get {self._report} when it ends", run=self._subscribe),
            Command(name="unsubscribe", help="get no more reports", run=self._unsubscribe),
        )
        self._by_name = {command.name: command for command in self.table}

    def menu(self) -> tuple[tuple[str, str], ...]:
        """Name and help of every command, for Telegram's own menu."""
        return tuple((command.name, command.help) for command in self.table)

    async def answer(self, chat: str, text: str) -> Card | Illustrated:
        """Answer what a follower wrote.

        Raises:
            BadInput: It is none of the commands, or the words after it are not understood.
            GreenlightError: What the engine says to it.
        """
        head, *words = text.split() or [""]
        name = head.removeprefix("/").partition("@")[0].lower()
        command = self._by_name.get(name)  # with its slash or without: nobody else is written to in a private chat
        if command is None:
            near = arguments.did_you_mean(name, self._by_name, mark="/")
            raise BadInput(f"There is no command {head[:LONGEST_NAME] or '/'}.", near or "/help lists what there is.")
        return await command.run(Asked(chat=chat, words=tuple(words)))

    async def _help(self, asked: Asked) -> Card:
        arguments.nothing(asked.words)
        return Card(
            title="Greenlight, for followers",
            text="\n".join(map(usage.told, self._manual())),
        )

    def _manual(self) -> Iterator[usage.Entry]:
        for command in self.table:
            if command.name != "start":
                yield usage.Entry(usage=f"/{command.name}", does=command.help)

    async def _status(self, asked: Asked) -> Card:
        arguments.nothing(asked.words)
        return await self._window.status()

    async def _daily(self, asked: Asked) -> Card:
        return await self._window.daily(arguments.periods(asked.words, Period.DAY))

    async def _weekly(self, asked: Asked) -> Card:
        return await self._window.periods(Period.WEEK, arguments.periods(asked.words, Period.WEEK))

    async def _monthly(self, asked: Asked) -> Card:
        return await self._window.periods(Period.MONTH, arguments.periods(asked.words, Period.MONTH))

    async def _performance(self, asked: Asked) -> Card:
        arguments.nothing(asked.words)
        return await self._window.performance()

    async def _stats(self, asked: Asked) -> Card:
        arguments.nothing(asked.words)
        return await self._window.stats()

    async def _chart(self, asked: Asked) -> Illustrated:
        days = arguments.number(asked.words, default=CHART_DAYS, most=MOST_DAYS, noun="days")
        return await self._window.chart(days)

    async def _subscribe(self, asked: Asked) -> Card:
        arguments.nothing(asked.words)
        newest = await self._window.newest_digest()
        if self._subscribers.add(asked.chat, newest.ends if newest else LONG_AGO):
            text = f"{sentence(self._report)} comes when it ends. /unsubscribe ends that."
            return Card(title="Subscribed", text=text)
        return Card(title="You are subscribed already", text="/unsubscribe ends that.")

    async def _unsubscribe(self, asked: Asked) -> Card:
        arguments.nothing(asked.words)
        if self._subscribers.remove(asked.chat):
            return Card(title="Unsubscribed", text="No more reports come. /subscribe begins again.")
        return Card(title="You were not subscribed", text=f"/subscribe sends you {self._report}.")
