"""How long the scoring of a text takes, and how long the loop waits while fifty thousand are read."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.domain.sentiment import SourceText
from engine.sentiment.classifier import load_model
from engine.sentiment.matching import Matcher
from engine.sentiment.reading import TextReader
from engine.sentiment.scorers import classifier, vader
from engine.sentiment.training import OWN, read_labelled
from tests.bench.conftest import Tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOW = datetime(2026, 3, 4, tzinfo=UTC)
EACH = 1_000
MANY = 50_000


def test_a_text(benchmark: BenchmarkFixture, tell: Tell) -> None:
    texts = read_labelled(OWN).texts
    posts = [" ".join(texts[at : at + 6]) for at in range(len(texts) - 6)]
    model = load_model()

    def measured() -> tuple[float, float]:
        return tuple(_milliseconds(model.rate, some) for some in (texts, posts))  # type: ignore[return-value]

    headline, post = benchmark.pedantic(measured, rounds=1)
    tell(f"a headline of {_length(texts)} characters is scored in", headline, "ms", "<= 1")
    tell(f"a post of {_length(posts)} characters is scored in", post, "ms", "<= 1")


def test_how_long_the_loop_waits_while_texts_are_read(benchmark: BenchmarkFixture, tell: Tell) -> None:
    titles = read_labelled(OWN).texts
    texts = [
        SourceText(
            source="news",
            title=f"Bitcoin {number}: {titles[number % len(titles)]}",
            body="<p>&amp;\u202e" * 20_000 if number % 100 == 0 else "Hostile \u0301\u0301\u0301 body. " * 40,
            at=NOW - timedelta(seconds=number),
        )
        for number in range(MANY)
    ]

    def measured() -> dict[str, float]:
        return {scorer.name: asyncio.run(_longest_wait(texts, scorer)) for scorer in (classifier(), vader())}

    for name, wait in benchmark.pedantic(measured, rounds=1).items():
        tell(f"{MANY} texts, scored by {name}: the loop waits at the most", wait * 1_000, "ms", "<= 50")


async def _longest_wait(texts: list[SourceText], scorer: object) -> float:
    """Seconds of this process's own processor time between two turns of the loop."""
    reader = TextReader(matcher=Matcher(), scorer=scorer, oldest=timedelta(days=1))  # type: ignore[arg-type]
    reading = asyncio.create_task(reader.read(texts, NOW))
    longest = 0.0
    while not reading.done():
        began = time.process_time()
        await asyncio.sleep(0.001)
        longest = max(longest, time.process_time() - began)
    assert len(await reading) > 0
    return longest


def _milliseconds(rate: object, texts: list[str] | tuple[str, ...]) -> float:
    """Processor time for one text, in the mean."""
    rounds = EACH // len(texts) + 1
    began = time.process_time()
    for _ in range(rounds):
        for text in texts:
            rate(text)  # type: ignore[operator]
    return (time.process_time() - began) / (rounds * len(texts)) * 1_000


def _length(texts: list[str] | tuple[str, ...]) -> int:
    return round(sum(map(len, texts)) / len(texts))
