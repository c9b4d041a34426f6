"""What files tell of the past: nothing of it is known before it was published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.domain.errors import DataError
from engine.sentiment.assembling import SentimentTerms
from engine.sentiment.history import FEAR_GREED, NEWS, SentimentHistory
from engine.sentiment.history_files import read_history
from engine.sentiment.matching import Matcher

TERMS = SentimentTerms(
    weights={NEWS: 2.0, FEAR_GREED: 1.0},
    window=timedelta(days=2),
    half_life=timedelta(hours=12),
    figure_age=timedelta(hours=36),
)
HEADLINES = """\
date,text
2022-05-09 04:42:00,Bitcoin soars to a record
2022-05-09 04:43:00,Bitcoin soars to a record
2022-05-10 06:00:00,"Ethereum falls, Solana too"
2022-05-11 06:00:00,The weather is fine in Spain
2022-05-12,Bitcoin crashes
"""
INDEX = """\
date,value,timestamp
2022-05-09,25,1652054400
2022-05-10,75,1652140800
"""


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2022, 5, day, hour, minute, tzinfo=UTC)


def read(folder: Path, *texts: str) -> SentimentHistory:
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.csv")
        files[-1].write_text(text)
    return read_history(files, TERMS, Matcher(), lambda text: -1.0 if "crash" in text else 1.0)


def test_a_row_is_known_from_its_moment_on_and_a_day_alone_from_its_end(tmp_path: Path):
    history = read(tmp_path, HEADLINES, INDEX)
    assert history.of("BTC/USDT", at(8, 23, 59)).parts == ()
    (index,) = history.of("BTC/USDT", at(9)).parts
    assert (index.source, index.score) == (FEAR_GREED, -0.5)
    assert history.of("BTC/USDT", at(9, 4, 41)).headlines == ()
    assert [each.title for each in history.of("BTC/USDT", at(9, 4, 42)).headlines] == ["Bitcoin soars to a record"]
    assert [each.score for each in history.of("BTC/USDT", at(10)).parts if each.source == FEAR_GREED] == [0.5]
    assert history.of("BTC/USDT", at(12, 23, 59)).headlines == ()
    assert [each.title for each in history.of("BTC/USDT", at(13)).headlines] == ["Bitcoin crashes"]


def test_a_market_hears_of_its_own_coin_and_what_is_too_old_counts_no_more(tmp_path: Path):
    history = read(tmp_path, HEADLINES, INDEX)
    assert [each.title for each in history.of("ETH/USDT", at(11)).headlines] == ["Ethereum falls, Solana too"]
    assert history.of("ETH/USDT", at(12, 7)).parts == ()


def test_it_tells_how_much_of_a_time_it_has(tmp_path: Path):
    found = {each.source: each for each in read(tmp_path, HEADLINES, INDEX).coverage("ETH/USDT", at(9), at(13))}
    assert {name: each.days for name, each in found.items()} == {FEAR_GREED: 0.5, NEWS: 0.25}
    assert (found[FEAR_GREED].first, found[FEAR_GREED].last) == (at(9), at(10))
    assert read(tmp_path, INDEX).coverage("BTC/USDT", at(20), at(21))[0].days == 0
    assert [each.source for each in read(tmp_path, INDEX).coverage("BTC/USDT", at(9), at(10))] == [FEAR_GREED]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,words\n2022-05-01,hello\n", "is no history of sentiment"),
        ("date,value\n2022-05-01,many\n", "many of 2022-05-02 is no value of the index"),
        ("date,value\n2022-05-01,nan\n", "nan of 2022-05-02 is no value of the index"),
        ("date,value\n2022-05-01,101\n", "101 of"),
        ("date,text\nyesterday,Bitcoin falls\n", "line 2: it does not say when"),
        ("date,text\n", ""),
        ("timestamp,value\n99999999999999999,5\n", "line 2: it does not say when"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, text: str, said: str):
    if not said:
        assert read(tmp_path, text).texts == []
        return
    with pytest.raises(DataError, match=said):
        read(tmp_path, text)


def test_what_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "binary.csv").write_bytes(b"date,text\n\xff\xfe\x00")
    for name, said in (("gone.csv", "cannot be read: No such file"), ("binary.csv", "is no CSV in UTF-8")):
        with pytest.raises(DataError, match=said):
            read_history([tmp_path / name], TERMS, Matcher(), len)
