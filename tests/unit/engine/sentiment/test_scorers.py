"""Scorers behind one another: who cannot score at all is passed over, said once, and asked again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.domain.errors import DataError, GreenlightError
from engine.sentiment.classifier import SHIPPED
from engine.sentiment.scorers import FirstThatWorks, LocalScorer, classifier, vader


class Moody:
    """Works or not, as it is told."""

    name = "moody"
    trouble = ""

    def __init__(self) -> None:
        self.works = False

    async def score(self, texts: Sequence[str]) -> tuple[float | None, ...]:
        if not self.works:
            raise GreenlightError("not today")
        return (0.25,) * len(texts)


async def test_a_model_that_is_put_in_place_later_is_found(tmp_path: Path) -> None:
    scorer = classifier(tmp_path / "model.npz")
    with pytest.raises(DataError, match="no such model"):
        await scorer.score(["up"])
    (tmp_path / "model.npz").write_bytes(SHIPPED.read_bytes())
    assert await scorer.score(["up"]) == await classifier().score(["up"])


async def test_the_next_one_answers_where_one_cannot_and_it_is_said_once() -> None:
    moody = Moody()
    scorer = FirstThatWorks(moody, vader())
    with capture_logs() as told:
        for _ in range(3):
            assert await scorer.score(["a great day"]) == await vader().score(["a great day"])
    assert [each["scorer"] for each in told] == ["moody"]
    assert (scorer.name, scorer.trouble) == ("vader", "not today")
    moody.works = True
    assert await scorer.score(["a great day"]) == (0.25,)
    assert (scorer.name, scorer.trouble) == ("moody", "")
    moody.works = False
    with capture_logs() as told:
        await scorer.score(["a great day"])
    assert len(told) == 1


async def test_where_none_can_the_last_ones_reason_is_told() -> None:
    def unable() -> None:
        raise GreenlightError("VADER is not installed.")

    with pytest.raises(GreenlightError, match="VADER"):
        await FirstThatWorks(Moody(), LocalScorer("vader", unable)).score(["up"])  # type: ignore[arg-type]


async def test_words_of_crypto_are_known_to_vader() -> None:
    (up, down, plain) = await vader().score(["mooning", "rugpull", "gas and shares"])
    assert up is not None
    assert down is not None
    assert up > 0.4 > -0.4 > down
    assert plain == 0
