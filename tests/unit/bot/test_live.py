"""Accounts that orders really go to: by which end of their keys they are told, and what the doctor says of these."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.doctor import Case, Line, Verdict, examine
from bot.doctor.keys import CHECKS
from bot.live import limits_in_words, live_accounts
from config.loader import load
from config.settings import Settings
from engine.domain.venue_views import VenueKind
from tests.fakes.venues.binance import FakeBinance

KEY, SECRET = "AbCdEfGhIjKlMnOpQrStUvWx-7Yz", "a-secret-that-nobody-is-shown"


def settings_of(folder: Path, profile: str = "sandbox", **environ: str) -> Settings:
    keys = {"BOT_EXCHANGES__BINANCE__API_KEY": KEY, "BOT_EXCHANGES__BINANCE__SECRET": SECRET}
    return load(profile, None, {}, keys | environ, folder).settings


def test_an_account_is_told_by_the_end_of_its_key_and_known_by_all_of_it(tmp_path: Path) -> None:
    (account,) = live_accounts(settings_of(tmp_path))
    assert (account.venue, account.kind, account.key) == ("binance", VenueKind.TEST_NET, "-7Yz")
    assert KEY not in repr(account)
    others = (
        settings_of(tmp_path, BOT_EXCHANGES__BINANCE__API_KEY=f"{KEY[:-5]}X-7Yz"),
        settings_of(tmp_path, "prod"),
    )
    assert len({account.fingerprint, *(live_accounts(each)[0].fingerprint for each in others)}) == 3
    assert live_accounts(settings_of(tmp_path)) == (account,)
    assert live_accounts(settings_of(tmp_path, "paper")) == ()


def test_the_limits_are_told_with_the_stages_first(tmp_path: Path) -> None:
    assert limits_in_words(settings_of(tmp_path))[:2] == (
        ("Stages", "100, 500, 2,500"),
        ("A trade risks", "1% of equity"),
    )


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    venue = FakeBinance(balances={"USDT": "10000"})
    await venue.start()
    yield venue
    await venue.stop()


async def looked(folder: Path, fake: FakeBinance, key: str = "") -> Line:
    """What the doctor says of the keys."""
    environ = {
        "BOT_EXCHANGES__BINANCE__API_KEY": key or fake.keys.key,
        "BOT_EXCHANGES__BINANCE__SECRET": fake.keys.secret,
        "BOT_EXCHANGES__BINANCE__API_URL": fake.url,
    }
    case = Case(settings=settings_of(folder, "prod", **environ), wall=lambda: datetime.now(UTC))
    check = [type(each)(name=each.name, look=each.look, asked=each.asked) for each in CHECKS]
    (line,) = await asyncio.to_thread(lambda: list(examine(case, check)))
    return line


async def test_a_key_that_only_trades_is_well(tmp_path: Path, fake: FakeBinance) -> None:
    line = await looked(tmp_path, fake)
    assert line.verdict is Verdict.OK, line
    assert line.text == f"binance, real money, key ends in {fake.keys.key[-4:]}: it is taken, and cannot withdraw"


async def test_a_key_that_can_withdraw_is_warned_of(tmp_path: Path, fake: FakeBinance) -> None:
    fake.keys.can_withdraw = True
    line = await looked(tmp_path, fake)
    assert line.verdict is Verdict.WRONG
    assert "can withdraw" in line.text
    assert "may read and trade on spot, and nothing else" in line.remedy


async def test_a_key_that_the_venue_does_not_know_is_said_without_showing_it(tmp_path: Path, fake: FakeBinance) -> None:
    line = await looked(tmp_path, fake, key="x" * 60 + "wxyz")
    assert line.verdict is Verdict.WRONG
    assert "does not take the key that ends in wxyz" in line.text
    assert fake.keys.secret not in f"{line.text}{line.remedy}"
