"""Requests without TLS: everything that tests ask is on loopback."""

from __future__ import annotations

import ssl

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody. A client that is not given one first reads whom to trust, which takes longer than most tests."""
