"""What is remembered of the gate's reports: the newest of each kind, and at how many closes."""

from datetime import timedelta

from engine.analysis.quality_log import QualityLog
from engine.domain.decisions import Issue, QualityReport
from engine.domain.market import Listing, Timeframe
from engine.domain.quality_views import Outcome
from tests.fakes.feed import hand_candles

BTC, ETH = Listing("paper", "BTC/USDT"), Listing("paper", "ETH/USDT")
CANDLES = hand_candles([(10.0, 11.0, 9.0, 10.0, 5.0)] * 60)
AT = CANDLES.closed_at


def issue(kind: str, detail: str = "") -> Issue:
    return Issue(kind=kind, detail=detail)


def test_the_same_kind_counts_once_a_close_and_keeps_its_newest_words() -> None:
    log = QualityLog()
    for hours, words in ((0, "1 missing"), (0, "1 missing"), (1, "2 missing")):
        log.note(BTC, AT + timedelta(hours=hours), CANDLES, QualityReport(repaired=(issue("gap", words),)))
    ((known,), none) = log.of(BTC), log.of(ETH)
    (finding,) = known.findings
    assert (finding.outcome, finding.detail, finding.closes) == (Outcome.REPAIRED, "2 missing", 2)
    assert (known.usable, known.closed_at, finding.last, none) == (True, AT, AT + timedelta(hours=1), ())


def test_what_was_refused_is_remembered_once_the_data_is_good_again() -> None:
    log = QualityLog()
    log.note(BTC, AT, CANDLES, QualityReport(refused=(issue("spike"),)))
    assert not log.of(BTC)[0].usable
    log.note(BTC, AT + timedelta(hours=1), CANDLES, QualityReport())
    (known,) = log.of(BTC)
    assert known.usable
    assert [each.outcome for each in known.findings] == [Outcome.REFUSED]


def test_a_short_history_is_no_bad_data_but_is_told() -> None:
    log = QualityLog()
    log.note(BTC, AT, hand_candles([(10.0, 11.0, 9.0, 10.0, 5.0)] * 3), QualityReport(refused=(issue("too few"),)))
    both = QualityReport(refused=(issue("too few"), issue("future")))
    log.note(ETH, AT, CANDLES, both)
    assert [(each.usable, each.findings[0].outcome) for each in log.of(BTC)] == [(True, Outcome.SHORT)]
    assert [each.usable for each in log.of(ETH)] == [False]
    assert log.of(BTC)[0].timeframe is Timeframe.H1
