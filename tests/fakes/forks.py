"""Processes that start at once: each is a fork of one that has imported the program and done nothing else."""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "alembic.command",
        "apscheduler.schedulers.asyncio",
        "apscheduler.triggers.interval",
        "bot.app",
        "bot.cli",
        "bot.main",
        "handlers.telegram",
        "handlers.web.server",
        "psycopg",
        "pyarrow.csv",
        "pyarrow.parquet",
        "pytest",
        "talib",
        "typer.rich_utils",
    ]
)
