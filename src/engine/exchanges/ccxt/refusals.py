"""A venue's refusals in words that say what to do: its codes, and what it calls them, as its interface documents. Pure.

Which error is a refusal at all, and which proves nothing, is told by ``noes.py``.

"Filter failure: NOTIONAL" ─▶ it is worth less than the venue takes: make trades larger … (binance: Filter …)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

_SHOWN = 160
"""The longest piece of a venue's own words that is handed on."""


class Refusal(Enum):
    """Why a venue refuses, and what people can do."""

    FUNDS = (
        "less is free there than it takes",
        "pay in, close something, or make trades smaller; what open orders hold is not free",
    )
    TOO_SMALL = (
        "it is less than the venue takes",
        "make trades larger (risk.risk_per_trade), or leave that market out",
    )
    TOO_LARGE = ("it is more than the venue takes at once", "make trades smaller (risk.max_position)")
    PRICE = (
        "its price is too far from the market, or not in the venue's steps",
        "nothing: the next decision is made at the price of then",
    )
    QUANTITY = (
        "its quantity is not in the venue's steps",
        "restart the bot, which reads them anew",
    )
    AT_ONCE = (
        "the market is already at the price where it was to wait",
        "nothing: what is held is sold or protected anew by the bot",
    )
    CLOSED = ("the venue takes no such orders in that market now", "wait, or leave that market out")
    UNKNOWN_MARKET = ("the venue does not know that market", "leave it out, or see how the venue writes it")
    NOT_FOR_YOU = (
        "the account may not trade that",
        "see at the venue what is open to it: country, verification, or agreements that it waits for",
    )
    MANY = ("too many orders are open there", "cancel some at the venue, or trade fewer markets there")
    KEY = (
        "the venue does not know the key, or it is signed with another secret",
        "seal key and secret anew (bot keys set), for the net that is meant; bot doctor tries them",
    )
    EXPIRED = ("the key has expired", "make a new one at the venue, and seal it (bot keys set)")
    ADDRESS = ("the key is bound to another address", "allow this machine's address at the venue, on the key's page")
    PERMISSION = (
        "the key lacks a right",
        "allow it to read and to trade on spot at the venue, on the key's page; it needs no right to withdraw",
    )
    KEY_OR_ADDRESS = (
        "the key is unknown, bound to another address, or lacks the right to trade",
        "see all three at the venue, on the key's page; bot doctor tries it",
    )
    LOCKED = ("the account is locked", "see at the venue why")

    @property
    def why(self) -> str:
        """Why, in words that follow a colon."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """What to do."""
        return self.value[1]


_BINANCE = {
    "insufficient balance": Refusal.FUNDS,
    "Filter failure: (MIN_)?NOTIONAL": Refusal.TOO_SMALL,
    "Filter failure: (PERCENT_PRICE|PERCENT_PRICE_BY_SIDE|PRICE_FILTER|TRAILING_DELTA)": Refusal.PRICE,
    "Filter failure: (LOT_SIZE|ICEBERG_PARTS)": Refusal.QUANTITY,
    "Filter failure: (MARKET_LOT_SIZE|MAX_POSITION)": Refusal.TOO_LARGE,
    "Filter failure: (EXCHANGE_)?MAX_NUM_": Refusal.MANY,
    "would trigger immediately|would immediately match": Refusal.AT_ONCE,
    "Market is closed": Refusal.CLOSED,
    "-1121|Invalid symbol": Refusal.UNKNOWN_MARKET,
    "not permitted for this account|action is disabled on this account": Refusal.NOT_FOR_YOU,
    "-2015|-1002": Refusal.KEY_OR_ADDRESS,
    "-2014|-1022|-2008": Refusal.KEY,
}
_KRAKEN = {
    "EOrder:Insufficient funds": Refusal.FUNDS,
    "EOrder:(Order|Cost) minimum not met|volume minimum not met": Refusal.TOO_SMALL,
    "EOrder:Invalid price|EOrder:Tick size check failed|EGeneral:Invalid arguments:price": Refusal.PRICE,
    "EGeneral:Invalid arguments:volume": Refusal.QUANTITY,
    "EOrder:Post only order": Refusal.AT_ONCE,
    "EOrder:Orders limit exceeded": Refusal.MANY,
    "EService:Market in|EOrder:Market in": Refusal.CLOSED,
    "EQuery:Unknown asset pair": Refusal.UNKNOWN_MARKET,
    "EAccount:Invalid permissions|EOrder:Trading agreement required": Refusal.NOT_FOR_YOU,
    "ETrade:(User )?Locked": Refusal.LOCKED,
    "EAPI:Invalid (key|signature)": Refusal.KEY,
    "EGeneral:Permission denied": Refusal.PERMISSION,
}
_OKX = {
    "51008|51119|51131": Refusal.FUNDS,
    "51020": Refusal.TOO_SMALL,
    "51006|51116|51136|51137|51138": Refusal.PRICE,
    "51121": Refusal.QUANTITY,
    "51046|51047|51277|51278": Refusal.AT_ONCE,
    "51021": Refusal.CLOSED,
    "51001": Refusal.UNKNOWN_MARKET,
    "51010|51155": Refusal.NOT_FOR_YOU,
    "51024": Refusal.LOCKED,
    "50105|50111|50113|50119": Refusal.KEY,
    "50110": Refusal.ADDRESS,
    "50114|50120": Refusal.PERMISSION,
}
_BYBIT = {
    "170131|170033|131212": Refusal.FUNDS,
    "170136|170140|110094": Refusal.TOO_SMALL,
    "170124": Refusal.TOO_LARGE,
    "170132|170133|170134|170193|170194": Refusal.PRICE,
    "170137": Refusal.QUANTITY,
    "170121|10029": Refusal.UNKNOWN_MARKET,
    "10024|10028": Refusal.NOT_FOR_YOU,
    "10003|10004": Refusal.KEY,
    "33004": Refusal.EXPIRED,
    "10010": Refusal.ADDRESS,
    "10005": Refusal.PERMISSION,
}
_COINBASE = {
    "INSUFFICIENT_FUND|Insufficient balance in source account": Refusal.FUNDS,
    "BASE_SIZE_TOO_SMALL|QUOTE_SIZE_TOO_SMALL|INVALID_SIZE_TOO_SMALL": Refusal.TOO_SMALL,
    "BASE_SIZE_TOO_LARGE|QUOTE_SIZE_TOO_LARGE": Refusal.TOO_LARGE,
    "INVALID_PRICE_PRECISION|INVALID_(LIMIT|STOP)_PRICE(?!_POST_ONLY)": (Refusal.PRICE),
    "INVALID_SIZE_PRECISION|INVALID_(BASE|QUOTE)_SIZE_PRECISION": Refusal.QUANTITY,
    "STOP_PRICE_(ABOVE|BELOW)_LAST_TRADE_PRICE|LIMIT_PRICE_POST_ONLY": Refusal.AT_ONCE,
    "ORDER_ENTRY_DISABLED|TRADING_DISABLED|UNSUPPORTED_ORDER_CONFIGURATION": Refusal.CLOSED,
    "INVALID_PRODUCT_ID|UNKNOWN_PRODUCT_ID": Refusal.UNKNOWN_MARKET,
    "INELIGIBLE_PAIR|_verification_required|personal_details_required": Refusal.NOT_FOR_YOU,
    "expired_token": Refusal.EXPIRED,
    "PERMISSION_DENIED|invalid_scope": Refusal.PERMISSION,
    "[Uu]nauthorized|authentication_error|invalid_token|revoked_token": Refusal.KEY,
}
KNOWN: Mapping[str, Mapping[str, Refusal]] = {
    "binance": _BINANCE,
    "binanceus": _BINANCE,
    "kraken": _KRAKEN,
    "okx": _OKX,
    "bybit": _BYBIT,
    "coinbase": _COINBASE,
}
"""By ccxt's name of a venue: how its answer is recognised (a regular expression; the first that fits), and as what."""


