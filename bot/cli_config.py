"""The commands under ``bot config``: what is in force, whether it is right, and what there is to set."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from config.loader import Loaded, describe, flat, load_with_places, schema
from config.nodes import dotted
from engine.domain.errors import ConfigError

REFUSED = 2
"""The exit code of a configuration that cannot be used."""

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)

ProfileOption = Annotated[str | None, typer.Option("--profile", help="A built-in profile.", show_default=False)]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="A YAML file of your own, over the profile.", show_default=False)
]


def load_or_exit(profile: str | None, config: Path | None, overrides: Mapping[str, Any]) -> Loaded:
    """Read the configuration of this process; say what is wrong with it in plain lines and exit.

    Raises:
        typer.Exit: It cannot be used.
    """
    try:
        return load_with_places(profile, config, overrides, os.environ, Path.cwd())
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def check_trading(loaded: Loaded) -> None:
    """Check contexts against their strategies, and indicators by name; say what is wrong, where it stands, and exit.

    Raises:
        typer.Exit: A parameter or a name cannot be used.
    """
    from bot.markets import strategy_of
    from engine.analysis.indicators import check_names

    try:
        for number, context in enumerate(loaded.settings.contexts):
            strategy_of(context, f"contexts.{number}")
        check_names(loaded.settings.indicators.extra)
    except ConfigError as error:
        key = str(error).partition(":")[0]
        place = loaded.place(tuple(int(part) if part.isdigit() else part for part in key.split(".")))
        typer.echo(f"The configuration cannot be used:\n  {place}: {error}", err=True)
        raise typer.Exit(REFUSED) from None


@app.command()
def validate(profile: ProfileOption = None, config: ConfigOption = None) -> None:
    """Say whether the configuration can be used, and everything that is wrong with it."""
    loaded = load_or_exit(profile, config, {})
    check_trading(loaded)
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
    described = describe(loaded.settings)
    if as_json:
        typer.echo(json.dumps(described, indent=2, ensure_ascii=False))
        return
    for path, value in flat(described):
        typer.echo(f"{dotted(path)} = {json.dumps(value, ensure_ascii=False)}  # {loaded.place(path)}")


@app.command("schema")
def show_schema() -> None:
    """Print the JSON schema of the configuration."""
    typer.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
