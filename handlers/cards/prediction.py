"""What is expected of a market as a card. Pure.

Reasons may be a model's words: they are shown as they were cleaned, and are never a command, a mention or a link.
"""

from __future__ import annotations

from engine.domain.messages import BREAK, Card, Item
from engine.domain.predictions import PredictionView, TrackRecord, Trend, TrendOutlook, TrendPrediction
from handlers.cards import wording
from handlers.cards.foreign import inert
from handlers.cards.lines import listed
from handlers.cards.sentiment import score

BY_RULES = "Rules made this, the offline analyst, and no model."


def card(view: PredictionView) -> Card:
    """What is expected of a market: all timeframes together, each by itself with its age, and those that are missing.

    Args:
        view: What is known.
    """
    outlook = view.outlook
    late = {timeframe for timeframe, _ in outlook.missing}
    by_rules = bool(outlook.predictions) and all(each.is_offline for each in outlook.predictions)
    return Card(
        title=_title(outlook),
        fields=tuple(_fields(view)),
        items=tuple(
            _item(each, outlook, view.record.get(each.timeframe, TrackRecord()), is_late=each.timeframe in late)
            for each in outlook.predictions
        ),
        text=wording.lines(
            *(f"{timeframe} counts nothing: {reason}." for timeframe, reason in outlook.missing),
            *(_own(context, each) for context, each in view.own.items()),
            BY_RULES if by_rules else "",
        ),
    )


def _title(outlook: TrendOutlook) -> str:
    if len(outlook.missing) and not _counting(outlook):
        return f"Prediction for {outlook.symbol}: nothing is known"
    return f"Prediction for {outlook.symbol}: {outlook.direction}"


def _own(context: str, outlook: TrendOutlook) -> str:
    """What a context is told in place of that, by which prompt and how many votes."""
    counting = _counting(outlook)
    if not counting:
        return f"{context} asks in its own way: nothing is known by it."
    move = "" if outlook.direction is Trend.NEUTRAL else f" {wording.signed_percent(outlook.expected_move)}"
    told = ", ".join(f"{each.timeframe} {each.direction}" for each in counting)
    return f"{context} asks in its own way, by {counting[0].prompt}: {outlook.direction}{move} ({told})."


def _counting(outlook: TrendOutlook) -> list[TrendPrediction]:
    late = {timeframe for timeframe, _ in outlook.missing}
    return [each for each in outlook.predictions if each.timeframe not in late]


def _fields(view: PredictionView) -> list[tuple[str, str]]:
    outlook, found = view.outlook, list[tuple[str, str]]()
    if _counting(outlook):
        found.append(("Alignment", score(outlook.alignment)))
    if outlook.direction is not Trend.NEUTRAL:
        found.append(("Expected move", wording.signed_percent(outlook.expected_move)))
    if outlook.confidence is not None:
        found.append(("Confidence", wording.percent(outlook.confidence)))
    graded = sum(record.graded for record in view.record.values())
    right = sum(record.right for record in view.record.values())
    found.append(("Right of late", f"{right} of {graded}" if graded else "none was graded yet"))
    return found


def _item(prediction: TrendPrediction, outlook: TrendOutlook, record: TrackRecord, *, is_late: bool) -> Item:
    move = "" if prediction.direction is Trend.NEUTRAL else f" {wording.signed_percent(prediction.expected_move)}"
    within = wording.span(prediction.due_at - prediction.at)
    late = ", late" if is_late else ""
    told = f", {record.right} of {record.graded} right" if record.graded else ""
    return Item(
        title=f"{prediction.timeframe} {prediction.direction}{move} {BREAK}within {within}",
        text=wording.lines(
            listed(f"{wording.span(outlook.at - prediction.made_at)} ago{late}{told}"),
            *(listed(inert(reason.text)) for reason in prediction.reasons),
            listed(f"by {prediction.by}"),
        ),
    )
