from engine.domain.messages import Person, Role
from handlers.cards import people
from tests.fakes import reports


def test_strangers_are_shown_with_their_ids_and_the_line_that_lets_one_in():
    foreign = reports.stranger(platform="slack", user="T0OTHER/U1", name="", times=1)
    card = people.strangers((foreign, reports.stranger()))
    assert card.title == "2 strangers wrote and got no answer"
    assert card.table is not None
    assert [row for (row,) in card.table.rows] == [
        "T0OTHER/U1",
        "  slack, 1 message",
        "  last 2026-01-03 12:05 UTC",
        "  first 2026-01-03 12:00 UTC",
        "666",
        "  telegram, 3 messages",
        "  Eve (@eve)",
        "  last 2026-01-03 12:05 UTC",
        "  first 2026-01-03 12:00 UTC",
    ]
    assert card.text.endswith(': {"name": "THEIR NAME", "role": "viewer", "telegram": "666"}')
    assert people.strangers((foreign,)).text == ""
    assert people.strangers(()).title == "No strangers"


def test_the_greeting_names_the_person_and_is_not_pinned():
    card = people.start(Person(name="Ann", role=Role.VIEWER))
    assert card.title.startswith("Hello Ann")
    assert "/why A1" in card.text
    assert not card.pinned
