"""A study as a page: the tables between two marks are written anew; what people have written around them stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.policy_study import GROUPS, OUT, Studied
from bot.training import told
from engine.backtest.policy_study import Study, StudyRow, Told
from engine.backtest.policy_worth import CONSTANT, FULL, TARGET
from engine.domain.errors import BadInput
from handlers.backtests.figures import NONE
from handlers.cards.wording import count

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
_HEADS = ("", "growth a year", "Sharpe", "drawdown", "won", "trades", "mean size")


def tables(found: Studied) -> str:
    """All tables of a study, as Markdown."""
    return "\n".join(_lines(found)) + "\n"


def written_into(page: str, found: Studied) -> str:
    """A page with the tables of a study in the place of those before.

    Raises:
        BadInput: It has not both marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInput("The page has no place for the tables.", f"Write {BEGIN} and {END} where they belong.")
    return f"{before}{BEGIN}\n\n{tables(found)}\n{END}{after}"


def page_of(file: Path, found: Studied) -> str:
    """What a file is to say: its own words with new tables, or the tables alone where it is not there.

    Raises:
        BadInput: It cannot be read, or has no place for them.
    """
    try:
        page = file.read_text(encoding="utf-8") if file.exists() else f"# What a policy is worth\n\n{BEGIN}{END}\n"
    except OSError as error:
        raise BadInput(f"--out {file} cannot be read: {error.strerror}.", "Name another file.") from None
    return written_into(page, found)


def verdict(study: Study) -> str:
    """Whether a policy may be active, in one sentence."""
    if study.may_be_active:
        return (
            "The whole interval of the gain lies above 0 over a constant scale and over volatility targeting: active."
        )
    unsure = [each.name for each in study.gains if each.name in (CONSTANT, TARGET) and not each.growth.is_above]
    return f"No improvement is shown over {' and '.join(unsure)}: the interval does not lie above 0. Advisory."


def _lines(found: Studied) -> Iterator[str]:
    study = found.study
    if study is None:
        raise BadInput("No seed is through all folds yet.", "Go on with --resume.")
    folds = study.trained // len(found.seeds)
    contexts = "; ".join(
        f"{each.name} on {', '.join(each.markets)} ({each.timeframe})" for each in found.setup.contexts
    )
    yield (
        f"{count(len(found.seeds), 'seed')} x {folds} splits ({OUT} of {GROUPS} groups of the time taken out), "
        f"{found.asked.steps:,} decisions each: {study.trained} policies. {told(found.span.begin_ms)} to "
        f"{told(found.span.end_ms)} UTC; {contexts}. Candles `{found.data}`."
    )
    if len(found.seeds) < found.wanted:
        yield f"Of {found.wanted} seeds that were asked for, {len(found.seeds)} are through."
    yield from ("", "What each came to, on the mean of all paths through the time:", "")
    yield from _table(study.rows, signed=False)
    yield from ("", "What the policies differ by:", "")
    yield from _table(study.gains, signed=True)
    yield from ("", f"**{verdict(study)}**", "")
    wrong = "none" if not study.degenerate else f"{study.degenerate}"
    yield f"Degenerate (one scale for everything, or next to no trades): {wrong} of {study.trained} policies."
    yield from ("", "Each seed's growth of a year beyond the others':", "")
    names = list(next(iter(study.seeds.values())))
    yield _cells("seed", *(f"over {each}" for each in names))
    yield _cells(*("---" for _ in range(len(names) + 1)))
    for seed, gains in study.seeds.items():
        yield _cells(str(seed), *(f"{gains[each]:+.2%}" for each in names))
    yield from ("", "What was hoped for:", "")
    yield from _hopes(study)


def _table(rows: tuple[StudyRow, ...], *, signed: bool) -> Iterator[str]:
    sign = "+" if signed else ""
    yield _cells(*_HEADS)
    yield _cells(*("---" for _ in _HEADS))
    for each in rows:
        yield _cells(
            f"against {each.name}" if signed else each.name,
            _told(each.growth, "+.1%"),
            _told(each.sharpe, f"{sign}.2f"),
            _told(each.drawdown, f"{sign}.1%"),
            _told(each.win_rate, f"{sign}.1%"),
            f"{each.trades:{sign},.0f}",
            f"{each.scale:{sign}.0%}",
        )


def _hopes(study: Study) -> Iterator[str]:
    """The design's hopes beside what was found; one that this study says nothing of says where it is told."""
    own, gain = study.rows[0], next(each for each in study.gains if each.name == FULL)
    yield _cells("hope", "found", "")
    yield _cells("---", "---", "---")
    yield _cells("PPO adds 0.1 to 0.2 to Sharpe", _told(gain.sharpe, "+.2f"), _met(gain.sharpe, at_least=0.1))
    less = gain.drawdown.interval is not None and gain.drawdown.interval.high < 0
    yield _cells("or makes the drawdown shallower", _told(gain.drawdown, "+.1%"), "shown" if less else "not shown")
    yield _cells("about half of the trades are won", _told(own.win_rate, ".1%"), _met(own.win_rate, at_least=0.5))
    deep = own.drawdown.interval.high if own.drawdown.interval else own.drawdown.value
    below = "shown" if deep < _DEEP else "not shown"
    yield _cells("the drawdown stays below 25 %", _told(own.drawdown, ".1%"), below)
    yield _cells("sentiment adds 2 to 5 % to the trades won", NONE, "a row of `bot compare --layers`")


_DEEP = 0.25


def _met(told: Told, *, at_least: float) -> str:
    if told.interval is not None and told.interval.low >= at_least:
        return "shown"
    if told.interval is not None and told.interval.high < at_least:
        return "not so"
    return "not shown"


def _told(told: Told, form: str) -> str:
    between = f" ({told.interval.low:{form}} to {told.interval.high:{form}})" if told.interval else ""
    return f"{told.value:{form}}{between}"


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
