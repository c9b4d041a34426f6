"""What a trained policy makes of an entry: only ever less of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class AdjusterMode(StrEnum):
    """What is done with what a policy says."""

    OFF = "off"
    """It is not asked."""
    ADVISORY = "advisory"
    """It is asked and noted; nothing is changed."""
    ACTIVE = "active"
    """What it says is done, before the risk rules have their word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What is made of an entry.

    Attributes:
        scale: How much of its size is bought, in [0, 1]; 0 for no trade.
        confidence_shift: What its confidence is changed by, 0 or less.
        stop_share: How much of its stop's distance is kept, in (0, 1].
    """

    scale: float = 1.0
    confidence_shift: float = 0.0
    stop_share: float = 1.0

    @property
    def words(self) -> str:
        """The same as people read it."""
        if not self.scale:
            return "no trade"
        parts = [f"{self.scale:.0%} of the size"]
        if self.confidence_shift:
            parts.append(f"confidence {self.confidence_shift:+.2f}")
        if self.stop_share < 1:
            parts.append(f"stop at {self.stop_share:.0%} of its distance")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """What a policy made of one entry, as it is kept with the decision.

    Attributes:
        policy: Its name; empty where there is none.
        adjustment: What it said; ``None`` where the static rules held, for the reason in ``why``.
        before, after: The quantity that was planned, and what it makes of it, in the base currency: what it does where
            it is active, what it would do where it advises.
        observation: What it was shown, in the order of the features.
    """

    mode: AdjusterMode
    policy: str
    before: Decimal
    after: Decimal
    adjustment: Adjustment | None = None
    why: str = ""
    observation: tuple[float, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether what it said was done."""
        return self.mode is AdjusterMode.ACTIVE and self.adjustment is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjusterTally:
    """What was made of the entries of some time.

    Attributes:
        done, done_scale: Those of which less was made, or was left as it was, and the sum of their shares.
        advised, advised_scale: Those of which it only was told what would have been made, and the same.
        static: Those about which a policy could not be asked.
    """

    done: int = 0
    done_scale: float = 0.0
    advised: int = 0
    advised_scale: float = 0.0
    static: int = 0

    @classmethod
    def of(cls, adjusted: Iterable[Adjusted]) -> AdjusterTally:
        """That of some entries."""
        told = list(adjusted)
        done = [each.adjustment.scale for each in told if each.adjustment and each.is_done]
        advised = [each.adjustment.scale for each in told if each.adjustment and not each.is_done]
        return cls(
            done=len(done),
            done_scale=sum(done),
            advised=len(advised),
            advised_scale=sum(advised),
            static=len(told) - len(done) - len(advised),
        )

    def __add__(self, other: AdjusterTally) -> AdjusterTally:
        """Both together."""
        return AdjusterTally(
            done=self.done + other.done,
            done_scale=self.done_scale + other.done_scale,
            advised=self.advised + other.advised,
            advised_scale=self.advised_scale + other.advised_scale,
            static=self.static + other.static,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjusterNotice:
    """That the static rules hold because a policy could not be asked."""

    at: datetime
    policy: str
    why: str
    mode: AdjusterMode

    @property
    def id(self) -> str:
        """The same on one day for the same kind of reason: its first two words, as of ``atr is``, ``It is stale``."""
        kind = re.sub(r"[^a-zA-Z0-9_.-]", "", "-".join(self.why.split()[:2]))[:40]
        return f"{self.at:%Y%m%d}-{kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjusterView:
    """What people are shown of the adjuster.

    Attributes:
        policy: Its name; empty where there is none.
        set_by: Who set the mode from chat; empty where the settings hold.
        spared: The contexts whose entries it is not asked about.
        about: What is known of it, in lines.
        fault: Why it cannot be asked at all; empty where it can.
        asked: Of the newest entries, those that it was asked about.
        unknown: Those of them about which it could not be asked.
        mean_scale: The mean share of the size that it wanted; ``None`` where it was never asked.
        newest: The newest first.
    """

    mode: AdjusterMode
    policy: str = ""
    set_by: str = ""
    spared: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    fault: str = ""
    asked: int = 0
    unknown: int = 0
    mean_scale: float | None = None
    newest: tuple[AdjustedEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedEntry:
    """One entry that it was asked about.

    Attributes:
        became: What became of the entry in its cycle, in one word.
    """

    decision_id: str
    symbol: str
    at: datetime
    adjusted: Adjusted
    became: str
