"""Settings as keyword arguments: ``market__seed=7`` for ``{"market": {"seed": 7}}``."""

from __future__ import annotations

from typing import Any


def sections(**settings: Any) -> dict[str, Any]:
    """Nested by the parts of their names."""
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        *outer, last = name.split("__")
        within = nested
        for section in outer:
            within = within.setdefault(section, {})
        within[last] = value
    return nested
