"""Say where a file of the repository breaks a rule that holds for all of them.

Usage: repository.py [FOLDER]; prints one line for each finding and exits 1 if there is one.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

LARGEST = 2_000_000  # bytes; what is larger is data, not text


class Rule(NamedTuple):
    """What must not stand in the files that match one of the globs."""

    what: str
    globs: tuple[str, ...]
    pattern: re.Pattern[str]


def rules(root: Path) -> list[Rule]:
    """Every rule; patterns are put together here so that this file keeps them itself."""
    registries = "py" + "pi|pythonhos" + "ted|npm" + "js|yarn" + "pkg"
    homes = "wo" + "rk|ro" + "ot|home/[a-z]+|Users/[A-Za-z]+"
    return [
        Rule("an address in a lock file", ("requirements/*.lock",), re.compile(":" + "//")),
        Rule("an address in a lock file", ("**/package-lock.json",), re.compile('"resol' + 'ved"')),
        Rule(
            "the host of a package registry",
            ("**",),
            re.compile(rf"\b(?:{registries})\.(?:org|com)\b"),
        ),
        Rule("a path of one machine", ("**",), re.compile(rf"(?<![\w.])/(?:{homes})/")),
        Rule("the path of this checkout", ("**",), re.compile(re.escape(str(root)) + r"\b")),
        Rule(
            "something like a token", ("**",), re.compile(r"\beyJ[A-Za-z0-9_-]{30,}\.[A-Za-z0-9_-]")
        ),
    ]


def tracked(root: Path) -> list[str]:
    """Names of all files git knows or would add, relative to the folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.decode().split("\0") if name)


def text_of(path: Path) -> str:
    """The text of a file; nothing for pictures, large data and files just deleted."""
    if not path.is_file() or path.stat().st_size > LARGEST:
        return ""
    raw = path.read_bytes()
    return "" if b"\0" in raw else raw.decode(errors="replace")


def matches(name: str, globs: tuple[str, ...]) -> bool:
    """Whether a file is one the rule speaks of."""
    path = PurePosixPath(name)
    return any(glob == "**" or path.match(glob.removeprefix("**/")) for glob in globs)


def findings(root: Path) -> Iterator[str]:
    """One line for each place that breaks a rule."""
    chosen = rules(root)
    for name in tracked(root):
        lines = text_of(root / name).splitlines()
        for rule in chosen:
            if not matches(name, rule.globs):
                continue
            for number, line in enumerate(lines, 1):
                if rule.pattern.search(line):
                    yield f"{name}:{number}: {rule.what}"


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(findings(root))
    print("\n".join(found or ["nothing found"]))
    sys.exit(1 if found else 0)
