"""Cards as HTML in parts, read back by the fake server's port of Telegram's own parser."""

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.messages import Card, Item, Table
from handlers.cards.monospace import WIDTH, aligned, sparkline
from handlers.cards.telegram_html import LIMIT, render, utf16_units
from tests.fakes.telegram_entities import parse_html

TEXTS = st.text(alphabet=st.sampled_from("ab <>&\"'\n😀é/b;#\ud800"), max_size=40)
LONG = st.integers(min_value=0, max_value=6000)
ROWS = st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple)


def cards() -> st.SearchStrategy[Card]:
    return st.builds(
        lambda title, fields, text, times, items, rows, graph: Card(
            title=title,
            fields=fields,
            text=text * (1 + times // max(1, len(text))),
            items=tuple(Item(title=name, text=value) for name, value in items),
            table=Table(head=("Market", "Profit"), rows=rows) if rows else None,
            graph=tuple(graph),
        ),
        TEXTS,
        ROWS,
        TEXTS,
        LONG,
        ROWS,
        ROWS,
        st.lists(st.floats(), max_size=60),
    )


@given(card=cards())
def test_every_part_is_understood_and_short_enough(card: Card) -> None:
    for part in render(card):
        text, _ = parse_html(part.html)
        assert text == part.plain
        assert utf16_units(text) <= LIMIT
        assert text.strip()


@given(card=cards())
def test_nothing_is_lost_by_splitting(card: Card) -> None:
    shown = "".join(part.plain for part in render(card))
    wanted = [card.title, *(f"{name}: {value}" for name, value in card.fields), card.text]
    wanted += [text for item in card.items for text in (item.title, item.text)]
    wanted += aligned(card.table) if card.table else []
    wanted.append(sparkline(card.graph))
    assert squeezed(shown) == squeezed("".join(wanted)).replace("\ud800", "?")


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_card_shows_its_title_bold_its_fields_by_name_and_its_table_in_columns() -> None:
    card = Card(
        title="Positions",
        fields=(("Equity", "10,120.50"), ("Open risk", "1.2 %")),
        text="All quiet.",
        table=Table(head=("Market", "Profit"), rows=(("BTC/USDT", "+12.00"), ("ETH/USDT", "-3.5"))),
        graph=(1, 2, 3),
    )
    (part,) = render(card)
    assert part.html == (
        "<b>Positions</b>\n"
        "Equity: <b>10,120.50</b>\n"
        "Open risk: <b>1.2 %</b>\n"
        "All quiet.\n"
        "<pre>Market    Profit\n"
        "BTC/USDT  +12.00\n"
        "ETH/USDT    -3.5</pre>\n"
        "▁▅█"
    )


def test_markup_in_names_and_values_is_shown_as_it_was_written() -> None:
    hostile = '<b>&amp;</b> <a href="tg://user?id=1">me</a>'
    (part,) = render(Card(title=hostile, fields=((hostile, hostile),), text=hostile))
    text, entities = parse_html(part.html)
    assert text == f"{hostile}\n{hostile}: {hostile}\n{hostile}"
    assert {entity["type"] for entity in entities} == {"bold"}


def test_a_table_over_two_parts_is_fixed_width_in_both() -> None:
    rows = tuple((f"MARKET{number:04}", "1.00") for number in range(400))
    parts = render(Card(title="Trades", table=Table(head=("Market", "Profit"), rows=rows)))
    assert len(parts) == 2
    for part in parts:
        assert [entity["type"] for entity in parse_html(part.html)[1]][-1] == "pre"
        assert all(utf16_units(part.plain) <= LIMIT for part in parts)


def test_a_split_comes_at_a_line_border_where_there_is_one() -> None:
    text = "\n".join(f"line {number} " + "x" * 90 for number in range(100))
    parts = render(Card(title="Log", text=text))
    assert all(part.plain.startswith(("Log", "line")) for part in parts)
    assert all(part.plain.endswith("x") for part in parts)


def test_a_thing_of_several_lines_is_on_one_part_wherever_that_ends() -> None:
    items = tuple(Item(title=f"T{number} BTC/USDT", text="bought\nsold\nby its stop") for number in range(200))
    for length in range(40):
        parts = [part.plain.split("\n") for part in render(Card(title="Trades" + length * "!", items=items))]
        assert len(parts) > 1
        assert all(lines[-1] == "by its stop" for lines in parts)
        rows = [row for item in items for row in (item.title, *item.text.split("\n"))]
        assert [row for lines in parts for row in lines][1:] == rows


def test_a_thing_that_is_longer_than_a_part_begins_where_the_one_before_ends() -> None:
    rows = [f"line {number}" for number in range(1000)]
    parts = render(Card(title="Why D1", items=(Item(title="Signals", text="\n".join(rows)),)))
    assert "\n".join(part.plain for part in parts).split("\n") == ["Why D1", "Signals", *rows]
    assert [LIMIT - utf16_units(part.plain) < 10 for part in parts] == [True, True, False]


def test_a_line_that_is_too_long_is_cut_between_words() -> None:
    parts = render(Card(title="", text="word " * 2000))
    assert {word for part in parts for word in part.plain.split()} == {"word"}


def test_a_surrogate_pair_is_never_cut() -> None:
    first, second, *_ = render(Card(title="", text="x" + "😀" * 5000))
    assert utf16_units(first.plain) == LIMIT - 1
    assert second.plain == "😀" * (LIMIT // 2)


def test_a_long_bold_value_stays_bold_over_the_split() -> None:
    parts = render(Card(title="", fields=(("Why", "x" * 5000),)))
    assert [[entity["type"] for entity in parse_html(part.html)[1]] for part in parts] == [["bold"], ["bold"]]
    assert parse_html(parts[0].html)[1][0]["offset"] == len("Why: ")


def test_an_alarm_has_a_red_sign_before_its_title() -> None:
    assert render(Card(title="EMERGENCY STOP", alarm=True))[0].plain == "\N{LARGE RED CIRCLE} EMERGENCY STOP"
    assert render(Card(title="over"))[0].plain == "over"


def test_a_card_without_anything_has_no_parts() -> None:
    assert render(Card(title=" \n ", text="\n")) == ()


def test_times_are_shown_in_the_zone_of_each_reader_but_in_tables():
    table = Table(head=("At",), rows=(("2026-01-03 14:00 UTC",),))
    (part,) = render(Card(title="", fields=(("Opened", "2026-01-03 14:00 UTC"),), table=table))
    text, entities = parse_html(part.html)
    (time,) = [entity for entity in entities if entity["type"] == "date_time"]
    assert (time["unix_time"], time["date_time_format"]) == (1767448800, "dt")
    assert text == part.plain == f"Opened: 2026-01-03 14:00 UTC\n{'At':>20}\n2026-01-03 14:00 UTC"


def test_a_value_that_fits_into_a_line_of_a_phone_but_not_beside_its_name_stands_below_it() -> None:
    fields = (
        ("Since 2026-01-01 00:00 UTC", "+12.35 USDT (+0.12%)"),
        ("Risk to the stop", "22.43 EUR"),
        ("Because", "word " * 12),
        ("Lost if every stop fills", "120.00 USDT (1.20% of equity)"),
    )
    (part,) = render(Card(title="Status", fields=fields))
    assert part.html.splitlines()[1:] == [
        'Since <tg-time unix="1767225600" format="dt">2026-01-01 00:00 UTC</tg-time>:',
        "<b>+12.35 USDT (+0.12%)</b>",
        "Risk to the stop: <b>22.43 EUR</b>",
        f"Because: <b>{'word ' * 12}</b>",
        "Lost if every stop fills:",
        "<b>120.00 USDT (1.20% of equity)</b>",
    ]
    assert max(map(len, part.plain.replace("word ", "").splitlines())) <= WIDTH
