"""Time cut into what a policy is trained on, what tells when to stop, and what it is tested on once. Pure.

Between two parts lies a gap: what is known at the beginning of the later one was read off candles of the earlier, and
what is held at the end of the earlier one is not yet closed (M. Lopez de Prado, Advances in Financial Machine Learning,
2018, 7.4: purging and embargo).
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.errors import BadInput

TRAINED, VALIDATED = 0.6, 0.8
"""Up to where time is trained on, and validated on, where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some of the time, in milliseconds: from its beginning up to, without, its end."""

    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """The three parts of the time."""

    train: Stretch
    validation: Stretch
    test: Stretch


def splits_of(whole: Stretch, purge_ms: int, validate_from: int | None = None, test_from: int | None = None) -> Splits:
    """Cut time into three.

    Args:
        whole: All of it.
        purge_ms: How long the gaps are.
        validate_from: Where the second part begins; ``None`` for after 60 % of the time.
        test_from: Where the last one does; ``None`` for after 80 %.

    Raises:
        BadInput: One of them has no time.
    """
    length = whole.end_ms - whole.begin_ms
    second = whole.begin_ms + int(TRAINED * length) if validate_from is None else validate_from
    third = whole.begin_ms + int(VALIDATED * length) if test_from is None else test_from
    found = Splits(
        train=Stretch(begin_ms=whole.begin_ms, end_ms=second - purge_ms),
        validation=Stretch(begin_ms=second, end_ms=third - purge_ms),
        test=Stretch(begin_ms=third, end_ms=whole.end_ms),
    )
    for name, each in (("training", found.train), ("validation", found.validation), ("the test", found.test)):
        if each.end_ms - each.begin_ms <= purge_ms:
            raise BadInput(f"There is too little time for {name}.", "Give more candles, or set the dates otherwise.")
    return found
