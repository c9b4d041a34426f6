from engine.ai.grades import GradedModels
from engine.domain.model_views import ModelsView
from tests.fakes import reports
from tests.fakes.engine import Room, at
from tests.fakes.graded import close_trades


async def test_closed_trades_are_graded_beside_how_the_models_are(room: Room):
    await room.store.transact(lambda uow: close_trades(uow, [(0.9, True), (0.6, False)], begin=at(0)))

    async def overview() -> ModelsView:
        return reports.models_view()

    view = await GradedModels(overview=overview, store=room.store).view()
    (grade,) = view.grades
    assert (grade.strategy, grade.timeframe, grade.found.trades) == ("momentum", "1h", 2)
    assert round(grade.found.brier, 6) == round((0.01 + 0.36) / 2, 6)
    assert view.calls == reports.models_view().calls


async def test_where_nobody_is_asked_nothing_is_graded(room: Room):
    async def off() -> ModelsView:
        return ModelsView(is_on=False)

    assert await GradedModels(overview=off, store=room.store).view() == ModelsView(is_on=False)
