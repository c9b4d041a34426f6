"""Everything that can be wrong with a configuration, and the exact line people read about it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.loader import load
from engine.domain.errors import ConfigError

Refusal = Callable[..., list[str]]
HEAD = "The configuration cannot be used:"


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """Reads a configuration from texts and returns the lines of its refusal."""

    def read_texts(
        yaml: str | bytes | None = None, *, dotenv: str = "", profile: str | None = None, **environ: str
    ) -> list[str]:
        file = tmp_path / "my.yaml"
        file.write_bytes(yaml.encode() if isinstance(yaml, str) else yaml or b"")
        (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load(profile, None if yaml is None else file, {}, environ, tmp_path)
        head, *lines = str(caught.value).splitlines()
        assert head == HEAD
        return [line.removeprefix("  ") for line in lines]

    return read_texts


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("web:\n  port: eighty", "my.yaml, line 2: web.port: must be a whole number"),
        ("web:\n  port: 80.5", "my.yaml, line 2: web.port: must be a whole number"),
        ("web:\n  port: true", "my.yaml, line 2: web.port: must not be true or false"),
        ("web:\n  port: 70000", "my.yaml, line 2: web.port: must be less than or equal to 65535"),
        ("web:\n  enabled: perhaps", "my.yaml, line 2: web.enabled: must be true or false"),
        ("web: 8080", "my.yaml, line 1: web: must be a section: a mapping of names to values"),
        ("web:\n  host: [a]", "my.yaml, line 2: web.host: must be text"),
        ("web:\n  host: ''", "my.yaml, line 2: web.host: must not be empty"),
        ("risk:\n  max_position: lots", "my.yaml, line 2: risk.max_position: must be a number"),
        ("risk:\n  max_position: 1.5", "my.yaml, line 2: risk.max_position: must be less than or equal to 1"),
        (
            "risk:\n  max_drawdown: 0.1\n  max_total_drawdown: 0.09",
            (
                "my.yaml, line 3 and my.yaml, line 2: risk.max_total_drawdown: must not be below risk.max_drawdown, "
                "which is 0.1: it is the last limit"
            ),
        ),
        (
            "risk:\n  sectors: {memes: [doge]}",
            "my.yaml, line 2: risk.sectors.memes.0: must be a coin by its ticker, in capitals, such as DOGE",
        ),
        ("risk:\n  recovery_size: 0", "my.yaml, line 2: risk.recovery_size: must be greater than 0"),
        (
            "retention:\n  deliveries: 1h",
            (
                "my.yaml, line 2: retention.deliveries: must be at least 2d: platforms send again, for a day, "
                "what they had no answer to"
            ),
        ),
        (
            "retention:\n  cards: soon",
            "my.yaml, line 2: retention.cards: must be seconds or a duration such as 90s, 15m, 2h, 1d or 1h30m",
        ),
        ("quality:\n  max_move: .nan", "my.yaml, line 2: quality.max_move: must be a number"),
        (
            "telegram:\n  mode: webhook",
            "my.yaml, line 1 and my.yaml, line 2: telegram.webhook_url: must be set: telegram.mode webhook needs it",
        ),
        (
            "telegram:\n  mode: webhook\n  webhook_url: http://bot.example.org",
            "my.yaml, line 3: telegram.webhook_url: must begin with https://: Telegram calls nothing else",
        ),
        (
            "web:\n  enabled: false\ntelegram:\n  mode: webhook\n  webhook_url: https://bot.example.org",
            "my.yaml, line 4 and my.yaml, line 2: telegram.mode: webhook needs the web server, which is off",
        ),
        (
            "telegram:\n  chat_id: my group",
            (
                "my.yaml, line 2: telegram.chat_id: must be a chat's id such as 123456789 or -100123, or -100123/45"
                " for a topic of a group, and no @name: of a group -100 and the number in a link to a message there,"
                " -100123 for t.me/c/123/6"
            ),
        ),
        (
            "telegram:\n  chat_id: -100123/1",
            "my.yaml, line 2: telegram.chat_id: must be the group alone, without /1, for its general topic",
        ),
        (
            "web:\n  cards: [trades, alerts]",
            "my.yaml, line 2: web.cards: must have approvals somewhere: no platform that is on shows them",
        ),
        (
            "web:\n  cards: [trades, questions]",
            "my.yaml, line 2: web.cards.1: must be 'approvals', 'trades', 'alerts' or 'digests'",
        ),
        ("people: Ada", "my.yaml, line 1: people: must be a list"),
        ("people:\n  - name: Ada", "my.yaml, line 2: people.0.role: is missing"),
        (
            "people:\n  - name: Ada\n    role: tradr",
            "my.yaml, line 3: people.0.role: must be 'viewer', 'trader' or 'admin'; did you mean trader?",
        ),
        (
            "people:\n  - {name: Ada, role: admin}\n  - {name: ada, role: viewer}",
            "my.yaml, line 3 and my.yaml, line 2: people.1.name: is the same as people.0.name",
        ),
        (
            "people:\n  - {name: A, role: admin, telegram: 5}\n  - {name: B, role: viewer, telegram: '5'}",
            "my.yaml, line 3 and my.yaml, line 2: people.1.telegram: is the same as people.0.telegram",
        ),
        (
            "approval:\n  expires_after: soon",
            "my.yaml, line 2: approval.expires_after: must be seconds or a duration such as 90s, 15m, 2h, 1d or 1h30m",
        ),
        ("approval:\n  ask_above: 1.1", "my.yaml, line 2: approval.ask_above: must be less than or equal to 1"),
        (
            "approval:\n  auto_above: 0.5\n  ask_above: 0.6",
            (
                "my.yaml, line 3 and my.yaml, line 2: approval.ask_above: must not be above approval.auto_above, "
                "which is 0.5: nothing would ever be asked"
            ),
        ),
        (
            "replay:\n  start: 2022-06-01\n  end: 2022-05-01",
            "my.yaml, line 3 and my.yaml, line 2: replay.end: must be after replay.start",
        ),
        (
            "replay:\n  start: someday",
            "my.yaml, line 2: replay.start: must be a date or time such as 2022-05-01 or 2022-05-01T12:00Z",
        ),
        (
            "replay:\n  speed: fast",
            "my.yaml, line 2: replay.speed: must be a number above 0 (market seconds in a wall second) or max",
        ),
        ("digest:\n  at: 25:00", "my.yaml, line 2: digest.at: must be a time of day between 00:00 and 23:59"),
        (
            "digest:\n  timezone: Europe/Berln",
            "my.yaml, line 2: digest.timezone: there is no such time zone; did you mean Europe/Berlin?",
        ),
        (
            "risk:\n  closed_hours: [22-1]",
            (
                "my.yaml, line 2: risk.closed_hours.0: must be hours such as 22:00-01:00, "
                "or with days, sat,sun 00:00-00:00"
            ),
        ),
        (
            "risk:\n  hours_timezone: Asia/Kolkatta",
            "my.yaml, line 2: risk.hours_timezone: there is no such time zone; did you mean Asia/Kolkata?",
        ),
        (
            "risk:\n  sectors: {one: [BTC, ETH], two: [ETH]}",
            "my.yaml, line 2: risk.sectors: must have each coin once; ETH is there twice",
        ),
        (
            (
                "contexts:\n  - {name: a, strategy: momentum, markets: [BTC/USDT], risk: {max_position: 0.3}}\n"
                "risk:\n  max_position: 0.25"
            ),
            (
                "my.yaml, line 2 and my.yaml, line 4: contexts.0.risk.max_position: must not be above "
                "risk.max_position, which is 0.25: a context only tightens it"
            ),
        ),
        (
            "database:\n  url: greenlight.sqlite",
            "my.yaml, line 2: database.url: must be a database URL such as sqlite:///var/demo/greenlight.sqlite",
        ),
        (
            "telegram:\n  api_url: 127.0.0.1:9002",
            "my.yaml, line 2: telegram.api_url: must be a URL that begins with http:// or https://",
        ),
        ("venue:\n  balances:\n    USDT: -1", "my.yaml, line 3: venue.balances.USDT: must not be below 0"),
        (
            "market:\n  markets:\n    btc: {start_price: 100}",
            "my.yaml, line 3: market.markets.btc: must be written like BTC/USDT",
        ),
        (
            "market:\n  markets:\n    PEPE/USDT: {start_price: 0.00001}",
            "my.yaml, line 3: market.markets.PEPE/USDT.start_price: must be at least 1000 ticks; its tick is 0.01",
        ),
        ("market:\n  markets:\n    XRP/USDT:", "my.yaml, line 3: market.markets.XRP/USDT.start_price: is missing"),
        (
            "contexts:\n  - {name: a, strategy: momentm, markets: [BTC/USDT]}",
            (
                "my.yaml, line 2: contexts.0.strategy: "
                "must be ma_cross, momentum, mean_reversion, sma_cross, rsi_bands, ai_trend, or one of your own: "
                "./strategies/breakout.py:Breakout; did you mean momentum?"
            ),
        ),
        (
            "contexts:\n  - {name: a, strategy: momentum, markets: []}",
            "my.yaml, line 2: contexts.0.markets: must not be empty",
        ),
        (
            "contexts:\n  - name: a\n    strategy: momentum\n    markets: [BTC/USDT]\n    params: {fast: [1]}",
            "my.yaml, line 5: contexts.0.params.fast: must be a single value: a number, text, or true or false",
        ),
        (
            (
                "contexts:\n  - {name: a, strategy: momentum, markets: [BTC/USDT]}\n"
                "  - {name: A, strategy: momentum, markets: [BTC/USDT]}"
            ),
            "my.yaml, line 3 and my.yaml, line 2: contexts.1.name: is the same as contexts.0.name",
        ),
    ],
)
def test_a_wrong_value_is_named_with_key_file_and_line(refusal: Refusal, yaml: str, line: str):
    assert refusal(yaml) == [line]


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        (
            "risk:\n  max_positon: 1",
            "my.yaml, line 2: risk.max_positon: there is no such setting; did you mean risk.max_position?",
        ),
        ("rsik:\n  max_position: 1", "my.yaml, line 1: rsik: there is no such setting; did you mean risk?"),
        ("web:\n  at: 1", "my.yaml, line 2: web.at: there is no such setting; did you mean digest.at?"),
        ("qqqq: 1", "my.yaml, line 1: qqqq: there is no such setting"),
        (
            "people:\n  - {name: A, role: admin, telegrm: 5}",
            "my.yaml, line 2: people.0.telegrm: there is no such setting; did you mean people.0.telegram?",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(refusal: Refusal, yaml: str, line: str):
    assert refusal(yaml) == [line]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "BOT_TELEGRAM__TOKN",
            "1:x",
            "environment (BOT_TELEGRAM__TOKN): there is no such setting; did you mean BOT_TELEGRAM__TOKEN?",
        ),
        ("BOT_XYZZY", "1", "environment (BOT_XYZZY): there is no such setting"),
        ("BOT_PEOPLE__0__NAME", "x", "environment (BOT_PEOPLE__0__NAME): there is no such setting"),
        ("BOT_WEB__PORT", "eighty", "environment (BOT_WEB__PORT): web.port: must be a whole number"),
        (
            "BOT_PEOPLE",
            "[{",
            "environment (BOT_PEOPLE): people: is not valid JSON, which a list or a mapping must be here",
        ),
        ("BOT_PEOPLE", '{"name": "Ada"}', "environment (BOT_PEOPLE): people: must be a list"),
        ("BOT_PEOPLE", '[{"name": "A"}]', "environment (BOT_PEOPLE): people.0.role: is missing"),
    ],
)
def test_a_wrong_variable_is_named(refusal: Refusal, name: str, value: str, line: str):
    lines = refusal(**{name: value})
    assert len(lines) == 1
    assert lines[0].startswith(line)
    (place, _, words) = line.partition(": ")
    assert refusal(dotenv=f"# words\n\n{name}='{value}'\n")[0].startswith(f".env, line 3 ({name}): {words}"), place


def test_what_this_system_cannot_read_is_named_with_the_way_out(refusal: Refusal):
    """Seen: of LC_ALL=POSIX without Python's UTF-8 mode "must be a valid string, unable to parse raw data"."""
    unread = "J\udcfcrgen"  # what Python makes of a letter that the locale has not
    words = "has letters that cannot be used here: write it as UTF-8, and set LC_ALL=C.UTF-8"
    people = json.dumps([{"name": "?", "role": "admin"}]).replace("?", unread)
    assert refusal(BOT_PEOPLE=people, BOT_DATABASE__URL=f"sqlite:///{unread}.sqlite") == [
        f"environment (BOT_DATABASE__URL): database.url: {words}",
        f"environment (BOT_PEOPLE): people.0.name: {words}",
    ]


