"""The image: no engine builds it here, so its files are read, and its steps are gone through by hand."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from config.loader import load
from engine.domain.sentiment import SourceAge
from handlers.web.metric_families import Seen
from tests.fakes import reports

ROOT = Path(__file__).parents[2]
PROGRAM = ("bot", "config", "handlers", "migrations", "src/engine")
NOBODY = 65534
PROMTOOL = shutil.which("promtool")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, joined at a backslash."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def last_stage() -> dict[str, str]:
    """What the last stage says; the last of each instruction counts."""
    said = instructions()
    begin = max(number for number, (word, _) in enumerate(said) if word == "FROM")
    return dict(said[begin:])


def copied() -> list[str]:
    """What is copied from the checkout."""
    copies = [shlex.split(rest) for word, rest in instructions() if word == "COPY"]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def health_command() -> list[str]:
    return json.loads(last_stage()["HEALTHCHECK"].partition("CMD ")[2])


def test_what_the_image_copies_is_there_and_is_not_ignored():
    assert [source for source in copied() if not (ROOT / source).exists()] == []
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert sorted(rule.removeprefix("!") for rule in rules if rule.startswith("!")) == sorted(copied())


def test_the_image_carries_every_package_of_the_program():
    assert [name for name in PROGRAM if not any(name == each or name.startswith(f"{each}/") for each in copied())] == []


def test_the_image_runs_as_somebody_without_rights_and_tells_its_health():
    stage = last_stage()
    assert stage["USER"] not in ("", "0", "root")
    assert json.loads(stage["CMD"]) == ["bot", "run"]
    assert "/health" in health_command()[-1]


def test_the_image_sets_settings_that_there_are(tmp_path):
    words = shlex.split(last_stage()["ENV"])
    environ = dict(word.split("=", 1) for word in words)
    settings = load(None, None, {}, environ, tmp_path).settings
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 8080)  # noqa: S104 - read, not bound


def test_the_services_fit_together(tmp_path):
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    bot, database = compose["services"]["bot"], compose["services"]["database"]
    password = database["environment"]["POSTGRES_PASSWORD"]
    url = bot["environment"]["BOT_DATABASE__URL"]
    user, name = database["environment"]["POSTGRES_USER"], database["environment"]["POSTGRES_DB"]
    assert url == f"postgresql://{user}:{password}@database/{name}"
    assert "?put it into .env" in password, "no password stands in the file, and none is made up"
    settings = load(None, None, {}, {"BOT_DATABASE__URL": url.replace(password, "secret")}, tmp_path).settings
    mounted = {volume.split(":")[1] for volume in bot["volumes"]}
    assert mounted == {last_stage()["VOLUME"]}
    inside = Path(last_stage()["WORKDIR"]) / settings.venue_file
    assert inside.is_relative_to(mounted.pop()), "the paper venue's file outlives the container"
    mounts = [volume for service in compose["services"].values() for volume in service.get("volumes", ())]
    sources = {volume.split(":")[0] for volume in mounts}
    assert {source for source in sources if not source.startswith("./")} == set(compose["volumes"])
    assert [source for source in sources if source.startswith("./") and not (ROOT / source).exists()] == []


def test_the_viewer_looks_at_the_bots_database_and_starts_where_it_is_asked_for():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    bot, viewer = services["bot"], services["viewer"]
    assert viewer["profiles"] == ["viewer"]
    assert viewer["environment"]["BOT_DATABASE__URL"] == bot["environment"]["BOT_DATABASE__URL"]
    assert viewer["volumes"] == ["state:/srv/greenlight/var"]
    assert viewer["healthcheck"] == {"disable": True}, "the image asks a web server, which the viewer has not"
    install = next(rest for word, rest in instructions() if word == "RUN" and "pip install" in rest)
    assert "[postgres,viewer]" in install


def test_what_looks_at_the_bot_finds_it_and_may_come_in(tmp_path):
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = compose["services"]
    bot, prometheus = services["bot"], services["prometheus"]
    assert [services[name]["profiles"] for name in ("prometheus", "grafana")] == [["monitoring"], ["monitoring"]]
    scrape = yaml.safe_load((ROOT / "monitoring/prometheus.yaml").read_text())
    (job,) = scrape["scrape_configs"]
    host, _, port = job["static_configs"][0]["targets"][0].partition(":")
    assert services[host] is bot
    assert int(port) == bot["environment"]["BOT_WEB__PORT"]
    allowed = bot["environment"]["BOT_WEB__ALLOWED_HOSTS"].partition(":-")[2].removesuffix("}")
    assert host in load(None, None, {}, {"BOT_WEB__ALLOWED_HOSTS": allowed}, tmp_path).settings.web.allowed_hosts
    (secret,) = prometheus["secrets"]
    assert job["authorization"]["credentials_file"] == f"/run/secrets/{secret}"
    assert compose["secrets"][secret] == {"environment": "BOT_WEB__TOKEN"}
    assert scrape["rule_files"] == [volume.split(":")[1] for volume in prometheus["volumes"] if "alerts" in volume]
    (source,) = yaml.safe_load((ROOT / "monitoring/grafana/datasource.yaml").read_text())["datasources"]
    assert services[source["url"].split("/")[2].partition(":")[0]] is prometheus


def test_pictures_and_alerts_ask_for_metrics_that_there_are():
    status, totals, parts, models = reports.status(), reports.totals(), reports.health(), reports.models_view()
    sources = (SourceAge(source="news", read_at=reports.NOON, wrong=""),)
    seen = Seen(version="1", status=status, totals=totals, parts=parts, models=models, sources=sources)
    said = seen.text().decode()
    there = {sample.name for family in text_string_to_metric_families(said) for sample in family.samples}
    board = json.loads((ROOT / "monitoring/grafana/dashboards/greenlight.json").read_text())
    rules = yaml.safe_load((ROOT / "monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = set(re.findall(r"greenlight_\w+", " ".join([*asked, *(rule["expr"] for rule in rules)])))
    assert names
    assert names - there == set()


@pytest.mark.skipif(PROMTOOL is None, reason="there is no promtool on this machine: it comes with Prometheus")
def test_each_alert_speaks_when_it_should_and_not_before():
    alerts = ROOT / "monitoring/alerts.yaml"
    said = yaml.safe_load(alerts.with_suffix(".test.yaml").read_text())["tests"]
    tried = {each["alertname"] for test in said for each in test.get("alert_rule_test", ()) if each["exp_alerts"]}
    assert tried == {rule["alert"] for rule in yaml.safe_load(alerts.read_text())["groups"][0]["rules"]}
    _do(str(PROMTOOL), "test", "rules", str(alerts.with_suffix(".test.yaml")))
    _do(str(PROMTOOL), "check", "config", "--syntax-only", str(ROOT / "monitoring/prometheus.yaml"))


@pytest.mark.slow
def test_every_process_of_the_procfile_is_a_command_that_there_is():
    lines = [line.partition(": ") for line in (ROOT / "Procfile").read_text().splitlines()]
    assert [name for name, _, _ in lines] == ["release", "worker", "viewer"]
    for _, _, command in lines:
        words = shlex.split(re.sub(r"\$\{\w+:-(\w+)\}", r"\1", command))
        program = str(Path(sys.executable).with_name(words[0]))
        _do(program, *words[1:], "--help")


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A root with the program as the image has it: a wheel in an environment of its own, and an empty home."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)  # whoever runs it must be able to come in
        wheels, python = root / "wheels", root / "venv/bin/python"
        _do(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(wheels))
        [wheel] = wheels.glob("*.whl")
        uv = str(Path(sys.executable).with_name("uv"))
        _do(uv, "venv", "--quiet", "--python", str(_interpreter(root)), str(root / "venv"))
        wanted = f"greenlight[postgres,viewer] @ {wheel.as_uri()}"
        _do(uv, "pip", "install", "--quiet", "--python", str(python), "--constraint", "constraints.txt", wanted)
        (root / "home").mkdir()
        if os.getuid() == 0:
            os.chown(root / "home", NOBODY, NOBODY)
        yield root


def _interpreter(root: Path) -> Path:
    """The Python of these tests, where everybody may run it: out of somebody's closed home it is copied."""
    base = Path(sys.base_prefix)
    name = f"bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if all(folder.stat().st_mode & 0o001 for folder in (base, *base.parents)):
        return base / name
    unused = shutil.ignore_patterns("test", "site-packages", "share", "*.a", "__pycache__")
    shutil.copytree(base, root / "python", symlinks=True, ignore=unused)
    return root / "python" / name


