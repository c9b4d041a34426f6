"""What some trades come to together, beside what holding the markets would have. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.analysis.performance import own_and_external, tally
from engine.domain.positions import Position
from engine.domain.trade_views import PositionView
from handlers.cards import phrases, wording


def fields(
    trades: Sequence[Position], held: Sequence[PositionView], benchmark: Decimal | None
) -> tuple[tuple[str, str], ...]:
    """What trades come to, since when, how many of those closed were won, and somebody else's apart.

    Args:
        trades: At least one, open or closed.
        held: The open ones among them, at the prices of now; an open one that is not there is not counted.
        benchmark: What holding the traded markets has come to since the first of them was opened, as a fraction.
    """
    own, external = own_and_external(_results(trades, {view.position.id: view.net for view in held}))
    total, quote = tally(own), wording.quote(trades[0].symbol)
    closed = tally([trade for trade in own if not trade.is_open])
    return (
        *((("Total", wording.gain(total.net, total.share, quote)),) if own else ()),
        ("Since", wording.moment(min(trade.opened_at for trade in trades))),
        *phrases.benchmark(benchmark),
        *((("Won", phrases.won(closed.won, closed.trades)),) if closed.trades else ()),
        *phrases.external(len(external), tally(external).net, tally(external).share, quote),
    )


def _results(trades: Sequence[Position], so_far: Mapping[str, Decimal]) -> Iterator[Position]:
    """The trades with what they made; an open one as if it had been sold by now."""
    for trade in trades:
        if not trade.is_open:
            yield trade
        elif trade.id in so_far:
            yield replace(trade, realised=so_far[trade.id] + trade.fees)
