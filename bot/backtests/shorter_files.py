"""Which of the candle files of a market is traded on, and which one has the shorter candles that fills follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.data.candle_table import SUFFIXES
from engine.data.files import parse_name
from engine.domain.errors import BadInput, DataError
from engine.domain.market import Timeframe

_TWO = 2


def traded_and_shorter(
    files: Sequence[Path], shortest: Callable[[str], Timeframe | None]
) -> tuple[dict[str, Path], dict[str, Path]]:
    """The file of each market that is traded on, and the shorter one where there are two.

    Args:
        files: Files as ``engine.data.files`` describes them.
        shortest: The shortest candles of a market that are decided on; ``None`` where nobody said.

    Raises:
        BadInput: A market has more than two, or the longer one has nothing to do.
        DataError: A name says no market, or two files have the same candles.
    """
    found: dict[str, dict[Timeframe, Path]] = {}
    for file in files:
        symbol, timeframe = parse_name(file)
        known = found.setdefault(symbol, {})
        if timeframe in known:
            remedy = "Give one of them."
            raise DataError(f"{known[timeframe]} and {file} both hold {symbol} in {timeframe} candles.", remedy)
        known[timeframe] = file
    own, shorter = dict[str, Path](), dict[str, Path]()
    for symbol, by_length in found.items():
        lengths = sorted(by_length, key=lambda each: -each.duration)
        if len(lengths) > _TWO:
            message = f"There are {len(lengths)} files of {symbol}: {', '.join(map(str, by_length.values()))}."
            raise BadInput(message, "Give one to trade on, and one with shorter candles that fills follow.")
        wanted = shortest(symbol)
        if len(lengths) == _TWO and wanted is not None and wanted.duration < lengths[0].duration:
            message = f"{by_length[lengths[0]]} has longer candles than the {wanted} ones that are traded on."
            raise BadInput(message, "Leave it out.")
        own[symbol] = by_length[lengths[0]]
        if len(lengths) == _TWO:
            shorter[symbol] = by_length[lengths[1]]
    return own, shorter


def beside(files: Mapping[str, Path], timeframe: Timeframe) -> dict[str, Path]:
    """The files with shorter candles in the folders of others, as far as there are any.

    Raises:
        BadInput: There is none at all, or those that are there are no longer than what is looked for.
    """
    for file in files.values():
        if parse_name(file)[1].duration <= timeframe.duration:
            raise BadInput(
                f"--shorter {timeframe}: the candles of {file} are no longer than that.", "Name shorter ones."
            )
    found = {symbol: there for symbol, file in files.items() if (there := _beside(file, symbol, timeframe))}
    if not found:
        wanted = " or ".join(f"{symbol.replace('/', '')}-{timeframe}" for symbol in files)
        folders = ", ".join(dict.fromkeys(str(file.parent) for file in files.values()))
        raise BadInput(
            f"--shorter {timeframe}: there is no {wanted} in {folders}.", "Put it there, or name it in --data."
        )
    return found


def _beside(file: Path, symbol: str, timeframe: Timeframe) -> Path | None:
    """The first file of a market and length in the folder of another."""
    return next((each for each in sorted(file.parent.iterdir()) if _holds(each, symbol, timeframe)), None)


def _holds(file: Path, symbol: str, timeframe: Timeframe) -> bool:
    try:
        return file.name.endswith(tuple(SUFFIXES)) and parse_name(file) == (symbol, timeframe)
    except DataError:
        return False
