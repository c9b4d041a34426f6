"""Trainings that a process of its own can be given, and that take no time."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.retraining import Retrained
from config.settings import Settings
from engine.domain.errors import BadInput
from engine.learning.policy_files import save_policy
from tests.fakes.policies import steady_policy


def an_eighth(settings: Settings, at: datetime, file: Path) -> Retrained:
    """A policy that buys an eighth of each size."""
    file.parent.mkdir(parents=True, exist_ok=True)
    policy = steady_policy(-0.75, -1.0, -1.0, name=file.stem)
    save_policy(replace(policy, card=replace(policy.card, ends=f"{at:%Y-%m-%d}")), file)
    test = (("policy", 0.012, 0.034), ("static rules", -0.05, 0.1))
    said = f"Tested once: +1.20%; no improvement is shown over {settings.profile}."
    return Retrained(name=file.stem, file=str(file.resolve()), about=(said,), test=test)


def too_little(settings: Settings, at: datetime, file: Path) -> Retrained:
    """There is nothing to train on."""
    raise BadInput(f"There is too little time for training up to {at:%Y-%m-%d} in {settings.profile}.", file.stem)


def breaks_off(settings: Settings, at: datetime, file: Path) -> Retrained:
    """Something that nobody has foreseen."""
    del settings, at, file
    raise ZeroDivisionError("division by zero")


def dies(settings: Settings, at: datetime, file: Path) -> Retrained:
    """The process is killed by the system."""
    del settings, at, file
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def takes_long(settings: Settings, at: datetime, file: Path) -> Retrained:
    """It is not done before the program ends."""
    time.sleep(60)
    return an_eighth(settings, at, file)
