"""The policies that come with the program, by name."""

from __future__ import annotations

from pathlib import Path

SHIPPED = {"hourly": Path(__file__).parent / "policies" / "hourly.json"}
"""``hourly``: trained to 2021 on hourly BTC and ETH, validated on 2022, tested once on 2023; see docs/ppo.md."""
