"""From ccxt's deposits and withdrawals to our own words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.domain.errors import VenueError
from engine.domain.market import from_millis
from engine.domain.transfers import Transfer
from engine.exchanges.ccxt.parsing import decimal_of

Raw = Mapping[str, Any]

DEPOSIT, WITHDRAWAL = "deposit", "withdrawal"
_NOTHING_MOVED = ("failed", "canceled", "rejected")


def transfers_of(rows: Sequence[Raw], kind: str) -> list[Transfer]:
    """The transfers of a list that have moved something: deposits that are credited, withdrawals that did not fail.

    Raises:
        VenueError: One of them is none.
    """
    moved = [
        raw
        for raw in rows
        if (raw.get("status") == "ok" if kind == DEPOSIT else raw.get("status") not in _NOTHING_MOVED)
    ]
    return [_transfer(raw, kind) for raw in moved]


def _transfer(raw: Raw, kind: str) -> Transfer:
    """One of them; what a withdrawal cost is taken beside its amount, what a deposit cost is taken from it."""
    amount, at_ms = decimal_of(raw.get("amount")), raw.get("updated") or raw.get("timestamp")
    name = raw.get("id") or raw.get("txid")
    if amount is None or not name or not raw.get("currency") or not isinstance(at_ms, int):
        raise VenueError(f"What came as a {kind} is none.")
    fee = raw.get("fee") or {}
    cost = decimal_of(fee.get("cost")) if fee.get("currency") in (None, raw["currency"]) else None
    gross = -abs(amount) if kind == WITHDRAWAL else abs(amount)
    return Transfer(id=f"{kind} {name}", currency=raw["currency"], change=gross - (cost or 0), at=from_millis(at_ms))
