"""The command line: ``bot run``, ``bot status``, ``bot doctor`` and more; ``bot config`` and others are groups."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import (
    backtest,
    compare,
    data,
    db,
    drift,
    export,
    keys,
    llm,
    lookahead,
    order,
    policy,
    sentiment,
    strategy,
    sweep,
    train,
    walkforward,
)
from bot.commands import config as config_commands
from bot.commands.config import REFUSED, ConfigOption, ProfileOption, account_or_exit, load_run_or_exit
from bot.run_options import (
    AccountDataOption,
    AccountSeedOption,
    DataOption,
    EndOption,
    MoreData,
    SeedOption,
    SpeedOption,
    StartOption,
    SummaryOption,
    UntilEndOption,
    overrides,
    with_own_database,
)
from bot.terminal import announce
from config.loader import load
from config.settings import Settings, secrets
from engine.domain.errors import ConfigError, GreenlightError

app = typer.Typer(
    help="Greenlight: a crypto trading bot that is run from chat.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(config_commands.app, name="config")
app.add_typer(db.app, name="db")
app.add_typer(data.app, name="data")
app.add_typer(export.app, name="export")
app.add_typer(keys.app, name="keys")
app.add_typer(llm.app, name="llm")
app.add_typer(policy.app, name="policy")
app.add_typer(sentiment.app, name="sentiment")
app.add_typer(strategy.app, name="strategy")

COLLECT_EVERY = 5_000
"""New objects after which garbage is looked for once people can ask: to look through more takes 10 ms at a time."""
SWITCH_EVERY = 0.001
"""Seconds after which a thread that computes lets another go on; Python's own 5 ms are felt at every statement read."""


@app.command()
def run(
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
    summary: SummaryOption = None,
    accept_balances: Annotated[
        bool, typer.Option("--accept-balances", help="Book what the venue has more or less as paid in or out.")
    ] = False,
) -> None:
    """Start the bot, and keep it running until it is stopped."""
    files = (*(data or ()), *(more_data or ()))
    asked = overrides(data=files, start=start, end=end, speed=speed, seed=seed, until_end=until_end, summary=summary)
    loaded = load_run_or_exit(profile, config, asked)
    settings = with_own_database(loaded, seed)
    try:
        _start(settings, accept_balances=accept_balances)
    except GreenlightError as error:
        typer.echo(loaded.told(error), err=True)
        raise typer.Exit(REFUSED) from None


@app.command()
def status(
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    more_data: MoreData = None,
    seed: AccountSeedOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Ask the running instance how it is."""
    from bot import asking

    settings = account_or_exit(profile, config, (*(data or ()), *(more_data or ())), seed)
    _echo(lambda: asking.status(settings, as_json=as_json))


@app.command()
def emergency(
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    more_data: MoreData = None,
    seed: AccountSeedOption = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="Do it.")] = False,
) -> None:
    """Say what the emergency stop of the running instance would sell; with --now, call it."""
    from bot import asking

    settings = account_or_exit(profile, config, (*(data or ()), *(more_data or ())), seed)
    _echo(lambda: asking.stop_everything(settings) if now else asking.exposed(settings))


def _echo(answer: Callable[[], str]) -> None:
    """Print what the running instance has answered, or say why it has not, and exit."""
    try:
        typer.echo(answer())
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command()
def viewer(
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Start the followers' bot: a process of its own that can only look. It needs BOT_VIEWER__TOKEN."""
    from bot import logs
    from bot.viewer import run_viewer

    settings = account_or_exit(profile, config, data, seed)
    logs.configure(settings.logs, secrets(settings))
    try:
        asyncio.run(run_viewer(settings))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


@app.command()
def doctor(
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
    models: Annotated[bool, typer.Option("--models", help="Ask each language model too; that costs a call.")] = False,
) -> None:
    """Look at every token, URL, file and clock that the run of the same options needs; say what is wrong."""
    from bot.run_rules import RULES

    files = (*(data or ()), *(more_data or ()))
    asked = overrides(data=files, start=start, end=end, speed=speed, seed=seed, until_end=until_end)
    try:
        loaded = load(profile, config, asked, os.environ, Path.cwd(), RULES)
    except ConfigError as error:
        typer.echo(_shown("wrong", "configuration", error.message, error.remedy))
        raise typer.Exit(1) from None
    settings = with_own_database(loaded, seed)
    typer.echo(_shown("ok", "configuration", f"it can be used, profile {settings.profile}", ""))
    from bot.doctor import CHECKS, WITH_ANSWERS, Case, Verdict, examine
    from engine.timing.clocks import wall

    wrong = 0
    for line in examine(Case(settings=settings, wall=wall), WITH_ANSWERS if models else CHECKS):
        wrong += line.verdict is Verdict.WRONG
        typer.echo(_shown(line.verdict, line.name, line.text, line.remedy))
    typer.echo(f"To put right: {wrong}." if wrong else "All is well.")
    if wrong:
        raise typer.Exit(1)


def _shown(verdict: str, name: str, text: str, remedy: str) -> str:
    """A check's line, and below it what to do."""
    gap = " " * 9
    return f"{verdict:<9}{name}: {text}" + (f"\n{gap}{remedy}" if remedy else "")


def _start(settings: Settings, *, accept_balances: bool) -> None:
    """Run the program; what it needs is imported here, so that other commands answer at once."""
    from bot import logs
    from bot.app import App
    from bot.stopping import run_until_signal

    recent = logs.configure(settings.logs, secrets(settings))
    sys.setswitchinterval(SWITCH_EVERY)
    app = App(
        settings, announce=announce, accept_balances=accept_balances, logs=recent.lines, opened=_leave_what_was_made
    )
    asyncio.run(run_until_signal(app))


def _leave_what_was_made() -> None:
    """Have no search for garbage hold up an answer: one through all that a start makes takes a tenth of a second."""
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)


# After what runs the bot, in the order in which somebody looks for them.
for command in (
    backtest.backtest,
    compare.compare,
    sweep.sweep,
    walkforward.walkforward,
    lookahead.lookahead,
    drift.drift,
    train.train,
    order.order,
):
    app.command()(command)
