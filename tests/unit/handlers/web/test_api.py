import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from engine.domain.approvals import Pending, Reply
from engine.domain.errors import VenueError
from engine.domain.halt_views import Exposed
from engine.domain.halts import HaltKind
from engine.domain.unmanaged import Absence
from engine.flow.approvals import Answered
from engine.store.database import PRECEDENCE_FOR
from handlers.web.account_rows import OrderRow, StatusRow
from tests.fakes import reports
from tests.fakes.openapi import mismatch
from tests.fakes.web import TOKEN, opened

BEARER = {"authorization": f"Bearer {TOKEN}"}
LISTS = ["positions", "orders", "fills", "decisions", "approvals", "audit"]
READS = ["status", *LISTS]
MONEY = re.compile(r"-?\d+(\.\d+)?")


@pytest.fixture
async def web(tmp_path):
    async with opened(tmp_path) as room:
        yield room


async def document(web):
    return (await web.client.get("/openapi.json")).json()


@pytest.mark.parametrize("name", READS)
async def test_every_answer_is_what_openapi_says(web, name):
    await web.room.ask()
    await web.client.post("/api/approvals/A17/reject", headers=BEARER)
    answer = await web.client.get(f"/api/{name}", headers=BEARER)
    openapi = await document(web)
    schema = openapi["paths"][f"/api/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert mismatch(answer.json(), schema, openapi) == ""
    assert answer.json()


async def test_a_replay_gives_way_until_a_request_is_answered(web):
    found: list[asyncio.Future[None]] = []

    async def status():
        found.append(asyncio.ensure_future(web.room.database.yield_to_answers()))
        await asyncio.sleep(0)
        assert not found[0].done()
        return reports.status()

    web.room.views.status = status
    assert (await web.client.get("/api/status", headers=BEARER)).status_code == 200
    await asyncio.wait_for(found[0], PRECEDENCE_FOR / 2)


@pytest.mark.parametrize("name", READS)
async def test_every_row_has_an_id_and_a_status(web, name):
    await web.room.ask()
    await web.client.post("/api/approvals/A17/reject", headers=BEARER)
    answer = (await web.client.get(f"/api/{name}", headers=BEARER)).json()
    for row in answer if isinstance(answer, list) else [answer]:
        assert row["id"]
        assert row["status"]


async def test_money_is_written_out_in_full(web):
    rows = (await web.client.get("/api/orders", headers=BEARER)).json()
    assert rows[1]["fee"] == "0.00000001"
    assert all(MONEY.fullmatch(row[name]) for row in rows for name in ("quantity", "filled", "fee"))
    assert OrderRow.of(reports.order(fee=Decimal("1E+3"))).model_dump()["fee"] == "1000"


async def test_openapi_names_exactly_the_routes(web):
    assert set((await document(web))["paths"]) == {
        "/health",
        "/ready",
        "/metrics",
        "/api/status",
        *(f"/api/{name}" for name in LISTS),
        "/api/approvals/{approval_id}/approve",
        "/api/approvals/{approval_id}/reject",
        "/api/emergency",
    }


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_is_as_long_as_asked(web, name):
    assert len((await web.client.get(f"/api/{name}?limit=1", headers=BEARER)).json()) <= 1
    assert (await web.client.get(f"/api/{name}?limit=0", headers=BEARER)).status_code == 422
    assert (await web.client.get(f"/api/{name}?limit=1000000", headers=BEARER)).status_code == 422


async def test_positions_are_the_open_ones_unless_asked_otherwise(web):
    web.room.views.trades_by_id = {"T3": reports.position(), "T2": reports.closed_position(id="T2")}

    async def ids(query):
        return [row["id"] for row in (await web.client.get(f"/api/positions{query}", headers=BEARER)).json()]

    assert await ids("") == ["T3"]
    assert await ids("?status=closed") == ["T2"]
    assert await ids("?status=all") == ["T3", "T2"]


async def test_of_many_closed_trades_the_newest_are_shown_and_then_those_before_them(web):
    """Seen: with many open ones the closed were cut off before they were looked for."""
    trades = [reports.position(id=f"T{n}") if n % 3 else reports.closed_position(id=f"T{n}") for n in range(1, 2000)]
    web.room.views.trades_by_id = {trade.id: trade for trade in reversed(trades)}
    shown, query = [], "status=closed&limit=500"
    while query:
        answer = await web.client.get(f"/api/positions?{query}", headers=BEARER)
        shown += [row["id"] for row in answer.json()]
        query = answer.links.get("next", {}).get("url", "").removeprefix("?")
    assert shown == [trade.id for trade in reversed(trades) if not trade.is_open]
    newest = await web.client.get("/api/positions?status=closed&limit=2", headers=BEARER)
    assert [row["id"] for row in newest.json()] == ["T1998", "T1995"]


@pytest.mark.parametrize("name", LISTS)
async def test_every_list_goes_on_before_a_row(web, name):
    await web.client.post("/api/approvals/A17/reject", headers=BEARER)
    assert (await web.client.get(f"/api/{name}?before=X0", headers=BEARER)).json() == []
    assert (await web.client.get(f"/api/{name}?before=17", headers=BEARER)).status_code == 422


@pytest.mark.parametrize("shown", [None, "Bearer wrong", "Basic abc", "Bearer", TOKEN])
async def test_a_stranger_learns_nothing(web, shown):
    for name in READS:
        answer = await web.client.get(f"/api/{name}", headers={"authorization": shown} if shown else {})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert set(answer.json()) == {"detail"}


async def test_a_wrong_token_is_audited_but_cannot_fill_the_audit(web):
    for _ in range(30):
        await web.client.get("/api/status", headers={"authorization": "Bearer wrong"})
    rows = (await web.client.get("/api/audit", headers=BEARER)).json()
    assert {(row["platform"], row["person"], row["status"]) for row in rows} == {("api", "", "refused: wrong token")}
    assert len(rows) == 10


async def test_without_a_token_in_the_configuration_no_token_is_right(tmp_path):
    async with opened(tmp_path, token=None) as web:
        for shown in ("x", "None", TOKEN):
            answer = await web.client.get("/api/status", headers={"authorization": f"Bearer {shown}"})
            assert answer.status_code == 401


async def test_a_signed_in_browser_needs_no_token(web):
    async with web.enter("Vic") as browser:
        assert (await browser.get("/api/status")).status_code == 200


async def test_a_wrong_token_is_not_mended_by_a_cookie(web):
    async with web.enter("Ann") as browser:
        answer = await browser.get("/api/status", headers={"authorization": "Bearer wrong"})
        assert answer.status_code == 401


async def test_approving_orders_and_tells_what_came_of_it(web):
    await web.room.ask()
    answer = await web.client.post("/api/approvals/A17/approve", headers=BEARER)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["id"], told["status"], told["reply"]) == ("A17", "ordered", "taken")
    assert told["approval"]["votes"][0] | {"at": ""} == {"person": "api", "half": False, "at": ""}
    openapi = await document(web)
    schema = openapi["paths"]["/api/approvals/{approval_id}/approve"]["post"]["responses"]["200"]
    assert mismatch(told, schema["content"]["application/json"]["schema"], openapi) == ""


