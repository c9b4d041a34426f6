"""The commands under ``bot export``: the account's history as CSV, while the bot runs or not."""

from __future__ import annotations

import io
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from bot import csv_file
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, account_or_exit
from bot.run_options import DATES, AccountDataOption, AccountSeedOption
from config.settings import Settings
from engine.domain.errors import GreenlightError

app = typer.Typer(
    help="Write what the account did as CSV: times in UTC, money in the account's currency, exact.",
    no_args_is_help=True,
)

CsvOption = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="A new file; without it, to the terminal.")
]
SinceOption = Annotated[datetime | None, typer.Option(formats=DATES, help="Only from then on (UTC).")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the file that is there.")]


@app.command()
def trades(
    csv: CsvOption = None,
    since: SinceOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
    *,
    force: ForceOption = False,
) -> None:
    """Trades, by when they were opened.

    bought and held in the base currency; cost, prices, net and fees in the quote currency; net of what is open is what
    was sold of it less all fees; share is net as a fraction of cost; decided_by are people, bot or external.
    """
    _export("trades", csv, since, account_or_exit(profile, config, data, seed), force=force)


@app.command()
def orders(
    csv: CsvOption = None,
    since: SinceOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
    *,
    force: ForceOption = False,
) -> None:
    """Orders, by when they were written down.

    quantity and filled in the base currency; prices, stop, target and fee in the quote currency.
    """
    _export("orders", csv, since, account_or_exit(profile, config, data, seed), force=force)


@app.command()
def equity(
    csv: CsvOption = None,
    since: SinceOption = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
    *,
    force: ForceOption = False,
) -> None:
    """The equity curve, a row for each closed candle.

    equity and cash in the account's currency; drawdown as a fraction of the peak of that time; benchmark is what 1 held
    in the traded markets since the beginning had become; paid is what was paid in since then, less what was paid out.
    """
    _export("equity", csv, since, account_or_exit(profile, config, data, seed), force=force)


def _export(name: str, csv: Path | None, since: datetime | None, account: Settings, *, force: bool) -> None:
    from engine.store.export import HEADS, What, exporting

    what = What(name)
    begin = since.replace(tzinfo=UTC) if since else None
    file = None if csv is None or str(csv) == "-" else csv
    try:
        with (
            exporting(account.database.url, what, begin) as rows,
            csv_file.new_file(file, force=force) if file else _terminal() as out,
        ):
            count = csv_file.write(out, HEADS[what], rows)
            out.flush()
    except BrokenPipeError:  # whoever read it has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    if file:
        typer.echo(f"{file} has {count} row{'' if count == 1 else 's'} of {what}.")


def _terminal() -> AbstractContextManager[TextIO]:
    """Standard output, as UTF-8 with line ends as they are written."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    return nullcontext(sys.stdout)
