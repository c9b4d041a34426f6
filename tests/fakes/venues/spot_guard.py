"""Who may call the fake Binance: keys, signatures over the exact query, timestamps by its clock, parameter lists."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qsl

from tests.fakes.venues.spot_orders import Refused

NUMBER = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
CLIENT_ID = r"^[a-zA-Z0-9-_.:/]{1,36}$"
SIGNED = frozenset({"timestamp", "signature"})
AHEAD = 1000
"""Milliseconds by which a timestamp may be ahead of the venue's clock."""


@dataclass(kw_only=True)
class Keys:
    """A pair of keys and what may be done with it."""

    key: str = "loopback-key-aB3d"
    secret: str = "loopback-secret"
    can_trade: bool = True
    can_withdraw: bool = False


def parameters(total: str) -> dict[str, str]:
    """The parameters of a query and a body together.

    Raises:
        Refused: One is there twice.
    """
    pairs = parse_qsl(total, keep_blank_values=True)
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refused(-1101, "Duplicate values for a parameter detected.")
    return dict(pairs)


def check_key(given: str | None, keys: Keys) -> None:
    """See who calls.

    Raises:
        Refused: Nobody whom the venue knows.
    """
    if not given:
        raise Refused(-2014, "API-key format invalid.", 401)
    if given != keys.key:
        raise Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def check_signed(total: str, sent: Mapping[str, str], keys: Keys, now: int) -> None:
    """See that a signed request is this account's, and fresh by the venue's clock.

    Raises:
        Refused: It is not.
    """
    window = number(sent.get("recvWindow", "5000"), "recvWindow")
    if window > 60_000:
        raise Refused(-1131, "recvWindow must be less than 60000.")
    if not sent.get("timestamp"):
        raise missing("timestamp")
    at = int(number(sent["timestamp"], "timestamp"))
    if at >= now + AHEAD:
        raise Refused(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - at > window:
        raise Refused(-1021, "Timestamp for this request is outside of the recvWindow.")
    if not sent.get("signature"):
        raise missing("signature")
    signed, _, signature = total.rpartition("signature=")
    signed = signed.rstrip("&")
    if not hmac.compare_digest(signature, sign(signed, keys.secret)):
        raise Refused(-1022, "Signature for this request is not valid.")


def sign(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_names(sent: Mapping[str, str], required: frozenset[str], optional: frozenset[str]) -> None:
    """See that what is needed was sent, and nothing that nobody reads.

    Raises:
        Refused: As the venue does: by the first name that is missing, or by counts.
    """
    for name in sorted(required):
        if not sent.get(name):
            raise missing(name)
    known = [name for name in sent if name in required | optional]
    if len(known) < len(sent):
        words = f"Not all sent parameters were read; read '{len(known)}' parameter(s) but was sent '{len(sent)}'."
        raise Refused(-1104, words)


def missing(name: str) -> Refused:
    return Refused(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def number(value: str, name: str) -> Decimal:
    """A parameter that is a number.

    Raises:
        Refused: It is none, or has more than eight decimals.
    """
    matches(value, name, NUMBER)
    if len(value.partition(".")[2].rstrip("0")) > 8:
        raise Refused(-1111, f"Parameter '{name}' has too much precision.")
    return Decimal(value)


def matches(value: str, name: str, pattern: str) -> str:
    """A parameter of some form.

    Raises:
        Refused: It has another one.
    """
    if not re.match(pattern, value):
        raise Refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")
    return value
