"""Prints what a panel costs over two months of 2022, asked about every entry and less often, as docs/ai.md has it.

    python -m tests.bench.panel_cost

It needs BTCUSDT-1h and ETHUSDT-1h as candle files in ``$GREENLIGHT_DATA/candles``. The model is on a script: the rules
of the offline analyst answer in its place, and its tokens are counted as four letters each. What a real model would
answer, and how many tokens its own tokenizer counts, is not measured.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot import logs
from bot.backtests.asked import Asked
from bot.backtests.full import full_backtest
from bot.backtests.setups import setup_of
from bot.externals import EXTERNALS
from config.loader import load
from config.settings import Settings
from engine.ai.rules import RULES
from engine.domain.model_calls import ModelReply, ModelRequest, StopReason, Usage
from tests.fakes.database import rows_of

FILES = ("BTCUSDT-1h.parquet", "ETHUSDT-1h.parquet")
BEGINS, ENDS = datetime(2022, 5, 1, tzinfo=UTC), datetime(2022, 7, 1, tzinfo=UTC)
MODEL = "gpt-5-mini"
"""A small model, at its list price: $0.25 for a million tokens that are read, $2 for as many written."""
LETTERS = 4
"""Of a token, as English has them."""
ALWAYS = {
    "BOT_AI__GATE__MIN_CHANGE": "0",
    "BOT_AI__GATE__MAX_COST_SHARE": "null",
    "BOT_AI__GATE__ASK_IN_VAIN": "true",
}
NO_CACHE = {"BOT_LLM__CACHE_TTL": "0s"}
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "about every entry, no cache": ALWAYS | NO_CACHE,
    "about every entry": ALWAYS,
    "by the gate, no cache": NO_CACHE,
    "by the gate, as settings come": {},
    "by the gate, `min_change` 0.5": {"BOT_AI__GATE__MIN_CHANGE": "0.5"},
    "by the gate, `supervisor: in_doubt`": {"BOT_AI__GATE__SUPERVISOR": "in_doubt"},
}
"""Whether the panel is spared questions, and whether an answer answers again."""


@dataclass
class Scripted:
    """Runs a model whose answers are those of the rules, and counts what it is asked."""

    name: str
    asked: list[Usage] = field(default_factory=list)

    async def open(self) -> None:
        """It is ready."""

    async def ask(self, request: ModelRequest) -> ModelReply:
        text = json.dumps(RULES[request.purpose](request) or {})
        read = len(request.system_message) + len(request.prompt) + len(json.dumps(request.schema))
        usage = Usage(input_tokens=read // LETTERS, output_tokens=len(text) // LETTERS + 1)
        self.asked.append(usage)
        return ModelReply(text=text, stop=StopReason.END, usage=usage, model=request.model)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a variant came to.

    Attributes:
        rulings: What was ruled of each entry, by its key, and how much of it was to be bought.
        deliberations: How many of them a panel was asked about anew.
        net: What the account made, in USDT.
    """

    rulings: Mapping[str, tuple[str, Decimal]]
    calls: int
    read: int
    written: int
    cost: Decimal
    deliberations: int
    net: float

    def same_as(self, other: Outcome) -> float:
        """The share of all entries of either that were ruled alike: the same kind, within a hundredth the same size."""
        keys = self.rulings.keys() | other.rulings.keys()
        return sum(_alike(self.rulings.get(key), other.rulings.get(key)) for key in keys) / len(keys)


def _alike(one: tuple[str, Decimal] | None, other: tuple[str, Decimal] | None) -> bool:
    if one is None or other is None or one[0] != other[0]:
        return False
    return abs(one[1] - other[1]) <= max(one[1], other[1]) / 100


def settings_of(environ: Mapping[str, str], folder: Path) -> Settings:
    """The demo's strategies, with a panel that is asked, and nothing predicted."""
    always = {
        "BOT_LLM__PROVIDERS__OPENAI__API_KEY": "sk-scripted",
        "BOT_LLM__PROVIDERS__OPENAI__MODEL": MODEL,
        "BOT_AI__PREDICTION__ENABLED": "false",
        "BOT_SENTIMENT__ENABLED": "false",
        "BOT_LLM__CANARY": "false",
    }
    return load("demo", None, {}, always | environ, folder).settings


def replayed(files: tuple[Path, ...], environ: Mapping[str, str]) -> Outcome:
    """Trade the two months by the limits, everything that would be asked of people approved."""
    with TemporaryDirectory() as name:
        folder, model = Path(name), Scripted(name="openai")
        settings = settings_of(environ, folder)
        asked = Asked(data=files, start=BEGINS, end=ENDS, approved=True, full=True)
        externals = replace(EXTERNALS, models=lambda _: model)
        result = full_backtest(setup_of(asked, settings), settings, externals, folder)
        url = f"sqlite:///{folder / 'greenlight.sqlite'}"
        (spent,) = rows_of(url, "SELECT SUM(cost_usd) AS usd FROM model_calls")
        kept = rows_of(url, "SELECT record FROM decisions WHERE stance = 'enter'")
        return Outcome(
            rulings=dict(_ruling(json.loads(row["record"])) for row in kept),
            calls=len(model.asked),
            read=sum(each.input_tokens for each in model.asked),
            written=sum(each.output_tokens for each in model.asked),
            cost=Decimal(str(spent["usd"] or 0)),
            deliberations=sum(bool(json.loads(row["record"])["opinions"]) for row in kept),
            net=result.net,
        )


def _ruling(record: Mapping[str, Any]) -> tuple[str, tuple[str, Decimal]]:
    plan = record["ruling"].get("plan")
    return record["decision"]["key"], ("bought" if plan else "refused", Decimal(plan["quantity"] if plan else 0))


def table(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """The lines of the table."""
    every = outcomes[next(iter(VARIANTS))]
    yield "| the panel is asked | entries | calls | tokens read | written | $ | less | the same rulings | USDT made |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, found in outcomes.items():
        less = 1 - found.calls / every.calls
        yield (
            f"| {name} | {len(found.rulings)} | {found.calls:,} | {found.read:,} | {found.written:,} | "
            f"{found.cost:.3f} | {less:.1%} | {found.same_as(every):.1%} | {found.net:+,.2f} |"
        )
    yield ""
    yield f"A deliberation of four calls: ${every.cost / (every.calls // 4):.5f} at the list price of {MODEL}."


def main() -> None:
    """Print the table."""
    logs.configure(load("base", None, {}, {}, Path()).settings.logs, ())
    files = tuple(Path(os.environ["GREENLIGHT_DATA"]) / "candles" / name for name in FILES)
    outcomes = {}
    for name, environ in VARIANTS.items():
        sys.stderr.write(f"{name}\n")
        outcomes[name] = replayed(files, environ)
    sys.stdout.write("\n".join(table(outcomes)) + "\n")


if __name__ == "__main__":
    main()
