"""Nobody else may read what the program keeps, whatever the umask, and whoever made the files."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.app import App
from bot.doctor import Case, Line, Verdict, examine, keeping
from bot.own_files import narrow_own_files, wider_files
from engine.store.backup import backup, restore
from handlers.viewer.subscribers import Subscribers
from tests.fakes.command_line import bot
from tests.fakes.database import new_file, url_of
from tests.fakes.program import running, settings_of

NOBODY = 65534


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """The mode of everything in a folder, by name."""
    return {str(path.relative_to(folder)): f"{stat.S_IMODE(path.stat().st_mode):o}" for path in folder.rglob("*")}


@pytest.mark.parametrize("mask", [0o000, 0o022])
async def test_everything_that_a_run_makes_is_this_users_alone(tmp_path: Path, mask: int):
    settings = settings_of(
        tmp_path,
        database={"url": f"sqlite:///{tmp_path}/kept/here/bot.sqlite"},
        venue={"file": None},
        logs={"file": str(tmp_path / "logged/bot.log")},
    )
    with umask(mask):
        async with running(settings):
            made = modes(tmp_path / "kept")
    assert made.pop("here") == "700"
    assert {name.removeprefix("here/").partition(".")[0] for name in made} == {"bot", "venue", "instance"}
    assert any(name.endswith("-wal") for name in made)
    assert set(made.values()) == {"600"}


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_logs_backups_restored_files_and_subscribers_are_this_users_alone(tmp_path: Path, mask: int):
    from bot import logs

    new_file(tmp_path / "a")
    venue = tmp_path / "a/venue.sqlite"
    with umask(mask):
        Subscribers(tmp_path / "viewer/viewer.sqlite")
        Subscribers(venue)  # any file of SQLite's
        backup(url_of(tmp_path / "a"), {"venue.sqlite": venue}, tmp_path / "saved.zip")
        with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
            assert "venue.sqlite" in archive.namelist()
        restore(
            f"sqlite:///{tmp_path}/b/bot.sqlite", {"venue.sqlite": tmp_path / "b/venue.sqlite"}, tmp_path / "saved.zip"
        )
        handler = logs._file_handler(tmp_path / "logs/bot.log")
        handler.doRollover()
        handler.close()
    made = modes(tmp_path)
    wanted = {"saved.zip", "b/bot.sqlite", "b/venue.sqlite", "viewer/viewer.sqlite", "logs/bot.log", "logs/bot.log.1"}
    assert {name: made[name] for name in wanted} == dict.fromkeys(wanted, "600")
    assert {made[name] for name in ("b", "viewer", "logs")} == {"700"}


async def test_what_a_replay_came_to_is_this_users_alone(tmp_path: Path):
    file = tmp_path / "out" / "came_to.json"
    replay = {"until_end": True, "wait_for_people": 0, "summary": str(file)}
    with umask(0o022):
        await App(settings_of(tmp_path, replay=replay), announce=lambda _: None).run()
    assert modes(tmp_path)["out/came_to.json"] == "600"


def test_wider_files_of_an_earlier_version_are_narrowed_and_a_shared_folder_is_left_alone(tmp_path: Path):
    own = {"logs": {"file": str(tmp_path / "bot.log")}, "backtest": {"trials": str(tmp_path / "trials.jsonl")}}
    settings = settings_of(tmp_path, **own)
    names = (
        "greenlight.sqlite",
        "greenlight.sqlite-wal",
        "venue.sqlite",
        "venue.sqlite.lock",
        "bot.log",
        "trials.jsonl",
    )
    for name in (*names, "BTCUSDT-1h.parquet"):
        (tmp_path / name).touch(0o644)
        (tmp_path / name).chmod(0o644)
    tmp_path.chmod(0o755)
    narrow_own_files(settings)
    assert {modes(tmp_path)[name] for name in names} == {"600"}
    assert modes(tmp_path)["BTCUSDT-1h.parquet"] == "644", "not the program's"
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755, "others may have their things in there"


def test_what_is_no_file_keeps_its_mode(tmp_path: Path):
    os.mkfifo(tmp_path / "bot.log")
    (tmp_path / "bot.log").chmod(0o666)
    narrow_own_files(settings_of(tmp_path, logs={"file": str(tmp_path / "bot.log")}))
    assert modes(tmp_path)["bot.log"] == "666"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_files_of_somebody_else_are_left_alone(tmp_path: Path):
    (tmp_path / "venue.sqlite").touch()
    (tmp_path / "venue.sqlite").chmod(0o644)
    os.chown(tmp_path / "venue.sqlite", NOBODY, NOBODY)
    narrow_own_files(settings_of(tmp_path))
    assert modes(tmp_path)["venue.sqlite"] == "644"


def test_the_profiles_own_folder_is_narrowed_by_a_start_and_doctor_names_what_is_wider(tmp_path: Path):
    folder = tmp_path / "var/demo"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    new_file(folder).chmod(0o640)
    (tmp_path / ".env").write_text("BOT_WEB__TOKEN=a-token-of-some-length\n")
    (tmp_path / ".env").chmod(0o644)

    said = bot(tmp_path, "doctor", BOT_WEB__PORT="0")
    assert (said.returncode, said.stderr) == (1, "")
    assert "Others on this machine may read or write" in said.stdout
    assert "var/demo/greenlight.sqlite .env" in said.stdout
    assert "; look into var/demo." in said.stdout, "all at once"
    assert modes(folder)["greenlight.sqlite"] == "640", "looking changes nothing"

    (tmp_path / ".env").chmod(0o600)
    bot(tmp_path, "run", "--until-end", "--end", "2026-01-01T01:00", "--speed", "max", BOT_WEB__PORT="0")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {mode for name, mode in modes(folder).items()} == {"600"}
    said = bot(tmp_path, "doctor", BOT_WEB__PORT="0")
    assert "private files: nobody else" in said.stdout


def test_a_file_of_a_secret_is_judged_where_it_is_this_users_own(tmp_path: Path):
    """What a container mounts is somebody else's, and as they want it."""
    file = tmp_path / "secrets/bot_web__token"
    file.parent.mkdir()
    file.write_text("a-token-of-some-length")
    (tmp_path / "secrets/postgres_password").touch(0o644)
    settings = settings_of(tmp_path, secrets_dir=str(tmp_path / "secrets"))
    file.chmod(0o644)
    assert file in wider_files(settings)
    file.chmod(0o400)
    assert file not in wider_files(settings)
    if os.getuid() == 0:
        file.chmod(0o444)
        os.chown(file, NOBODY, NOBODY)
        assert file not in wider_files(settings)


