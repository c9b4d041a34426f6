"""Orders at the fake Binance, as its REST interface takes, tells and cancels them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tests.fakes.venues.spot_guard import missing
from tests.fakes.venues.spot_orders import OrderList, Refused, SpotOrder
from tests.fakes.venues.spot_requests import new_id, read_list, read_old_list, read_order
from tests.fakes.venues.spot_views import cancelled_view, list_view, order_view, placed_view, trade_view

if TYPE_CHECKING:
    from tests.fakes.venues.binance import FakeBinance

Json = Any
Sent = Mapping[str, str]
T = TypeVar("T")
DAY_MS = 24 * 60 * 60_000
MOST = 1000
UNKNOWN = Refused(-2011, "Unknown order sent.")


class PartlyRefused(Exception):
    """An answer that says no in a form of its own: the status and the body."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def place(venue: FakeBinance, sent: Sent) -> Json:
    order = venue.matching.place(read_order(_known(venue, sent)))
    kind = sent.get("newOrderRespType") or ("FULL" if order.type in {"MARKET", "LIMIT"} else "ACK")
    return placed_view(order, venue.matching.trades_of(order), kind)


def place_test(venue: FakeBinance, sent: Sent) -> Json:
    venue.matching.place(read_order(_known(venue, sent)), test=True)
    return {}


def status(venue: FakeBinance, sent: Sent) -> Json:
    order = _which(venue, sent)
    if order is None:
        raise Refused(-2013, "Order does not exist.")
    return order_view(order)


def cancel(venue: FakeBinance, sent: Sent) -> Json:
    order = _which(venue, sent)
    if order is None or not order.is_open:
        raise UNKNOWN
    if sent.get("cancelRestrictions", f"ONLY_{order.status}") != f"ONLY_{order.status}":
        raise Refused(-2011, "Order was not canceled due to cancel restrictions.")
    venue.matching.cancel(order)
    cancel_id = sent.get("newClientOrderId") or new_id()
    return _cancelled_list(venue, order.list_id) if order.list_id >= 0 else cancelled_view(order, cancel_id)


def cancel_all(venue: FakeBinance, sent: Sent) -> Json:
    standing = venue.matching.open_orders(_known(venue, sent)["symbol"])
    if not standing:
        raise UNKNOWN
    gone = [each for each in standing if venue.matching.cancel(each)]
    lists = sorted({each.list_id for each in gone if each.list_id >= 0})
    single = [cancelled_view(each, new_id()) for each in gone if each.list_id < 0]
    return single + [_cancelled_list(venue, each) for each in lists]


def open_orders(venue: FakeBinance, sent: Sent) -> Json:
    symbol = _known(venue, sent)["symbol"] if sent.get("symbol") else None
    return [order_view(each) for each in venue.matching.open_orders(symbol)]


def all_orders(venue: FakeBinance, sent: Sent) -> Json:
    symbol = _known(venue, sent)["symbol"]
    found = [each for each in venue.matching.orders if each.symbol == symbol]
    if sent.get("orderId"):
        return [order_view(each) for each in found if each.order_id >= int(sent["orderId"])][: _limit(sent)]
    within = _between(sent)
    return [order_view(each) for each in _page([each for each in found if within(each.created)], sent)]


def my_trades(venue: FakeBinance, sent: Sent) -> Json:
    """The newest, or from a time or an id on, a thousand at most."""
    symbol = _known(venue, sent)["symbol"]
    if sent.get("fromId") and (sent.get("startTime") or sent.get("endTime")):
        raise Refused(-1128, "Combination of optional parameters invalid.")
    within, order = _between(sent), sent.get("orderId")
    found = [each for each in venue.matching.trades if each.symbol == symbol and within(each.at)
             and order in (None, str(each.order_id))]  # fmt: skip
    if sent.get("fromId"):
        return [trade_view(each) for each in found if each.trade_id >= int(sent["fromId"])][: _limit(sent)]
    return [trade_view(each) for each in _page(found, sent)]


