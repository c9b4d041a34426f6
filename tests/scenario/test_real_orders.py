"""The bot at a real venue, as far as loopback goes: a process of its own, ccxt, and a strict Binance that trades."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fakes.lives import BOT
from tests.fakes.patience import until
from tests.fakes.program import Files
from tests.fakes.venues.binance import FakeBinance
from tests.scenario.test_paper_profile import BreakingOut, next_minute

LINK = re.compile(r"http://127\.0\.0\.1:\d+/enter/[\w-]+")


def write(folder: Path, url: str) -> Path:
    """Profile paper with real orders, and nobody asked."""
    sections: dict[str, Any] = {
        "extends": "paper",
        "live_trading": "I understand",
        "database": {"url": f"sqlite:///{folder}/greenlight.sqlite"},
        "web": {"port": 0},
        "capital": {"stages": [100, 500]},
        "sentiment": {"enabled": False},
        "exchanges": {"binance": {"orders": "real", "api_url": url, "poll_every": 0.3, "answer_within": 5}},
        "approval": {"auto_above": 0, "ask_above": 0, "max_price_drift": 0.05},
        "contexts": [
            {"name": "trend", "strategy": "momentum", "markets": ["BTC/USDT"], "timeframe": "1m", "higher": []}
        ],
    }
    file = folder / "live.yaml"
    file.write_text(json.dumps(sections))  # JSON is YAML
    return file


@contextmanager
def started(config: Path, fake: FakeBinance) -> Iterator[subprocess.Popen[bytes]]:
    """The program as the command line starts it; killed at the end, unless it is dead by then."""
    keys = {"BOT_EXCHANGES__BINANCE__API_KEY": fake.keys.key, "BOT_EXCHANGES__BINANCE__SECRET": fake.keys.secret}
    ours = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | keys
    with (config.parent / "log").open("a") as log:
        process = subprocess.Popen(
            [BOT, "run", "--config", config], cwd=config.parent, env=ours, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(20)


async def go(files: Files) -> None:
    """Let the admin in by the printed link, and press what the bot asks before it enters anything."""
    log = files.folder / "log"
    await until(lambda: LINK.search(log.read_text()) and _rows(files, "SELECT * FROM confirmations"), seconds=60)
    link = LINK.findall(log.read_text())[-1]
    (asked,) = _rows(files, "SELECT * FROM confirmations WHERE stage = 'asked'")
    home = link.partition("/enter")[0]
    async with httpx.AsyncClient(headers={"origin": home}) as browser:
        await until(lambda: '"event": "started"' in log.read_text(), seconds=60)
        assert (await browser.get(link)).status_code == 303
        press = {"data": f"yes:{asked['id']}", "delivery_id": str(uuid4())}
        pressed = await browser.post(f"{home}/chat/press", json=press)
        assert pressed.status_code == 204, pressed.text
    await until(lambda: _rows(files, "SELECT * FROM confirmations WHERE stage = 'agreed'"), seconds=20)


@pytest.mark.slow
@pytest.mark.timeout(360)
async def test_one_trade_from_candle_to_fill_to_stop_over_a_kill(tmp_path: Path) -> None:
    market, files = BreakingOut(next_minute(45)), Files(folder=tmp_path)
    fake = FakeBinance([market.symbol], balances={"USDT": "10000"})
    await fake.start()
    try:
        config = write(tmp_path, fake.url)
        with started(config, fake) as process:
            await go(files)
            await until(
                lambda: _rows(files, "SELECT * FROM orders WHERE type = 'oco' AND status = 'open'"), seconds=180
            )
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        bought, ocos = dict(fake.matching.accepted), fake.matching.open_orders()
        assert set(fake.matching.accepted.values()) == {1}
        (position,) = _rows(files, "SELECT * FROM positions")
        assert 90 < float(position["cost"]) <= 100, "no more than the first stage of capital"
        assert [each.type for each in ocos] == ["LIMIT_MAKER", "STOP_LOSS"]
        with started(config, fake):
            await until(lambda: (tmp_path / "log").read_text().count('"event": "started"') == 2, seconds=60)
            assert dict(fake.matching.accepted) == bought
            assert fake.matching.open_orders() == ocos
        market.fallen_at = fake.now_ms()
        with started(config, fake):
            await until(lambda: _rows(files, "SELECT * FROM positions WHERE status = 'closed'"), seconds=60)
        (closed,) = _rows(files, "SELECT * FROM positions")
        assert (closed["closed_by"], closed["venue"]) == ("stop", "binance")
        assert dict(fake.matching.accepted) == bought, "nothing was sent twice"
        fake.audit()
        money = {name: fake.ledger.total(name) for name in ("USDT", "BTC")}
        kept = {row["currency"]: row["amount"] for row in _rows(files, "SELECT * FROM balances")}
        assert {name: float(kept.get(name, 0)) for name in money} == {
            name: pytest.approx(float(amount), abs=1e-8) for name, amount in money.items()
        }
        assert fake.keys.secret not in (tmp_path / "log").read_text()
    finally:
        await fake.stop()


def _rows(files: Files, query: str) -> list[dict[str, Any]]:
    """Rows of the program's database; none while it is not there."""
    try:
        return files.rows(query)
    except Exception:  # noqa: BLE001 - it is made while we look
        return []
