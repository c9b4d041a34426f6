"""Which layer wins, and what the built-in profiles say."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.chain import PROFILES
from config.loader import Loaded, load
from config.settings import Settings, secrets
from config.shape import kind_at, leaves, path_of, variable
from config.sources import flat
from engine.domain.messages import Role

Read = Callable[..., Loaded]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a configuration from texts."""

    def read_texts(
        yaml: str | None = None,
        *,
        dotenv: str = "",
        overrides: Mapping[str, Any] | None = None,
        profile: str | None = None,
        **environ: str,
    ) -> Loaded:
        file = tmp_path / "my.yaml"
        file.write_text(yaml or "", encoding="utf-8")
        (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
        return load(profile, file if yaml is not None else None, overrides or {}, environ, tmp_path)

    return read_texts


def test_without_anything_the_demo_is_played(tmp_path: Path):
    settings = load(None, None, {}, {}, tmp_path).settings
    assert settings.profile == "demo"
    assert settings.database.url == "sqlite:///var/demo/greenlight.sqlite"
    assert settings.venue_file == Path("var/demo/venue.sqlite")
    assert [(person.name, person.role, person.web) for person in settings.people] == [("you", Role.ADMIN, "you")]
    assert set(settings.market.markets) == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    assert [context.strategy for context in settings.contexts] == ["ma_cross", "momentum", "mean_reversion"]
    assert settings.approval.expires_after == timedelta(hours=2)
    assert settings.market.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert settings.market.markets["BTC/USDT"].lot == Decimal("0.00001")


def test_the_base_profile_says_nothing_but_the_defaults(tmp_path: Path):
    settings = load("base", None, {}, {}, tmp_path).settings
    assert settings == Settings(profile="base")
    assert settings.people == ()


def test_settings_cannot_be_changed(tmp_path: Path):
    settings = load(None, None, {}, {}, tmp_path).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.web.port = 1


def test_each_layer_is_over_the_one_before(read: Read):
    yaml, dotenv, environ = "web: {port: 1}", "BOT_WEB__PORT=2", {"BOT_WEB__PORT": "3"}
    assert read().settings.web.port == 8080
    assert read(yaml).settings.web.port == 1
    assert read(yaml, dotenv=dotenv).settings.web.port == 2
    assert read(yaml, dotenv=dotenv, **environ).settings.web.port == 3
    assert read(yaml, dotenv=dotenv, overrides={"web": {"port": 4}}, **environ).settings.web.port == 4


def test_mappings_merge_and_lists_replace(read: Read):
    settings = read(
        "risk: {max_position: 0.1}\npeople: [{name: Ada, role: admin}]\nmarket: {markets: {BTC/USDT: {tick: 1}}}"
    ).settings
    assert (settings.risk.max_position, settings.risk.max_exposure) == (Decimal("0.1"), Decimal("0.75"))
    assert [person.name for person in settings.people] == ["Ada"]
    assert settings.market.markets["BTC/USDT"].tick == 1
    assert settings.market.markets["BTC/USDT"].start_price == 60000


def test_a_file_extends_the_profile_that_is_asked_for(read: Read):
    assert read("", profile="base").settings.profile == "base"
    assert read("", BOT_PROFILE="base").settings.profile == "base"
    assert read("", dotenv="BOT_PROFILE=base").settings.profile == "base"
    assert read("").settings.profile == "demo"
    assert read("extends: base").settings.profile == "base"
    assert read("extends: base\nprofile: mine").settings.profile == "mine"


def test_the_profile_asked_for_on_the_command_line_wins(read: Read):
    assert read(profile="base", BOT_PROFILE="demo").settings.profile == "base"


def test_a_file_may_extend_another_file(read: Read, tmp_path: Path):
    (tmp_path / "lower.yaml").write_text("extends: base\nweb: {port: 1, host: h}")
    settings = read("extends: lower.yaml\nweb: {port: 2}").settings
    assert (settings.profile, settings.web.port, settings.web.host) == ("base", 2, "h")


def test_every_fixed_variable_is_a_setting(read: Read):
    settings = read(
        BOT_PROFILE="demo",
        BOT_DATABASE__URL="sqlite:///x/y.sqlite",
        BOT_WEB__HOST="0.0.0.0",  # noqa: S104 - read, never listened on
        BOT_WEB__PORT="9001",
        BOT_WEB__TOKEN="web-secret",
        BOT_TELEGRAM__TOKEN="123:secret",
        BOT_TELEGRAM__API_URL="http://127.0.0.1:9002",
        BOT_TELEGRAM__CHAT_ID="-100123",
        BOT_PEOPLE='[{"name": "Ada", "role": "trader", "telegram": 7, "slack": "U1", "web": "ada"}]',
        BOT_APPROVAL__AUTO_ABOVE="1.01",
        BOT_APPROVAL__ASK_ABOVE="0.3",
        BOT_APPROVAL__EXPIRES_AFTER="90",
        BOT_APPROVAL__MAX_PRICE_DRIFT="0.005",
        BOT_APPROVAL__TWO_PEOPLE_ABOVE="5000",
        BOT_REPLAY__WAIT_FOR_PEOPLE="0",
        BOT_DIGEST__AT="18:30",
        BOT_DIGEST__TIMEZONE="Europe/Berlin",
    ).settings
    assert settings.venue_file == Path("x/venue.sqlite")
    assert settings.web.token is not None
    assert settings.web.token.get_secret_value() == "web-secret"
    assert [secret.get_secret_value() for secret in secrets(settings)] == ["web-secret", "123:secret"]
    assert settings.telegram.chat_id == "-100123"
    assert settings.people[0].telegram == "7"
    assert (settings.approval.auto_above, settings.approval.ask_above) == (1.01, 0.3)
    assert settings.approval.expires_after == timedelta(seconds=90)
    assert settings.approval.max_price_drift == Decimal("0.005")
    assert settings.replay.wait_for_people == timedelta(0)
    assert settings.digest.zone.key == "Europe/Berlin"


def test_an_empty_variable_is_not_set(read: Read):
    settings = read(dotenv="BOT_WEB__PORT=5\nBOT_TELEGRAM__TOKEN=\n", BOT_WEB__PORT="", BOT_WEB__TOKEN=" ").settings
    assert (settings.web.port, settings.web.token, settings.telegram.token) == (5, None, None)


def test_a_single_setting_is_laid_over_its_section(read: Read):
    settings = read(BOT_WEB__PORT="5", BOT_WEB='{"port": 4, "host": "h"}').settings
    assert (settings.web.port, settings.web.host) == (5, "h")


def test_names_of_the_users_own_keep_their_case(read: Read):
    assert read(BOT_VENUE__BALANCES__USDT="500").settings.venue.balances == {"USDT": Decimal(500)}


def test_dotenv_expands_nothing_and_leaves_other_peoples_names_alone(read: Read):
    settings = read(dotenv="OTHER=1\nexport BOT_WEB__TOKEN='a$HOME{b}' # words\n").settings
    assert settings.web.token is not None
    assert settings.web.token.get_secret_value() == "a$HOME{b}"


def test_of_two_lines_with_one_name_the_later_counts(read: Read):
    assert read(dotenv="BOT_WEB__PORT=1\nBOT_WEB__PORT=2").settings.web.port == 2


def test_yaml_reads_times_and_words_as_they_stand(read: Read):
    settings = read(
        "digest: {at: 12:30}\nvenue: {balances: {NO: 1}}\npeople: [{name: 'on', role: viewer, web: 007}]"
    ).settings
    assert f"{settings.digest.at:%H:%M}" == "12:30"
    assert settings.venue.balances["NO"] == 1
    assert (settings.people[0].name, settings.people[0].web) == ("on", "007")


def test_an_empty_section_says_nothing(read: Read):
    assert read("risk:\nweb: ~").settings == read("").settings


def test_parameters_keep_their_types(read: Read):
    params = "{fast: 10, ratio: 2.5, strict: true, mode: soft}"
    context = f"{{name: a, strategy: momentum, markets: [BTC/USDT], params: {params}}}"
    assert read(f"contexts: [{context}]").settings.contexts[0].params == {
        "fast": 10,
        "ratio": 2.5,
        "strict": True,
        "mode": "soft",
    }


def test_every_value_knows_where_it_was_written(read: Read):
    loaded = read(
        "\nweb:\n  port: 1\n",
        dotenv="\n\nBOT_WEB__HOST=h\n",
        BOT_LOGS__LEVEL="debug",
        overrides={"market": {"seed": 1}},
    )
    assert loaded.place(("web", "port")) == "my.yaml, line 3"
    assert loaded.place(("web", "host")) == ".env, line 3 (BOT_WEB__HOST)"
    assert loaded.place(("logs", "level")) == "environment (BOT_LOGS__LEVEL)"
    assert loaded.place(("market", "seed")) == "command line"
    assert loaded.place(("web", "enabled")) == "default"


def test_a_built_in_profile_is_known_as_such_wherever_the_program_runs(read: Read):
    """Seen: below the folder of the program its profiles were taken for the user's own, and --data for the demo's."""
    for directory in (PROFILES.parent, PROFILES.parent.parent.parent):
        loaded = load("demo", None, {}, {}, directory)
        assert loaded.is_built_in(("database", "url"))
        assert loaded.place(("database", "url")).startswith("profile demo, line ")
    assert not read("database: {url: sqlite:///x.sqlite}").is_built_in(("database", "url"))
    assert read("web: {port: 1}").is_built_in(("database", "url"))


def test_what_is_described_can_be_read_again(read: Read):
    settings = read().settings
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings
    assert len(list(flat(settings.model_dump(mode="json")))) > len(list(leaves()))


def test_every_setting_is_documented_and_has_its_variable():
    schema = Settings.model_json_schema()
    for name, section in (*schema["$defs"].items(), ("Settings", schema)):
        for field, entry in section.get("properties", {}).items():
            assert entry.get("description"), f"{name}.{field}"
    for leaf in leaves():
        assert path_of(variable(leaf)) == leaf
        assert kind_at(leaf) is not None
