"""Whether a text is English: scorers know no other language, and guess wildly in one."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+")
_MOSTLY = 0.7
"""The share of letters that are Latin."""
_LOOKED_AT = 600
"""Characters from the beginning that are looked at."""
_ENGLISH_TEXT = (
    "the of and to in is it that this was for on with as at by from are be has have had not but or an a i you we they "
    "he she his her their its my your our will would can could should may just after over into about than what when "
    "why how who which there if all no so up out more new says say amid its who's don't it's"
)
ENGLISH = frozenset(_ENGLISH_TEXT.split())
"""Small words of English, that say nothing by themselves."""
_FOREIGN_TEXT = (
    # Spanish, Portuguese, Italian, French, German, Dutch, Turkish, Indonesian, Polish, Romanian, Scandinavian
    "el la los las un una unos unas del al que por para con sin su sus más pero como está están es y en se lo le ha "
    "o os as um uma uns umas do da dos das não em no na nos nas com sem mais seu sua são foi pelo pela "
    "il gli uno di della dei delle nel nella che per non più sono è ed anche dopo "
    "le les des une du et est dans pour pas plus avec sur au aux ce cette qui sont ne vous nous "
    "der die das und ist ein eine einen dem den des nicht mit von zu auf für im wird sich auch nach bei aus über "
    "het een van en niet met voor op zijn wordt naar "
    "ve bir bu için ile da de çok daha olarak yeni olan kadar sonra "
    "dan yang di ke dari untuk ini itu dengan pada adalah tidak akan sebagai "
    "na się nie jest jak od już oraz och att det som är på av med till och ikke til"
)
_FOREIGN = frozenset(_FOREIGN_TEXT.split())


def is_english(text: str) -> bool:
    """Whether a text is English, or too short to tell.

    Most of its letters must be Latin, and it must not have more of the small words of other languages than of English
    ones. A text with neither, such as ``$BTC 120k``, passes.
    """
    looked_at = text[:_LOOKED_AT]
    if not _is_latin(looked_at):
        return False
    words = _WORD.findall(looked_at.casefold())
    english = sum(word in ENGLISH for word in words)
    return sum(word in _FOREIGN and word not in ENGLISH for word in words) <= english


def _is_latin(text: str) -> bool:
    letters = [each for each in text if each.isalpha()]
    if text.isascii() or not letters:
        return True
    latin = sum(each.isascii() or unicodedata.name(each, "").startswith("LATIN") for each in letters)
    return latin >= _MOSTLY * len(letters)