def _do(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)


def _as_user(root: Path, *command: str, port: int) -> subprocess.Popen[str]:
    """A command in the empty home, as nobody where we may choose, with the image's environment."""
    ids = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    environ = {
        "PATH": f"{root}/venv/bin:/usr/bin:/bin",
        "HOME": f"{root}/home",
        "LD_LIBRARY_PATH": f"{root}/python/lib",  # a copied Python looks for its library where it came from
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "BOT_PROFILE": "demo",
        "BOT_WEB__HOST": "0.0.0.0",  # noqa: S104 - as in the image
        "BOT_WEB__PORT": str(port),
    }
    return subprocess.Popen(
        [root / "venv/bin" / command[0], *command[1:]],
        cwd=root / "home",
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **ids,
    )


def _said(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=90)
    assert process.returncode == 0, out
    return out


@contextmanager
def _running(root: Path, port: int) -> Iterator[None]:
    process = _as_user(root, *json.loads(last_stage()["CMD"]), port=port)
    try:
        assert process.stdout
        heard: list[str] = []
        for line in process.stdout:
            heard.append(line)
            if "/enter/" in line:
                break
        assert "/enter/" in heard[-1], "".join(heard)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        _said(process)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_images_steps_give_a_bot_that_runs_for_somebody_without_rights(image):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "All is well." in _said(_as_user(image, "bot", "doctor", port=port))
    assert "is up to date" in _said(_as_user(image, "bot", "db", "upgrade", port=port))
    with _running(image, port):
        _said(_as_user(image, *health_command(), port=port))
    sick = _as_user(image, *health_command(), port=port)
    sick.communicate(timeout=90)
    assert sick.returncode != 0, "nobody is there any more"
    assert {file.name for file in (image / "home/var/demo").iterdir()} >= {"greenlight.sqlite", "venue.sqlite"}
