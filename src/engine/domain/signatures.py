"""Whose orders these are: the last digits of a client id are the signature of the bot, that is of its database."""

from __future__ import annotations

import re

LENGTH = 8
"""How many hex digits a signature has."""
_A_BOTS = re.compile(r"[0-9a-f]{12}[5ab][0-9a-f]{3}[89ab][0-9a-f]{15}")
"""A client id of a bot of this kind: a UUID of version 5 without dashes, or the leg of a stop and target."""


def signed(client_id: str, signature: str) -> str:
    """A client id with a signature at its end; without one as it is."""
    return client_id[: len(client_id) - len(signature)] + signature


def signature_of(client_id: str) -> str:
    """The signature of the bot that made a client id; empty where no bot of this kind has made it."""
    return client_id[-LENGTH:] if _A_BOTS.fullmatch(client_id) else ""
