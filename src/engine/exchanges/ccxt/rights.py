"""What a key may do, as the venues tell that have words for it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What a key may do; ``None`` where the venue does not tell."""

    trade: bool | None = None
    withdraw: bool | None = None


def _binance(raw: Any) -> KeyRights:
    """https://developers.binance.com/docs/wallet/account/api-key-permission."""
    return KeyRights(trade=_flag(raw.get("enableSpotAndMarginTrading")), withdraw=_flag(raw.get("enableWithdrawals")))


def _bybit(raw: Any) -> KeyRights:
    """https://bybit-exchange.github.io/docs/v5/user/apikey-info."""
    found = raw["result"]
    rights = found["permissions"]
    may_write = str(found.get("readOnly")) == "0"
    return KeyRights(trade=may_write and bool(rights.get("Spot")), withdraw="Withdraw" in (rights.get("Wallet") or ()))


def _okx(raw: Any) -> KeyRights:
    """https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-account-configuration."""
    rights = str(raw["data"][0]["perm"]).split(",")
    return KeyRights(trade="trade" in rights, withdraw="withdraw" in rights)


READERS: Mapping[str, tuple[str, Callable[[Any], KeyRights]]] = {
    "binance": ("sapiGetAccountApiRestrictions", _binance),
    "bybit": ("privateGetV5UserQueryApi", _bybit),
    "okx": ("privateGetAccountConfig", _okx),
}
"""Of each venue that tells, by its id in ccxt: ccxt's method that asks it, and how its answer is read."""


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
