"""The commands under ``bot llm``: ask the models once, and what they were asked before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.config import REFUSED, ConfigOption, ProfileOption, account_or_exit
from bot.run_options import DATES, AccountDataOption, AccountSeedOption, MoreData
from engine.domain.errors import GreenlightError

if TYPE_CHECKING:  # what is slow to import
    from config.settings import Settings
    from engine.domain.model_ledger import ModelCall
    from engine.llm.manager import Answer

app = typer.Typer(help="Language models: ask them, and see what they were asked.", no_args_is_help=True)
tape = typer.Typer(help="What models were asked and answered: see it, keep it, answer from it.", no_args_is_help=True)
app.add_typer(tape, name="tape")
_SYSTEM = "You answer somebody who tries whether you can be reached. Be brief."
_PURPOSE = "try"
_SHOWN, _MOST = 20, 1000


@app.command("try")
def try_(
    prompt: Annotated[str, typer.Argument(help="The question.")],
    role: Annotated[str, typer.Option(help="Ask the models that this role asks, e.g. analyst.")] = "",
    context: Annotated[str, typer.Option(help="Ask the models that this strategy context asks.")] = "",
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Ask the models of the chain once, as the bot would: booked, within the caps. Says what it cost."""
    settings = account_or_exit(profile, config, data, seed)
    with _refusals():
        answer = asyncio.run(_tried(settings, prompt, role, context))
    for line in _told(answer):
        typer.echo(line)
    if answer.abstains:
        raise typer.Exit(1)


@app.command()
def leakage(
    data: Annotated[
        list[Path], typer.Option("--data", help="A candle file, named SYMBOL-INTERVAL; several may follow.")
    ],
    more_data: MoreData = None,
    cases: Annotated[int, typer.Option(min=2, max=1000, help="How many times of each market's past.")] = 30,
    cut_off: Annotated[
        datetime | None,
        typer.Option(
            formats=DATES, help="When the training of the models ended (UTC); else llm.providers.NAME.cut_off."
        ),
    ] = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
) -> None:
    """See how far predictions of each model follow what it is told: four questions a case, booked, within the caps."""
    from bot.leakage import measured, table
    from engine.ai.leakage import cases_in
    from engine.data.files import read_candles

    settings = account_or_exit(profile, config, (), None)
    with _refusals():
        found = [case for path in (*data, *(more_data or ())) for case in cases_in(read_candles(path), cases)]
        until = cut_off.replace(tzinfo=UTC) if cut_off else None
        with typer.progressbar(length=len(found), label="Answers", file=sys.stderr, show_pos=True) as bar:
            rows = asyncio.run(measured(settings, found, until, lambda: bar.update(1)))
    for line in table(rows):
        typer.echo(line)


@tape.command("export")
def export_(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    since: Annotated[datetime | None, typer.Option(formats=DATES, help="Only from then on (UTC).")] = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
) -> None:
    """Write the recorded calls to a file, beside the running bot; llm.tape answers from it."""
    from bot import csv_file
    from engine.llm.tape import write_tape
    from engine.store.model_tape import recorded

    url, begin = account_or_exit(profile, config, data, seed).database.url, since and since.replace(tzinfo=UTC)
    with _refusals(), recorded(url, begin) as calls, csv_file.new_file(file, force=force) as out:
        count = write_tape(out, calls)
    typer.echo(f"{file} has {_calls(count)}.")


@tape.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that bot llm tape export has written.")],
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Take in calls that were made elsewhere: they cost nothing here, and answer while they are fresh."""
    from engine.llm.tape import read_tape
    from engine.store import migrate
    from engine.store.database import Database
    from engine.store.model_tape import take_in

    url = account_or_exit(profile, config, data, seed).database.url

    async def take() -> int:
        store = Database(url)
        try:
            return await take_in(store, read_tape(file))
        finally:
            await store.close()

    with _refusals():
        migrate.upgrade(url)
        count = asyncio.run(take())
    typer.echo(f"{_calls(count)} new of {file}.")


@tape.command()
def show(
    call: Annotated[str, typer.Argument(help="One call in full, e.g. L17; without it the newest in short.")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="Those of a tape, not of the account.")] = None,
    last: Annotated[int, typer.Option(min=1, max=_MOST, help="How many of the newest.")] = _SHOWN,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: AccountDataOption = None,
    seed: AccountSeedOption = None,
) -> None:
    """Show what models were asked and answered, what it cost, and what was found of it."""
    with _refusals():
        if file is not None:
            from engine.llm.tape import read_tape

            found = [each for each in read_tape(file) if call in ("", each.id)][-last:]
        else:
            found = _kept(account_or_exit(profile, config, data, seed), call, last)
        if call and not found:
            raise GreenlightError(f"There is no call {call}.", "Calls of models look like L17.")
    for each in found:
        typer.echo(_in_full(each) if call else _in_short(each))
    if not found:
        typer.echo("Nothing has been asked yet.")


def _kept(settings: Settings, call: str, last: int) -> list[ModelCall]:
    """Those of the account, oldest first: one, or the newest."""
    from engine.store import migrate
    from engine.store.connections import connect, in_words
    from engine.store.database import nowhere
    from engine.store.unit_of_work import UnitOfWork

    migrate.refuse_other_version(settings.database.url)
    engine = connect(settings.database.url, read_only=True)
    try:
        with in_words(), engine.connect() as connection:
            calls = UnitOfWork(connection, nowhere).model_calls
            return [calls.get(call)] if call else list(islice(reversed(calls.newest(last)), last))
    finally:
        engine.dispose()


async def _tried(settings: Settings, prompt: str, role: str, context: str) -> Answer:
    from bot.models import models_beside

    async with models_beside(settings) as models:
        return await models.manager.generate(prompt, _SYSTEM, purpose=role or _PURPOSE, context=context)


def _told(answer: Answer) -> Iterator[str]:
    """The answer, then who gave it and what it cost."""
    from handlers.cards.models import dollars

    if not answer.abstains:
        yield str(answer.value)
    who = f"{answer.provider} {answer.model}" if answer.provider else f"nobody: {answer.reason}"
    calls = f", {', '.join(answer.calls)}" if answer.calls else ""
    again = ", answered before" if answer.is_cached else ""
    yield f"({who}; {dollars(answer.cost)}, {answer.latency:.1f} s{again}{calls})"


def _in_short(call: ModelCall) -> str:
    from handlers.cards.models import dollars

    about = " ".join(filter(None, (call.purpose, call.context))) or "-"
    took = "" if call.latency is None else f" {call.latency:.1f} s"
    found = call.verdict or call.state
    reason = f": {call.reason}" if call.reason else ""
    return (
        f"{call.id} {call.at:%Y-%m-%d %H:%M:%S} {about} | {call.provider} {call.model} |"
        f" {dollars(call.booked)} ({call.state}){took} | {found}{reason}"
    )


def _in_full(call: ModelCall) -> str:
    used = call.usage
    tokens = f"{used.input_tokens} read ({used.cached_tokens} cached), {used.output_tokens} written" if used else "-"
    parts = {
        "Tokens": tokens,
        "Served": f"{call.served} {used.tier if used else ''}".strip(),
        "Key": call.key,
        "System message": call.system_message,
        "Schema": call.json_schema,
        "Prompt": call.prompt,
        "Answer": call.answer,
    }
    return "\n".join([_in_short(call), *(f"\n{name}:\n{text}" for name, text in parts.items() if text)])


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"


@contextmanager
def _refusals() -> Iterator[None]:
    """Say in plain lines why something cannot be done, and exit.

    Raises:
        typer.Exit: It cannot.
    """
    try:
        yield
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
