"""Orders at a real venue: the port ``Exchange`` over an account that is asked through ccxt.

What an answer proves is said by ``account``. Nothing is ever sent twice: an order whose answer was lost is unknown, and
who sent it asks for it by its client id. What was written down before it was sent (``record``) is the truth; nothing
here is remembered over a restart but that. What a venue cannot hold is watched here (``watching``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.domain.errors import NoData, VenueError
from engine.domain.figures import grouped
from engine.domain.market import Market, to_millis
from engine.domain.orders import (
    Ack,
    NotFound,
    OrderRequest,
    OrderState,
    OrderType,
    Refused,
    Side,
    SubmitResult,
    Unknown,
)
from engine.domain.transfers import Transfer
from engine.exchanges.ccxt import legs, orders
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.budget import asking
from engine.exchanges.ccxt.habits import placement
from engine.exchanges.ccxt.happenings import Happenings
from engine.exchanges.ccxt.lookup import Lookup
from engine.exchanges.ccxt.noes import Duplicate, Missing, Rejected
from engine.exchanges.ccxt.record import OrderRecord
from engine.exchanges.ccxt.turns import Urgency
from engine.exchanges.ccxt.watching import Watching
from engine.exchanges.ccxt.windows import is_protective
from engine.exchanges.requests import malformed
from engine.ports import Clock, Cursor, EventBatch, MarketData

if TYPE_CHECKING:  # what is slow to import
    from engine.exchanges.ccxt.account_stream import AccountStream

_OF_LATE = 10.0
"""Wall seconds for which what the account owns is known well enough to see whether a sale can be had."""
_ANSWER_AFTER_NEWS = 0.5
"""Wall seconds for which the answer to a purchase is waited for once the venue has told of its market by itself."""
_REMEMBERED = 1000
"""How many orders are remembered as taken: sent once more in this run, they are not sent at all."""


class CcxtExchange:
    """An account at a real venue.

    Args:
        name: What it is called here.
        account: The way to it.
        market_data: What the market is at, for what is checked before anything is sent.
        record: What was written down of its orders.
        symbols: The markets whose trades are looked at, whoever made them.
    """

    def __init__(
        self,
        *,
        name: str,
        account: VenueAccount,
        market_data: MarketData,
        record: OrderRecord,
        clock: Clock,
        symbols: Collection[str],
    ) -> None:
        self.name = name
        self._account = account
        self._market_data = market_data
        self._clock = clock
        self._stream: AccountStream | None = None
        self._acks: dict[str, Ack] = {}
        self._owned: tuple[float, Mapping[str, Decimal]] | None = None
        self._answer_until: tuple[str, asyncio.Timeout] | None = None
        """The market of the purchase whose answer is waited for, and until when."""
        self._lookup = Lookup(name=name, account=account, record=record, clock=clock)
        self._watching = Watching(account=account, lookup=self._lookup, market_data=market_data, clock=clock)
        self._happenings = Happenings(
            name=name, account=account, lookup=self._lookup, watching=self._watching, clock=clock, symbols=symbols
        )

    @property
    def is_streamed(self) -> bool:
        """Whether the venue tells by itself of its orders at present; what it does not tell is asked for."""
        return self._stream is not None

    @property
    def has_room_for_a_look(self) -> bool:
        """Whether a look at what happened would not have to wait for what the venue allows."""
        return self._account.has_room_for_a_look

    @property
    def skew(self) -> float | None:
        """Seconds by which the venue's clock is ahead of ours, to about one; ``None`` while it is not known."""
        return self._account.skew

    @property
    def used(self) -> str:
        """How much of its limits the venue last said was used; empty where it has not."""
        return self._account.used

    async def close(self) -> None:
        """Let go of every connection."""
        try:
            await self._hang_up()
        finally:
            await self._account.close()

    async def news(self) -> bool:
        """Wait until the venue tells by itself that something happened to an order: its market is looked at next.

        Returns:
            Whether it tells of such at all; where it does not, nothing was waited for.

        Raises:
            VenueError: The connection is lost; the next call makes a new one.
        """
        if self._stream is None:
            self._stream = await self._account.order_stream()
        if self._stream is None:
            return False
        try:
            for symbol in await self._stream.news():
                self._happenings.stir(symbol)
                self._end_waiting(symbol)
        except VenueError:
            await self._hang_up()
            raise
        return True

    def _end_waiting(self, symbol: str) -> None:
        """Wait no longer for the answer to a purchase: what has become of it can be asked for by now."""
        if self._answer_until is not None and self._answer_until[0] == symbol and self._answer_until[1].when() is None:
            self._answer_until[1].reschedule(asyncio.get_running_loop().time() + _ANSWER_AFTER_NEWS)

    async def _hang_up(self) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.close()

    async def submit(self, request: OrderRequest) -> SubmitResult:
        """Send an order once. A lost answer is ``Unknown``, never an exception and never a rejection."""
        if request.client_id in self._acks:
            return self._acks[request.client_id]
        try:
            await self._account.open()
            market = self._market(request.symbol)
            reason = market if isinstance(market, str) else await self._refusal(request, market)
        except VenueError as error:
            return Unknown(client_id=request.client_id, reason=str(error))
        if reason or isinstance(market, str):
            return Refused(client_id=request.client_id, reason=reason)
        if request.side is Side.BUY:
            await self._account.room_for_news()
        return await self._send(request, market)

    async def _send(self, request: OrderRequest, market: Market) -> SubmitResult:
        self._owned = None
        try:
            venue_id = await self._placed(request, market)
        except TimeoutError:
            return Unknown(client_id=request.client_id, reason=f"{self.name} told of it before it answered")
        except Duplicate as error:
            return await self._there(request, str(error))
        except Rejected as error:
            return Refused(client_id=request.client_id, reason=str(error))
        except VenueError as error:
            return Unknown(client_id=request.client_id, reason=str(error))
        if not venue_id:
            return Unknown(client_id=request.client_id, reason=f"{self.name} gave no id for the order")
        self._lookup.taken(request, venue_id)
        return self._acked(request, venue_id)

    async def _placed(self, request: OrderRequest, market: Market) -> str:
        """As ``_place``; the answer to a purchase is waited for no longer than its news allow.

        Raises:
            TimeoutError: The venue has told of its market, and did not answer.
        """
        if request.side is not Side.BUY:  # a sale that is late and not known would be sent anew
            return await self._place(request, market)
        try:
            async with asyncio.timeout(None) as limit:
                self._answer_until = request.symbol, limit
                return await self._place(request, market)
        finally:
            self._answer_until = None

    async def _place(self, request: OrderRequest, market: Market) -> str:
        """Hand an order to the venue, or keep it here; the venue's id of it, empty where it told none."""
        if self._lookup.is_watched(request):
            return request.client_id
        habits = self._account.habits
        if request.type is OrderType.OCO and habits.holds_both:
            raw = await self._account.place_both(request)
            mine = legs.leg_id(request.client_id, legs.STOP)
            told = raw.get("orders") if isinstance(raw, dict) else None
            return next(
                (str(each.get("orderId") or "") for each in told or () if each.get("clientOrderId") == mine), ""
            )
        asked = legs.stop_of(request) if request.type is OrderType.OCO else request
        raw = await self._account.place(
            placement(asked, habits, await self._price(request), market.tick),
            market,
            request.client_id if is_protective(request) else "",
        )
        return str(raw.get("id") or "") if isinstance(raw, dict) else ""

    async def _there(self, request: OrderRequest, words: str) -> SubmitResult:
        """What to make of an order that the venue says it has already: it is the same, if it is found."""
        try:
            with asking(Urgency.NEWS):
                found = await self._lookup.find(request.symbol, request.client_id, fills=False)
        except VenueError:
            found = NotFound(client_id=request.client_id)
        if isinstance(found, OrderState):
            return self._acked(request, found.venue_order_id)
        return Unknown(client_id=request.client_id, reason=words)

    def _acked(self, request: OrderRequest, venue_id: str) -> Ack:
        ack = Ack(client_id=request.client_id, venue_order_id=venue_id, at=self._clock.now())
        self._acks[request.client_id] = ack
        if len(self._acks) > _REMEMBERED:
            del self._acks[next(iter(self._acks))]
        return ack

    async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
        """Why so much would not be sold at market now; empty where nothing speaks against it."""
        await self._account.open()
        sale = OrderRequest(
            client_id="", venue=self.name, symbol=symbol, side=Side.SELL, type=OrderType.MARKET, quantity=quantity
        )
        market = self._market(symbol)
        reason = market if isinstance(market, str) else await self._refusal(sale, market)
        if reason or isinstance(market, str):
            return reason
        with asking(Urgency.EXIT):
            held = (await self._owned_of_late()).get(market.base, Decimal(0))
        if quantity > held:
            return f"it sells {grouped(quantity)} {market.base}, and {grouped(held)} is held"
        return ""

    async def _owned_of_late(self) -> Mapping[str, Decimal]:
        """What the account owns, as it was told a moment ago where nothing was sent since: a sale asks for it twice."""
        now = self._clock.monotonic()
        if self._owned is None or now - self._owned[0] > _OF_LATE:
            self._owned = now, await self.balances()
        return self._owned[1]

    async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """What the venue knows of an order of a market."""
        await self._account.open()
        with asking(Urgency.NEWS):
            late_within = await self._account.late_within(client_id)  # before: until then it may be taken
            found = await self._lookup.find(symbol, client_id)
        return replace(found, late_within=late_within) if isinstance(found, NotFound) else found

    async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """Cancel what is left of an order of a market; one that is final is returned as it is.

        Raises:
            VenueError: It is not known whether it was cancelled, or the venue does not cancel it.
        """
        await self._account.open()
        self._lookup.drop(client_id)
        with asking(Urgency.EXIT):
            state = await self._cancel(symbol, client_id)
        if isinstance(state, OrderState):
            self._lookup.cancelled(state)
        return state

    async def _cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """Look first where an order has to be looked for anyway: else cancelling costs no look, and the answer one."""
        is_oco = False
        if not (self._account.habits.told_by_ids and await self._lookup.is_called(client_id)):
            before = await self._lookup.find(symbol, client_id, fills=False)
            if isinstance(before, NotFound) or before.status.final:
                return before
            is_oco = before.type is OrderType.OCO
        failed: VenueError | None = None
        try:
            await self._take_back(symbol, client_id, is_oco=is_oco)
        except VenueError as error:
            failed = error  # it may be done all the same: the state says
        after = await self._lookup.find(symbol, client_id, fills=False)
        if failed is not None and isinstance(after, OrderState) and not after.status.final:
            raise failed
        return after

    async def _take_back(self, symbol: str, client_id: str, *, is_oco: bool) -> None:
        """Cancel an order, or the leg of it that is there: where both are, one goes with the other."""
        request = await self._lookup.request_of(client_id)
        ids = [client_id]
        if is_oco or (request is not None and request.type is OrderType.OCO) or self._lookup.is_watched(request):
            ids = [legs.leg_id(client_id, leg) for leg in (legs.STOP, legs.TARGET)]
        for each in ids:
            try:
                await self._account.cancel(symbol, each, await self._lookup.venue_id(symbol, each))
            except Missing:
                continue
            return

    async def balances(self) -> Mapping[str, Decimal]:
        """What the account owns, by currency, with what open orders hold of it."""
        await self._account.open()
        return orders.balances(await self._account.owned())

    async def transfers(self, since: datetime) -> Sequence[Transfer]:
        """What was paid in to the account and out of it since a time.

        Raises:
            VenueError: The venue does not answer, or the key may not see it.
        """
        await self._account.open()
        return await self._account.transfers(to_millis(since))

    async def open_orders(self) -> tuple[OrderState, ...]:
        """Every order of this account that is not final, whoever sent it; the legs of a stop and target as one."""
        await self._account.open()
        under_way = await self._lookup.under_way()
        found = [orders.as_whole(each) for each in orders.order_states(await self._account.open_orders())]
        both: dict[str, dict[str, OrderState]] = {}
        for state, leg in found:
            if leg:
                both.setdefault(state.client_id, {})[leg] = state
        plain = [state for state, leg in found if not leg]
        sent = {client_id: order.request for client_id, order in under_way.items()}
        whole = [self._lookup.whole(parts, sent.get(client_id)) for client_id, parts in both.items()]
        watched = [
            self._lookup.watched(request)
            for client_id, request in sent.items()
            if client_id not in both and self._lookup.is_watched(request)
        ]
        return (*plain, *whole, *(each for each in watched if not each.status.final))

    async def events(self, after: Cursor | None) -> EventBatch:
        """What happened to this account's orders after a cursor, in order.

        With ``None`` from as far back as the venue tells at once.

        Raises:
            UnknownCursor: It is another account, or an older copy of this one.
        """
        await self._account.open()
        return await self._happenings.after(after)

    def _market(self, symbol: str) -> Market | str:
        """The market, or why it is not traded."""
        listed = self._account.markets.get(symbol)
        if listed is None:
            return f"the venue has no market {symbol}"
        return listed.market if listed.trading else f"the venue has halted {symbol}"

    async def _refusal(self, request: OrderRequest, market: Market) -> str:
        """Why an order is not sent, or an empty text."""
        reason = malformed(request, market) or self._account.habits.unholdable(request)
        if reason:
            return reason
        price = request.limit_price or request.trigger_price
        if request.type in (OrderType.MARKET, OrderType.OCO) or price is None:
            price = await self._price(request)
        if request.quantity * price < market.min_notional:
            return f"it is worth less than the least that is traded, {grouped(market.min_notional)} {market.quote}"
        return ""

    async def _price(self, request: OrderRequest) -> Decimal:
        """What the market is at; where that is not known, what the order says itself."""
        try:
            return (await self._market_data.book(request.symbol)).mid
        except NoData:
            known = request.trigger_price or request.limit_price
            if known is None:
                raise
            return known
