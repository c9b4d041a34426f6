"""What is wrong at a venue, by what was asked of it; and whether it is one outage rather than many troubles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import structlog

from engine.domain.errors import NoData, VenueError
from engine.ports import Clock

_log = structlog.get_logger(__name__)

MARKETS, PRICES, CANDLES = "markets", "prices", "candles"
"""The kinds of questions; one kind may be answered while another is not."""


@dataclass(slots=True, kw_only=True)
class _Unanswered:
    """What of one kind of question has failed since one of that kind was last answered.

    Attributes:
        words: How it began: one outage is told in the same words. Or until when the venue wants to be left alone. What
            is said of one market alone stands only as long as nothing is said of all.
    """

    words: str
    symbols: set[str] = field(default_factory=set)


class Troubles:
    """Notes what is wrong by what it is about: ``markets``, a symbol (its prices), or symbol and timeframe.

    Args:
        venue: The venue, for people.
        symbols: The markets that are wanted.
    """

    def __init__(self, venue: str, symbols: Collection[str], clock: Clock) -> None:
        self._venue = venue
        self._symbols = tuple(symbols)
        self._clock = clock
        self._texts: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._faults: dict[str, str] = {}
        self._unanswered: dict[str, _Unanswered] = {}
        self.has_listed = False
        """Whether the venue has said which markets there are."""

    def __bool__(self) -> bool:
        return bool(self._texts or self._faults)

    def __contains__(self, about: str) -> bool:
        return about in self._texts

    def age(self, about: str) -> float:
        """Wall seconds for which something has been wrong."""
        now = self._clock.monotonic()
        return now - self._since.get(about, now)

    def put(self, about: str, text: str) -> None:
        """Something is wrong that the venue said itself, such as a market it has halted."""
        if about not in self._texts:
            self._since[about] = self._clock.monotonic()
        self._texts[about] = text

    def note(self, about: str, error: VenueError | None) -> None:
        """Note how asking went, and log where it has changed."""
        self._note_answered(about, error)
        before = self._texts.get(about)
        if error is not None:
            self.put(about, error.message)
            if before is None:
                _log.warning("market data is missing", about=about, trouble=error.message)
            return
        self._since.pop(about, None)
        if self._texts.pop(about, None) is not None:
            _log.info("market data comes in", about=about)

    def fault(self, name: str, text: str) -> None:
        """A fault of ours in a loop; an empty text when it begins anew."""
        if text:
            self._faults[name] = text
        else:
            self._faults.pop(name, None)

    def outage(self, traded: Collection[str], bad: Mapping[str, str]) -> str:
        """What is wrong with everything that is traded at once; empty where no more than some of it is in trouble.

        Args:
            traded: The markets that are traded at present.
            bad: What is wrong with the candles of a market that came, by symbol.
        """
        wanted = set(traded or self._symbols)
        for unanswered in self._unanswered.values():
            if unanswered.symbols >= wanted:
                return f"{unanswered.words.rstrip('.')}{self._all(wanted)}"
        if len(self._symbols) < 2:  # noqa: PLR2004 - what concerns one market is told of that market
            return ""
        if not traded and all(symbol in self._texts for symbol in self._symbols):
            return f"{self._venue} trades none of the {len(self._symbols)} markets: {self._texts[self._symbols[0]]}"
        if traded and len(wanted) > 1 and wanted <= bad.keys():
            return f"{self._venue}'s candles cannot be trusted: {bad[min(wanted)]}{self._all(wanted)}"
        return ""

    def text(self, outage: str) -> str:
        """Everything that is wrong, in words for people; empty where nothing is."""
        found = [outage] if outage else self._named()
        *first, last = dict.fromkeys((*found, *self._faults.values())) or ("",)
        return "; ".join((*(each.rstrip(".") for each in first), last))

    def _named(self) -> list[str]:
        """Each trouble once, after the markets it is about; one whose words begin with its market stands alone."""
        names: dict[str, list[str]] = {}
        for about, text in self._texts.items():
            symbol = "" if about == MARKETS else about.partition(" ")[0]
            own = names.setdefault(text, [])
            if symbol and symbol not in own and not text.startswith(symbol):
                own.append(symbol)
        return [f"{', '.join(own)}: {text}" if own else text for text, own in names.items()]

    def _all(self, symbols: Collection[str]) -> str:
        return f" (all {len(symbols)} markets)" if len(symbols) > 1 else ""

    def _note_answered(self, about: str, error: VenueError | None) -> None:
        """An answer of a kind ends its outage, even one that says there is nothing."""
        kind, symbols = self._kind(about)
        if error is None or isinstance(error, NoData):
            self._unanswered.pop(kind, None)
            return
        unanswered = self._unanswered.setdefault(kind, _Unanswered(words=error.message))
        unanswered.symbols.update(symbols)
        if error.retry_after or (self._is_of_one(unanswered.words) and not self._is_of_one(error.message)):
            unanswered.words = error.message

    def _is_of_one(self, words: str) -> bool:
        """Whether something is said of a single market."""
        return any(symbol in words for symbol in self._symbols)

    def _kind(self, about: str) -> tuple[str, Collection[str]]:
        """Which kind of question it is, and which markets cannot be traded without its answer."""
        if about == MARKETS:
            return MARKETS, () if self.has_listed else self._symbols
        symbol, _, timeframe = about.partition(" ")
        return (CANDLES if timeframe else PRICES), (symbol,)
