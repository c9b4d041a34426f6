"""What people write after a command: ids, numbers, durations. Pure; errors say what would be understood."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from engine.domain.adjustments import AdjusterMode
from engine.domain.closing import WHOLE, Wanted
from engine.domain.confirmations import Consent
from engine.domain.days import Period
from engine.domain.errors import BadInput

_APPROVAL = re.compile(r"[Aa]?0*([1-9][0-9]{0,8})")
_ORDER = re.compile("[oO]?([1-9][0-9]{0,8})")
_ANY = re.compile(r"([ADOTadot])0*([1-9][0-9]{0,8})")
_TRADE_ID = re.compile(r"[Tt]0*([1-9][0-9]{0,8})")
_NUMBER = "[0-9]{1,8}"
_DURATION = re.compile(rf"(?:({_NUMBER})d)?(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_NUMBER})s)?", re.IGNORECASE)
_TRADE = re.compile(r"[Tt]?0*([1-9][0-9]{0,8})")
_HELD = re.compile(r"[A-Za-z0-9]{1,20}(?:[/-][A-Za-z0-9]{1,20})?")
_VENUE = re.compile(r"[A-Za-z0-9_]{1,30}")
_PER_CENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_FRACTION = re.compile(r"0?\.[0-9]{1,8}")
_PERIOD = re.compile(rf"({_NUMBER})([dDwWyY]?)")
_DAYS = {"": 1, "d": 1, "w": 7, "y": 365}
_SHARES = {"": WHOLE, "all": WHOLE, "half": Decimal("0.5")}
_UNITS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))
_SHOWN = 30
_ALIKE = 0.65
"""From this likeness on (``difflib``'s ratio) a word may be meant: below, ``/price`` would be taken for ``/panic``."""
_PERIODS = {Period.DAY: (7, 365), Period.WEEK: (8, 104), Period.MONTH: (6, 60)}
"""How many periods are shown where no number is written, and how many at most."""
LONGEST_PAUSE = timedelta(days=365)
BACKTEST_DAYS, LONGEST_BACKTEST = 90, 3650
"""Days that a backtest goes over where no time is written, and at most."""


def approval_id(word: str) -> str:
    """The id of an approval: ``A17``, ``a17`` and ``17`` are the same.

    Raises:
        BadInput: It cannot be one.
    """
    found = _APPROVAL.fullmatch(word)
    if not found:
        raise BadInput(f"{_short(word)} is not the id of an approval; those look like A17.")
    return f"A{found[1]}"


def any_id(word: str) -> str:
    """The id of a decision, an approval, an order or a trade, in capitals.

    Raises:
        BadInput: It cannot be one; a bare number does not say which.
    """
    found = _ANY.fullmatch(word)
    if found:
        return f"{found[1].upper()}{found[2]}"
    if re.fullmatch("[0-9]{1,9}", word):
        raise BadInput(
            f"{word} could be a decision (D{word}), an approval (A{word}), an order (O{word}) or a trade (T{word})."
        )
    raise BadInput(f"{_short(word)} is not an id; those look like D12, A17, O5 or T3.")


def order_id(words: Sequence[str]) -> str:
    """The id of the one order that is meant: ``O5``, ``o5`` and ``5`` are the same.

    Raises:
        BadInput: There is none, more than one, or it cannot be one.
    """
    if len(words) != 1:
        raise BadInput("One order belongs here; /orders lists those that are open.")
    found = _ORDER.fullmatch(words[0])
    if not found:
        raise BadInput(f"{_short(words[0])} is not the id of an order; those look like O5.")
    return f"O{found[1]}"


def number(words: Sequence[str], *, default: int, most: int, noun: str) -> int:
    """The only word as a whole number from 1 to ``most``; ``default`` where nothing was written.

    Raises:
        BadInput: It is no such number, or there is more than one word.
    """
    if not words:
        return default
    if len(words) > 1 or not re.fullmatch("[0-9]{1,9}", words[0]) or not 1 <= int(words[0]) <= most:
        raise BadInput(f"The number of {noun} is a whole number from 1 to {most}.")
    return int(words[0])


def periods(words: Sequence[str], period: Period) -> int:
    """How many days, weeks or months to show.

    Raises:
        BadInput: It is no such number, or there is more than one word.
    """
    default, most = _PERIODS[period]
    return number(words, default=default, most=most, noun=f"{period}s")


def days_or_trade(words: Sequence[str], *, default: int, most: int) -> int | str:
    """The only word as a number of days, or as the id of a trade; ``default`` days where nothing was written.

    Raises:
        BadInput: It is neither, or there is more than one word.
    """
    found = _TRADE_ID.fullmatch(words[0]) if len(words) == 1 else None
    if found:
        return f"T{found[1]}"
    try:
        return number(words, default=default, most=most, noun="days")
    except BadInput as error:
        raise BadInput(f"{error.message} A trade is named by its id, such as T3.") from None


def duration(words: Sequence[str]) -> timedelta | None:
    """A length of time such as ``15m``, ``1h30m`` or ``1d``; ``None`` where nothing was written.

    A bare number is seconds, as in the configuration.

    Raises:
        BadInput: It is none, or longer than a year.
    """
    if not words:
        return None
    text = "".join(words)
    found = _DURATION.fullmatch(f"{text}s" if re.fullmatch(_NUMBER, text) else text)
    parts = zip(found.groups(), _UNITS, strict=True) if found else ()
    length = sum((int(part or 0) * unit for part, unit in parts), timedelta(0))
    if not timedelta(0) < length <= LONGEST_PAUSE:
        raise BadInput("A duration looks like 15m, 2h, 1h30m or 1d, or is seconds, and is at most 365d.")
    return length


def market_at(words: Sequence[str]) -> tuple[str, str]:
    """A market or its coin, ``BTC/USDT`` or ``BTC`` in capitals, and the venue that is named after it, or nothing.

    Raises:
        BadInput: It cannot be one, or there are more words.
    """
    symbol, *rest = words
    venue = " ".join(rest).removeprefix("at ")
    if not _HELD.fullmatch(symbol) or symbol.lower() == "all" or (venue and not _VENUE.fullmatch(venue)):
        raise BadInput(f"{_short(' '.join(words))} is not a market; those look like BTC/USDT or BTC.")
    return symbol.upper().replace("-", "/"), venue


def backtest(words: Sequence[str]) -> tuple[str, str, int]:
    """A strategy, a market or its coin in capitals, and a time in days: ``90``, ``90d``, ``12w`` or ``1y``.

    Raises:
        BadInput: One of them is missing, or cannot be one.
    """
    if not 2 <= len(words) <= 3:  # noqa: PLR2004 - the time may be left out
        raise BadInput("A strategy and a market belong here, such as momentum BTC.")
    strategy, market, *time = words
    found = _PERIOD.fullmatch(time[0]) if time else None
    days = int(found[1]) * _DAYS[found[2].lower()] if found else 0 if time else BACKTEST_DAYS
    if not 0 < days <= LONGEST_BACKTEST:
        raise BadInput(f"{_short(time[0])} is no time; those look like 90, 90d, 12w or 1y, at most 10y.")
    return strategy, market_at([market])[0], days


def closing(words: Sequence[str]) -> Wanted:
    """What to close and how much of it: ``T3``, ``3``, ``BTC/USDT``, ``btc`` or ``all``; ``half``, ``25%`` or ``0.25``.

    Raises:
        BadInput: It is neither a trade nor a market, or no share of one.
    """
    if not words:
        return Wanted(what="")
    trade = _TRADE.fullmatch(words[0])
    if not trade and not _HELD.fullmatch(words[0]):
        raise BadInput(f"{_short(words[0])} is neither a trade nor a market; those look like T3 and BTC/USDT.")
    what = f"T{trade[1]}" if trade else words[0].upper().replace("-", "/")
    return Wanted(what=what, share=_share(words[1:]))


def adjuster_mode(words: Sequence[str]) -> AdjusterMode:
    """How far the adjuster is to go: ``off``, ``advisory`` or ``active``.

    Raises:
        BadInput: It is none of them; names the nearest.
    """
    word = " ".join(words).lower()
    if word not in list(AdjusterMode):
        raise BadInput(
            f"{_short(word)} is no mode; there are {', '.join(AdjusterMode)}.", did_you_mean(word, AdjusterMode)
        )
    return AdjusterMode(word)


def _share(words: Sequence[str]) -> Decimal:
    word = "".join(words).lower()
    if word in _SHARES:
        return _SHARES[word]
    per_cent, fraction = _PER_CENT.fullmatch(word), _FRACTION.fullmatch(word)
    share = Decimal(per_cent[1]) / 100 if per_cent else Decimal(fraction[0]) if fraction else Decimal(0)
    if not 0 < share <= WHOLE:
        near = did_you_mean(word, [name for name in _SHARES if name])
        raise BadInput(f"{_short(' '.join(words))} is no share; those look like half, 25% or 0.25.", near)
    return share


def nothing(words: Sequence[str]) -> None:
    """Check that nothing was written after a command that takes nothing.

    Raises:
        BadInput: Something was.
    """
    if words:
        raise BadInput("Nothing comes after this command.")


def half(words: Sequence[str]) -> bool:
    """Whether ``half`` was written after an id.

    Raises:
        BadInput: Something else was; names ``half`` where that is near.
    """
    return flag(words, "half", after="the id")


def flag(words: Sequence[str], known: str, after: str = "this command") -> bool:
    """Whether the one word was written that may be.

    Raises:
        BadInput: Something else was; names the word where that is near.
    """
    written = " ".join(words).lower()
    if written in ("", known):
        return bool(written)
    raise BadInput(f"{_short(written)} is not understood after {after}.", did_you_mean(written, [known]))


def consent(words: Sequence[str]) -> Consent:
    """What was said to a question: yes or no.

    Raises:
        BadInput: Something else was; names what is near.
    """
    written = " ".join(words).lower()
    if written in tuple(Consent):
        return Consent(written)
    raise BadInput(f"{_short(written)} is neither yes nor no.", did_you_mean(written, list(Consent)))


def did_you_mean(word: str, known: Iterable[str], *, mark: str = "") -> str:
    """A question naming the shortest known word that begins so, else the nearest; empty where none is near.

    Args:
        word: What was written, without its mark.
        known: What could be meant.
        mark: What stands before each of them, such as the slash of commands.
    """
    begun, names = word.lower(), list(known)
    longer = sorted((name for name in names if begun and name.startswith(begun)), key=len)
    near = longer or difflib.get_close_matches(begun, names, n=1, cutoff=_ALIKE)
    return f"Did you mean {mark}{near[0]}?" if near else ""


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
