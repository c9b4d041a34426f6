"""The errors people may meet.

GreenlightError            what went wrong, and what to do about it
├── ConfigError            the start is refused: names key, file and line
├── BadInput               a command or request that cannot be understood: carries its usage
│   └── UnknownId          nothing here has that id
├── NotAllowed             the person's role does not allow it
├── DataError              candles or files that cannot be traded on
├── StrategyError          a strategy of somebody's own that fails, or peeks: names its file and line
├── StoreError             the database cannot be used as it is
├── LedgerError            a booking would leave less than nothing
├── SourceError            a source of sentiment cannot be read: names when to ask again
├── ModelError             a language model's provider gives no answer: names the fault, and what was used
├── UnpricedModel          nobody knows what a language model costs: it is not asked
└── VenueError             the venue cannot be reached or answers nonsense
    ├── NoData             the venue answered, but not with what was asked for
    ├── UnknownCursor      the venue never told of what we have taken in
    └── SaleRefused        the venue does not sell a position: when that is tried again
"""

from __future__ import annotations

from datetime import datetime

from engine.domain.model_calls import ModelFault, Usage


class GreenlightError(Exception):
    """An expected failure, in words a person can act on.

    Args:
        message: What is wrong, naming the thing.
        remedy: What to do about it; may be empty where nothing can be done.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigError(GreenlightError):
    """The configuration cannot be used; the start is refused.

    Args:
        key: Dotted path of the setting it is about, where it is one; the message begins with it.
        other: Dotted path of a second setting that takes part in it.
    """

    def __init__(self, message: str, remedy: str = "", *, key: str = "", other: str = "") -> None:
        super().__init__(f"{key}: {message}" if key else message, remedy)
        self.key = key
        self.other = other


class BadInput(GreenlightError):
    """What somebody typed or posted cannot be understood."""


class UnknownId(BadInput):
    """No approval, decision, order or trade has the id that was asked for."""


class NotAllowed(GreenlightError):
    """The person is known, but their role does not allow this."""


class DataError(GreenlightError):
    """Candles or a file of them that cannot be traded on."""


class StrategyError(GreenlightError):
    """A strategy of somebody's own failed while it ran, or looked at candles that had not closed yet."""


class StoreError(GreenlightError):
    """The database cannot be used as it is."""


class LedgerError(GreenlightError):
    """A booking would leave less than nothing of what is held."""


class VenueError(GreenlightError):
    """The venue cannot be reached or answers nonsense.

    Args:
        retry_after: Wall seconds for which the venue asks to be left alone; 0 where it does not say.
    """

    def __init__(self, message: str, remedy: str = "", *, retry_after: float = 0.0) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class NoData(VenueError):
    """The venue answered, but has nothing of what was asked for."""


class UnknownCursor(VenueError):
    """The venue does not know how far its events were taken in: it is another account, or an older copy of it."""


class SaleRefused(VenueError):
    """The venue refuses to sell a position, or would.

    Args:
        again_at: When it is tried again at the soonest; ``None`` where nothing was cancelled for it, so at any time.
    """

    def __init__(self, message: str, *, again_at: datetime | None = None) -> None:
        super().__init__(message)
        self.again_at = again_at


class ModelError(GreenlightError):
    """The provider of a language model gives no answer.

    Args:
        fault: What kind of thing went wrong.
        retry_after: Seconds that the provider wants to be left alone; ``None`` where it does not say.
        usage: What is charged all the same; ``None`` where the provider did not say.
    """

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        fault: ModelFault,
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message, remedy)
        self.fault = fault
        self.retry_after = retry_after
        self.usage = usage


class UnpricedModel(GreenlightError):
    """Nobody knows what a language model costs, so its calls cannot be booked and it is not asked."""


class SourceError(GreenlightError):
    """A source of sentiment gives nothing that can be used.

    Args:
        again_after: Seconds that it wants to be left alone; ``None`` where it does not say.
    """

    def __init__(self, message: str, remedy: str = "", *, again_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.again_after = again_after
