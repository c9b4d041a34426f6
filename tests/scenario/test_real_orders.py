"""The bot at a real venue, as far as loopback goes: a process of its own, ccxt, and a strict Binance that trades."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.fakes.breaking_out import BreakingOut, next_minute
from tests.fakes.patience import until
from tests.fakes.program import Files
from tests.fakes.real_program import go, rows, started, write
from tests.fakes.venues.binance import FakeBinance


@pytest.mark.slow
@pytest.mark.timeout(360)
@pytest.mark.parametrize(("profile", "quote"), [("paper", "USDT"), ("prod", "EUR")])
async def test_one_trade_from_candle_to_fill_to_stop_over_a_kill(tmp_path: Path, profile: str, quote: str) -> None:
    market, files = BreakingOut(next_minute(45), quote=quote), Files(folder=tmp_path)
    fake = FakeBinance([market.symbol], balances={quote: "10000"})
    await fake.start()
    try:
        config = write(tmp_path, fake, extends=profile, people=[{"name": "Ada", "role": "admin", "web": "ada"}])
        with started(config, fake) as process:
            await go(files)
            await until(lambda: rows(files, "SELECT * FROM orders WHERE type = 'oco' AND status = 'open'"), seconds=180)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        bought, ocos = dict(fake.matching.accepted), fake.matching.open_orders()
        assert set(fake.matching.accepted.values()) == {1}
        (position,) = rows(files, "SELECT * FROM positions")
        assert 90 < float(position["cost"]) <= 100, "no more than the first stage of capital"
        assert [each.type for each in ocos] == ["LIMIT_MAKER", "STOP_LOSS"]
        with started(config, fake):
            await until(lambda: (tmp_path / "log").read_text().count('"event": "started"') == 2, seconds=60)
            assert dict(fake.matching.accepted) == bought
            assert fake.matching.open_orders() == ocos
        market.fallen_at = fake.now_ms()
        with started(config, fake):
            await until(lambda: rows(files, "SELECT * FROM positions WHERE status = 'closed'"), seconds=60)
        (closed,) = rows(files, "SELECT * FROM positions")
        assert (closed["closed_by"], closed["venue"]) == ("stop", "binance")
        assert dict(fake.matching.accepted) == bought, "nothing was sent twice"
        fake.audit()
        money = {name: fake.ledger.total(name) for name in (quote, "BTC")}
        kept = {row["currency"]: row["amount"] for row in rows(files, "SELECT * FROM balances")}
        assert {name: float(kept.get(name, 0)) for name in money} == {
            name: pytest.approx(float(amount), abs=1e-8) for name, amount in money.items()
        }
        assert fake.keys.secret not in (tmp_path / "log").read_text()
    finally:
        await fake.stop()
