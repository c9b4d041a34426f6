"""People as a backtest has them: they take their time, sleep, and press the wrong button now and then. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from engine.domain.approvals import Verb
from engine.domain.market import to_millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody presses, and when."""

    at: datetime
    verb: Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPeople:
    """People who approve whatever they are asked, when they get to it.

    How long an answer takes has a log-normal distribution, as response times of people have.

    Attributes:
        median: Half of the answers come sooner, counted from when they are asked awake.
        spread: The standard deviation of the answer times' logarithm: 0 where each takes the median, and with 1 one of
            six takes more than 2.7 times as long.
        wakes, sleeps: Nothing is pressed outside these local times; always awake where they are the same.
        zone: Whose clock they live by.
        mistakes: How many of their answers are a no by mistake, as a fraction.
        seed: Other people for another one.
    """

    median: timedelta = timedelta(minutes=5)
    spread: float = 1.0
    wakes: time = time(8)
    sleeps: time = time(23)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    mistakes: float = 0.02
    seed: int = 1

    def answer(self, asked_at: datetime, question: int, person: int) -> Answer:
        """What one of them does about a question, whatever else they were asked.

        Args:
            asked_at: When it was asked.
            question: Its number.
            person: Which of them, from 1.
        """
        rng = np.random.default_rng([self.seed, to_millis(asked_at), question, person])
        takes = self.median * math.exp(self.spread * rng.standard_normal())
        verb = Verb.REJECT if rng.random() < self.mistakes else Verb.APPROVE
        return Answer(at=self._awake(self._awake(asked_at) + takes), verb=verb)

    def _awake(self, at: datetime) -> datetime:
        """The time itself where they are awake then, else when they wake next."""
        local = at.astimezone(self.zone)
        if self._is_awake(local.time()):
            return at
        morning = datetime.combine(local.date(), self.wakes, self.zone)
        if local.time() > self.wakes:
            morning = datetime.combine(local.date() + timedelta(days=1), self.wakes, self.zone)
        return max(morning.astimezone(UTC), at)

    def _is_awake(self, now: time) -> bool:
        if self.wakes < self.sleeps:
            return self.wakes <= now < self.sleeps
        return now >= self.wakes or now < self.sleeps
