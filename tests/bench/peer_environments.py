"""Other people's backtests, each in an environment of its own, to be measured beside ours.

    python -m tests.bench.peer_environments          # makes them, once: minutes, and some hundred MB

They are made in ``.peers/`` of the checkout, or in ``$GREENLIGHT_PEERS``. ``make bench`` measures those that are there
on the same candles, in the same run, and ours alone where there are none.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

PEERS = ("vectorbt", "backtesting", "nautilus_trader", "freqtrade")
"""Each has a script in ``peers/`` that does the same with it."""
TRAINED = {"gym_anytrading": ("gym-anytrading", "stable-baselines3")}
"""Environments that policies are trained in, and what each needs."""
FOLDER = Path(os.environ.get("GREENLIGHT_PEERS", Path(__file__).parents[2] / ".peers"))


def python_of(peer: str) -> Path | None:
    """The interpreter of a peer's environment, where that was made."""
    found = FOLDER / peer / "bin" / "python"
    return found if found.exists() and (FOLDER / peer / "made").exists() else None


def script_of(peer: str) -> Path:
    return Path(__file__).parent / "peers" / f"with_{peer}.py"


def main() -> None:
    for peer in PEERS:
        if python_of(peer) is None:
            venv.create(FOLDER / peer, clear=True)
            python = FOLDER / peer / "bin" / "python"
            subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--python", python, peer], check=True)
            (FOLDER / peer / "made").touch()
    for peer, needs in TRAINED.items():
        if python_of(peer) is None:
            venv.create(FOLDER / peer, clear=True, with_pip=True)  # pip takes torch for the CPU, where that is at hand
            subprocess.run([FOLDER / peer / "bin" / "python", "-m", "pip", "install", "-q", *needs], check=True)
            (FOLDER / peer / "made").touch()


if __name__ == "__main__":
    main()
