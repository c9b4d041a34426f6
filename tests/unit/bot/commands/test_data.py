"""``bot data import`` and ``bot data check`` as they are typed."""

from pathlib import Path

from typer.testing import CliRunner

from bot.commands.data import app
from tests.fakes.dumps import Bar, in_seconds, lines, text

FLAT = Bar(open=100_000, high=110_000, low=90_000, close=105_000, volume=200_000_000)
ROWS = lines([FLAT] * 6, 1_502_942_400_000, 3_600_000)


def test_the_first_findings_of_each_kind_are_shown_and_counted(tmp_path: Path) -> None:
    dirty = [*map(in_seconds, ROWS), ["a", "footer"]]
    (tmp_path / "dump.csv").write_text(text(dirty))
    answer = CliRunner().invoke(app, ["import", str(tmp_path / "dump.csv"), "--out", str(tmp_path / "out")])
    assert answer.exit_code == 0, answer.output
    assert "BTCUSDT-1h.parquet: 6 candles of 7 rows in" in answer.stdout
    assert "refused, fields: 1\n    line 8: has 2 fields, not 10: 'a,footer'" in answer.stdout
    assert "repaired, time in seconds: 6\n    line 2: " in answer.stdout
    assert "line 4: " in answer.stdout
    assert "line 5: " not in answer.stdout
    assert "all of it: " in answer.stdout
    assert (tmp_path / "out" / "BTCUSDT-1h.report.csv").read_text().count("time in seconds") == 6


def test_a_dump_that_fails_does_not_keep_the_others_from_being_imported(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(text(ROWS))
    (tmp_path / "bad.csv").write_text("nothing")
    files = [str(tmp_path / name) for name in ("bad.csv", "good.csv", "good.csv")]
    answer = CliRunner().invoke(app, ["import", *files, "--out", str(tmp_path), "--force"])
    assert answer.exit_code == 2
    assert "bad.csv: " in answer.stderr
    assert "another of these dumps" in answer.stderr
    assert answer.stdout.count("6 candles") == 1


def test_nothing_is_overwritten_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "dump.csv").write_text(text(ROWS))
    command = ["import", str(tmp_path / "dump.csv"), "--out", str(tmp_path)]
    assert [CliRunner().invoke(app, [*command, *more]).exit_code for more in ([], [], ["--force"])] == [0, 2, 0]


def test_a_folder_of_imported_files_is_checked_without_the_reports_beside_them(tmp_path: Path) -> None:
    (tmp_path / "dump.csv").write_text(text(ROWS))
    CliRunner().invoke(app, ["import", str(tmp_path / "dump.csv"), "--out", str(tmp_path / "out")])
    answer = CliRunner().invoke(app, ["check", str(tmp_path / "out")])
    assert (answer.exit_code, answer.stderr) == (0, ""), answer.output