def refusal_of(exchange: str, answer: str) -> Refusal | None:
    """What an answer refuses for; ``None`` where it is not known.

    Args:
        exchange: The venue, by ccxt's name.
        answer: All that the venue said, in its own form.
    """
    known = KNOWN.get(exchange, {})
    return next((each for words, each in known.items() if re.search(rf"(?<!\d)(?:{words})(?!\d)", answer)), None)


def in_words(exchange: str, answer: str, words: str) -> str:
    """A refusal as people are told of it: why, what to do, and what the venue itself said.

    Args:
        exchange: The venue, by ccxt's name.
        answer: All that it said, in its own form.
        words: What of that is for people.
    """
    found = refusal_of(exchange, answer)
    return f"{found.why} ({exchange}: {words.rstrip('.')}); {found.remedy}" if found is not None else words


def said(text: str) -> str:
    """What a JSON answer says in words, where it does: ``{"code": -1121, "msg": "Invalid symbol."}``."""
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    return next(filter(None, map(_text_of, _parts(answer))), text)


def shortened(text: str) -> str:
    """As much of a venue's words as is handed on."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _parts(answer: Any) -> list[Any]:
    """Where an answer may have its words, the most telling place first."""
    if not isinstance(answer, dict):
        return []
    rows = answer.get("data")
    first = rows[0] if isinstance(rows, list) and rows else {}
    inner = answer.get("error_response") or {}
    return [
        first.get("sMsg") if isinstance(first, dict) else None,
        *(inner.get(name) for name in ("message", "preview_failure_reason", "error") if isinstance(inner, dict)),
        *(answer.get(name) for name in ("msg", "retMsg", "message", "error")),
    ]


def _text_of(told: Any) -> str:
    """A text, or the first of several."""
    told = told[0] if isinstance(told, list) and told else told
    return told if isinstance(told, str) else ""
