"""What a provider writes is kept and shown without the key that it was asked with."""

import pytest
from pydantic import SecretStr

from engine.llm.sdk_errors import without_key

KEY = SecretStr("sk-proj-0123456789")
SPELLED = '{"a": "' + "".join(f"\\u{ord(letter):04x}" for letter in KEY.get_secret_value()) + '", "b": "é"}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("my key is sk-proj-0123456789, see", "my key is …, see"),
        (SPELLED, '{"a": "…", "b": "é"}'),
        ('{"a": "\\u00e9"}', '{"a": "\\u00e9"}'),
        ("\\u no JSON", "\\u no JSON"),
    ],
)
def test_the_key_is_left_out_however_json_spells_it_and_all_else_stands(text: str, told: str):
    assert without_key(text, KEY) == told


@pytest.mark.parametrize("key", [None, SecretStr(""), SecretStr("none"), SecretStr(" a ")])
def test_what_is_no_key_is_not_looked_for(key: SecretStr | None):
    assert without_key("none of them is a key", key) == "none of them is a key"