async def test_half_is_approved_when_half_is_asked_for(web):
    await web.room.ask()
    answer = await web.client.post("/api/approvals/A17/approve", headers=BEARER, json={"half": True})
    assert answer.json()["approval"]["votes"][0]["half"] is True


async def test_a_rejection_keeps_its_reason(web):
    await web.room.ask()
    answer = await web.client.post("/api/approvals/A17/reject", headers=BEARER, json={"reason": "too late in the day"})
    assert answer.json()["approval"]["reasons"] == ["too late in the day"]
    assert answer.json()["approval"]["by"] == ["api"]


async def test_who_comes_too_late_is_told_who_was_first(web):
    await web.room.ask()
    async with web.enter("Tom") as browser:
        await browser.post("/api/approvals/A17/approve")
    answer = await web.client.post("/api/approvals/A17/reject", headers=BEARER)
    assert answer.status_code == 409
    assert (answer.json()["by"], answer.json()["status"]) == (["Tom"], "ordered")
    assert "Tom" in answer.json()["detail"]


async def test_an_expired_question_cannot_be_answered(web):
    await web.room.ask()
    web.room.clock.pass_(timedelta(hours=1))
    answer = await web.client.post("/api/approvals/A17/approve", headers=BEARER)
    assert (answer.status_code, answer.json()["status"], answer.json()["by"]) == (409, "expired", [])


async def test_the_same_person_cannot_vote_twice(web):
    await web.room.ask(votes_needed=2)
    async with web.enter("Tom") as browser:
        first = await browser.post("/api/approvals/A17/approve")
        assert (first.status_code, first.json()["reply"], first.json()["status"]) == (200, "counted", "pending")
        second = await browser.post("/api/approvals/A17/approve")
        assert (second.status_code, second.json()["by"]) == (409, [])


async def test_missing_data_says_to_answer_again(web):
    asked = await web.room.ask()

    class Dry:
        async def answer(self, *_):
            return Answered(reply=Reply.TAKEN, approval=asked)

    object.__setattr__(web.app.state.services, "desk", Dry())
    answer = await web.client.post("/api/approvals/A17/approve", headers=BEARER)
    assert isinstance(asked.state, Pending)
    assert answer.status_code == 503
    assert "again" in answer.json()["detail"]


