from engine.domain.errors import BadInput
from handlers.cards import errors


def test_an_error_says_what_to_do():
    card = errors.error(BadInput("That is not an id.", "Usage: /why ID"))
    assert card.plain == "That is not an id.\nUsage: /why ID"
