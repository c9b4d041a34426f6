"""What ``bot run`` can be told on the command line about its replay, and whoever looks at the same run or account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from config.loader import Loaded
from config.settings import Settings
from engine.store.location import file_of, url_of

DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
"""How times are written on the command line; they are UTC."""

DataOption = Annotated[
    list[Path] | None,
    typer.Option("--data", help="A candle file to replay, named SYMBOL-INTERVAL; several may follow."),
]
MoreData = Annotated[list[Path] | None, typer.Argument(metavar="[DATA]...", help="Further candle files.")]
StartOption = Annotated[datetime | None, typer.Option("--start", formats=DATES, help="Where to begin (UTC).")]
EndOption = Annotated[datetime | None, typer.Option("--end", formats=DATES, help="Where to stop (UTC).")]
SpeedOption = Annotated[str | None, typer.Option("--speed", help="Market seconds in a wall second, or max.")]
SeedOption = Annotated[int | None, typer.Option("--seed", help="The generated market's seed.")]
SummaryOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write what the replay came to as JSON.")
]
AccountDataOption = Annotated[
    list[Path] | None,
    typer.Option("--data", help="A candle file of the replay whose account is meant; once for each of its files."),
]
AccountSeedOption = Annotated[
    int | None, typer.Option("--seed", help="The seed that bot run was given, where its account is meant.")
]
UntilEndOption = Annotated[bool, typer.Option("--until-end", help="Exit when the data ends.")]


def overrides(
    *,
    data: Sequence[Path],
    start: datetime | None,
    end: datetime | None,
    speed: str | None,
    seed: int | None,
    until_end: bool,
    summary: Path | None = None,
) -> dict[str, Any]:
    """What was asked for, as the settings over every other."""
    asked: dict[str, dict[str, Any]] = {
        "replay": {
            "data": list(data) or None,
            "start": start.isoformat() if start else None,
            "end": end.isoformat() if end else None,
            "speed": speed,
            "until_end": True if until_end else None,
            "summary": summary,
        },
        "market": {"seed": seed},
    }
    given = {name: {key: said for key, said in each.items() if said is not None} for name, each in asked.items()}
    return {name: section for name, section in given.items() if section}


def with_own_database(loaded: Loaded, seed: int | None) -> Settings:
    """Candle files and other seeds get a database of their own beside the profile's, unless one was asked for.

    A database belongs to one market; another one must not need the demo's to be moved away.
    """
    settings = loaded.settings
    name = "+".join(path.stem for path in settings.replay.data) or (f"seed-{seed}" if seed is not None else "")
    if not name or not loaded.is_built_in(("database", "url")):
        return settings
    usual = file_of(settings.database.url)
    if usual is None:
        return settings
    url = url_of(usual.parent / name / usual.name)
    return settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})
