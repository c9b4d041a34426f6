"""Time cut into what a policy is trained on, what tells when to stop, and what it is tested on once. Pure.

Between two parts lies a gap: what is known at the beginning of the later one was read off candles of the earlier, and
what is held at the end of the earlier one is not yet closed (M. Lopez de Prado, Advances in Financial Machine Learning,
2018, 7.4: purging and embargo).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One way to take some of the time out: what is trained on, and what it is tested on.

    Attributes:
        groups: The numbers of the groups that are taken out.
        train: What is left, without what lies too near to these.
        test: The groups.
    """

    groups: tuple[int, ...]
    train: tuple[Stretch, ...]
    test: tuple[Stretch, ...]


def folds_of(whole: Stretch, purge_ms: int, groups: int = 6, out: int = 2) -> tuple[Fold, ...]:
    """Every way to take groups of the time out: combinatorial purged splits (op. cit., 12).

    Args:
        whole: All of it.
        purge_ms: How much next to a group that is taken out is left away, before it and after.
        groups: Into how many groups time is cut.
        out: How many are taken out at a time.

    Raises:
        BadInput: A group is no longer than what is left away beside it.
    """
    edges = [whole.begin_ms + (whole.end_ms - whole.begin_ms) * each // groups for each in range(groups + 1)]
    cut = [Stretch(begin_ms=first, end_ms=last) for first, last in pairwise(edges)]
    if min(each.end_ms - each.begin_ms for each in cut) <= 2 * purge_ms:
        raise BadInput("There is too little time for so many groups.", "Give more candles.")
    return tuple(
        Fold(groups=taken, train=_left(cut, taken, purge_ms), test=tuple(cut[each] for each in taken))
        for taken in combinations(range(groups), out)
    )


def _left(cut: list[Stretch], taken: tuple[int, ...], purge_ms: int) -> tuple[Stretch, ...]:
    """What is left of time: neighbours are one, and nothing is next to what is taken out."""
    found: list[Stretch] = []
    for number, each in enumerate(cut):
        if number in taken:
            continue
        begin = each.begin_ms + (purge_ms if number - 1 in taken else 0)
        end = each.end_ms - (purge_ms if number + 1 in taken else 0)
        if found and found[-1].end_ms == begin:
            begin = found.pop().begin_ms
        found.append(Stretch(begin_ms=begin, end_ms=end))
    return tuple(found)
