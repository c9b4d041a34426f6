"""``bot policy``: what a trained policy is, and whether its files are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.config import REFUSED
from bot.commands.policy_study import study
from engine.domain.errors import GreenlightError
from engine.learning.shipped import SHIPPED

app = typer.Typer(help="Trained policies: what they are, and whether their files are whole.", no_args_is_help=True)
_FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The policy, NAME.json, or hourly.")]


@app.command()
def show(file: _FileArgument) -> None:
    """Say what a policy was trained on, what it sees, what it may do, and what it came to."""
    try:
        from bot.training_figures import policy_text
        from engine.learning.policy_files import load_policy

        typer.echo(policy_text(load_policy(SHIPPED.get(str(file), file))))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


app.command()(study)


@app.command()
def verify(file: _FileArgument) -> None:
    """See that a policy's files are whole, of this program's features, and answer within their bounds."""
    try:
        from engine.learning.policy_files import load_policy
        from engine.learning.verifying import verified

        found = verified(load_policy(SHIPPED.get(str(file), file)))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    typer.echo(f"{file} is whole: {found.answers:,} answers lie within its bounds, and what is no number is refused.")
    if found.degenerate:
        typer.echo(f"It is degenerate: {found.degenerate}.")
