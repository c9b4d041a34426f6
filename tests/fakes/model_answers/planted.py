"""The falsehoods that are planted, one an answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType

from tests.fakes.model_answers.briefs import signed
from tests.fakes.model_answers.cases import BOTH, OPINION, PREDICTION, Case
from tests.fakes.model_answers.drafts import (
    Draft,
    case,
    draft_of,
    honest_stop,
    outside,
    set_stop,
    size_of,
    stop_above_market,
)
from tests.fakes.model_answers.markets import MARKETS, QUOTES, prices
from tests.fakes.model_answers.writing import Num, number_of, significant, zero


def _stop_at_ask(draft: Draft) -> None:
    """Set the stop at the best ask."""
    set_stop(draft, draft.ask)


def _stop_at_bid(draft: Draft) -> None:
    """Set the stop at the best bid."""
    set_stop(draft, draft.bid)


def _stop_in_spread(draft: Draft) -> None:
    """Set the stop between bid and ask."""
    ticks = int((draft.ask - draft.bid) / draft.market.tick)
    set_stop(draft, draft.bid + draft.market.tick * draft.rng.randint(1, ticks - 1))


def _stop_zero(draft: Draft) -> None:
    """Set the stop at zero."""
    draft.verdict = "approve"
    draft.stop = zero(draft.rng)


def _stop_negative(draft: Draft) -> None:
    """Set a stop below zero: a price with a minus, or a distance."""
    rng = draft.rng
    price = -honest_stop(rng, draft.bid, draft.market.tick)
    distance = -size_of(rng, "0.5", "20")
    set_stop(draft, rng.choice((price, price, distance)))


def _stop_absurdly_far(draft: Draft) -> None:
    """Set the stop 93 % to 99.9 % below the best bid."""
    far = draft.rng.choice(("0.05", "0.05", repr(draft.rng.uniform(0.001, 0.07))))
    stop = draft.bid * Decimal(far)
    set_stop(draft, significant(stop, draft.rng.choice((3, 4, 6)), ROUND_HALF_EVEN))


def _stop_decimal_slip(draft: Draft) -> None:
    """Set an honest stop with the decimal point in the wrong place."""
    stop = honest_stop(draft.rng, draft.bid, draft.market.tick)
    set_stop(draft, stop.scaleb(draft.rng.choice((-3, -2, -1, 1, 2, 3))))


def _stop_as_percent(draft: Draft) -> None:
    """Set the distance in per cent (or as a fraction) where the price should be."""
    choices = [Decimal(text) for text in ("2", "3", "5", "8", "1.5", "2.5", "0.03", "0.05", "97")]
    fitting = [value for value in choices if outside(draft, value)]
    set_stop(draft, draft.rng.choice(fitting))


def _stop_of_other_market(draft: Draft) -> None:
    """Set a stop that fits another market."""
    rng = draft.rng
    while True:
        other = rng.choice(MARKETS)
        bid, _ = prices(rng, other, 1)
        stop = bid if rng.random() < 0.5 else honest_stop(rng, bid, other.tick)
        if other.base != draft.market.base and outside(draft, stop):
            set_stop(draft, stop)
            return


def _symbol_other_market(draft: Draft) -> None:
    """Name a market with another base."""
    others = [m.symbol for m in MARKETS if m.base != draft.market.base]
    draft.symbol = draft.rng.choice(others)


def _symbol_other_quote(draft: Draft) -> None:
    """Name the same base with another quote."""
    market = draft.market
    quotes = [quote for quote in QUOTES if quote not in (market.base, market.quote)]
    draft.symbol = f"{market.base}/{draft.rng.choice(quotes)}"


def _symbol_swapped(draft: Draft) -> None:
    """Name quote and base in the wrong order."""
    draft.symbol = f"{draft.market.quote}/{draft.market.base}"


def _symbol_leveraged(draft: Draft) -> None:
    """Name a leveraged token."""
    suffix = draft.rng.choice(("3L", "3S", "5L", "UP", "DOWN", "BULL", "BEAR"))
    draft.symbol = f"{draft.market.base}{suffix}/{draft.market.quote}"


def _symbol_perpetual(draft: Draft) -> None:
    """Name a contract instead of the spot market."""
    market = draft.market
    draft.symbol = draft.rng.choice(
        (
            f"{market.symbol}:{market.quote}",
            f"{market.symbol}-PERP",
            f"{market.symbol}.P",
            f"{market.base}-PERP",
            f"{market.symbol}:{market.quote}-251226",
        )
    )


def _symbol_base_alone(draft: Draft) -> None:
    """Name the base without a quote."""
    draft.symbol = draft.rng.choice((draft.market.base, draft.market.base + "/"))


def _symbol_lower_case(draft: Draft) -> None:
    """Write the symbol in small letters, all or in part."""
    market = draft.market
    draft.symbol = draft.rng.choice(
        (market.symbol.lower(), market.symbol.lower(), f"{market.base.title()}/{market.quote}")
    )


_LOOKALIKES = {
    "A": "\u0410",
    "B": "\u0412",
    "C": "\u0421",
    "E": "\u0415",
    "H": "\u041d",
    "I": "\u0406",
    "K": "\u041a",
    "O": "\u041e",
    "P": "\u0420",
    "S": "\u0405",
    "T": "\u0422",
    "X": "\u0425",
}


def _symbol_lookalike(draft: Draft) -> None:
    """Put a Cyrillic letter in place of a Latin one of the same look."""
    symbol = draft.market.symbol
    spot = draft.rng.choice([i for i, char in enumerate(symbol) if char in _LOOKALIKES])
    draft.symbol = symbol[:spot] + _LOOKALIKES[symbol[spot]] + symbol[spot + 1 :]


def _symbol_empty(draft: Draft) -> None:
    """Name no market."""
    draft.symbol = ""


def _invented_id(draft: Draft) -> str:
    """Return an id that the brief does not have."""
    rng = draft.rng
    count = len(draft.brief.figures)
    return rng.choice(
        (
            f"f{count + rng.randint(2, 60)}",
            f"f{count + rng.randint(2, 60)}",
            "f0",
            "f999",
            f"x{rng.randint(1, 9)}",
            f"n{rng.randint(1, 9)}",
            f"news{rng.randint(1, 9)}",
        )
    )


def _field_invented(draft: Draft) -> None:
    """Cite a field that does not exist."""
    draft.reason().cite(draft.rng, _invented_id(draft))


def _field_one_past_last(draft: Draft) -> None:
    """Cite the id that would follow the last one."""
    draft.reason().cite(draft.rng, f"f{len(draft.brief.figures) + 1}")


def _field_name(draft: Draft) -> None:
    """Cite a field by its name."""
    name = draft.rng.choice(list(draft.brief.names.values()))
    if draft.rng.random() < 0.5:
        name = "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
    draft.reason().cite(draft.rng, name)


def _field_empty(draft: Draft) -> None:
    """Cite an empty id."""
    draft.reason().cite(draft.rng, "")


def _field_none_cited(draft: Draft) -> None:
    """Cite no field at all in one reason."""
    reason = draft.reason()
    reason.fields = []
    reason.figures = []


def _set_figure(draft: Draft, key: str, value: Decimal) -> None:
    """State this value for this field, in one reason that cites the field."""
    rng = draft.rng
    if rng.random() < 0.5:
        value = significant(value, rng.choice((4, 5)), ROUND_HALF_EVEN)
    reason = draft.reason()
    reason.cite(rng, key)
    reason.state(rng, key, number_of(rng, value))


def _not_zero(draft: Draft) -> tuple[str, Decimal]:
    """Return a field whose figure is not zero, and the figure."""
    key = draft.rng.choice(draft.brief.ids(lambda figure: figure != 0))
    figure = draft.brief.figures[key]
    assert figure is not None
    return key, figure


def _apart(one: Decimal, other: Decimal) -> bool:
    """Tell whether two numbers differ by more than 6 %."""
    return abs(one - other) > Decimal("0.06") * max(abs(one), abs(other))


def _made_up(rng: random.Random) -> Decimal:
    """Return a number from nowhere, not zero."""
    return signed(rng, size_of(rng, "0.1", "5000"))


def _figure_of_words(draft: Draft) -> None:
    """State a figure for a field that has none."""
    _set_figure(draft, draft.rng.choice(draft.brief.wordy()), _made_up(draft.rng))


def _figure_wrong_sign(draft: Draft) -> None:
    """State a figure with the other sign."""
    key, figure = _not_zero(draft)
    _set_figure(draft, key, -figure)


def _figure_off_by_5_percent(draft: Draft) -> None:
    """State a figure that is about 5 % too great or too small."""
    key, figure = _not_zero(draft)
    factors = ("1.05", "0.95", "1.05", "0.95", "1.06", "0.94", "1.0537", "0.9471")
    _set_figure(draft, key, figure * Decimal(draft.rng.choice(factors)))


def _figure_off_by_10(draft: Draft) -> None:
    """State a figure ten times too great or too small."""
    key, figure = _not_zero(draft)
    _set_figure(draft, key, figure.scaleb(draft.rng.choice((-1, 1))))


def _figure_off_by_100(draft: Draft) -> None:
    """State a figure a hundred times too great or too small."""
    key, figure = _not_zero(draft)
    _set_figure(draft, key, figure.scaleb(draft.rng.choice((-2, 2))))


def _figure_of_other_field(draft: Draft) -> None:
    """State the figure of another field."""
    while True:
        key, figure = _not_zero(draft)
        _, other = _not_zero(draft)
        if _apart(figure, other):
            _set_figure(draft, key, other)
            return


def _figure_made_up(draft: Draft) -> None:
    """State a figure from nowhere."""
    key, figure = _not_zero(draft)
    while True:
        value = _made_up(draft.rng)
        if _apart(figure, value):
            _set_figure(draft, key, value)
            return


def _figure_of_invented_field(draft: Draft) -> None:
    """State a figure for an id that the brief does not have."""
    rng = draft.rng
    past = f"f{len(draft.brief.figures) + 1}"
    key = rng.choice((_invented_id(draft), past, ""))
    _, figure = _not_zero(draft)
    value = rng.choice((figure, _made_up(rng)))
    draft.reason().state(rng, key, number_of(rng, value))


def _figure_said_to_be_zero(draft: Draft) -> None:
    """State zero for a figure of at least 0.1."""
    keys = draft.brief.ids(lambda figure: abs(figure) >= Decimal("0.1"))
    _set_figure(draft, draft.rng.choice(keys), Decimal(0))


def _figure_zero_said_to_be_more(draft: Draft) -> None:
    """State a value for a figure that is zero."""
    keys = draft.brief.ids(lambda figure: figure == 0)
    value = signed(draft.rng, size_of(draft.rng, "0.1", "80"))
    _set_figure(draft, draft.rng.choice(keys), value)


def _share_zero(draft: Draft) -> None:
    """Approve a share of zero."""
    draft.verdict = "approve"
    draft.share = zero(draft.rng)


def _share_above_one(draft: Draft) -> None:
    """Approve more than the trade."""
    draft.verdict = "approve"
    choices = ("1.01", "1.05", "1.1", "1.5", "2", "2.0", "10", "25", "50", "100", "1e1", "1.5e0")
    draft.share = Num(draft.rng.choice(choices))


def _share_negative(draft: Draft) -> None:
    """Approve a share below zero."""
    draft.verdict = "approve"
    draft.share = Num(draft.rng.choice(("-0.05", "-0.1", "-0.5", "-1", "-1.0", "-5e-1")))


def _share_too_small(draft: Draft) -> None:
    """Approve a share above zero and below 0.05."""
    draft.verdict = "approve"
    draft.share = Num(draft.rng.choice(("0.04", "0.03", "0.02", "0.01", "1e-2", "0.001")))


def _direction_against_move(draft: Draft) -> None:
    """Give the move the sign that contradicts the direction."""
    rng = draft.rng
    draft.direction = rng.choice(("bullish", "bearish"))
    size = size_of(rng, "0.3", "20")
    draft.move = number_of(rng, -size if draft.direction == "bullish" else size)


def _neutral_with_large_move(draft: Draft) -> None:
    """Call a move of 10 % to 50 % neutral."""
    draft.direction = "neutral"
    draft.move = number_of(draft.rng, signed(draft.rng, Decimal(draft.rng.randint(10, 50))))


def _move_beyond_range(draft: Draft) -> None:
    """Expect a move of more than 50 %."""
    rng = draft.rng
    size = Decimal(rng.choice(("50.5", "51", "60", "75", "99.9", "100", "250", "1000")))
    draft.direction = rng.choice(("bullish", "bearish"))
    draft.move = number_of(rng, size if draft.direction == "bullish" else -size)


def _horizon_zero(draft: Draft) -> None:
    """Set the horizon to zero."""
    draft.horizon = Num("0")


def _horizon_negative(draft: Draft) -> None:
    """Set the horizon below zero."""
    draft.horizon = Num(draft.rng.choice(("-1", "-3", "-12", "-60")))


def _horizon_too_long(draft: Draft) -> None:
    """Set the horizon above 60 candles."""
    draft.horizon = Num(draft.rng.choice(("61", "72", "100", "168", "365", "100000")))


def _horizon_fraction(draft: Draft) -> None:
    """Set a horizon that is no whole number."""
    draft.horizon = Num(draft.rng.choice(("0.5", "1.5", "2.5", "12.25", "59.9")))


@dataclass(frozen=True)
class Plant:
    """A kind of falsehood: the shapes it fits, and how it is planted."""

    shapes: tuple[str, ...]
    plant: Callable[[Draft], None]
    least_ticks: int = 1
    need: str = ""


_OPINION = (OPINION,)

_PREDICTION = (PREDICTION,)

PLANTS: Mapping[str, Plant] = MappingProxyType(
    {
        "stop_above_market": Plant(_OPINION, stop_above_market),
        "stop_at_ask": Plant(_OPINION, _stop_at_ask),
        "stop_at_bid": Plant(_OPINION, _stop_at_bid),
        "stop_in_spread": Plant(_OPINION, _stop_in_spread, least_ticks=2),
        "stop_zero": Plant(_OPINION, _stop_zero),
        "stop_negative": Plant(_OPINION, _stop_negative),
        "stop_absurdly_far": Plant(_OPINION, _stop_absurdly_far),
        "stop_decimal_slip": Plant(_OPINION, _stop_decimal_slip),
        "stop_as_percent": Plant(_OPINION, _stop_as_percent),
        "stop_of_other_market": Plant(_OPINION, _stop_of_other_market),
        "symbol_other_market": Plant(BOTH, _symbol_other_market),
        "symbol_other_quote": Plant(BOTH, _symbol_other_quote),
        "symbol_swapped": Plant(BOTH, _symbol_swapped),
        "symbol_leveraged": Plant(BOTH, _symbol_leveraged),
        "symbol_perpetual": Plant(BOTH, _symbol_perpetual),
        "symbol_base_alone": Plant(BOTH, _symbol_base_alone),
        "symbol_lower_case": Plant(BOTH, _symbol_lower_case),
        "symbol_lookalike": Plant(BOTH, _symbol_lookalike),
        "symbol_empty": Plant(BOTH, _symbol_empty),
        "field_invented": Plant(BOTH, _field_invented),
        "field_one_past_last": Plant(BOTH, _field_one_past_last),
        "field_name": Plant(BOTH, _field_name),
        "field_empty": Plant(BOTH, _field_empty),
        "field_none_cited": Plant(BOTH, _field_none_cited),
        "figure_of_words": Plant(BOTH, _figure_of_words, need="words"),
        "figure_wrong_sign": Plant(BOTH, _figure_wrong_sign),
        "figure_off_by_5_percent": Plant(BOTH, _figure_off_by_5_percent),
        "figure_off_by_10": Plant(BOTH, _figure_off_by_10),
        "figure_off_by_100": Plant(BOTH, _figure_off_by_100),
        "figure_of_other_field": Plant(BOTH, _figure_of_other_field),
        "figure_made_up": Plant(BOTH, _figure_made_up),
        "figure_of_invented_field": Plant(BOTH, _figure_of_invented_field),
        "figure_said_to_be_zero": Plant(BOTH, _figure_said_to_be_zero),
        "figure_zero_said_to_be_more": Plant(BOTH, _figure_zero_said_to_be_more, need="zero"),
        "share_zero": Plant(_OPINION, _share_zero),
        "share_above_one": Plant(_OPINION, _share_above_one),
        "share_negative": Plant(_OPINION, _share_negative),
        "share_too_small": Plant(_OPINION, _share_too_small),
        "direction_against_move": Plant(_PREDICTION, _direction_against_move),
        "neutral_with_large_move": Plant(_PREDICTION, _neutral_with_large_move),
        "move_beyond_range": Plant(_PREDICTION, _move_beyond_range),
        "horizon_zero": Plant(_PREDICTION, _horizon_zero),
        "horizon_negative": Plant(_PREDICTION, _horizon_negative),
        "horizon_too_long": Plant(_PREDICTION, _horizon_too_long),
        "horizon_fraction": Plant(_PREDICTION, _horizon_fraction),
    }
)

_KINDS = tuple(PLANTS)


def honest(seed: int) -> Case:
    """Return an honest answer."""
    rng = random.Random(f"honest {seed}")
    return case(draft_of(rng, rng.choice(BOTH)), "honest")


def false(seed: int) -> Case:
    """Return an answer with one falsehood; the kinds come in turn."""
    kind = _KINDS[seed % len(_KINDS)]
    plant = PLANTS[kind]
    rng = random.Random(f"false {seed}")
    draft = draft_of(rng, rng.choice(plant.shapes), plant.least_ticks, plant.need)
    plant.plant(draft)
    return case(draft, kind)
