"""The command ``bot drift``: an account against a backtest of its own time, trade by trade."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.backtests.options import Approve, ApproveOption, JsonOption, refuse_no_room, write
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, account_or_exit
from bot.run_options import AccountDataOption, AccountSeedOption
from engine.domain.errors import GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from bot.backtests.drift import DriftReport


def drift(
    candles: Annotated[
        list[Path] | None,
        typer.Option("--candles", metavar="FILE", help="Candles of the time, where it traded on a venue's prices."),
    ] = None,
    approve: ApproveOption = Approve.NONE,
    json_file: JsonOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Compare what the account traded with a backtest of the same time: each trade that differs, with its cause."""
    settings = account_or_exit(profile, config, data, seed)
    try:
        refuse_no_room("--json", json_file)
        from bot.backtests.drift import as_lines, drift_of

        report = drift_of(settings, tuple(candles or ()), approved=approve is Approve.ALL)
        typer.echo("\n".join(as_lines(report)))
        if json_file is not None:
            write("--json", json_file, _as_json(report))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def _as_json(report: DriftReport) -> str:
    told = {
        "begins": report.begins,
        "ends": report.ends,
        "quote": report.result.quote,
        "equity": report.equity,
        "backtest_equity": report.result.final_equity,
        "trades": [
            {
                "kind": each.kind,
                "context": each.key.context,
                "symbol": each.key.symbol,
                "decided_at": each.key.decided_at,
                "cause": each.cause,
                "account": asdict(each.account) if each.account else None,
                "backtest": asdict(each.backtest) if each.backtest else None,
            }
            for each in report.trades
        ],
    }
    return json.dumps(told, indent=2, default=_plain) + "\n"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
