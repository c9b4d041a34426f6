"""Domain objects to JSON and back, exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.domain.approvals import State
from engine.domain.decisions import Judged
from engine.domain.digests import Digest
from engine.domain.events import Event
from engine.domain.messages import Card, Ref
from engine.domain.plans import TradePlan
from engine.store import codec
from tests.fakes.anything import anything
from tests.fakes.events import EVENTS
from tests.fakes.examples import examples
from tests.fakes.reports import digest, judged, plan

KEPT = (*get_args(Event), *get_args(State), TradePlan, Ref, Digest)


@examples(15)
@pytest.mark.parametrize("kind", KEPT, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_everything_that_is_kept_comes_back_as_it_was(kind: type[Any], data: st.DataObject):
    value = data.draw(anything(kind))
    assert codec.load(kind, codec.dump(value)) == value


@examples(60)
@given(anything(Judged))
def test_a_whole_record_comes_back_as_it_was(record: Judged):
    back = codec.load(Judged, codec.dump(record))
    assert back == record
    assert type(back.ruling) is type(record.ruling)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_card_comes_back_as_it_was(title: str, text: str):
    card = Card(title=title, text=text, fields=((text, title),), graph=(1.5, -2.0))
    assert codec.load(Card, codec.dump(card)) == card


@pytest.mark.parametrize("value", [*EVENTS, judged(), plan(), digest()], ids=lambda value: type(value).__name__)
def test_writing_what_was_read_writes_the_same(value: Any):
    text = codec.dump(value)
    assert codec.dump(codec.load(type(value), text)) == text


def test_no_decimal_is_written_with_an_exponent():
    found = codec.dump(plan(quantity=Decimal("1E-8"), price=Decimal("2E+4"), stop=Decimal("0E-8")))
    assert '"quantity":"0.00000001","price":"20000","stop":"0.00000000"' in found
    assert codec.dump_as(tuple[Decimal, ...], (Decimal("1E-9"),)) == '["0.000000001"]'


def test_what_is_something_else_is_refused():
    with pytest.raises(ValidationError):
        codec.load(TradePlan, '{"key": "k"}')
