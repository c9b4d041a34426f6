"""The bot with real orders at a fake venue: what is written for it, and an admin's first go given beforehand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bot.live import live_accounts
from config.loader import load
from config.settings import Settings
from engine.books.first_go import _KEPT
from engine.store.database import Database
from tests.fakes.database import new_file, url_of
from tests.fakes.venues.binance import FakeBinance
from tests.fakes.venues.kraken import FakeKraken

Json = dict[str, Any]
Venue = FakeBinance | FakeKraken


def name_of(fake: Venue) -> str:
    return "kraken" if isinstance(fake, FakeKraken) else "binance"


def write(folder: Path, fake: Venue, **changes: Any) -> Path:
    """Profile paper with real orders, and nobody asked; ``changes`` take the place of whole sections."""
    name = name_of(fake)
    venues: Json = {name: {"orders": "real", "api_url": fake.url, "poll_every": 1, "answer_within": 1}}
    if name != "binance":
        venues["binance"] = {"enabled": False}
    sections: Json = {
        "extends": "paper",
        "live_trading": "I understand",
        "database": {"url": url_of(folder)},
        "web": {"port": 0},
        "capital": {"stages": [1000, 5000]},
        "sentiment": {"enabled": False},
        "exchanges": venues,
        "approval": {"auto_above": 0, "ask_above": 0, "max_price_drift": 0.05},
    }
    file = folder / "live.yaml"
    file.write_text(json.dumps(sections | changes))  # JSON is YAML
    return file


def keys_of(fake: Venue) -> dict[str, str]:
    """The keys, where they belong: in the environment."""
    begin = f"BOT_EXCHANGES__{name_of(fake).upper()}"
    return {f"{begin}__API_KEY": fake.keys.key, f"{begin}__SECRET": fake.keys.secret}


def environ(fake: Venue) -> dict[str, str]:
    """This environment without what is meant for another bot, and with the keys."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | keys_of(fake)


def settings_of(config: Path, fake: Venue) -> Settings:
    """The settings as the command line would read them."""
    return load(None, config, {}, keys_of(fake), config.parent).settings


async def agree_to_begin(config: Path, fake: Venue) -> Settings:
    """Make the database, and write down in it that an admin has let the bot begin at this account."""
    settings = settings_of(config, fake)
    new_file(config.parent)
    store = Database(settings.database.url)
    (account,) = live_accounts(settings)
    await store.transact(lambda uow: uow.settings.set(_KEPT + account.venue, account.fingerprint))
    await store.close()
    return settings
