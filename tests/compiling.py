"""Compiles the tests before xdist's workers start: all at once, and each would compile all of them for itself."""

from __future__ import annotations

import multiprocessing
import os
import py_compile
from collections.abc import Sequence
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from _pytest.assertion import rewrite


def compile_changed(folder: Path, config: pytest.Config) -> None:
    """Compile what has changed in a folder, on every core: tests as pytest rewrites them, others as Python would."""
    changed = [file for file in sorted(folder.rglob("*.py")) if _is_changed(file)]
    cores = os.cpu_count() or 1
    fork = multiprocessing.get_context("fork")
    parts = [fork.Process(target=_compile, args=(changed[core::cores], config)) for core in range(cores)]
    for part in parts if changed else []:
        part.start()
    for part in parts if changed else []:
        part.join()


def _compile(files: Sequence[Path], config: pytest.Config) -> None:
    """Write the byte-code; what is wrong with a file is told by whoever imports it."""
    for file in files:
        compiled = _compiled(file)
        if not _is_test(file):
            py_compile.compile(str(file), quiet=2)
            continue
        compiled.parent.mkdir(exist_ok=True)
        try:
            content, code = rewrite._rewrite_test(file, config)
        except (SyntaxError, ValueError):
            continue
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, content, compiled)


def _is_changed(file: Path) -> bool:
    compiled = _compiled(file)
    return not compiled.exists() or compiled.stat().st_mtime_ns < file.stat().st_mtime_ns


def _compiled(file: Path) -> Path:
    usual = Path(cache_from_source(str(file)))
    return usual.with_name(f"{file.stem}{rewrite.PYC_TAIL}") if _is_test(file) else usual


def _is_test(file: Path) -> bool:
    return file.name.startswith("test_") or file.name == "conftest.py"
