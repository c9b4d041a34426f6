"""English passes, and what is too short to tell; other languages and scripts do not."""

from __future__ import annotations

import csv

import pytest

from engine.sentiment.language import is_english
from tests.fakes.data import real_file


@pytest.mark.parametrize(
    "text",
    [
        "Bitcoin rises above $100K for the first time",
        "$BTC 🚀🚀🚀",
        "HODL",
        "El Salvador buys more Bitcoin",
        "Bitcoin en route to a new high",
        "Café owner accepts ether",
        "To the moon, says Łukasz",
        "",
        "12.5 %",
    ],
)
def test_english(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "El sol sale para todos y el precio de Bitcoin sube",
        "Der Bitcoin steigt auf ein neues Hoch und die Anleger sind nicht überrascht",
        "Le bitcoin est en hausse dans les marchés",
        "O preço do Bitcoin não para de subir",
        "Il prezzo di bitcoin è in calo dopo la decisione della Fed",
        "Bitcoin fiyatı bir ayın en yüksek seviyesinde ve yatırımcılar için çok önemli",  # noqa: RUF001
        "Harga Bitcoin naik dan tidak akan turun",
        "比特币价格上涨",
        "BTC 上涨 今天",
        "Биткоин вырос на 5%",
        "ビットコイン BTC",
        "سعر البيتكوين",
        "비트코인 가격",
    ],
)
def test_another_language(text: str) -> None:
    assert not is_english(text)


def test_real_headlines_and_posts_are_english() -> None:
    for name, column in (
        ("news/cryptonews_com_titles_unlabelled.csv", "title"),
        ("sentiment/surge_reddit_crypto_human.csv", "text"),
    ):
        with real_file(name).open(encoding="utf-8", newline="") as file:
            texts = [row[column] for row in csv.DictReader(file)]
        lost = [text for text in texts if not is_english(text)]
        assert len(lost) <= len(texts) / 200, lost
