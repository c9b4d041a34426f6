"""How the firm of a run is set up: who may do what, what it trades, and how careful it is. All of it from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from config.settings import Settings
from tests.chaos.markets import Coins, Shape, shape_of
from tests.fakes.database import url_of
from tests.fakes.program import VENUE
from tests.fakes.slack_methods import BOT_TOKEN, SIGNING_SECRET
from tests.fakes.telegram_state import TOKEN

MARKET_BEGINS = datetime(2026, 1, 10, 12, tzinfo=UTC)
HISTORY = "210h"
CANDLES, CALM_CANDLES = 6, 4
"""Closed candles while there are faults, and after; in the latter every question runs out."""


@dataclass(frozen=True, kw_only=True)
class Someone:
    """A person as the platforms know them; a stranger has no role."""

    name: str
    role: str
    telegram: int

    @property
    def slack(self) -> str:
        return f"U0{self.name.upper()}"

    @property
    def web(self) -> str:
        return self.name.lower()


ADA = Someone(name="Ada", role="trader", telegram=10)
BEN = Someone(name="Ben", role="admin", telegram=11)
VIC = Someone(name="Vic", role="viewer", telegram=12)
TOM = Someone(name="Tom", role="trader", telegram=13)
EVE = Someone(name="Eve", role="", telegram=99)
"""On no list."""
STAFF = (ADA, BEN, VIC, TOM)
CHANNEL = "C0GREEN01"
CHAT = ADA.telegram
"""The chat where the cards go."""


def _fees(coins: Coins, chance: Random) -> dict[str, Any]:
    """What the venue takes its fees in, and what the account has: of a third currency enough, or not for long."""
    cash = {coins.quote: coins.balance}
    match chance.choice(("quote", "received", "GAS")):
        case "GAS":
            price = chance.choice((Decimal("0.5"), Decimal(7)))
            gas = coins.balance * chance.choice((Decimal("0.0002"), Decimal(1))) / price
            return {"fee_in": "GAS", "fee_price": price, "balances": {**cash, "GAS": gas}}
        case taken:
            return {"fee_in": taken, "balances": cash}


def settings_for(seed: int, folder: Path) -> Settings:
    """The settings of a run."""
    chance = Random(f"{seed}/settings")
    shape = shape_of(seed)
    shared, other = shape.coins.symbols
    end = MARKET_BEGINS + timedelta(hours=CANDLES + CALM_CANDLES)
    two = chance.choice((None, None, 0))
    sections: dict[str, Any] = {
        "profile": "chaos",
        "database": {"url": url_of(folder)},
        "venue": {
            "file": folder / VENUE,
            "depth": chance.choice(("0.02", "0.02", "0.001")),
            **_fees(shape.coins, Random(f"{seed}/fees")),
        },
        "telegram": {"token": TOKEN, "chat_id": CHAT, "messages_per_second": 20},
        "people": [
            {"name": p.name, "role": p.role, "telegram": p.telegram, "slack": p.slack, "web": p.web} for p in STAFF
        ],
        "approval": {
            "auto_above": chance.choice((0.6, 2.0, 2.0)),
            "ask_above": 0.0,
            "expires_after": "90m",
            "confirm_within": "90m",
            "max_price_drift": chance.choice(("0.05", "0.002")),
            "two_people_above": two,
        },
        "risk": {"max_drawdown": chance.choice(("0.1", "0.02")), "drawdown_pause": "6h"},
        "market": {
            "seed": seed,
            "start": MARKET_BEGINS,
            "history": HISTORY,
            "markets": shape.coins.markets,
        },
        "replay": {
            "end": end,
            "speed": chance.choice((1200, 1800)),
            "wait_for_people": chance.choice((0, 0, 0, 0, 0, 0, 0, 0.2)),
        },
        "contexts": [_context("one", chance.choice(([shared], [shared, other])), chance)],
    }
    if chance.random() < 0.4:
        sections["slack"] = {
            "mode": "http",
            "bot_token": BOT_TOKEN,
            "signing_secret": SIGNING_SECRET,
            "channel": CHANNEL,
            "messages_per_second": 5,
        }
    if chance.random() < 0.3:
        sections["contexts"].append(_context("other", [shared], chance))
    if shape.thin:
        _share_a_thin_market(sections, shape, Random(f"{seed}/thin"))
    _wait_at_limits(sections, Random(f"{seed}/limits"))
    _begin_at_once(sections, Random(f"{seed}/fast"))
    return Settings.model_validate(sections)


def _wait_at_limits(sections: dict[str, Any], chance: Random) -> None:
    """Let some contexts buy at a limit: for minutes or hours, and then at market or not at all."""
    for context in sections["contexts"]:
        if chance.random() < 0.3:
            context["entry"] = {
                "type": "limit",
                "offset": chance.choice(("0", "0.0005", "0.003")),
                "patience": chance.choice(("90s", "20m", "3h")),
                "then": chance.choice(("market", "give_up")),
                "chase": chance.choice(("0.002", "0.02")),
            }


def _begin_at_once(sections: dict[str, Any], chance: Random) -> None:
    """Let some contexts begin a trade with a part of it, whatever comes of the rest."""
    for context in sections["contexts"]:
        if chance.random() < 0.3:
            share = chance.choice(("0.05", "0.25", "0.9"))
            context["fast"] = {"share": share, "min_confidence": chance.choice((0.0, 0.7))}


def _context(name: str, markets: list[str], chance: Random) -> dict[str, Any]:
    """A strategy that wants something all the time: its means cross at every other candle."""
    params = {
        "fast": 1,
        "slow": 2,
        "stop_atr": chance.choice((0.3, 1.0)),
        "target_atr": chance.choice((0.5, 2.0)),
    }
    return {"name": name, "strategy": "ma_cross", "markets": markets, "timeframe": "1h", "higher": [], "params": params}


def _share_a_thin_market(sections: dict[str, Any], shape: Shape, chance: Random) -> None:
    """Let several contexts hold one coin, hardly ask anybody, and wish the exits that take so long again and again."""
    shared, other = shape.coins.symbols
    sections["approval"]["auto_above"] = chance.choice((0.0, 0.0, 0.0, 2.0))
    sections["contexts"] = [_impatient("one", [shared, other], chance), _impatient("other", [shared], chance)]
    if chance.random() < 0.3:
        sections["contexts"].append(_impatient("third", [shared], chance))


def _impatient(name: str, markets: list[str], chance: Random) -> dict[str, Any]:
    """A strategy that enters as often as any, holds for a candle or two, and is seldom stopped before."""
    context = _context(name, markets, chance)
    context["params"] |= {
        "slow": chance.choice((2, 3, 4)),
        "stop_atr": chance.choice((1.0, 3.0)),
        "target_atr": chance.choice((2.0, 6.0)),
        "max_candles": chance.choice((1, 2, 4)),
    }
    return context
