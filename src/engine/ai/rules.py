"""How the offline analyst answers each role, by rules over the same brief that a model would get. Pure, and free.

It is no model, has no confidence of its own, and is labelled wherever people see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.ai.brief import read_back
from engine.ai.evidence import Evidence, Figures, balance, evidence_in, evidence_of, figures_of
from engine.domain.briefs import BriefField
from engine.domain.decisions import spoken
from engine.domain.market import Timeframe
from engine.domain.model_calls import ModelRequest

Said = Mapping[str, Any]
Rule = Callable[[ModelRequest], Said | None]

VETO_BELOW, HALF_BELOW = -0.45, -0.15
"""The balance of the evidence below which the analyst is against a trade, or for half of it."""
_WILD, _TOO_WILD = 4.0, 9.0
"""Average true range in per cent of the price, above which risk makes a trade smaller, or has none."""
_DEAD = 0.15
"""Volume ratio below which there is no trade."""
_SULLEN = -0.6
"""Sentiment below which half of a trade is made."""
_HORIZON = 12
_NEUTRAL_WITHIN = 0.1
"""The balance within which a prediction takes no side."""
_MOVE = 2.0
"""What is expected where all evidence points one way, in average true ranges."""
_MOST_MOVE = 50.0
"""Per cent that are expected at most."""
_MOST_REASONS = 3
_MAIN_REASON_GONE = "its main reason no longer holds"
"""What would change a mind that the first of its reasons made: they are told beside it."""
_ABOUT = (
    ("agents", ("panel", "agent", "objection", "advocate", "supervisor")),
    ("why", ("why", "reason", "warum")),
    ("pending", ("approv", "pending", "waiting", "decide")),
    ("sentiment", ("sentiment", "news", "reddit", "mood", "fear")),
    ("llm", ("model", "llm", "openai", "budget", "token")),
    ("stats", ("win rate", "average", "best", "worst", "longest")),
    ("performance", ("per market", "which coin", "which market", "performance", "by strategy")),
    ("profit", ("profit", "loss", "lose", "lost", "made", "earn", "p&l", "pnl", "gewinn")),
    ("predict", ("predict", "expect", "forecast")),
    ("var", ("value at risk", "worst day")),
    ("exposure", ("expos",)),
    ("risk", ("limit", "risk", "room")),
    ("count", ("how many positions",)),
    ("positions", ("position", "hold", "held", "open", "stop", "target")),
    ("trades", ("trade", "bought", "sold")),
    ("balance", ("balance", "cash", "money", "coins", "own")),
    ("strategies", ("strateg",)),
    ("health", ("health", "platform", "telegram", "slack", "venue")),
    ("digest", ("today", "digest", "heute")),
)
"""The commands, each with words of questions that it answers; the first that fits."""


def analyst(request: ModelRequest) -> Said | None:
    """For or against by the balance of all evidence."""
    fields = read_back(request.prompt)
    found = evidence_in(fields)
    if not found:
        return None
    total = balance(found)
    if total < VETO_BELOW:
        return _said(request, "veto", _against(found), flip="the evidence turns")
    if total < HALF_BELOW:
        against = _against(found)
        return _said(request, "approve", against, share=0.5, flip=_MAIN_REASON_GONE)
    reasons = (_favourable if total > 0 else _against)(found) or found[:1]
    return _said(request, "approve", reasons, flip=_flip(_against(found), "the trend turns"))


def risk(request: ModelRequest) -> Said | None:
    """What could go wrong: each limit by itself, the strictest holds."""
    fields = read_back(request.prompt)
    figures = figures_of(fields)
    found = [(share, each) for share, each in _cautions(figures)]
    if not found:
        return _said(request, "approve", _nothing(fields, "no figure of the brief is out of bounds"))
    share = min(share for share, _ in found)
    reasons = [each for _, each in sorted(found, key=lambda one: one[0])][:_MOST_REASONS]
    if not share:
        return _said(request, "veto", reasons, flip=_MAIN_REASON_GONE)
    return _said(request, "approve", reasons, share=share, flip=_MAIN_REASON_GONE)


def devils_advocate(request: ModelRequest) -> Said | None:
    """The strongest evidence against it, whatever the rest says."""
    fields = read_back(request.prompt)
    against = _against(evidence_in(fields))
    if not against:
        return _said(request, "approve", _nothing(fields, "nothing in the brief speaks against it"))
    strongest = against[0]
    share = round(1 - max(-strongest.strength - 0.5, 0.0) / 2, 2)
    return _said(request, "approve", against[:_MOST_REASONS], share=share, flip=_MAIN_REASON_GONE)


def supervisor(request: ModelRequest) -> Said | None:
    """What the others leave of it: any veto stands, and of shares the smallest."""
    fields = read_back(request.prompt)
    verdicts = [field for field in fields if field.name.endswith(".verdict")]
    shares = {field.name.removesuffix(".share"): field for field in fields if field.name.endswith(".share")}
    if not verdicts:
        return None
    against = [field for field in verdicts if field.text == "veto"]
    if against:
        names = ", ".join(spoken(field.name.removesuffix(".verdict")) for field in against)
        reason = Evidence(strength=-1.0, text=f"{names} would not make it", fields=tuple(f.id for f in against[:4]))
        return _said(request, "veto", [reason], flip="no veto")
    if not shares:
        return _said(request, "abstain", [Evidence(strength=0.0, text="nobody has spoken", fields=(verdicts[0].id,))])
    smallest = min(shares, key=lambda name: shares[name].figure or 1)
    share = float(shares[smallest].figure or 1)
    text = "nobody is against it" if share == 1 else f"{spoken(smallest)} would make less of it"
    reason = Evidence(strength=share, text=text, fields=(shares[smallest].id,))
    return _said(request, "approve", [reason], share=share, flip="a veto")


def prediction(request: ModelRequest) -> Said | None:
    """The balance of the evidence of one timeframe, in average true ranges of it."""
    timeframe = next(
        (line.partition(": ")[2] for line in request.prompt.splitlines() if line.startswith("Timeframe: ")), ""
    )
    if timeframe not in tuple(Timeframe):
        return None
    return predicted(figures_of(read_back(request.prompt)), timeframe, _symbol(request))


def predicted(figures: Figures, timeframe: str, symbol: str) -> Said | None:
    """What the figures of a brief let expect of a market on one timeframe; ``None`` where they say nothing of it."""
    found = evidence_of(figures, timeframe)
    if not found:
        return None
    atr = figures.get(f"{timeframe}.atr_percent")
    total = balance(found)
    move = max(-_MOST_MOVE, min(_MOST_MOVE, round(total * _MOVE * (atr[1] if atr else 1.0), 4)))
    if abs(total) < _NEUTRAL_WITHIN or not move:
        direction, move, shown = "neutral", 0.0, list(found)
    else:
        direction = "bullish" if total > 0 else "bearish"
        shown = [each for each in found if each.strength * total > 0]
    return {
        "symbol": symbol,
        "direction": direction,
        "expected_move_percent": move,
        "horizon_candles": _HORIZON,
        "reasons": _reasons(shown[:_MOST_REASONS]),
    }


def question(request: ModelRequest) -> Said | None:
    """Which command answers: it has no words of its own."""
    return {"text": "", "fields": [], "command": command_for(request.prompt)}


def command_for(prompt: str) -> str:
    """The command that answers the question of a prompt, by its words."""
    asked = prompt.rpartition("<quoted>")[2].casefold()
    return next((name for name, words in _ABOUT if any(word in asked for word in words)), "status")


RULES: Mapping[str, Rule] = {
    "analyst": analyst,
    "risk": risk,
    "devils_advocate": devils_advocate,
    "supervisor": supervisor,
    "prediction": prediction,
    "question": question,
}
"""The rules by what they are asked for."""


def _cautions(figures: Figures) -> list[tuple[float, Evidence]]:
    """What is out of bounds, each with the share of the trade that it leaves."""
    found: list[tuple[float, Evidence]] = []
    for timeframe in Timeframe:
        if (atr := figures.get(f"{timeframe}.atr_percent")) is not None and timeframe.duration <= Timeframe.H4.duration:
            if atr[1] > _TOO_WILD:
                found.append((0.0, _out(f"the average true range on {timeframe} is too wide", atr[0])))
            elif atr[1] > _WILD:
                found.append((0.5, _out(f"the average true range on {timeframe} is wide", atr[0])))
        if (volume := figures.get(f"{timeframe}.volume_ratio")) is not None and volume[1] < _DEAD:
            found.append((0.0, _out(f"next to nothing is traded on {timeframe}", volume[0])))
    if (mood := figures.get("sentiment")) is not None and mood[1] < _SULLEN:
        found.append((0.5, _out("what is said of it is very bearish", mood[0])))
    return found


def _out(text: str, field: str) -> Evidence:
    return Evidence(strength=-1.0, text=text, fields=(field,))


def _against(found: Sequence[Evidence]) -> list[Evidence]:
    return [each for each in found if each.strength < 0][:_MOST_REASONS]


def _favourable(found: Sequence[Evidence]) -> list[Evidence]:
    return [each for each in found if each.strength > 0][:_MOST_REASONS]


def _nothing(fields: Sequence[BriefField], text: str) -> list[Evidence]:
    return [Evidence(strength=0.0, text=text, fields=(fields[0].id,))] if fields else []


def _flip(against: Sequence[Evidence], otherwise: str) -> str:
    return f"{against[0].text}, and more like it" if against else otherwise


def _said(
    request: ModelRequest, verdict: str, reasons: Sequence[Evidence], *, share: float = 1.0, flip: str = ""
) -> Said | None:
    if not reasons:
        return None
    return {
        "symbol": _symbol(request),
        "verdict": verdict,
        "share": share,
        "stop": None,
        "reasons": _reasons(reasons),
        "flip": flip,
    }


def _reasons(found: Sequence[Evidence]) -> list[Said]:
    return [{"text": each.text, "fields": list(each.fields[:4])} for each in found]


def _symbol(request: ModelRequest) -> str:
    """The market that is asked about, as the question names it."""
    return next((line.partition(": ")[2] for line in request.prompt.splitlines() if line.startswith("Symbol: ")), "")
