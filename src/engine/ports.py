"""Every port of the engine on one page: what it needs of the world, and what members of each family must offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NewType, Protocol

from engine.domain.columns import SignalColumns
from engine.domain.decisions import Exit, Frame, Opinion, Signals
from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import GreenlightError, NoData
from engine.domain.events import Event
from engine.domain.figures import plain
from engine.domain.insights import Insight
from engine.domain.market import Book, Candles, Listing, Market, Timeframe
from engine.domain.messages import Card, Destination, Ref
from engine.domain.model_calls import ModelReply, ModelRequest
from engine.domain.orders import Fill, NotFound, OrderRequest, OrderState, SubmitResult
from engine.domain.positions import Position
from engine.domain.proposals import Proposal
from engine.domain.sentiment import IndexReading, MarketFigure, SourceText
from engine.domain.transfers import Transfer


class Clock(Protocol):
    """Where time comes from: the wall, or the market that is being replayed."""

    def now(self) -> datetime:
        """The time everything is decided by: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Wall seconds for pacing and time-outs only."""
        ...


Frames = Mapping[Timeframe, Frame]
"""What a strategy sees of one market: a frame for each timeframe it asked for."""


class Strategy(Protocol):
    """A family: turns frames into signals. Pure, and causal: what it says of a candle never changes later on."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def warmup(self) -> int:
        """How many closed candles of its own timeframe it needs before it says anything."""
        ...

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The timeframes it looks at, its own first."""
        ...

    @property
    def reads_predictions(self) -> bool:
        """Whether it trades on what is expected of a market: it wants nothing where nothing is."""
        ...

    @property
    def history(self) -> int:
        """How many closed candles of each of its timeframes it wants: older ones change nothing in what it says.

        With fewer it speaks all the same, once it is warm.
        """
        ...

    def columns(self, frames: Frames) -> SignalColumns:
        """Say of every candle of its own timeframe whether to enter or leave there, and which conditions hold.

        Raises:
            DataError: The frames lack its own timeframe.
        """
        ...

    def generate_signals(self, frames: Frames) -> Signals:
        """Say whether to enter now, and which conditions speak for it: the newest row of the columns, in words."""
        ...

    def update_positions(self, held: Sequence[Position], frames: Frames) -> tuple[Exit, ...]:
        """Say which of the positions held in this market to leave now, and why."""
        ...


class Panel(Protocol):
    """Who is heard before an entry is decided on: models, rules, or nobody."""

    @property
    def patience(self) -> timedelta:
        """How long it may think; none where there is nobody to ask, and nothing waits for an answer."""
        ...

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:
        """What its members say of a proposal within so many wall seconds; who is late abstains."""
        ...


class Insights(Protocol):
    """What research keeps fresh of a market. It is read, and never waited for."""

    async def of(self, listing: Listing, context: str, before: datetime | None = None) -> Insight:
        """What is known now, to a strategy context; and what was expected at a close before, where one is given."""
        ...


NoEntry = Callable[[str], str]
"""Tells for a context why nothing may be entered at present (a clock that is wrong, a venue that is away), and what to
do about it; empty where something may. People are told of such a reason elsewhere, so no halt is made of it."""


TimeLeft = Callable[[datetime, datetime, datetime], timedelta | None]
"""Takes when people were asked, until when they may answer, and now, all in market time; tells how long they have left
by the clock on the wall. ``None`` where the two clocks are one."""


def by_the_market(asked_at: datetime, until: datetime, now: datetime) -> None:
    """The clock of people is the market's."""


def nothing_against_it(context: str) -> str:
    """Nothing speaks against entering: the market is replayed, by its own clock."""
    del context
    return ""