def test_a_folder_that_others_may_look_into_is_named_though_its_files_are_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    own, shared = tmp_path / "var/demo", tmp_path / "shared"
    check = next(check for check in keeping.CHECKS if check.name == "private files")

    def line(folder: Path, mode: int) -> Line:
        new_file(folder).chmod(0o600)
        folder.chmod(mode)
        [found] = examine(Case(settings=settings_of(folder), wall=lambda: None), [check])
        return found

    for folder in (own, shared):
        folder.mkdir(parents=True, mode=0o700)
        private = line(folder, 0o700)
        assert (private.verdict, private.text) == (Verdict.OK, "nobody else on this machine may read them")
    wide = [line(own, mode) for mode in (0o755, 0o710, 0o701)]
    assert {each.verdict for each in wide} == {Verdict.WRONG}
    assert {each.text for each in wide} == {f"Others on this machine may look into {own}."}
    assert wide[0].remedy.startswith(f"chmod go= {own}")
    named = line(shared, 0o755)
    assert (named.verdict, str(shared) in named.text) == (Verdict.OK, True), "others may have their things in there"


def test_a_folder_in_which_everybody_may_rename_is_named_unless_it_is_sticky(tmp_path: Path):
    settings = settings_of(tmp_path)
    check = next(check for check in keeping.CHECKS if check.name == "private files")

    def verdict(mode: int) -> Verdict:
        tmp_path.chmod(mode)
        [line] = examine(Case(settings=settings, wall=lambda: None), [check])
        return line.verdict

    assert [verdict(mode) for mode in (0o700, 0o755, 0o777, 0o1777)] == ["ok", "ok", "wrong", "ok"]
