"""What is not installed unless it is asked for, and the command that installs it."""

from __future__ import annotations

from typing import Literal

Extra = Literal["ai", "charts", "cluster", "dev", "gguf", "optuna", "postgres", "rl", "sentiment", "viewer"]
"""The names under ``optional-dependencies`` in ``pyproject.toml``."""


def install(extra: Extra, what: str = "it") -> str:
    """The remedy where something of an extra is missing; the constraints keep the versions that were tried.

    Args:
        extra: Which extra has it.
        what: What is missing, to stand after ``Install``.
    """
    return f"Install {what}: .venv/bin/pip install -c constraints.txt -e '.[{extra}]'"
