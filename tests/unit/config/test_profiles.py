"""The files that ship: profiles that load and teach, and an example environment that says what is true."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from config.chain import PROFILES, profiles
from config.keeping import RetentionSettings
from config.limits import QualitySettings, RiskSettings
from config.loader import load
from config.markets import VenueSettings
from config.section import Section
from config.shape import path_of
from engine.analysis.quality import QualityLimits
from engine.analysis.technical import HISTORY
from engine.risk.limits import RiskLimits
from engine.simulation.fills import FillModel
from engine.store.retention import Retention

ROOT = Path(__file__).parents[3]
EXAMPLE, README = ROOT / ".env.example", ROOT / "README.md"
FIXED = {
    "BOT_PROFILE",
    "BOT_SECRETS_DIR",
    "BOT_DATABASE__URL",
    "BOT_WEB__HOST",
    "BOT_WEB__PORT",
    "BOT_WEB__TOKEN",
    "BOT_TELEGRAM__TOKEN",
    "BOT_TELEGRAM__API_URL",
    "BOT_TELEGRAM__CHAT_ID",
    "BOT_TELEGRAM__MODE",
    "BOT_TELEGRAM__WEBHOOK_URL",
    "BOT_TELEGRAM__WEBHOOK_SECRET",
    "BOT_WEB__CARDS",
    "BOT_TELEGRAM__CARDS",
    "BOT_SLACK__CARDS",
    "BOT_FAILOVER__AFTER",
    "BOT_WEB__ALLOWED_HOSTS",
    "BOT_WEB__TRUSTED_PROXIES",
    "BOT_REPLAY__COMMIT_EVERY",
    "BOT_EXCHANGES",
    "BOT_EXCHANGES__BINANCE__API_URL",
    "BOT_EXCHANGES__BINANCE__API_KEY",
    "BOT_EXCHANGES__BINANCE__SECRET",
    "BOT_EXCHANGES__BINANCE__PASSWORD",
    "BOT_EXCHANGES__BINANCE__SANDBOX",
    "BOT_MARKET__MAX_SKEW",
    "BOT_ACCOUNT__HOLDINGS",
    "BOT_VENUE__FEE",
    "BOT_VENUE__FEE_IN",
    "BOT_VENUE__FEE_PRICE",
    "BOT_SLACK__BOT_TOKEN",
    "BOT_SLACK__CHANNEL",
    "BOT_SLACK__COMMAND",
    "BOT_SLACK__API_URL",
    "BOT_SLACK__MODE",
    "BOT_SLACK__APP_TOKEN",
    "BOT_SLACK__SIGNING_SECRET",
    "BOT_VIEWER__TOKEN",
    "BOT_VIEWER__FOLLOWERS",
    "BOT_PEOPLE",
    "BOT_APPROVAL__AUTO_ABOVE",
    "BOT_APPROVAL__ASK_ABOVE",
    "BOT_APPROVAL__EXPIRES_AFTER",
    "BOT_APPROVAL__MAX_PRICE_DRIFT",
    "BOT_APPROVAL__CONFIRM_WITHIN",
    "BOT_APPROVAL__TWO_PEOPLE_ABOVE",
    "BOT_REPLAY__WAIT_FOR_PEOPLE",
    "BOT_REPLAY__SENTIMENT",
    "BOT_DIGEST__AT",
    "BOT_DIGEST__TIMEZONE",
    "BOT_DIGEST__EVERY",
    "BOT_ALERTS__LOSING_STREAK",
    "BOT_SENTIMENT__ENABLED",
    "BOT_SENTIMENT__SCORER",
    "BOT_SENTIMENT__NEWS__FEEDS",
    "BOT_SENTIMENT__FEAR_GREED__URL",
    "BOT_SENTIMENT__MARKET_CAPS__URL",
    "BOT_SENTIMENT__REDDIT__CLIENT_ID",
    "BOT_SENTIMENT__REDDIT__CLIENT_SECRET",
    "BOT_SENTIMENT__REDDIT__SUBREDDITS",
    "BOT_SENTIMENT__REDDIT__URL",
    "BOT_SENTIMENT__X__BEARER_TOKEN",
    "BOT_SENTIMENT__X__URL",
    "BOT_LLM__PROVIDERS__OPENAI__API_KEY",
    "BOT_LLM__PROVIDERS__OPENAI__MODEL",
    "BOT_LLM__PROVIDERS__OPENAI__API_URL",
    "BOT_LLM__PROVIDERS__OPENAI__PRICE",
    "BOT_LLM__PROVIDERS__LOCAL__MODEL",
    "BOT_LLM__PROVIDERS__LOCAL__API_URL",
    "BOT_LLM__CHAIN",
    "BOT_LLM__MAX_MONTHLY_COST_USD",
    "BOT_LLM__MAX_DAILY_COST_USD",
    "BOT_AI__ENABLED",
    "BOT_LOGS__LEVEL",
    "BOT_LOGS__FILE",
    "BOT_LOGS__TRADES",
}


@pytest.mark.parametrize("profile", profiles())
def test_every_profile_loads_under_its_own_name(profile: str, tmp_path: Path):
    assert load(profile, None, {}, {}, tmp_path).settings.profile == profile


@pytest.mark.parametrize("profile", profiles())
def test_every_profile_begins_with_what_it_is(profile: str):
    assert (PROFILES / f"{profile}.yaml").read_text(encoding="utf-8").startswith("# ")


def test_dev_is_the_demo_with_more_in_its_log_and_less_before_its_start(tmp_path: Path):
    demo, dev = (load(profile, None, {}, {}, tmp_path).settings for profile in ("demo", "dev"))
    assert (dev.logs.level, dev.logs.trades) == ("DEBUG", True)
    assert dev.market.history < demo.market.history / 5
    assert dev.venue_file.parent != demo.venue_file.parent, "each has an account of its own"
    longest = {each for context in dev.contexts for each in (context.timeframe, *context.higher)}
    assert all(HISTORY * each.duration <= dev.market.history for each in longest)


def test_the_example_environment_has_every_fixed_name_and_can_be_used_as_it_is(tmp_path: Path):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert set(re.findall(r"^#?(BOT_\w+)=", text, re.MULTILINE)) == FIXED
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert load(None, None, {}, {}, tmp_path).settings.profile == "demo"


def test_the_example_environment_can_be_used_with_every_line_switched_on(tmp_path: Path):
    text = re.sub(r"^#BOT_", "BOT_", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    (tmp_path / "secrets").mkdir()
    settings = load(None, None, {}, {}, tmp_path).settings
    assert settings.people[0].name == "Ada"
    assert settings.telegram.chat_id == "-1001234567890"


def test_the_table_of_variables_in_the_readme_has_every_fixed_name():
    rows = re.findall(r"^\| (`BOT_.+?) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(BOT_\w+)`", row)} == FIXED


def test_every_fixed_name_is_a_setting():
    assert all(path_of(name) for name in FIXED)


@pytest.mark.parametrize(
    ("section", "rules"),
    [
        (RiskSettings, RiskLimits),
        (VenueSettings, FillModel),
        (QualitySettings, QualityLimits),
        (RetentionSettings, Retention),
    ],
)
def test_a_limit_has_the_same_default_in_the_settings_and_in_the_engine(section: type[Section], rules: type):
    known = [field for field in fields(rules) if field.default is not MISSING]
    shared = {field.name: field.default for field in known if field.name in section.model_fields}
    assert len(shared) >= 4
    assert shared == {name: section.model_fields[name].default for name in shared}
