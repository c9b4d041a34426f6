"""Options that several commands have are said once, and each command has them all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from bot.backtests.options import Fill, MarketOptions, Risk, SearchOptions, with_options
from engine.domain.errors import BadInput
from engine.domain.market import Timeframe


def test_a_command_gets_its_own_and_those_that_it_shares() -> None:
    seen: list[object] = []
    app = typer.Typer()

    @app.command()
    @with_options
    def search(
        what: Annotated[str, typer.Argument()],
        options: SearchOptions,
        deep: Annotated[bool, typer.Option("--deep")] = False,  # noqa: FBT002 - as typer has it
    ) -> None:
        seen.extend((what, options, deep))

    words = [
        "it",
        "--strategy",
        "s",
        "--symbol",
        "BTC",
        "--symbol",
        "ETH",
        "--grid",
        "a=1:2",
        "--deep",
        "--workers",
        "3",
    ]
    assert CliRunner().invoke(app, words).exit_code == 0
    wanted = SearchOptions(strategy="s", symbol=["BTC", "ETH"], grid=["a=1:2"], workers=3)
    assert seen == ["it", wanted, True]
    missing = CliRunner().invoke(app, ["it"])
    assert missing.exit_code == 2
    assert "--strategy" in missing.output


def test_what_was_said_is_in_the_words_of_the_program() -> None:
    options = MarketOptions(
        symbol=["eth"],
        timeframe=Timeframe.H4,
        start=datetime(2021, 3, 1),  # noqa: DTZ001 - as typer reads it
        data=[Path("a.csv")],
        cash="2500.5",
        fee="0",
        fill=Fill.SIGNAL_CLOSE,
        risk=Risk.OFF,
    )
    asked = options.asked("rsi_bands", ["rsi_low=25"], [Path("b.csv")], approved=True)
    assert (asked.symbols, asked.strategy, asked.params) == (("eth",), "rsi_bands", ("rsi_low=25",))
    assert (asked.data, asked.start, asked.end) == (
        (Path("a.csv"), Path("b.csv")),
        datetime(2021, 3, 1, tzinfo=UTC),
        None,
    )
    assert (asked.cash, asked.fee, asked.size, asked.bare) == (Decimal("2500.5"), Decimal(0), None, True)
    assert (asked.fill_at, asked.approved, asked.people) == ("signal-close", True, False)


@pytest.mark.parametrize(("name", "said"), [("cash", "much"), ("fee", "1"), ("fee", "-0.1")])
def test_what_is_no_number_is_said(name: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"--{name} {said} is no "):
        MarketOptions(**{name: said}).asked(approved=False)
