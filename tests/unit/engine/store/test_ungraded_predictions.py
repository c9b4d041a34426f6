"""Predictions that wait for what comes of them, as they are known to who asks again and again."""

from __future__ import annotations

from dataclasses import replace

from engine.domain.market import Timeframe
from engine.domain.predictions import KeptPrediction, Reason, Trend, TrendPrediction
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.reports import NOON


def _kept(symbol: str) -> KeptPrediction:
    said = TrendPrediction(
        venue="paper",
        symbol=symbol,
        timeframe=Timeframe.H1,
        at=NOON,
        made_at=NOON,
        direction=Trend.BULLISH,
        expected_move=0.02,
        horizon=3,
        reasons=(Reason(text="it rises", fields=("f1",)),),
        by="offline analyst",
        is_offline=True,
    )
    return KeptPrediction(prediction=said, close=100.0)


def _ungraded(uow: UnitOfWork) -> set[KeptPrediction]:
    return set(uow.predictions.ungraded())


async def test_what_is_known_without_asking_again_is_what_is_kept(store: Database):
    first, second = _kept("BTC/USDT"), _kept("ETH/USDT")
    changed = replace(first, close=first.close + 1)

    with store.group_commit():
        await store.transact(lambda uow: uow.predictions.add([first]))
        assert await store.read(_ungraded) == {first}
        await store.transact(lambda uow: uow.predictions.add([second]))
        assert await store.read(_ungraded) == {first, second}
        await store.transact(lambda uow: uow.predictions.add([changed]))
        assert await store.read(_ungraded) == {first, second}, "what is kept stays as it was"
        await store.transact(lambda uow: uow.predictions.grade([second.graded(1.0, NOON)]))
        assert await store.read(_ungraded) == {first}
        await store.flush()
    assert await store.read(_ungraded) == {first}