class MarketFeed(Protocol):
    """The prices that the paper venue fills orders along: candles that have closed, and the path between them.

    No strategy sees it: the bot asks for ``MarketData``, of which this is the source where the venue is simulated.
    """

    @property
    def markets(self) -> Mapping[str, Market]:
        """The markets it has, by symbol."""
        ...

    @property
    def timeframe(self) -> Timeframe:
        """The shortest candles it has; longer ones are made of these."""
        ...

    def candles(self, symbol: str, timeframe: Timeframe, now: datetime, limit: int) -> Candles:
        """The newest ``limit`` candles closed at ``now``.

        Raises:
            NoData: It does not have that market, or not in that timeframe.
        """
        ...

    def price(self, symbol: str, now: datetime) -> Decimal:
        """The price at a moment, on the path through the candle that is then open.

        Raises:
            NoData: There is no price at that moment (a gap, or outside the data).
        """
        ...

    def path(self, symbol: str, after: datetime, until: datetime) -> Sequence[tuple[datetime, Decimal]]:
        """The turning points of the price in ``(after, until]``, oldest first.

        Between them are straight lines that the price went along; two of them at one time are a jump, and nothing was
        traded in between.
        """
        ...

    def volume(self, symbol: str, now: datetime) -> Decimal:
        """What the last closed candle traded, in the base currency; a simulated book is made as deep as that allows."""
        ...

    def book(self, symbol: str, now: datetime) -> Book | None:
        """The order book as it was observed; ``None`` where the fill model has to make one of price and volume."""
        ...

    def reach(self, symbol: str, now: datetime) -> datetime | None:
        """Up to when ``path`` tells everything of a market: ``now``, unless data has yet to come in.

        ``None`` before the first. Each market goes by itself: one that is behind holds no other up.
        """
        ...