async def test_while_entries_are_halted_the_answer_says_so_and_the_question_stays_open(web):
    asked = await web.room.ask()

    class Paused:
        async def answer(self, *_):
            return Answered(reply=Reply.HALTED, approval=asked, halt=reports.halt(reason="paused by Ada"))

    object.__setattr__(web.app.state.services, "desk", Paused())
    answer = await web.client.post("/api/approvals/A17/approve", headers=BEARER)
    assert (answer.status_code, answer.json()["status"], answer.json()["by"]) == (409, "pending", [])
    assert answer.json()["detail"].startswith("No new entries: paused by Ada, until somebody resumes (H1).")


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_an_unknown_question_is_not_found(web, verb):
    answer = await web.client.post(f"/api/approvals/A99/{verb}", headers=BEARER)
    assert answer.status_code == 404
    assert "A99" in answer.json()["detail"]


async def test_a_viewer_may_look_but_not_answer(web):
    await web.room.ask()
    async with web.enter("Vic") as browser:
        answer = await browser.post("/api/approvals/A17/approve")
    assert answer.status_code == 403
    assert "trader" in answer.json()["detail"]
    assert web.room.views.approvals_by_id["A17"].status == "pending"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("approvals?status=pending", "There is no status here. Known here: before, limit."),
        ("orders?limits=3", "There is no limits here. Did you mean limit? Known here: before, limit."),
        (
            "positions?state=open",
            "There is no state here. Did you mean status? Known here: before, limit, status.",
        ),
        ("status?x=1", "There is no x here. Nothing can be asked for here."),
        ("emergency?now=1", "There is no now here. Nothing can be asked for here."),
    ],
)
async def test_a_name_in_the_query_that_nobody_reads_is_refused(web, path, told):
    answer = await web.client.get(f"/api/{path}", headers=BEARER)
    assert (answer.status_code, [fault["msg"] for fault in answer.json()["detail"]]) == (422, [told])
    assert (await web.client.get(f"/api/{path}")).status_code == 401


async def test_an_approval_whose_query_nobody_reads_is_not_given(web):
    """Half is said in the body; half of it in the query would have bought all."""
    await web.room.ask()
    answer = await web.client.post("/api/approvals/A17/approve?half=true", headers=BEARER)
    assert answer.status_code == 422
    assert web.room.views.approvals_by_id["A17"].status == "pending"


@pytest.mark.parametrize(
    ("verb", "body"),
    [("approve", {"half": "yes"}), ("approve", {"halve": True}), ("reject", {"reason": "x" * 501}), ("reject", [])],
)
async def test_a_body_that_is_not_understood_changes_nothing(web, verb, body):
    await web.room.ask()
    answer = await web.client.post(f"/api/approvals/A17/{verb}", headers=BEARER, json=body)
    assert answer.status_code == 422
    assert {"loc", "msg", "type"} <= set(answer.json()["detail"][0])
    assert web.room.views.approvals_by_id["A17"].status == "pending"


async def test_every_answer_and_every_refusal_is_audited(web):
    await web.room.ask()
    await web.client.post("/api/approvals/A17/approve", headers=BEARER, json={"half": True})
    await web.client.post("/api/approvals/A99/reject", headers=BEARER)
    async with web.enter("Vic") as browser:
        await browser.post("/api/approvals/A17/approve")
    rows = (await web.client.get("/api/audit", headers=BEARER)).json()
    assert [(row["platform"], row["person"], row["action"]) for row in rows] == [
        ("web", "Vic", "approve A17"),
        ("web", "Vic", "enter"),
        ("api", "api", "reject A99"),
        ("api", "api", "half A17"),
    ]


async def test_of_many_answers_at_once_one_wins_and_the_others_are_told(web):
    await web.room.ask()
    answers = await asyncio.gather(*(web.client.post("/api/approvals/A17/approve", headers=BEARER) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19


async def test_health_tells_strangers_no_details(web):
    answer = await web.client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "parts": [{"name": "store", "status": "ok"}, {"name": "telegram", "status": "ok"}],
    }


async def test_ready_is_told_only_once_everything_has_started(web):
    assert (await web.client.get("/ready")).json() == {"status": "ready"}
    web.room.ready = False
    answer = await web.client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "starting"})


async def test_nothing_is_ready_while_nothing_can_be_written(web):
    web.room.views.unwritten = (replace(reports.halt(HaltKind.STORE, reason="The disk is full."), id=""),)
    answer = await web.client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "cannot write"})
    web.room.views.unwritten = ()
    assert (await web.client.get("/ready")).status_code == 200


