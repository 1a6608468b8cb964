"""What holds for the project as a whole: weight, wheel, locks, rules, and what the docs claim."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ticktick import __version__
from ticktick.cli import SUMMARIES, commands
from ticktick.config import Settings
from ticktick.domain.metric import METRICS
from ticktick.web.alerts import Alerts
from ticktick.web.analysis import Analysis
from ticktick.web.changes import Changes
from ticktick.web.routes import Routes, router

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "pandas", "numba", "talib", "sklearn", "fastapi", "pydantic", "aiohttp"}
DOCS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
SECTIONS = {name: f for name, f in Settings.model_fields.items() if name != "upstox"}
USE = re.compile(
    r"^(?:[A-Z_]+=\S+ )*(?:(?:\.venv/bin/)?ticktick|python3 start\.py(?= demo)) +(.+)$"
)
START = re.compile(r"python3 start\.py ([a-z]+)")
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)(?:#[^)]*)?\)")


def run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)


def documented_uses() -> Iterator[tuple[str, str]]:
    """(document, arguments) of every use of `ticktick` in a code block or in inline code."""
    for document in DOCS:
        for block, inline in CODE.findall(document.read_text()):
            for line in (block or inline).splitlines():
                use = USE.match(line.split(" #")[0].split(" | ")[0].split(" && ")[0].strip())
                if use:
                    yield str(document.relative_to(ROOT)), use.group(1)


def documented_options() -> list[tuple[str, str]]:
    """(command, option) of every option in a row of the command reference."""
    text = (ROOT / "docs/reference/commands.md").read_text()
    shared = re.search(r"^Options that (.*) share: (.*)$", text, re.MULTILINE)
    assert shared is not None
    rows = [(name, shared.group(2)) for name in re.findall(r"`(\w+)`", shared.group(1))]
    rows += re.findall(
        r"^\| `ticktick ([a-z -]+?)(?: [^a-z`][^`]*)?` \| (.*) \|$", text, re.MULTILINE
    )
    return [(name, option) for name, said in rows for option in re.findall(r"`(--[\w-]+)", said)]


def help_of(words: list[str]) -> str:
    """Help of the deepest command the words name; fails if the first is no command."""
    path: list[str] = []
    said = ""
    for word in words:
        if word.startswith("-"):
            break
        result = CliRunner().invoke(commands, [*path, word, "--help"], prog_name="ticktick")
        if result.exit_code != 0:
            break
        if said == result.output:
            break
        path, said = [*path, word], result.output
    assert path, f"ticktick {words[0]} is no command"
    return said


def test_the_version_is_told_without_loading_anything_heavy() -> None:
    done = run(sys.executable, "-X", "importtime", "-m", "ticktick", "--version")
    loaded = {line.split("|")[-1].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert done.stdout == f"ticktick {__version__}\n"
    assert loaded & HEAVY == set()


def test_no_file_of_the_repository_breaks_a_rule() -> None:
    done = run(sys.executable, "tools/repository.py")
    assert done.stdout == "nothing found\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "line", "finding"),
    [
        ("requirements/x.lock", "a @ http" + "://127.0.0.1/a.whl", "an address in a lock file"),
        ("web/package-lock.json", '"resol' + 'ved": "x"', "an address in a lock file"),
        ("notes.md", "see py" + "pi.org", "the host of a package registry"),
        ("run.sh", "cd /ro" + "ot/tick", "a path of one machine"),
        ("token.txt", "e" + "yJ" + "a" * 40 + ".b", "something like a token"),
    ],
)
def test_a_file_that_breaks_a_rule_is_found(
    name: str, line: str, finding: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"fine\n{line}\n")
    run("git", "init", "--quiet", folder=tmp_path)
    done = run(sys.executable, str(ROOT / "tools/repository.py"), str(tmp_path))
    assert done.stdout == f"{name}:2: {finding}\n"
    assert done.returncode == 1


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda p: p.name
)
def test_every_locked_package_has_a_version_and_a_hash(lock: Path) -> None:
    packages = re.split(r"\n(?=\S)", lock.read_text())
    bare = [p for p in packages if not re.match(r"(#|[\w.\[\]-]+==\S+.*--hash=sha256:)", p, re.S)]
    assert bare == []


def test_the_test_tools_pin_the_versions_that_run() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / f"requirements/{name}.lock").read_text()
        return set(re.findall(r"^[\w.\[\]-]+==[^\s;]+", text, re.MULTILINE))

    assert pins("run") - pins("dev") == set()


def test_what_runs_is_declared_in_the_package_and_in_the_lock_alike() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    wanted = (ROOT / "requirements/run.in").read_text().replace('"', "'").splitlines()
    declared = re.findall(
        r'^  "([^"]+)",$', project.split("dependencies = [")[1].split("]\n")[0], re.M
    )
    assert sorted(declared) == sorted(line for line in wanted if not line.startswith("#"))


def test_a_wheel_holds_the_watchlist_the_schema_and_the_page(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("*.egg-info", "__pycache__")
    shutil.copytree(ROOT / "src", source / "src", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    done = run(sys.executable, "-c", build, str(tmp_path), folder=source)
    assert done.returncode == 0, done.stderr
    wheel = zipfile.ZipFile(next(tmp_path.glob("ticktick-*.whl")))
    wanted = {"symbols.json", "py.typed", "proto/MarketDataFeed.proto"}
    if (ROOT / "src/ticktick/web/dist").is_dir():
        wanted.add("web/dist/index.html")
    assert {f"ticktick/{name}" for name in wanted} - set(wheel.namelist()) == set()


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_has_help_with_an_example(name: str) -> None:
    assert "Example" in help_of([name])


@pytest.mark.parametrize(("document", "arguments"), sorted(set(documented_uses())))
def test_every_command_and_option_the_docs_name_exists(document: str, arguments: str) -> None:
    words = arguments.split()
    if words[0] in {"--version", "--help", "COMMAND"}:
        return
    said = help_of(words)
    options = {word.split("=")[0].strip("[]") for word in words if re.match(r"\[?--\w", word)}
    assert [o for o in sorted(options) if not re.search(rf"{re.escape(o)}\b", said)] == []


def test_the_docs_name_every_command_of_start_py_and_no_other() -> None:
    known = set(START.findall((ROOT / "start.py").read_text()))
    named = {name for document in DOCS for name in START.findall(document.read_text())}
    assert named == known


@pytest.mark.parametrize(("command", "option"), documented_options())
def test_every_option_of_the_command_reference_exists(command: str, option: str) -> None:
    assert re.search(rf"{re.escape(option)}\b", help_of(command.split()))


def test_the_settings_reference_names_every_setting_with_its_default() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text().replace("\\|", "|")
    documented = dict(re.findall(r"^\| `(\w+\.\w+)` \| `?(.*?)`? \| ", text, re.MULTILINE))
    assert documented == {
        f"{section}.{name}": "none" if field.default is None else str(field.default).lower()
        for section, settings in SECTIONS.items()
        for name, field in type(settings.default).model_fields.items()
    } | {"watch.canary": SECTIONS["watch"].default.canary}


def test_the_key_reference_names_every_metric() -> None:
    text = (ROOT / "docs/reference/redis-keys.md").read_text()
    section = text.partition("The metrics, defined in")[2].partition("\n\nFields of")[0]
    named = " ".join(re.findall(r"`([a-z0-9_ ]+)`", section)).split()
    assert sorted(named) == sorted(metric.name for metric in METRICS)


def test_the_http_reference_names_every_path() -> None:
    text = (ROOT / "docs/reference/http-api.md").read_text()
    found = router(
        Routes.__new__(Routes),
        Changes.__new__(Changes),
        Analysis.__new__(Analysis),
        Alerts.__new__(Alerts),
    )
    served = {route.path for route in found.routes}  # type: ignore[attr-defined]
    assert {path for path in served if f"{path}`" not in text} == set()


@pytest.mark.parametrize("document", DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_between_the_docs_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    broken = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    assert broken == []


def test_the_decisions_are_numbered_one_after_the_other() -> None:
    found = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:4] for path in found] == [f"{n:04}" for n in range(1, len(found) + 1)]
    titles = [path.read_text().split(".", 1)[0] for path in found]
    assert titles == [f"# {n}" for n in range(1, len(found) + 1)]
