"""The accounts that orders really go to, and what they are held to, by the settings."""

from __future__ import annotations

import hashlib

from pydantic import SecretStr

from bot.venue_keys import keys_of
from bot.venues import real_venues
from config.settings import Settings
from engine.domain.live import LiveAccount
from engine.domain.venue_views import VenueKind
from engine.exchanges.ccxt.keys import VenueKeys
from engine.risk.limits import percent

_FINGERPRINT = 16
"""Hex digits: enough that no other key has the same, too few to be one."""


def live_accounts(settings: Settings) -> tuple[LiveAccount, ...]:
    """Every account that orders really go to.

    Raises:
        ConfigError: One has no keys.
    """
    return tuple(_account(settings, name) for name in real_venues(settings))


def limits_in_words(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What entries are held to, each limit with its name: the ones that bound what can be lost."""
    risk, stages = settings.risk, settings.capital.stages
    return (
        *((("Stages", ", ".join(f"{each:,f}" for each in stages)),) if stages else ()),
        ("A trade risks", f"{percent(risk.risk_per_trade)} of equity"),
        ("A coin", f"at most {percent(risk.max_position)}"),
        ("All together", f"at most {percent(risk.max_exposure)}"),
        ("Drawdown", f"pause at {percent(risk.max_drawdown)}, end at {percent(risk.max_total_drawdown)}"),
    )


def end_of(key: str) -> str:
    """How a key ends, as people tell it apart."""
    return VenueKeys(api_key=SecretStr(key), secret=SecretStr("")).last_four or "(too short to show)"


def _account(settings: Settings, name: str) -> LiveAccount:
    asked = settings.exchanges[name]
    keys, exchange = keys_of(name, asked), asked.venue or name
    kind = VenueKind.TEST_NET if asked.sandbox else VenueKind.REAL
    known_by = f"{exchange}|{kind}|{keys.api_key.get_secret_value()}"
    return LiveAccount(
        venue=name,
        exchange=exchange,
        kind=kind,
        key=keys.last_four,
        fingerprint=hashlib.sha256(known_by.encode()).hexdigest()[:_FINGERPRINT],
    )