async def test_the_unexpected_gets_an_id_that_is_also_in_the_log_and_gives_no_secret_away(web):
    web.room.views.broken = True
    with capture_logs() as logs:
        answer = await web.client.get("/api/status", headers=BEARER)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert logs[0]["reference"] in answer.json()["detail"]


async def test_the_token_is_none_of_the_two_people_that_a_question_needs(web):
    await web.room.ask(votes_needed=2)
    for body in (None, {"half": True}):
        answer = await web.client.post("/api/approvals/A17/approve", headers=BEARER, json=body)
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("A17 needs 2 people, and the token is none.")
    assert web.room.views.approvals_by_id["A17"].state == Pending()
    (row, _) = (await web.client.get("/api/audit", headers=BEARER)).json()
    assert (row["action"], row["status"]) == ("half A17", "A17 needs 2 people, and the token is none.")
    async with web.enter("Ann") as ann, web.enter("Tom") as tom:
        assert (await ann.post("/api/approvals/A17/approve")).json()["reply"] == "counted"
        assert (await tom.post("/api/approvals/A17/approve")).json()["reply"] == "taken"


async def test_the_token_may_reject_what_needs_two_people_to_approve(web):
    await web.room.ask(votes_needed=2)
    assert (await web.client.post("/api/approvals/A17/reject", headers=BEARER)).json()["status"] == "declined"


async def test_an_id_is_understood_in_small_letters(web):
    await web.room.ask()
    assert (await web.client.post("/api/approvals/a17/reject", headers=BEARER)).json()["id"] == "A17"


async def test_the_emergency_stop_tells_what_is_held_at_the_prices_of_now(web):
    async def exposed():
        return Exposed(entries=(), positions=(reports.position(),), approvals=0)

    web.room.views.exposed = exposed
    (row,) = (await web.client.get("/api/emergency", headers=BEARER)).json()["positions"]
    (held,) = (await web.client.get("/api/positions", headers=BEARER)).json()
    assert row == held
    assert (row["price"], row["value"], row["protected"]) == ("20100.00", "124.02", True)

    async def away():
        raise VenueError("The venue is away.")

    web.room.views.positions = away
    (row,) = (await web.client.get("/api/emergency", headers=BEARER)).json()["positions"]
    assert (row["id"], row["price"]) == ("T3", None), "nobody has to wait for a venue to see what would be sold"
    assert (await web.client.post("/api/emergency", headers=BEARER)).status_code == 200


async def test_what_no_strategy_manages_is_named_with_its_reason(web):
    async def held():
        return (reports.position_view(unmanaged=Absence.VENUE),)

    web.room.views.positions, web.room.views.changes = held, {"unmanaged": ("T3",)}
    (row,) = (await web.client.get("/api/positions", headers=BEARER)).json()
    status = (await web.client.get("/api/status", headers=BEARER)).json()
    assert (row["unmanaged"], status["unmanaged"]) == ("venue", ["T3"])
    assert StatusRow.model_validate(status).report().unmanaged == ("T3",)


async def test_what_was_worked_out_has_a_bounded_number_of_digits(web):
    third = Decimal(1) / 3
    web.room.views.changes = {"drawdown": third / 10, "equity": 10_000 + third, "no_entry": "the clock is off"}
    status = (await web.client.get("/api/status", headers=BEARER)).json()
    assert (status["drawdown"], status["equity"]) == ("0.0333333333333", "10000.33333333")
    assert status["prices"] == [{"symbol": "BTC/USDT", "price": "20000.00"}]
    assert status["no_entry"] == "the clock is off"
    assert (
        OrderRow.of(reports.order(filled=Decimal(3), cost=Decimal(60_001))).model_dump()["average"] == "20000.33333333"
    )


async def test_the_emergency_stop_can_be_looked_at_by_all_and_called_by_admins(web):
    async with web.enter("Vic") as browser:
        assert (await browser.get("/api/emergency")).json() == {
            "entries": [],
            "positions": [],
            "approvals": 0,
            "keeps_stops": False,
            "standing": None,
        }
        refused = await browser.post("/api/emergency")
        assert (refused.status_code, web.room.desk.stopped_by) == (403, [])
    called = await web.client.post("/api/emergency", headers=BEARER)
    assert (called.status_code, called.json()["id"], called.json()["status"]) == (200, "H2", "active")
    assert web.room.desk.stopped_by == ["api"]
    audited = (await web.client.get("/api/audit", headers=BEARER)).json()
    assert [(row["person"], row["action"], row["status"]) for row in audited[:2]] == [
        ("api", "emergency", "called: H2"),
        ("Vic", "emergency", "The emergency stop needs the role admin; yours is viewer."),
    ]
