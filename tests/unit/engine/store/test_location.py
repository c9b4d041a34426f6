"""One reading of the database's URL."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL

from engine.domain.errors import BadInput
from engine.store.location import file_of, location, url_of


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///bot.sqlite", "bot.sqlite"),
        ("sqlite:///var/demo/bot.sqlite", "var/demo/bot.sqlite"),
        ("sqlite+pysqlite:///bot.sqlite", "bot.sqlite"),
        ("sqlite:////srv/bot.sqlite", "/srv/bot.sqlite"),
        ("sqlite://///srv/bot.sqlite", "/srv/bot.sqlite"),
        ("sqlite:////srv/my%20bot/b%C3%BC.sqlite", "/srv/my bot/bü.sqlite"),
        ("sqlite:////srv/my bot/bü.sqlite", "/srv/my bot/bü.sqlite"),
        ("sqlite:///100%.sqlite", "100%.sqlite"),
        ("sqlite:///what%3F.sqlite", "what?.sqlite"),
        ("sqlite:///a#b.sqlite", "a#b.sqlite"),
        ("sqlite:///../bot.sqlite", "../bot.sqlite"),
    ],
)
def test_a_file_is_where_its_url_says(url: str, file: str):
    assert location(url) == file_of(url) == Path(file)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("sqlite://tmp/x.sqlite", "three slashes .* write sqlite:///FOLDER/FILE"),
        ("sqlite:/tmp/x.sqlite", "three slashes .* sqlite:////FOLDER/FILE"),
        ("sqlite:x.sqlite", "three slashes"),
        ("sqlite://", "three slashes"),
        ("sqlite:///", "must name a file"),
        ("sqlite:///:memory:", "must be a file: an account in memory"),
        ("sqlite:///%3Amemory%3A", "must be a file: an account in memory"),
        ("sqlite:///file:x.sqlite?mode=memory&uri=true", "no parameters"),
        ("sqlite:///file:x.sqlite", "without file:"),
        ("sqlite:///x.sqlite?mode=ro", "no parameters .* %3F"),
        ("sqlite:///x.sqlite?", "no parameters"),
        ("sqlite:///~/x.sqlite", "without file: or ~"),
        ("sqlite:////srv/bot/", "not a folder"),
        ("sqlite:////srv/..", "not a folder"),
        ("sqlite:///x%FF.sqlite", "write %25"),
        ("sqlite:///x%00.sqlite", "plain path"),
        ("sqlite+aiosqlite:///x.sqlite", "must begin with sqlite://"),
        ("SQLite:///x.sqlite", "must begin with sqlite://"),
        ("sqlite3:///x.sqlite", "must begin with sqlite://"),
        ("file:///x.sqlite", "must begin with sqlite://"),
        ("postgres://bot:secret@host/bot", "must begin with postgresql://"),
        ("postgresql+asyncpg://bot:secret@host/bot", "must begin with postgresql://"),
        ("postgresql:/host/bot", "write postgresql://"),
        ("postgresql://bot:secret@host:port/bot", "write postgresql://user"),
        ("postgresql://bot:se@cret@host/bot", "write %40"),
        ("mysql://bot:secret@host/bot", "such as sqlite:///"),
        ("/srv/bot.sqlite", "such as sqlite:///"),
        ("", "such as sqlite:///"),
    ],
)
def test_what_cannot_work_is_refused_with_the_right_form_and_without_what_it_said(url: str, form: str):
    with pytest.raises(BadInput, match=form) as refused:
        location(url)
    assert "secret" not in str(refused.value)


def test_without_a_driver_a_server_is_reached_by_the_one_we_ship_with():
    found = location("postgresql://bot@host/bot")
    assert isinstance(found, URL)
    assert found.drivername == "postgresql+psycopg"
    assert file_of("postgresql://bot@host/bot") is None


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_every_file_has_a_url(name: str):
    file = Path("/srv") / f"{name}.sqlite"
    assert file_of(url_of(file)) == file