def test_a_name_that_this_system_has_no_letters_for_is_refused_with_the_way_out():
    script = "from pydantic import TypeAdapter; from config.kinds import File; TypeAdapter(File).validate_python"
    few = os.environ | {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    words = [sys.executable, "-c", f"{script}('\\xfc')"]
    tried = subprocess.run(words, env=few, capture_output=True, text=True, check=False)
    assert "write it as UTF-8, and set LC_ALL=C.UTF-8" in tried.stderr


@pytest.mark.parametrize("url", ["sqlite://tmp/x.sqlite", "sqlite:///:memory:", "postgres://me:hunter2@host/bot"])
def test_a_database_that_cannot_work_is_refused_before_anything_is_opened(refusal: Refusal, url: str):
    [line] = refusal(BOT_DATABASE__URL=url)
    assert line.startswith("environment (BOT_DATABASE__URL): database.url: must ")
    assert "hunter2" not in line


@pytest.mark.parametrize(
    "variables",
    [
        {"BOT_DATABASE__URL": "sqlite:///var/bot/venue.sqlite"},
        {"BOT_DATABASE__URL": "sqlite:///one.sqlite", "BOT_VENUE__FILE": "one.sqlite"},
        {"BOT_DATABASE__URL": "sqlite:///a/../one.sqlite", "BOT_VENUE__FILE": "b/../one.sqlite"},
    ],
)
def test_the_database_and_the_venue_are_not_the_same_file(refusal: Refusal, variables: dict[str, str]):
    [line] = refusal(**variables)
    assert line.endswith("venue.file: must be another file than the database")
    assert "environment (BOT_DATABASE__URL)" in line


def test_a_line_of_dotenv_that_sets_nothing_is_refused(refusal: Refusal):
    assert refusal(dotenv="BOT_WEB__PORT=1\n\nBOT_WEB__TOKEN\n") == [".env, line 3: this line is not NAME=value"]


@pytest.mark.parametrize(("section", "key"), [("telegram", "token"), ("web", "token")])
def test_a_secret_in_a_yaml_file_is_refused_with_its_variable(refusal: Refusal, section: str, key: str):
    assert refusal(f"{section}:\n  {key}: hunter2-hunter2") == [
        (
            f"my.yaml, line 2: {section}.{key}: a secret does not belong in a YAML file; "
            f"set BOT_{section.upper()}__TOKEN in the environment or in .env instead"
        )
    ]


def test_a_password_in_a_database_url_in_a_yaml_file_is_refused(refusal: Refusal):
    (line,) = refusal("database:\n  url: postgresql://bot:hunter2@db/green")
    assert line.startswith("my.yaml, line 2: database.url: a password does not belong in a YAML file")


def test_nobody_to_talk_to_with_a_chat_token_is_refused(refusal: Refusal):
    words = "people: must name at least one person, because a chat token is set: nobody could answer the bot"
    (line,) = refusal("people: []", BOT_TELEGRAM__TOKEN="123:abc")
    assert line == f"my.yaml, line 1 and environment (BOT_TELEGRAM__TOKEN): {words}"


def test_an_unknown_profile_is_named_with_the_nearest(refusal: Refusal):
    known = "(built in: base, demo, dev, paper, prod, sandbox)"
    assert refusal(profile="dmo") == [f"command line: there is no profile dmo; did you mean demo? {known}"]
    assert refusal(profile="me 1234 &\n") == [rf"command line: there is no profile 'me 1234 &\n' {known}"]
    assert refusal(BOT_PROFILE="nosuch") == [f"environment (BOT_PROFILE): there is no such profile {known}"]
    assert refusal(dotenv="BOT_PROFILE=bas\n") == [
        f".env, line 1 (BOT_PROFILE): there is no such profile; did you mean base? {known}"
    ]
    assert refusal("web: {}\nextends: dem") == [
        f"my.yaml, line 2: there is no such profile; did you mean demo? {known}"
    ]


@pytest.mark.parametrize("misplaced", ["hunter-2-hunter-2", "Hunter", "correct horse", "../profiles/demo", "a" * 5000])
def test_an_unknown_profile_of_elsewhere_is_not_repeated_for_it_could_be_a_secret(refusal: Refusal, misplaced: str):
    for lines in (refusal(BOT_PROFILE=misplaced), refusal(f"extends: {json.dumps(misplaced)}")):
        (line,) = lines
        assert "there is no such profile" in line
        assert misplaced not in line


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_as_another_system_writes_them_are_read_from_the_first_line_on(refusal: Refusal, mark: str, end: str):
    dotenv = f"{mark}BOT_WEB__PORT=x{end}BOT_DIGEST__AT=y{end}"
    yaml = f"{mark}risk:{end}  max_position: x{end}"
    assert [line.partition(":")[0] for line in refusal(yaml, dotenv=dotenv)] == [
        ".env, line 1 (BOT_WEB__PORT)",
        "my.yaml, line 2",
        ".env, line 2 (BOT_DIGEST__AT)",
    ]


def test_a_profile_that_the_file_does_not_extend_is_refused(refusal: Refusal):
    assert refusal("extends: base", profile="demo") == [
        "command line: profile: is not the one that my.yaml extends: that is base"
    ]


def test_a_file_that_is_not_there_is_refused(refusal: Refusal, tmp_path: Path):
    assert refusal("\nextends: lower.yaml") == ["my.yaml, line 2: there is no file lower.yaml"]
    missing = tmp_path / "mine.yaml"
    with pytest.raises(ConfigError) as refused:
        load(None, missing, {}, {}, tmp_path)
    assert str(refused.value).endswith("command line: there is no file mine.yaml; did you mean my.yaml?")


def test_files_that_extend_each_other_are_refused(refusal: Refusal, tmp_path: Path):
    (tmp_path / "lower.yaml").write_text("web: {}\nextends: my.yaml")
    expected = "lower.yaml, line 2: extends: extends itself: my.yaml -> lower.yaml -> my.yaml"
    assert refusal("extends: lower.yaml") == [expected]


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("web:\n  port: 1\n bad: 2", "my.yaml, line 3: this is not valid YAML: look at the indentation"),
        ("web: a: b", "my.yaml, line 1: this is not valid YAML: mapping values are not allowed here"),
        ("web:\n\tport: 1", "my.yaml, line 2: this is not valid YAML: found character '\\t'"),
        ("web: *there", "my.yaml, line 1: this is not valid YAML: look at"),
        ("- web", "my.yaml, line 1: a configuration is a mapping of sections"),
        ("web: !port 1", "my.yaml, line 1: web: has a tag (!); tags mean nothing here"),
        ("web:\n  ? [a]\n  : 1", "my.yaml, line 2: web: has a name that is not plain text"),
        (
            "web:\n  port: 1\n  port: 2",
            "my.yaml, line 3: web.port: is written twice; the first time in my.yaml, line 2",
        ),
        ("web: &a {port: *a}", "my.yaml: is nested too deeply"),
        ("[" * 1000, "my.yaml: is nested too deeply"),
        (b"web: \xff", "my.yaml: this is not a UTF-8 text file"),
        ("web: \x00", "my.yaml: this is not valid YAML: look at"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(refusal: Refusal, yaml: str | bytes, line: str):
    assert refusal(yaml)[0].startswith(line)


def test_everything_is_said_at_once(refusal: Refusal):
    lines = refusal(
        "web: {port: x}\nrisk: {max_positon: 1}\ntelegram: {token: abc}\nlogs: {level: !x INFO, level: b}",
        dotenv="BOT_DIGEST__AT=noon",
        BOT_WBE__PORT="1",
        BOT_APPROVAL__ASK_ABOVE="high",
    )
    assert [line.partition(":")[0] for line in lines] == [
        "my.yaml, line 3",
        "my.yaml, line 4",
        "my.yaml, line 4",
        "environment (BOT_WBE__PORT)",
        "my.yaml, line 1",
        "environment (BOT_APPROVAL__ASK_ABOVE)",
        "my.yaml, line 2",
        ".env, line 1 (BOT_DIGEST__AT)",
    ]
