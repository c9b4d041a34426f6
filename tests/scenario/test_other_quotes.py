"""Accounts that are not in dollars: trades happen, and every amount is told in the decimals of its currency."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.data.files import write_candles
from engine.domain.market import Candles
from tests.fakes.command_line import bot
from tests.fakes.database import rows_of_file
from tests.fakes.series import walk

RUN = ("run", "--config", "my.yaml", "--speed", "max", "--until-end")
PROFILE = """\
extends: base
people: [{{name: Ada, role: admin, web: ada}}]
web: {{port: 0}}
database: {{url: "sqlite:///x.sqlite"}}
approval: {{auto_above: 0, ask_above: 0}}
venue: {{balances: {{{quote}: {money}}}}}
contexts: [{{name: a, strategy: momentum, markets: [{symbol}], higher: []}}]
"""


def priced(symbol: str, price: float, money: float) -> Candles:
    """A walk around a price, with enough traded for an account of so much."""
    made = walk(5, 420)
    columns = {name: getattr(made, name) * price / 100 for name in ("open", "high", "low", "close")}
    return replace(made, symbol=symbol, volume=made.volume * money / price, **columns)


@pytest.mark.parametrize(
    ("symbol", "price", "money", "told"),
    [
        ("ETH/BTC", 0.05, 0.5, r"0\.\d{8}"),
        ("XRP/ETH", 0.0003, 3, r"\d\.\d{8}"),
        ("BTC/EUR", 40_000, 10_000, r"[\d,]+\.\d\d"),
        ("BTC/JPY", 9_000_000, 1_500_000, r"[\d,]+"),
    ],
)
def test_an_account_in_another_currency_trades_and_reads_right(
    tmp_path: Path, symbol: str, price: float, money: float, told: str
):
    """Seen: nothing was ever traded for bitcoin, since an order had to be worth ten of them; and 0.39 was all."""
    quote = symbol.partition("/")[2]
    file = f"{symbol.replace('/', '_')}-1h.csv"
    write_candles(tmp_path / file, priced(symbol, price, money))
    (tmp_path / "my.yaml").write_text(PROFILE.format(quote=quote, money=money, symbol=symbol))
    done = bot(tmp_path, *RUN, "--data", file)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr
    assert "warning" not in done.stderr
    assert re.search(r"trades +\d+ closed", done.stdout)
    (equity,) = re.findall(rf"^equity +(\S+) {quote}:", done.stdout, re.MULTILINE)
    assert re.fullmatch(told, equity)
    assert Decimal(equity.replace(",", "")) == pytest.approx(Decimal(str(money)), rel=Decimal("0.2"))
    cards = rows_of_file(tmp_path / "x.sqlite", "SELECT * FROM chat_messages")
    amounts = re.findall(rf"([\d.,]*\d) {quote}\b", "".join(str(list(card.values())) for card in cards))
    values = [each for each in amounts if not re.fullmatch(told, each)]
    assert len(amounts) > 10
    # What is less than a hundredth, or than one yen, has its first digits.
    assert all(0 < Decimal(each.replace(",", "")) < 1 for each in values), values
