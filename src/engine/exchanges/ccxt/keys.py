"""What an account at a venue is opened with: read by ``config.markets``, handed over by ``bot.venue_keys``."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

_SHOWN = 4
_LEAST_HIDDEN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueKeys:
    """The keys of an account; none of them is ever shown whole.

    Attributes:
        secret: What requests are signed with.
        password: What some venues want beside; ``None`` for the others.
    """

    api_key: SecretStr
    secret: SecretStr
    password: SecretStr | None = None

    @property
    def last_four(self) -> str:
        """The end of the key, by which people tell it apart; empty of one that is too short to show any of."""
        key = self.api_key.get_secret_value()
        return key[-_SHOWN:] if len(key) >= _LEAST_HIDDEN + _SHOWN else ""

    def as_ccxt_has_them(self) -> dict[str, str]:
        """The keys under ccxt's names."""
        found = {
            "apiKey": self.api_key.get_secret_value(),
            "secret": self.secret.get_secret_value().replace("\\n", "\n"),
        }
        return found if self.password is None else {**found, "password": self.password.get_secret_value()}
