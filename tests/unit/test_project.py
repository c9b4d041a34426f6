"""The project's own files agree with one another, and what the documents tell people to type works."""

import importlib.metadata
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROGRAM = ("bot", "handlers", "config", "migrations", "src/engine")

# Words that may begin a line of a ```sh block without being looked at more closely.
PLAIN_TOOLS = {"git", "cd", "cp", "curl", "export", "bash"}


def tracked(*under: str) -> list[str]:
    """The files that git would hand to somebody else, by path from the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout, so what belongs to the project cannot be told")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *under]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


# Documents


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a Markdown text in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def command_lines(block: str) -> Iterator[list[str]]:
    """What a shell would run: joined at a backslash, split at ``&&``, without comments and leading assignments."""
    for line in block.replace("\\\n", " ").replace("&&", "\n").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"^\w+=", words[0]):
            words = words[1:]
        if words:
            yield words


def check_command(words: list[str]) -> None:
    """Fail where a documented command could not be typed as it stands."""
    match words:
        case ["make", *arguments]:
            wanted = [word for word in arguments if "=" not in word and not word.startswith("-")]
            assert set(wanted) <= set(make_targets()), f"make has no target for: {shlex.join(words)}"
        case ["bot" | ".venv/bin/bot", *arguments]:
            check_bot(arguments)
        case [tool, *_]:
            assert tool in PLAIN_TOOLS, f"nobody checks what this does: {shlex.join(words)}"


def check_bot(arguments: list[str]) -> None:
    """Parse a command line of ours without running it."""
    from bot.cli import app

    command = typer.main.get_command(app)
    while arguments and (named := getattr(command, "commands", {}).get(arguments[0])):
        command, arguments = named, arguments[1:]
    command.make_context("bot", list(arguments))


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_tells_people_to_type_can_be_typed(path: Path) -> None:
    for block in blocks(path.read_text(), "sh"):
        for words in command_lines(block):
            check_command(words)


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_python_in_a_document_runs(path: Path, tmp_path: Path) -> None:
    for block in blocks(path.read_text(), "python"):
        ran = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_links_to_files_that_are_there(path: Path) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_a_document_with_an_unknown_command_is_found_out() -> None:
    [block] = blocks("Text.\n\n```sh\nBOT_SEED=3 make \\\n  nonsense ARGS='a b'  # not there\n```\n", "sh")
    [words] = command_lines(block)
    assert words == ["make", "nonsense", "ARGS=a b"]
    with pytest.raises(AssertionError, match="make has no target"):
        check_command(words)


def test_an_extra_is_installed_into_this_checkout_and_not_as_a_copy_of_it() -> None:
    """Without ``-e`` pip puts a copy in its place, and what is changed here changes nothing any more."""
    texts = {name: (ROOT / name).read_text() for name in tracked("*.md", "*.py", "*.sh")}
    said = [line for text in texts.values() for line in re.findall(r"pip install [^`\n]*'\.\[\w+\]'", text)]
    assert {line for line in said if not re.fullmatch(r"pip install -c constraints\.txt -e '\.\[\w+\]'", line)} == set()
    assert {"viewer", "charts"} <= {extra for line in said for extra in re.findall(r"\[(\w+)\]", line)}


# Make


def make_targets() -> list[str]:
    """Every target of the Makefile that is not a file or a setting of make."""
    return re.findall(r"^([a-z]\w*):(?!=)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_make_alone_lists_every_target() -> None:
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^ {2}make (\w+) +\S", shown.stdout, flags=re.MULTILINE) == make_targets()


def test_every_target_runs_whatever_files_lie_about() -> None:
    [phony] = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony.split() == make_targets()


# Dependencies


def pins() -> dict[str, list[Requirement]]:
    """The lines of constraints.txt by name; a name has several where Pythons or systems differ."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def direct_dependencies() -> list[Requirement]:
    return required_by(PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values())


