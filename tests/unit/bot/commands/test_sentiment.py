"""``bot sentiment``: texts are scored beside the coins they are about, and what cannot be done is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.command_line import bot


def test_texts_are_scored(tmp_path: Path) -> None:
    found = bot(tmp_path, "sentiment", "score", "Chainlink (LINK) soars to a record", "I lost it all, total scam", "")
    assert found.returncode == 0, found.stderr
    good, bad, empty = found.stdout.splitlines()
    assert good.startswith("+0.")
    assert good.endswith("  LINK: Chainlink (LINK) soars to a record")
    assert bad.startswith("-0.")
    assert "no coin: I lost it all" in bad
    assert empty.strip() == "none  no coin:"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("score", "up", "--model", "nowhere.npz"), "nowhere.npz: there is no such model."),
        (("train", "nowhere"), "twitter_financial_news_train.csv cannot be read"),
        (("measure", "nowhere"), "docs/sentiment-model.md says where it is had"),
    ],
)
def test_what_is_missing_is_named(words: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    found = bot(tmp_path, "sentiment", *words)
    assert found.returncode == 2
    assert reason in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.slow
def test_a_model_that_is_trained_can_be_used(tmp_path: Path) -> None:
    rows = "".join(
        f"{text} {n},{label}\n" for n in range(9) for text, label in (("up", "positive"), ("down", "negative"))
    )
    for name in ("twitter_financial_news_train.csv", "surge_reddit_crypto_human.csv"):
        (tmp_path / name).write_text("text,label\n" + rows)
    trained = bot(tmp_path, "sentiment", "train", ".", "--out", "mine.npz")
    assert trained.returncode == 0, trained.stderr
    assert "trained on 18 + 18 + " in trained.stdout
    scored = bot(tmp_path, "sentiment", "score", "up up", "down down", "--model", "mine.npz")
    assert [line[0] for line in scored.stdout.splitlines()] == ["+", "-"]
