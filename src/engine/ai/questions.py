"""Questions in plain words about the account, answered from what may be read of it: there is nothing here that acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from engine.ai.agents import as_told, speaker
from engine.ai.brief import Line, numbered, safe, written
from engine.ai.prompt_files import Prompt, shipped_prompt
from engine.ai.rules import command_for
from engine.domain.account import Status
from engine.domain.autonomy import Refuse
from engine.domain.briefs import Brief, BriefField
from engine.domain.decisions import Judged
from engine.domain.figures import bounded, plain
from engine.domain.positions import Position
from engine.domain.risk_views import RiskReport, Use
from engine.domain.trade_views import PositionView
from engine.llm.manager import OFF, LLMManager
from engine.llm.validating import Facts, FieldId, Validator

PURPOSE = "question"
LONGEST = 300
"""Letters of a question that are read."""
_DIGITS = 6
"""Of a figure that is shown beside an answer."""
COMMANDS = (
    *("status", "positions", "balance", "count", "profit", "daily", "weekly", "monthly", "performance", "stats"),
    *("strategies", "trades", "chart", "pending", "why", "agents", "digest", "health", "sentiment", "llm"),
    *("risk", "var", "exposure", "predict", "orders", "venues", "quality"),
)
"""What an answer may point to: nothing of it changes anything."""


def _only_reads(command: str) -> str:
    name = command.removeprefix("/")
    if name not in (*COMMANDS, ""):
        raise ValueError("it is none of the commands that only read")
    return name


class AnswerShape(BaseModel):
    """An answer, the fields of the brief that it rests on, and the command that shows more."""

    text: Annotated[str, Field(max_length=700)]
    fields: Annotated[list[FieldId], Field(max_length=8)]
    command: Annotated[str, AfterValidator(_only_reads), Field(json_schema_extra={"enum": [*COMMANDS, ""]})]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a question.

    Attributes:
        text: The answer, in a model's words; empty where rules only know who answers.
        figures: What it cites, as that stands in the brief.
        command: What shows more; empty where nothing does.
        by: Who answered.
        reason: Why nobody did; empty where somebody has.
        by_rules: Whether no model has spoken: rules know no more than the command.
        lacks_model: Whether models are configured for it, and rules had to answer in their place.
    """

    text: str = ""
    figures: tuple[str, ...] = ()
    command: str = ""
    by: str = ""
    reason: str = ""
    by_rules: bool = False
    lacks_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Answers questions by a model, or by the offline analyst."""

    manager: LLMManager
    prompt: Prompt = field(default_factory=lambda: shipped_prompt(PURPOSE, needed=("question", "brief")))

    async def answer(self, question: str, lines: Iterable[Line], now: datetime) -> Told:
        """What is known of it; figures are the brief's own."""
        brief = Brief(symbol="", at=now, fields=numbered(lines))
        asked = self.prompt.asked(question=safe(question[:LONGEST]), brief=written(brief))
        answer = await self.manager.generate(
            asked,
            self.prompt.system,
            AnswerShape,
            PURPOSE,
            validate=Validator(shape=AnswerShape, facts=Facts(symbol="", book=None, figures=brief.figures)),
        )
        if answer.abstains:
            reason = "" if answer.reason == OFF else answer.reason
            return Told(command=command_for(asked), reason=reason, by_rules=True)
        said: AnswerShape = answer.value
        fields = {field.id: field for field in brief.fields}
        return Told(
            text=" ".join(said.text.split()),
            figures=tuple(_cited(fields, each) for each in dict.fromkeys(said.fields)),
            command=said.command,
            by=speaker(answer),
            by_rules=answer.is_offline,
            lacks_model=answer.is_offline and any(not link.is_offline for link in self.manager.chain(PURPOSE, "")),
        )


def _cited(fields: Mapping[str, BriefField], each: str) -> str:
    """A field as people are shown it beside an answer: with what it is in, and a price in full."""
    remark = fields[each].text if fields[each].figure is not None else ""
    return f"{as_told(fields, each, _DIGITS)}{f', {remark}' if remark else ''}"


def account_lines(
    status: Status,
    risk: RiskReport,
    held: Iterable[PositionView],
    trades: Iterable[Position],
    decided: Iterable[Judged],
) -> Iterator[Line]:
    """What is told of an account: how it stands, its risk, what it holds, how trades ended, what was decided."""
    yield from _standing(status)
    yield _share("risk.per_trade", risk.risk_per_trade, "what a trade may lose at its stop, in per cent")
    yield from map(_limit, risk.shares)
    for view in held:
        position = view.position
        about = f"{position.symbol}, {position.context}, since {_moment(position.opened_at)}, worth"
        yield Line(
            name=f"position.{position.id.lower()}", figure=bounded(view.value), text=f"{about}, in {status.quote}"
        )
        yield _share(f"position.{position.id.lower()}_gain", view.share, "its gain after fees, in per cent")
        if position.stop is not None:
            yield Line(name=f"position.{position.id.lower()}_stop", figure=bounded(position.stop), text="its stop")
    for each in trades:
        if not each.is_open:
            about = f"{each.symbol}, {each.context}, closed {_moment(each.closed_at)} by {each.closed_by}"
            yield Line(
                name=f"trade.{each.id.lower()}", figure=bounded(each.net), text=f"{about}: net, in {status.quote}"
            )
    for judged in decided:
        yield _decision(judged)


def _standing(status: Status) -> Iterator[Line]:
    money = {"equity": status.equity, "cash": status.cash, "exposure": status.exposure, "net": status.net}
    for name, value in (money | {"today_net": status.day_net}).items():
        yield Line(name=f"account.{name}", figure=bounded(value), text=f"in {status.quote}")
    shares = (("net_percent", status.share), ("today_percent", status.day_share), ("drawdown_percent", status.drawdown))
    for name, share in shares:
        yield _share(f"account.{name}", share)
    yield Line(name="account.positions", figure=Decimal(status.positions))
    yield Line(name="account.approvals_open", figure=Decimal(status.pending))
    halts = "; ".join(view.halt.reason for view in status.halts) or status.no_entry
    yield Line(name="account.entries", text=safe(f"stopped: {halts}") if halts else "possible")
    for symbol, price in status.prices:
        yield Line(name=f"price.{symbol.lower().replace('/', '_')}", figure=bounded(price))


def _share(name: str, share: Decimal | None, text: str = "in per cent") -> Line:
    if share is None:
        return Line(name=name, text="unknown")
    return Line(name=name, figure=bounded(share * 100), text=text)


def _limit(use: Use) -> Line:
    """What is used of a limit that is a share of equity."""
    limit = "without a limit" if use.limit is None else f"its limit is {plain(use.limit * 100, 4)}"
    return _share(f"risk.{use.name}", use.used, f"in per cent, {limit}")


def _decision(judged: Judged) -> Line:
    decision = judged.decision
    ruling = type(judged.ruling).__name__.lower()
    reasons = "; ".join(getattr(judged.ruling, "reasons", ()) or decision.reasons)
    text = f"{_moment(decision.at)}, {decision.context}, {decision.symbol}: {decision.stance}, {ruling}: {reasons}"
    return Line(name=f"decision.{decision.id.lower()}", text=safe(text), is_foreign=isinstance(judged.ruling, Refuse))


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"
