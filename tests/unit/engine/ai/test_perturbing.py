from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.ai.brief import Line, lines_of, numbered, read_back, written
from engine.ai.evidence import balance, evidence_in
from engine.ai.perturbing import masked, turned, with_figures
from engine.domain.briefs import Brief
from engine.domain.decisions import TechnicalSignals
from tests.fakes import reports

NOON = datetime(2022, 5, 1, 12, tzinfo=UTC)


def brief(signals: TechnicalSignals, *more: Line, symbol: str = "BTC/USDT") -> Brief:
    return Brief(symbol=symbol, at=NOON, fields=numbered((*lines_of(signals), *more)))


RISING = brief(
    reports.signals(at=NOON, ma_50=19_000.0, macd_histogram=2.0, rsi=65.0, atr=300.0, resistances=(21_000.0,)),
    Line(name="sentiment", figure=Decimal("0.4"), text="all sources"),
    Line(name="headline.1", text="Bitcoin on 2022-05-01", is_foreign=True),
)


def test_without_name_and_date_nothing_tells_which_coin_it_is_or_when():
    told = written(masked(RISING))
    assert not any(clue in told for clue in ("BTC", "Bitcoin", "2022", "20000", "19200"))
    assert masked(RISING).figure("1h.close") == 100
    assert masked(RISING).figure("1h.ma_50") == 95


def test_without_name_and_date_the_evidence_is_the_same():
    own, plain = (balance(evidence_in(each.fields)) for each in (masked(RISING), RISING))
    assert own == pytest.approx(plain)


def test_a_brief_of_the_same_market_at_other_prices_is_the_same_without_its_name():
    doubled = reports.signals(at=NOON, close=40_000.0, ma_200=38_400.25, bollinger_lower=38_000.0)
    one = masked(brief(reports.signals(at=NOON))).named("1h.ma_200")
    other = masked(brief(doubled, symbol="ETH/USDT")).named("1h.ma_200")
    assert one == other


def test_turned_round_the_evidence_points_the_other_way():
    assert balance(evidence_in(RISING.fields)) > 0.1
    assert balance(evidence_in(turned(RISING).fields)) < -0.1


def test_turned_round_every_reading_is_that_of_the_opposite_market():
    found = turned(RISING)
    assert found.figure("1h.rsi") == 35
    assert found.figure("1h.macd_histogram") == -2
    assert found.figure("1h.ma_50") == 21_000
    assert (found.figure("1h.bollinger_lower"), found.figure("1h.bollinger_upper")) == (20_000, 21_000)
    assert found.figure("1h.support_percent") == -RISING.figure("1h.resistance_percent")
    assert found.figure("sentiment") == Decimal("-0.4")
    assert found.figure("1h.close") == RISING.figure("1h.close")
    assert found.figure("1h.volume_ratio") == RISING.figure("1h.volume_ratio")
    assert found.named("1h.patterns").text == "three_white_soldiers bearish"


def test_turned_round_twice_it_is_as_it_was():
    assert turned(turned(RISING)) == RISING


def test_the_figures_of_another_stand_under_its_own_name_and_date():
    other = brief(reports.signals(rsi=20.0), symbol="ETH/USDT")
    found = with_figures(RISING, other)
    assert (found.symbol, found.at, found.fields) == ("BTC/USDT", NOON, other.fields)


@pytest.mark.parametrize("change", [masked, turned])
def test_what_is_changed_can_be_written_and_read_back(change):
    found = change(RISING)
    ids = [each.id for each in read_back(written(found))]
    assert sorted(ids) == sorted(each.id for each in found.fields)
    assert replace(found, fields=()) is not found
