"""The commands under ``bot config``: what is in force, whether it is right, and what there is to set."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.run_options import (
    DataOption,
    EndOption,
    MoreData,
    SeedOption,
    SpeedOption,
    StartOption,
    UntilEndOption,
    overrides,
    with_own_database,
)
from config.loader import Loaded, load
from config.naming import dotted
from config.rules import Rule
from config.settings import Settings
from config.sources import flat
from engine.domain.errors import ConfigError, GreenlightError

REFUSED = 2
"""The exit code of a configuration that cannot be used."""
PASSPHRASE_VARIABLE = "BOT_KEYS_PASSPHRASE"  # noqa: S105 - its name alone
"""What holds the passphrase of sealed keys, where nobody is at a terminal."""

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)

ProfileOption = Annotated[str | None, typer.Option("--profile", help="A built-in profile.", show_default=False)]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="A YAML file of your own, over the profile.", show_default=False)
]


def load_or_exit(
    profile: str | None, config: Path | None, asked: Mapping[str, Any], rules: Sequence[Rule] = ()
) -> Loaded:
    """Read the configuration of this process; say what is wrong with it in plain lines and exit.

    Raises:
        typer.Exit: It cannot be used.
    """
    try:
        return load(profile, config, asked, with_passphrase(os.environ), Path.cwd(), rules)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def with_passphrase(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment; where it names sealed keys and no passphrase, with what whoever is at the terminal says."""
    if not environ.get("BOT_KEYS_FILE") or environ.get(PASSPHRASE_VARIABLE) or not sys.stdin.isatty():
        return environ
    return {**environ, PASSPHRASE_VARIABLE: str(typer.prompt("Passphrase of the keys", hide_input=True, err=True))}


def load_run_or_exit(profile: str | None, config: Path | None, asked: Mapping[str, Any]) -> Loaded:
    """As ``load_or_exit``, for a run: everything that one would refuse is wrong as well.

    Raises:
        typer.Exit: It cannot be used.
    """
    from bot.run_rules import RULES

    return load_or_exit(profile, config, asked, RULES)


def account_or_exit(
    profile: str | None, config: Path | None, data: Sequence[Path] | None, seed: int | None
) -> Settings:
    """As ``load_or_exit``, for the account that ``bot run`` has with the same candle files or seed.

    Raises:
        typer.Exit: It cannot be used.
    """
    asked = overrides(data=data or (), start=None, end=None, speed=None, seed=seed, until_end=False)
    return with_own_database(load_or_exit(profile, config, asked), seed)


@app.command()
def validate(
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    more_data: MoreData = None,
    start: StartOption = None,
    end: EndOption = None,
    speed: SpeedOption = None,
    seed: SeedOption = None,
    *,
    until_end: UntilEndOption = False,
) -> None:
    """Say whether bot run could use the configuration, given the same options, and everything that is wrong with it."""
    from bot.markets import source

    files = (*(data or ()), *(more_data or ()))
    asked = overrides(data=files, start=start, end=end, speed=speed, seed=seed, until_end=until_end)
    loaded = load_run_or_exit(profile, config, asked)
    try:
        source(loaded.settings)
    except GreenlightError as error:
        typer.echo(loaded.told(error), err=True)
        raise typer.Exit(REFUSED) from None
    typer.echo(f"The configuration is good: profile {loaded.settings.profile}.")


@app.command()
def show(
    profile: ProfileOption = None,
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, without the places.")] = False,
) -> None:
    """Show every setting in force and where it was written; secrets are masked."""
    loaded = load_or_exit(profile, config, {})
    described = loaded.settings.model_dump(mode="json")
    if as_json:
        typer.echo(json.dumps(described, indent=2, ensure_ascii=False))
        return
    for path, value in flat(described):
        typer.echo(f"{dotted(path)} = {json.dumps(value, ensure_ascii=False)}  # {loaded.place(path)}")


@app.command("schema")
def show_schema() -> None:
    """Print the JSON schema of the configuration."""
    typer.echo(json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False))
