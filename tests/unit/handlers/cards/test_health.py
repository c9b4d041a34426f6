from handlers.cards import health
from tests.fakes import reports


def test_health_names_what_is_not_well():
    assert health.health(reports.health()).title == "All is well"
    sick = health.health(reports.health(ok=False))
    assert sick.title == "Not well: telegram"
    assert [(item.title, item.text) for item in sick.items] == [
        ("store: ok", "written 2 s ago"),
        ("telegram: NOT OK", "no answer for 40 s"),
    ]
