"""Which of several contexts is heard on a coin: by examples, and what holds whatever they want."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.decisions import Stance
from engine.strategies.consolidation import UNOPPOSED, Consolidation, Voice, settle, turns

SETTLING = [mode for mode in Consolidation if mode is not Consolidation.OWN]
MODES = st.sampled_from(Consolidation)


@st.composite
def voices(draw: st.DrawFn) -> tuple[Voice, ...]:
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=6))
    return tuple(
        Voice(
            context=name,
            stance=(stance := draw(st.sampled_from((Stance.ENTER, Stance.EXIT)))),
            confidence=draw(st.floats(0, 1)) if stance is Stance.ENTER else 1.0,
            weight=draw(st.floats(0.01, 100)),
            priority=draw(st.integers(-3, 3)),
            at_once=draw(st.booleans()),
        )
        for name in names
    )


def enters(name: str, **more: float) -> Voice:
    return replace(Voice(context=name, stance=Stance.ENTER), **more)


def leaves(name: str, **more: float) -> Voice:
    return replace(Voice(context=name, stance=Stance.EXIT), **more)


@given(MODES, voices())
def test_nothing_is_bought_that_is_being_sold(mode: Consolidation, said: tuple[Voice, ...]) -> None:
    """Of those that want opposite things, either no entry is made, or every exit waits for one that is."""
    found = settle(mode, "BTC", said)
    entries = {each.context for each in said if each.stance is Stance.ENTER}
    exits = {each.context for each in said if each.stance is Stance.EXIT}
    if mode is Consolidation.OWN or not entries or not exits:
        assert found == UNOPPOSED
        return
    assert found.heard == entries - set(found.held_back)
    assert set(found.held_back) <= entries
    assert set(found.waiting) == (exits if found.heard else set())


@given(MODES, voices())
def test_who_has_to_be_asked_first_is_never_waited_for(mode: Consolidation, said: tuple[Voice, ...]) -> None:
    found = settle(mode, "BTC", said)
    assert not found.heard & {each.context for each in said if not each.at_once}


@given(MODES, voices(), st.randoms(use_true_random=False))
def test_the_order_of_contexts_says_nothing(mode: Consolidation, said: tuple[Voice, ...], random: object) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = settle(mode, "BTC", said), settle(mode, "BTC", shuffled)
    assert one.heard == other.heard
    assert set(one.held_back) == set(other.held_back)


@given(voices(), st.sampled_from("abcdef"))
def test_more_weight_or_priority_never_turns_what_a_context_wanted_around(said: tuple[Voice, ...], name: str) -> None:
    more = tuple(
        replace(each, weight=each.weight * 2, priority=each.priority + 1) if each.context == name else each
        for each in said
    )
    for mode in SETTLING:
        before, after = settle(mode, "BTC", said), settle(mode, "BTC", more)
        if name in before.heard:
            assert name in after.heard
        if name not in before.waiting:
            assert name not in after.waiting


@given(MODES, voices())
def test_every_reason_names_another_context_the_coin_and_the_mode(mode: Consolidation, said: tuple[Voice, ...]) -> None:
    found = settle(mode, "BTC", said)
    for name, reason in {**found.held_back, **found.waiting}.items():
        others = [each.context for each in said if each.context != name]
        assert any(other in reason.split(" ")[0] or f" {other} " in reason for other in others)
        assert f"consolidation: {mode}" in reason
        assert "BTC" in reason


def test_by_priority_the_higher_is_heard_and_of_equal_ones_who_leaves() -> None:
    low, high, out = enters("low", priority=1), enters("high", priority=3), leaves("out", priority=2)
    found = settle(Consolidation.PRIORITISED, "BTC", (low, out, high))
    assert found.heard == {"high"}
    assert found.held_back == {
        "low": "out wants out of BTC at this close: its priority is 2, that of low 1 (consolidation: prioritised)"
    }
    assert found.waiting == {
        "out": "high buys BTC at this close: priority 3 against 2; the stop stands until the next"
        " (consolidation: prioritised)"
    }
    assert not settle(Consolidation.PRIORITISED, "BTC", (replace(high, priority=2), out)).heard


def test_by_weight_confidence_counts_and_sides_add_up() -> None:
    """0.5 * 2 + 0.7 * 1 = 1.70 against 1.5; with less confidence 1.5 against 1.5, and who leaves is heard."""
    both = enters("a", weight=2, confidence=0.5), enters("b", weight=1, confidence=0.7)
    out = leaves("out", weight=1.5)
    assert settle(Consolidation.WEIGHTED, "BTC", (*both, out)).heard == {"a", "b"}
    less = settle(Consolidation.WEIGHTED, "BTC", (both[0], enters("b", confidence=0.5), out))
    assert not less.heard
    assert less.held_back["a"] == (
        "out wants out of BTC at this close: 1.50 of weight for leaving, 1.50 for entering (consolidation: weighted)"
    )


def test_netted_who_leaves_is_heard_however_many_enter() -> None:
    many = tuple(enters(name, weight=100, priority=100) for name in "abc")
    found = settle(Consolidation.NETTED, "BTC", (*many, leaves("out")))
    assert set(found.held_back) == set("abc")
    assert not found.waiting


@pytest.mark.parametrize(("mode", "first"), [("own", 0), ("netted", 0), ("prioritised", -7), ("weighted", -2.5)])
def test_who_counts_more_is_asked_first(mode: str, first: float) -> None:
    assert turns(Consolidation(mode), 2.5, 7) == first