def required_by(*groups: list[str]) -> list[Requirement]:
    named = [Requirement(line) for group in groups for line in group]
    return [requirement for requirement in named if requirement.name != PROJECT["project"]["name"]]  # its own extras


def test_constraints_are_bare_pins() -> None:
    for name, lines in pins().items():
        for line in lines:
            assert [specifier.operator for specifier in line.specifier] == ["=="], name
            assert line.url is None


@pytest.mark.parametrize("dependency", direct_dependencies(), ids=lambda dependency: dependency.name)
def test_every_dependency_is_pinned_at_an_allowed_version(dependency: Requirement) -> None:
    lines = pins()[canonicalize_name(dependency.name)]
    versions = [specifier.version for line in lines for specifier in line.specifier]
    assert [version for version in versions if not dependency.specifier.contains(version)] == []


def test_everything_that_comes_along_is_pinned_too() -> None:
    assert sorted(closure(direct_dependencies()) - pins().keys()) == []


def test_no_pytorch_comes_unless_it_is_asked_for() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    others = required_by(PROJECT["project"]["dependencies"], *(extras[name] for name in extras if name != "rl"))
    assert "torch" not in closure(others)
    assert not [line for name in extras for line in extras[name] if re.search(r"greenlight\[.*\brl\b", line)]


def needed_by(name: str) -> list[str]:
    """What a distribution asks for; nothing is known of one that is not here, as PyTorch is not beside `make test`."""
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def closure(wanted: list[Requirement]) -> set[str]:
    """The names of all distributions that these pull in, here, read from what is installed."""
    todo, seen = list(wanted), set[tuple[str, str]]()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                listed = [Requirement(line) for line in needed_by(name)]
                todo += [line for line in listed if line.marker is None or line.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


# What is handed on

# Put together here, so that this file does not name them itself.
FOREIGN = [
    *(re.escape(".".join(parts)) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))),
    *(re.escape(".".join(parts)) for parts in (("deb", "debian", "org"), ("crates", "io"), ("proxy", "golang", "org"))),
    r"\b" + "farm" + r"-\w",
    r"(?<![\w.])/" + "work/",
    "--" + r"(extra-)?index-url\b",
    r"\bindex[-_]url\s*=",
]


def test_no_file_names_a_registry_or_this_machine() -> None:
    pattern = re.compile("|".join(FOREIGN))
    texts = {name: (ROOT / name).read_bytes().decode(errors="replace") for name in tracked()}
    assert texts
    assert sorted(name for name, text in texts.items() if pattern.search(text)) == []


def test_the_version_is_the_newest_of_the_changelog() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert versions[0] == PROJECT["project"]["version"]


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    listed = (ROOT / "docs" / "adr" / "README.md").read_text()
    assert [name for name in records if f"({name})" not in listed] == []


def test_what_the_first_plan_names_is_where_the_table_says() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("## Names of the first plan")[2]
    rows = re.findall(r"^\| .+? \| (.*`.+) \| (`.+) \|$", table, re.MULTILINE)
    assert len(rows) > 12
    for names, files in rows:
        paths = [
            ROOT / (f"src/{file}" if file.startswith("engine/") else file) for file in re.findall("`(.+?)`", files)
        ]
        sources = "".join(path.read_text() for path in paths)
        for name in set(re.findall(r"`(\w+)`", names)):
            assert re.search(rf"(class|def) {name}\b", sources), f"{name} is not in {files}"


@pytest.mark.slow
def test_the_wheel_carries_everything_the_program_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    [wheel] = tmp_path.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())

    wanted = {name.removeprefix("src/") for name in tracked(*PROGRAM)}

    assert sorted(wanted - carried) == []
    pages = (r"handlers/web/templates/.+\.html", r"handlers/charts/templates/.+\.html", r"handlers/backtests/.+\.css")
    for kind in (r"config/profiles/demo\.yaml", r"migrations/versions/\w+\.py", *pages):
        assert any(re.fullmatch(kind, name) for name in carried), kind
