"""Spans of time as pairs of milliseconds since 1970, without the end of each: what was asked of a venue, what not."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]
Spans = tuple[Span, ...]


def united(spans: Iterable[Span]) -> Spans:
    """The same time as the fewest spans, in order; spans that touch become one, empty ones go."""
    found: list[Span] = []
    for begin, end in sorted(each for each in spans if each[0] < each[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return tuple(found)


def lacking(wanted: Span, had: Iterable[Span]) -> Spans:
    """What of a span is in none of others, in order."""
    found: list[Span] = []
    begin, end = wanted
    for first, last in united(had):
        if begin < min(first, end):
            found.append((begin, min(first, end)))
        begin = max(begin, last)
    return (*found, (begin, end)) if begin < end else tuple(found)


def length(spans: Iterable[Span]) -> int:
    """How many milliseconds spans last that do not overlap."""
    return sum(end - begin for begin, end in spans)
