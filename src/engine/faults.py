"""The short ids under which unknown errors are found in the log, and which people are told in place of the error."""

from __future__ import annotations

from uuid import uuid4


def fault_id() -> str:
    """A new id, short enough to be read aloud."""
    return uuid4().hex[:8]
