"""Roles, buttons and cards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.approvals import Verb
from engine.domain.closing import Choice
from engine.domain.errors import StoreError
from engine.domain.messages import CALLBACK_BYTES, Button, Card, Role, Table


def test_each_role_includes_the_ones_before_it():
    allowed = {(role, other) for role in Role for other in Role if role.includes(other)}
    assert allowed == {
        (Role.VIEWER, Role.VIEWER),
        (Role.TRADER, Role.VIEWER),
        (Role.TRADER, Role.TRADER),
        *((Role.ADMIN, other) for other in Role),
    }


@given(
    st.sampled_from([*Verb, *Choice]), st.text(min_size=1, max_size=20).filter(lambda text: len(text.encode()) <= 50)
)
def test_a_press_carries_what_its_button_said(verb: Verb | Choice, about: str):
    button = Button(label="Approve", verb=verb, about=about)
    assert Button.parse(button.data) == (verb, about)


@given(st.text())
def test_a_forged_press_is_none_of_ours(data: str):
    parsed = Button.parse(data)
    assert parsed is None or f"{parsed[0]}:{parsed[1]}" == data


@pytest.mark.parametrize(
    "data", ["", "approve", "approve:", ":A1", "APPROVE:A1", "delete:A1", "close", "keep:", "asked:C1"]
)
def test_what_is_no_button_of_ours_is_recognised(data: str):
    assert Button.parse(data) is None


def test_a_button_that_no_platform_could_carry_is_refused():
    longest = "A" * (CALLBACK_BYTES - len("approve:"))
    assert len(Button(label="ok", verb=Verb.APPROVE, about=longest).data) == CALLBACK_BYTES
    with pytest.raises(ValueError, match="more than 64 bytes"):
        Button(label="ok", verb=Verb.APPROVE, about=longest + "A")


def test_the_plain_text_of_a_card_leaves_nothing_out():
    card = Card(
        title="Buy?",
        fields=(("Price", "100"), ("Stop", "90")),
        text="The set-up appeared.",
        table=Table(head=("a", "b"), rows=(("1", "2"),)),
    )
    assert card.plain == "Buy?\nPrice: 100\nStop: 90\nThe set-up appeared.\na  b\n1  2"
    assert Card(title="Only a title").plain == "Only a title"


def test_an_error_says_what_is_wrong_and_what_to_do():
    assert str(StoreError("It is full.", "Make room.")) == "It is full. Make room."
    assert str(StoreError("It is full.")) == "It is full."