def cancel_replace(venue: FakeBinance, sent: Sent) -> Json:
    """Cancel one order and place another; each part says how it went."""
    old = venue.matching.find(_known(venue, sent)["symbol"], client_id=sent.get("cancelOrigClientOrderId"),
                              order_id=int(sent["cancelOrderId"]) if sent.get("cancelOrderId") else None)  # fmt: skip
    new = read_order(sent)
    cancelled, new_result = "SUCCESS", "SUCCESS"
    if old is None or not old.is_open:
        cancelled, said = "FAILURE", _words(UNKNOWN)
        if sent["cancelReplaceMode"] == "STOP_ON_FAILURE":
            failed = {"cancelResult": "FAILURE", "newOrderResult": "NOT_ATTEMPTED", "cancelResponse": said,
                      "newOrderResponse": None}  # fmt: skip
            raise PartlyRefused(400, {"code": -2022, "msg": "Order cancel-replace failed.", "data": failed})
    else:
        venue.matching.cancel(old)
        said = cancelled_view(old, sent.get("cancelNewClientOrderId") or new_id())
    try:
        placed = venue.matching.place(new)
        answer = placed_view(placed, venue.matching.trades_of(placed), sent.get("newOrderRespType") or "FULL")
    except Refused as refused:
        new_result, answer = "FAILURE", _words(refused)
    both = {"cancelResult": cancelled, "newOrderResult": new_result, "cancelResponse": said, "newOrderResponse": answer}
    if (cancelled, new_result) == ("SUCCESS", "SUCCESS"):
        return both
    failed = (cancelled, new_result) == ("FAILURE", "FAILURE")
    words = "Order cancel-replace failed." if failed else "Order cancel-replace partially failed."
    raise PartlyRefused(400 if failed else 409, {"code": -2022 if failed else -2021, "msg": words, "data": both})


def place_list(venue: FakeBinance, sent: Sent) -> Json:
    return _placed_list(venue, sent, read_list(_known(venue, sent), venue.matching.last(sent["symbol"])))


def place_old_list(venue: FakeBinance, sent: Sent) -> Json:
    return _placed_list(venue, sent, read_old_list(_known(venue, sent), venue.matching.last(sent["symbol"])))


def list_status(venue: FakeBinance, sent: Sent) -> Json:
    if not sent.get("orderListId") and not sent.get("origClientOrderId"):
        raise missing("orderListId")
    found = _list(venue, sent.get("orderListId"), sent.get("origClientOrderId"))
    if found is None:
        raise Refused(-2018, "Order list does not exist.")
    return list_view(found)


def cancel_list(venue: FakeBinance, sent: Sent) -> Json:
    if not sent.get("orderListId") and not sent.get("listClientOrderId"):
        raise missing("orderListId")
    found = _list(venue, sent.get("orderListId"), sent.get("listClientOrderId"))
    if found is None or not found.is_open or found.symbol != sent["symbol"]:
        raise UNKNOWN
    venue.matching.cancel(found.orders[0])
    return _cancelled_list(venue, found.list_id)


def open_lists(venue: FakeBinance, _: Sent) -> Json:
    return [list_view(each) for each in venue.matching.lists if each.is_open]


def all_lists(venue: FakeBinance, sent: Sent) -> Json:
    within = _between(sent)
    return [list_view(each) for each in _page([each for each in venue.matching.lists if within(each.at)], sent)]


def _placed_list(venue: FakeBinance, sent: Sent, pair: OrderList) -> Json:
    venue.matching.place_list(pair)
    kind = sent.get("newOrderRespType") or "RESULT"
    reports = [placed_view(each, venue.matching.trades_of(each), kind) for each in pair.orders]
    return {**list_view(pair), "orderReports": reports}


def _cancelled_list(venue: FakeBinance, list_id: int) -> Json:
    pair = next(each for each in venue.matching.lists if each.list_id == list_id)
    return {**list_view(pair), "orderReports": [cancelled_view(each, new_id()) for each in pair.orders]}


def _list(venue: FakeBinance, list_id: str | None, client_id: str | None) -> OrderList | None:
    for each in reversed(venue.matching.lists):
        if str(each.list_id) == list_id if list_id else each.client_id == client_id:
            return each
    return None


def _known(venue: FakeBinance, sent: Sent) -> Sent:
    if sent["symbol"] not in venue.symbols:
        raise Refused(-1121, "Invalid symbol.")
    return sent


def _which(venue: FakeBinance, sent: Sent) -> SpotOrder | None:
    order_id, client_id = sent.get("orderId"), sent.get("origClientOrderId")
    if not order_id and not client_id:
        words = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        raise Refused(-1102, words)
    if order_id and not order_id.isdecimal():
        raise Refused(-1100, "Illegal characters found in parameter 'orderId'; legal range is '^[0-9]{1,20}$'.")
    symbol = _known(venue, sent)["symbol"]
    return venue.matching.find(symbol, order_id=int(order_id) if order_id else None, client_id=client_id)


def _between(sent: Sent) -> Any:
    first, last = int(sent.get("startTime", "0")), int(sent.get("endTime", "0"))
    if first and last and last - first > DAY_MS:
        raise Refused(-1127, "More than 24 hours between startTime and endTime.")
    return lambda at: first <= at and (not last or at <= last)


def _page(found: list[T], sent: Sent) -> list[T]:
    """The first of them from a time on; without a time, the newest."""
    return found[: _limit(sent)] if sent.get("startTime") else found[-_limit(sent) :]


def _limit(sent: Sent) -> int:
    return min(int(sent.get("limit", "500")), MOST)


def _words(refused: Refused) -> Json:
    return {"code": refused.code, "msg": refused.message}
