"""Cards as Block Kit, held against the strict fake's checks of Slack's limits."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.approvals import Verb
from engine.domain.messages import Button, Card, Item, Table
from handlers.cards.lines import entry
from handlers.cards.monospace import aligned, clean, sparkline
from handlers.slack.blocks import LIMIT, MOST_BLOCKS, Part, addressed, chunks, render, size
from tests.fakes.examples import examples
from tests.fakes.slack_blocks import MESSAGE_BLOCKS, buttons_of, checked, plain, readable

UPDATE_LIMIT = 4000


def texts() -> st.SearchStrategy[str]:
    words = st.sampled_from(["*bold*", "_x_", "`", "```", "<@U1>", "&amp;", ":smile:", "https://a.b", "🚀", "\n", " "])
    return st.lists(st.text(max_size=8) | words, max_size=4).map("".join)


def cards() -> st.SearchStrategy[Card]:
    long = st.builds(lambda text, times: text * times, texts(), st.integers(1, 400))
    rows = st.lists(st.tuples(texts(), texts()), max_size=3).map(tuple)
    return st.builds(
        Card,
        title=texts() | long,
        fields=st.lists(st.tuples(texts(), texts() | long), max_size=12).map(tuple),
        text=texts() | long,
        items=st.lists(st.builds(Item, title=texts() | long, text=texts() | long), max_size=12).map(tuple),
        table=st.none() | st.builds(Table, head=st.just(("A", "B")), rows=rows),
        graph=st.lists(st.floats(), max_size=5).map(tuple),
        buttons=st.lists(st.builds(Button, label=texts() | long, verb=st.sampled_from(Verb), about=st.just("A1"))).map(
            lambda buttons: tuple({button.data: button for button in buttons}.values())
        ),
    )


def seen(part: Part) -> str:
    names = map(str, count())
    return plain(checked(list(part.blocks), most=MESSAGE_BLOCKS, name=lambda: next(names)))


def squeezed(text: str) -> str:
    return "".join(text.split())


@examples(60)
@given(card=cards())
def test_slack_takes_every_message_with_and_without_its_blocks(card: Card) -> None:
    for part in render(card):
        seen(part)
        seen(addressed(part, "U1"))
        assert part.text.strip()
        assert len(addressed(part, "U1").text) <= UPDATE_LIMIT


@examples(60)
@given(card=cards())
def test_nothing_is_lost_by_splitting(card: Card) -> None:
    shown = squeezed("".join(seen(part) for part in render(card)))
    wanted = [card.title, *(text for field in card.fields for text in field), card.text, sparkline(card.graph)]
    wanted += [text for item in card.items for text in (item.title, item.text)]
    wanted += aligned(card.table) if card.table else []
    assert [text for text in map(clean, wanted) if squeezed(text) not in shown] == []


def test_an_ordinary_card_is_one_message_with_a_header_bold_names_and_its_buttons() -> None:
    buttons = tuple(Button(label=verb.title(), verb=verb, about="A1") for verb in Verb)
    card = Card(title="Buy?", fields=(("Stop", "41,000.00"), ("Risk", "<1%")), text="It crossed.", buttons=buttons)
    (part,) = render(card)
    header, fields, text, actions = part.blocks
    assert header["text"] == {"type": "plain_text", "text": "Buy?", "emoji": False}
    assert [field["text"] for field in fields["fields"]] == ["*Stop*\n41,000.00", "*Risk*\n&lt;1%"]
    assert text["text"]["text"] == "It crossed."
    assert [button["value"] for button in actions["elements"]] == ["approve:A1", "half:A1", "reject:A1"]
    assert [button.get("style") for button in actions["elements"]] == ["primary", None, "danger"]
    assert part.text == "Buy?\nStop: 41,000.00\nRisk: &lt;1%\nIt crossed."


def test_what_slack_would_take_for_markup_is_shown_as_it_was_written() -> None:
    for hostile in ("*bold*", "a_b_c", "`code`", ":rocket:", "<@U1>", "<!channel>", "&lt;", "~~", "https://a.b"):
        (part,) = render(Card(title=hostile, fields=((hostile, hostile),), text=hostile))
        assert seen(part).count(hostile) == 4


def test_a_table_stands_in_columns() -> None:
    (part,) = render(Card(title="T", table=Table(head=("Name", "n"), rows=(("a<b", "10"),))))
    assert part.blocks[1]["text"]["text"] == "```Name   n\na&lt;b   10```"
    (other,) = render(Card(title="T", table=Table(head=("a`b",), rows=())))
    assert other.blocks[1]["text"]["type"] == "plain_text"


def test_more_than_a_message_takes_goes_into_the_next_with_the_buttons_under_the_last() -> None:
    button = Button(label="Approve", verb=Verb.APPROVE, about="A1")
    words = " ".join(f"word{number}" for number in range(2000))
    parts = render(Card(title="Long", text=words, buttons=(button,)))
    assert [len(buttons_of([{"block_id": "b", **block} for block in part.blocks])) for part in parts] == [
        *[0] * (len(parts) - 1),
        1,
    ]
    assert all(len(part.text) <= LIMIT for part in parts)
    assert readable(" ".join(part.text for part in parts)).split()[1:] == words.split()


def test_no_message_has_too_many_blocks() -> None:
    fields = tuple((f"{number}", "x" * 1890) for number in range(200))
    assert all(len(part.blocks) <= MOST_BLOCKS for part in render(Card(title="T", fields=fields)))
    tiny = Card(title="T", text="\n".join("x" for _ in range(1000)))
    assert len(render(tiny)) == 1


def test_an_alarm_has_a_red_sign_before_its_title() -> None:
    part = render(Card(title="EMERGENCY STOP", alarm=True))[0]
    assert part.text == "\N{LARGE RED CIRCLE} EMERGENCY STOP"
    assert part.blocks[0]["text"]["text"] == part.text


def test_a_card_without_anything_has_no_messages() -> None:
    assert render(Card(title="", text=" \n ")) == ()


@given(text=texts(), limit=st.integers(10, 60))
def test_chunks_fit_and_hold_everything(text: str, limit: int) -> None:
    pieces = list(chunks(text, limit))
    assert all(size(piece) <= limit and piece.strip() for piece in pieces)
    assert squeezed("".join(pieces)) == squeezed(text)


def test_times_are_shown_in_the_zone_of_each_reader() -> None:
    opened = "2026-01-03 14:00 UTC"
    card = Card(title="T1", fields=(("Opened", opened),), items=(Item(title="T2", text=f"opened {opened}"),))
    (part,) = render(card)
    marks = f"<!date^1767448800^{{date_num}} {{time}}|{opened}>"
    assert [block["fields"][0]["text"] for block in part.blocks if "fields" in block] == [f"*Opened*\n{marks}"]
    assert part.blocks[-1]["text"]["text"] == f"*T2*\nopened {marks}"
    assert part.text == f"T1\nOpened: {opened}\nT2\nopened {opened}"


def test_each_line_of_a_long_title_is_bold_by_itself() -> None:
    item = Item(title=entry("moving-average cross 1h", "Brier score 0.41 (25 trades; 0 is best)"), text="won 9 of 25")
    (part,) = render(Card(title="Language models", items=(item,)))
    said = part.blocks[-1]["text"]["text"]
    assert said == "*moving-average cross 1h:*\n  *Brier score 0.41 (25 trades;*\n  *0 is best)*\nwon 9 of 25"
    assert "*" not in readable(said)


def test_many_things_with_times_fill_sections_that_slack_takes() -> None:
    items = tuple(Item(title=f"T{n} BTC/USDT", text="2026-01-03 14:00 UTC to 2026-01-04 14:00 UTC") for n in range(50))
    for part in render(Card(title="The last 50 trades", items=items)):
        seen(part)
        assert all(len(block["text"]["text"]) <= 3000 for block in part.blocks)