Cursor = NewType("Cursor", str)
"""How far a venue's events have been taken in: the venue's own, and nobody else reads anything in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueEvent:
    """Something the venue did to an order. It may be told of more than once; what it changes counts once."""

    at: datetime
    order: OrderState
    fill: Fill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """Events of a venue, in order, and the cursor after them."""

    events: tuple[VenueEvent, ...]
    cursor: Cursor


class TellsTransfers(Protocol):
    """A venue that tells what was paid in to an account and out of it."""

    async def transfers(self, since: datetime) -> Sequence[Transfer]:
        """Those since a time.

        Raises:
            VenueError: It does not answer, or does not tell.
        """
        ...


class MarketData(Protocol):
    """What is known of the markets, now and of before. Calls raise ``VenueError`` when nobody can be asked."""

    def market(self, symbol: str) -> Market:
        """The market with this symbol.

        Raises:
            NoData: There is no such market.
        """
        ...

    async def book(self, symbol: str) -> Book:
        """The order book of now.

        Raises:
            NoData: There is none.
        """
        ...

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        """The newest candles that had closed at a time; at that of now where none is given.

        Raises:
            NoData: There are none, or none of that time is remembered.
        """
        ...


MarketDataAt = Mapping[str, MarketData]
"""What is known of the markets of each venue, by its name."""


def market_data_of(known: MarketDataAt, venue: str) -> MarketData:
    """What is known of a venue's markets.

    Raises:
        NoData: Nobody is asked about that venue here.
    """
    if venue not in known:
        raise NoData(f"Nobody here knows the markets of the venue {venue}.", "Prices stay those of the last close.")
    return known[venue]


class DerivativesData(Protocol):
    """A family: who tells what the futures of a market are like. No order ever goes there.

    What is not known is never 0: it is an error, or ``None`` where nobody is asked at all.
    """

    @property
    def at_once(self) -> bool:
        """Whether it answers by itself: nobody is asked, and nothing waited for."""
        ...

    async def funding(self, symbol: str) -> FundingRate | None:
        """What holding its futures costs now.

        Raises:
            NoData: The market has no futures there.
            VenueError: Nobody can be asked, or the answer is nonsense.
        """
        ...

    async def open_interest(self, symbol: str) -> OpenInterest | None:
        """How much is held in them now; raises as ``funding`` does."""
        ...

    async def long_short(self, symbol: str) -> LongShort | None:
        """How many of those who hold them are long, and how many short; raises as ``funding`` does."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class TextSource(Protocol):
    """A family: who has texts about the market. What they say is data, whoever wrote it."""

    @property
    def name(self) -> str:
        """The source, as the settings call it."""
        ...

    @property
    def trouble(self) -> str:
        """What is wrong with a part of it, while others can be read; empty where all is well."""
        ...

    async def texts(self) -> tuple[SourceText, ...]:
        """The newest texts, those that were given before among them or not; it answers within its own deadline.

        Raises:
            SourceError: It cannot be read.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class IndexSource(Protocol):
    """A family: who puts the mood of the whole market into a number."""

    @property
    def name(self) -> str:
        """The source, as the settings call it."""
        ...

    async def reading(self) -> IndexReading:
        """The newest reading; it answers within its own deadline.

        Raises:
            SourceError: It cannot be read.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class FigureSource(Protocol):
    """A family: who has figures of the markets that take no side."""

    @property
    def name(self) -> str:
        """The source, as the settings call it."""
        ...

    async def figures(self) -> tuple[MarketFigure, ...]:
        """The newest figures; it answers within its own deadline.

        Raises:
            SourceError: It cannot be read.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class ModelProvider(Protocol):
    """A family: who runs language models. Each call is one request on the wire: nothing is tried again unseen."""

    @property
    def name(self) -> str:
        """The provider, as the settings call it."""
        ...

    async def open(self) -> None:
        """Load what a question needs, such as an SDK, where that is not done yet; nothing is sent.

        Raises:
            ModelError: It cannot be loaded; a question says so too.
        """
        ...

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Ask a model once. How long one waits is the caller's: a call that is cancelled is cut.

        Raises:
            ModelError: No answer; it says why, and what is charged all the same.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class TextScorer(Protocol):
    """A family: reads texts and says how bullish each of them is."""

    @property
    def name(self) -> str:
        """The scorer, as the settings call it."""
        ...

    @property
    def trouble(self) -> str:
        """Why the last texts were not all scored as is wanted, while they were scored; empty where all is well."""
        ...

    async def score(self, texts: Sequence[str]) -> tuple[float | None, ...]:
        """A score in [-1, 1] for each text, in their order; ``None`` where it has no opinion on one.

        It never holds the loop up. Texts are cleaned before, and still not to be trusted.

        Raises:
            GreenlightError: It cannot score at all.
        """
        ...


class Exchange(Protocol):
    """A family: venues, where orders go. Calls raise ``VenueError`` when the venue cannot be reached."""

    @property
    def name(self) -> str:
        """The venue and account, as the database is stamped with it."""
        ...

    async def submit(self, request: OrderRequest) -> SubmitResult:
        """Send an order once. A lost answer is ``Unknown``, never an exception and never a rejection."""
        ...

    async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
        """Why so much would not be sold at market now, as far as that can be known without an order.

        The market, its price and steps, what the sale is worth, what is held; coins that wait for a stop or target
        count as free. Empty where nothing speaks against it: the order may be refused all the same.
        """
        ...

    async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """What the venue knows of an order of a market."""
        ...

    async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """Cancel what is left of an order of a market; one that is final is returned as it is."""
        ...

    async def balances(self) -> Mapping[str, Decimal]:
        """What the account owns, by currency."""
        ...

    async def open_orders(self) -> tuple[OrderState, ...]:
        """Every order of this account that is not final, whoever sent it."""
        ...

    async def events(self, after: Cursor | None) -> EventBatch:
        """What happened to this account's orders after a cursor, in order; with ``None`` from the beginning.

        Where nothing has happened since, the batch is empty.

        Raises:
            UnknownCursor: The venue never gave it: it is another account, or an older copy of this one.
        """
        ...


Route = Callable[[Event], Mapping[str, tuple[Destination, ...]]]
"""Takes an event; tells the topics (cards) that look different after it, each with the chats that are to have it.

A topic without a chat is only edited where it is shown already.
"""


class RetryAt(GreenlightError):
    """The platform wants to be left alone for so many wall seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The platform asks to be tried again in {plain(seconds, 6)} s.")
        self.seconds = seconds


class Gone(GreenlightError):
    """The message that should be edited is no longer there: send it anew."""


class BadCard(GreenlightError):
    """The platform will never take this card."""


class Platform(Protocol):
    """A family: where people are."""

    @property
    def name(self) -> str:
        """Its name in destinations and in the allow-list: ``telegram``, ``web``."""
        ...

    async def put(self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None) -> Ref:
        """Show a card, in place of the one at ``ref`` where there is one; a new one under the one at ``under``.

        Raises:
            RetryAt: Not now.
            Gone: ``ref`` cannot be edited any more.
            BadCard: Never.
        """
        ...
