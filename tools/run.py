"""Run the tests, the checks, the benchmarks or the pictures; see start.py.

It expects what `start.py` made, with `.venv` and its Node.js first on PATH.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Tier(NamedTuple):
    """Folders of tests that run together, on so many worker processes; 0 takes none."""

    name: str
    folders: tuple[str, ...]
    workers: int


# A file's tests share what they stand on, so they stay in one process. Integration tests mostly
# wait for other processes. Browser tests measure what a person sees in time: all run in one.
TIERS = (
    Tier("unit", ("unit", "property", "golden"), 2),
    Tier("integration", ("integration",), 3),
    Tier("e2e", ("e2e",), 0),
)


class Job(NamedTuple):
    """One line of a table."""

    name: str
    command: tuple[str, ...]
    folder: str = "."
    settings: tuple[tuple[str, str], ...] = ()  # of its environment


CHECKS = [
    Job("format", ("ruff", "format", "--check", ".")),
    Job("lint", ("ruff", "check", "--quiet", ".")),
    Job("types", ("mypy",)),
    Job("imports", ("lint-imports", "--no-logo")),
    Job("repository", (sys.executable, "tools/repository.py")),
    Job("page types", ("node", "node_modules/svelte-check/bin/svelte-check"), "web"),
    Job("page tests", ("node", "node_modules/vitest/vitest.mjs", "run"), "web"),
]


WITH_OPTIONS = {
    "load": "run under load, hold it against its targets",
    "fuzz": "damage frames of the feed, look at what is shown",
    "soak": "run for simulated hours with random faults",
}


def tests(everything: bool) -> list[Job]:
    """The tests in three tiers, cheapest first; a folder without tests is left out.

    Everything is run once compiled, and all but the browser's tests once more on plain Python.
    """
    mark = ("--hypothesis-profile=all",) if everything else ("-m", "not slow")
    jobs = []
    for tier in TIERS:
        paths = [f"tests/{f}" for f in tier.folders if any((ROOT / "tests" / f).rglob("test_*.py"))]
        if paths:
            workers = ("-n", str(tier.workers), "--dist=loadfile", "--durations=12")
            pytest = (sys.executable, "-m", "pytest", "-q", *workers)
            jobs.append(Job(tier.name, (*pytest, *mark, *paths)))
    plain = [
        job._replace(name=f"{job.name} plain", settings=(("TICKTICK_PURE", "1"),))
        for job in jobs
        if everything and job.name != "e2e"
    ]
    return jobs + plain


def benchmarks(names: Sequence[str], as_json: bool) -> list[Job]:
    """The named benchmarks, or all. Raises ValueError for a name that is not there."""
    known = sorted(path.stem.removeprefix("bench_") for path in ROOT.glob("benchmarks/bench_*.py"))
    if not set(names) <= set(known):
        raise ValueError(f"the benchmarks are: {', '.join(known)}")
    option = ("--json",) if as_json else ()
    return [
        Job(name, (sys.executable, "-m", f"benchmarks.bench_{name}", *option))
        for name in names or known
    ]


def run(job: Job) -> bool:
    """Run one job, its output going straight to the terminal; return whether it went well."""
    program = shutil.which(job.command[0])
    if program is None:
        print(f"{job.command[0]} was not found: the step that makes it failed in start.py")
        return False
    folder = ROOT / job.folder
    settings = {**os.environ, **dict(job.settings)}
    done = subprocess.run(
        [program, *job.command[1:]], cwd=folder, env=settings, stdin=subprocess.DEVNULL
    )
    return done.returncode == 0


def run_all(title: str, jobs: Sequence[Job]) -> int:
    """Run every job, then print the seconds and the result of each; 1 if any failed."""
    results = []
    for job in jobs:
        print(f"== {job.name}", flush=True)
        began = time.monotonic()
        good = run(job)
        results.append((job.name, time.monotonic() - began, good))
    print(f"\n{title:<14}{'seconds':>9}")
    for name, seconds, good in results:
        print(f"{name:<14}{seconds:>9.1f}  {'ok' if good else 'FAILED'}")
    return 0 if all(good for _, _, good in results) else 1


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="start.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="judge everything without running the program")
    commands.add_parser("test", help="run the tests").add_argument("--all", action="store_true")
    bench = commands.add_parser("bench", help="measure, each part against its peer")
    bench.add_argument("names", nargs="*", metavar="NAME")
    bench.add_argument("--json", action="store_true", help="one JSON object a line, nothing else")
    commands.add_parser("screenshots", help="take the pictures of the documents")
    for name, what in WITH_OPTIONS.items():  # each explains its own options
        commands.add_parser(name, help=what, add_help=False)
    chosen, others = parser.parse_known_args(arguments)
    if chosen.command in WITH_OPTIONS:
        module = (sys.executable, "-m", f"tools.{chosen.command}")
        return 0 if run(Job(chosen.command, (*module, *others))) else 1
    if others:
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    if chosen.command == "check":
        return run_all("check", CHECKS)
    if chosen.command == "test":
        return run_all("test", tests(chosen.all))
    if chosen.command == "screenshots":
        return 0 if run(Job("screenshots", (sys.executable, "-m", "tools.screenshots"))) else 1
    try:
        jobs = benchmarks(chosen.names, chosen.json)
    except ValueError as error:
        parser.error(str(error))
    results = [run(job) for job in jobs]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
