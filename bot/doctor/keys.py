"""The keys of accounts that orders really go to: whether the venue takes them, and whether they may do too much."""

from __future__ import annotations

import asyncio

from bot.doctor.check import Case, Check
from bot.live import live_accounts
from bot.real_venues import account_of
from bot.venues import real_venues
from config.settings import Settings
from engine.domain.errors import GreenlightError
from engine.domain.live import LiveAccount
from engine.domain.venue_views import VenueKind
from engine.exchanges.ccxt.rights import KeyRights
from engine.timing.clocks import WallClock

_TRADE_ONLY = (
    "Make a key that may read and trade on spot, and nothing else; if it can be, for this machine's address alone."
)


def _keys(case: Case) -> str:
    return asyncio.run(_look_at_all(case.settings))


async def _look_at_all(settings: Settings) -> str:
    return "; ".join([await _look_at(settings, account) for account in live_accounts(settings)])


async def _look_at(settings: Settings, found: LiveAccount) -> str:
    """Ask a venue what is owned, which takes a key that it knows, and what that key may do.

    Raises:
        GreenlightError: It does not take the key, or this may withdraw, or may not trade.
    """
    account = account_of(found.venue, settings.exchanges[found.venue], WallClock())
    try:
        await account.open()
        await account.owned()
        rights = await account.rights() if found.kind is VenueKind.REAL else KeyRights(withdraw=False)
    except GreenlightError as error:
        raise GreenlightError(
            f"{found.venue} ({found.kind}) does not take the key that ends in {found.key}: {error.message}",
            f"{error.remedy} {_TRADE_ONLY}".strip(),
        ) from None
    finally:
        await account.close()
    if rights.withdraw:
        raise GreenlightError(
            f"{found.venue}: the key that ends in {found.key} can withdraw: who has it, has the money.", _TRADE_ONLY
        )
    if rights.trade is False:
        raise GreenlightError(f"{found.venue}: the key that ends in {found.key} may not trade.", _TRADE_ONLY)
    return f"{found.venue}, {found.kind}, key ends in {found.key}: {_said(rights)}"


def _said(rights: KeyRights) -> str:
    if rights.withdraw is None:
        return "it is taken; the venue does not tell whether it can withdraw, so see there that it cannot"
    return "it is taken, and cannot withdraw"


CHECKS = (Check(name="keys", look=_keys, needs=("venue",), asked=lambda settings: bool(real_venues(settings))),)
