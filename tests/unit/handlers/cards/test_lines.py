"""Where lines of cards are broken, and that nothing but blanks is lost."""

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.messages import BREAK, Card, Item
from handlers.cards import telegram_html
from handlers.cards.lines import entry, flowing, for_phone, laid_out, listed
from handlers.slack import blocks
from handlers.web import rendering


def test_a_list_is_broken_behind_its_commas_and_between_its_dots() -> None:
    assert laid_out(listed("sold 2 @ 10.00, fee 0.02 USDT"), width=30) == "sold 2 @ 10.00, fee 0.02 USDT"
    sold = "sold 2,000 @ 10.00, fee 0.02 USDT, by Ann"
    assert laid_out(listed(sold), width=20) == "sold 2,000 @ 10.00,\nfee 0.02 USDT,\nby Ann"
    numbers = "MACD 1.20 · signal 0.80 · histogram 0.40"
    assert laid_out(listed(numbers), "  ", 25) == "MACD 1.20 · signal 0.80\n  histogram 0.40"
    assert laid_out(listed("patterns three white soldiers"), "  ", 20) == "patterns three\n  white soldiers"
    assert listed("") == ""


def test_what_is_said_of_something_stands_beside_it_or_below() -> None:
    assert laid_out(entry("✓ RSI low", "RSI 31.20"), "  ", 22) == "✓ RSI low: RSI 31.20"
    below = "✓ RSI low:\n  RSI 31.20,\n  wants below 40.00"
    assert laid_out(entry("✓ RSI low", "RSI 31.20, wants below 40.00"), "  ", 22) == below
    assert laid_out(entry("✗ no downtrend on the day", ""), "  ", 10) == "✗ no downtrend on the day"


def test_prose_is_left_to_who_shows_it() -> None:
    sentence = "It sells at what the market pays then, and only you can press it."
    assert laid_out(sentence) == sentence


def test_who_breaks_lines_by_the_room_there_is_gets_them_whole() -> None:
    told = entry("no downtrend on 4h", "close 66,228.01 and MA20 68,025.82 > MA50 69,348.12: no, by far")
    whole = "no downtrend on 4h: close 66,228.01 and MA20 68,025.82 > MA50 69,348.12: no, by far"
    assert flowing(told) == whole
    card = Card(title="T", fields=(("F", told),), text=told, items=(Item(title="I", text=told),))
    assert card.plain == f"T\nF: {whole}\n{whole}\nI\n{whole}"


def test_each_part_of_a_card_is_laid_out_for_a_phone() -> None:
    long = f"+1,234,567.89 USDT (+12.34%) {BREAK}in 30 days"
    shown = for_phone(Card(title=long, fields=(("F", long),), text=long, items=(Item(title=long, text=long),)))
    head, rest = "+1,234,567.89 USDT (+12.34%)", "in 30 days"
    assert shown.title == dict(shown.fields)["F"] == f"{head}\n{rest}"
    assert (shown.text, *shown.items) == (f"{head}\n  {rest}", Item(title=shown.text, text=shown.text))


def test_no_platform_shows_where_a_line_may_be_broken() -> None:
    told = entry("no downtrend on 4h", "close 66,228.01 and MA20 68,025.82, or near")
    card = Card(title=told, fields=((told, told),), text=f"{told}\n{told}", items=(Item(title=told, text=told),))
    shown = [
        *(f"{part.html}{part.plain}" for part in telegram_html.render(card)),
        *(f"{part.blocks}{part.text}" for part in blocks.render(card)),
        rendering.render("card.html", card=card),
    ]
    for page in shown:
        assert "66,228.01" in page
        assert "\\u200b" not in ascii(page)


@given(text=st.text(alphabet=f"ab1,;: ·\n{BREAK}"))
def test_whatever_is_laid_out_fits_and_loses_nothing_but_blanks_and_dots(text: str) -> None:
    told = laid_out("\n".join(map(listed, text.split("\n"))), "  ", 10)
    assert max(map(len, told.split("\n"))) <= 10
    kept = [character for character in told if character not in " \n·"]
    assert kept == [character for character in flowing(text) if character not in " \n·"]
