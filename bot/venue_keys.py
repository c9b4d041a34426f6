"""The keys that orders at a real venue are signed with, from the settings: nothing here is slow to import."""

from __future__ import annotations

from config.markets import ExchangeSettings
from engine.domain.errors import ConfigError
from engine.exchanges.ccxt.keys import VenueKeys


def keys_of(name: str, asked: ExchangeSettings) -> VenueKeys:
    """The keys of a venue.

    Raises:
        ConfigError: It has none.
    """
    if asked.api_key is None or asked.secret is None:
        variable = f"BOT_EXCHANGES__{name.upper()}__API_KEY"
        raise ConfigError(
            "must be set: orders are real there.",
            f"Set {variable} and the secret beside it; a key that may read and trade, and nothing else.",
            key=f"exchanges.{name}.api_key",
            other=f"exchanges.{name}.orders",
        )
    return VenueKeys(api_key=asked.api_key, secret=asked.secret, password=asked.password)
