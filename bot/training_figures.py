"""What a training came to, and what a policy is, as text for the terminal."""

from __future__ import annotations

from bot.training import TrainedPolicy, told
from engine.backtest.policy_worth import Gain, Row, Worth
from engine.learning.features import FEATURES
from engine.learning.policy import Policy, PolicyCard
from engine.learning.splits import Stretch
from handlers.backtests.figures import NONE, ratio
from handlers.cards.wording import percent, signed_percent

_HEADS = ("growth", "Sharpe", "drawdown", "mean size", "entries", "trades")


def training_text(found: TrainedPolicy) -> str:
    """What a training came to."""
    lines = [
        f"trained    {_span(found.splits.train)}, {found.steps:,} decisions",
        f"validated  {_span(found.splits.validation)}",
        f"tested     {_span(found.splits.test)}, once",
        *(f"seed {seed:<6}{_rounds(rounds, reward)}" for seed, rounds, reward in found.seeds),
    ]
    if found.worth is None:
        lines.append("stopped    --resume goes on from the last whole round")
        return "\n".join(lines)
    lines += ["", *worth_lines(found.worth), "", f"took       {found.seconds:.0f} s"]
    return "\n".join(lines)


def _rounds(rounds: int, reward: float) -> str:
    return f"{rounds} rounds, validation {reward:+.2f}" if rounds else "not a whole round"


def worth_lines(worth: Worth) -> list[str]:
    """What a policy came to on the test, beside others, and whether that is better."""
    width = max(len(each.name) for each in worth.rows)
    lines = ["".ljust(width) + "".join(head.rjust(11) for head in _HEADS)]
    lines += [_row(each, width) for each in worth.rows]
    lines += ["", "A year's growth beyond the others', with 95 % of what chance makes of it:"]
    lines += [f"  {each.over.ljust(width)} {_gain(each)}" for each in worth.gains]
    lines += ["", verdict(worth)]
    return lines


def verdict(worth: Worth) -> str:
    """Whether a policy is better, in one sentence."""
    if worth.degenerate:
        return f"It is degenerate: {worth.degenerate}."
    if worth.is_better:
        return "It is better than all of them: every interval lies above 0."
    unsure = [each.over for each in worth.gains if not each.is_sure]
    return f"No improvement is shown over {', '.join(unsure)}: the interval does not lie above 0. Leave it advisory."


def policy_text(policy: Policy) -> str:
    """What is known of a policy."""
    card = policy.card
    layers = " ─▶ ".join(str(each.shape[0]) for each in policy.weights)
    lines = [
        f"policy     {card.name}",
        f"trained    {card.begins} to {card.ends} UTC on {card.timeframe} candles, {card.steps:,} decisions",
        *(f"on         {each}" for each in card.contexts),
        f"candles    {card.data}",
        f"seeds      {', '.join(map(str, card.seeds))}; taken: {card.seed}",
        f"network    {len(card.features)} features ─▶ {layers}",
        f"may        {_bounds(card)}",
        f"degenerate {card.degenerate or 'no'}",
        "",
        f"{'feature':<19}{'least':>10}{'mean':>10}{'most':>10}",
    ]
    for number, name in enumerate(FEATURES):
        if policy.deviation[number] > 0:
            seen = (policy.low[number], policy.mean[number], policy.high[number])
            lines.append(f"{name:<19}" + "".join(f"{float(each):>10.4g}" for each in seen))
        else:
            lines.append(f"{name:<19}{'never changed in training: not looked at':>42}")
    lines += ["", *(f"{name:<44}{value:>10.4f}" for name, value in card.figures.items())]
    return "\n".join(lines)


def _bounds(card: PolicyCard) -> str:
    own = card.bounds
    return (
        f"buy up to {percent(own.max_scale)} of the size, take {own.max_shift:.2f} off confidence, "
        f"keep {percent(own.min_stop_share)} of the stop's distance"
    )


def _row(row: Row, width: int) -> str:
    unknown = f" ({row.unknown} not known)" if row.unknown else ""
    parts = (
        signed_percent(row.growth),
        ratio(row.sharpe),
        percent(row.drawdown),
        f"{row.scale:.0%}",
        f"{row.entries:,}",
        f"{row.trades:,}",
    )
    return row.name.ljust(width) + "".join(each.rjust(11) for each in parts) + unknown


def _gain(gain: Gain) -> str:
    if gain.interval is None:
        return f"{signed_percent(gain.mean):>9}  {NONE}"
    return (
        f"{signed_percent(gain.mean):>9}  {signed_percent(gain.interval.low)} to {signed_percent(gain.interval.high)}"
    )


def _span(stretch: Stretch) -> str:
    return f"{told(stretch.begin_ms)} to {told(stretch.end_ms)} UTC"
