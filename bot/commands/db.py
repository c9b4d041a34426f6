"""The commands under ``bot db``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.config import REFUSED, ConfigOption, ProfileOption, account_or_exit
from bot.run_options import AccountDataOption, AccountSeedOption
from config.kinds import mask_url
from engine.domain.errors import GreenlightError

app = typer.Typer(help="Look after the database.", no_args_is_help=True)


@app.command()
def upgrade(
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Bring the database up to date; safe to repeat."""
    from engine.store import migrate

    url = account_or_exit(profile, config, data, seed).database.url
    try:
        migrate.upgrade(url)
        typer.echo(f"{mask_url(url)} is up to date: revision {migrate.versions(url)[0]}.")
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


@app.command()
def check(
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Say whether the database can be used as it is: its layout and its integrity."""
    from engine.store import migrate

    url = account_or_exit(profile, config, data, seed).database.url
    try:
        found, wanted = migrate.versions(url)
        problems = migrate.integrity(url)
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    if found != wanted:
        problems = [f"revision {found or 'none'}, the program needs {wanted}: run bot db upgrade", *problems]
    typer.echo("\n".join([f"{mask_url(url)}: {problem}" for problem in problems] or [f"{mask_url(url)} is sound."]))
    if problems:
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The new file.")],
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Write the database and the paper venue's file, or those of several, to one file; the bot may be running."""
    from bot.venues import files_in_backups
    from engine.store.backup import backup as write

    settings = account_or_exit(profile, config, data, seed)
    try:
        rows = write(settings.database.url, files_in_backups(settings), file)
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    files = files_in_backups(settings)
    whose = " and the venues' files" if len(files) > 1 else " and the venue's file" if files else ""
    typer.echo(f"{file} has all {rows} rows of {mask_url(settings.database.url)}{whose}.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What bot db backup has written, from either kind of database.")],
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Put a backup in place; the bot must not be running. Where something fails, nothing is changed."""
    from bot.lock import only_instance
    from bot.venues import files_in_backups
    from engine.store.advisory_lock import alone_on_server
    from engine.store.backup import restore as put_back

    settings = account_or_exit(profile, config, data, seed)
    try:
        with only_instance(settings), alone_on_server(settings.database.url):
            rows = put_back(settings.database.url, files_in_backups(settings), file, force=force)
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    typer.echo(f"{mask_url(settings.database.url)} has the {rows} rows of {file}.")
