"""This computer: Python, its libraries, the tools around it, the page that was built."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import Final

from ticktick.checkup.finding import NotChecked
from ticktick.compiled import is_wanted, missing
from ticktick.errors import ConfigError
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse

_OLDEST_PYTHON = (3, 11)
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^]]*])?([^;]*)(?:;(.*))?")
_BOUND = re.compile(r"(>=|<)\s*([\d.]+)")
_TOLD: Final = ("numpy", "protobuf", "msgspec", "aiohttp", "websockets", "redis", "fastapi")


def system() -> str:
    """What the program runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if _is_posix() else 0
    size = f", {memory / 2**30:.1f} GiB of memory" if memory else ""
    kind = " ".join(part for part in (platform.system(), platform.machine()) if part)
    library = "-".join(part for part in platform.libc_ver() if part)
    return f"{kind} {library}".strip() + f", {os.cpu_count()} processors{size}"


def python() -> str:
    """The interpreter."""
    found = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        raise ConfigError(f"this is Python {found}: install 3.11 or newer")
    return f"{found} at {sys.executable}"


def libraries() -> str:
    """Every library the package asks for, in a version it asks for."""
    try:
        wanted = requires("ticktick") or []
    except PackageNotFoundError:
        raise NotChecked(
            "Tick-Tick is not installed as a package: nothing says what it needs"
        ) from None
    wrong = [sentence for line in wanted for sentence in _wrong(line)]
    if wrong:
        raise ConfigError(f"{'; '.join(wrong)}: run `python3 start.py setup`, or install anew")
    told = ", ".join(f"{name} {version(name)}" for name in _TOLD)
    return f"{len(wanted)} as required; {told}"


def fast_parts() -> str:
    """The compiled halves of libraries that also run without, only slower."""
    slow = [
        name
        for name, is_compiled in (
            ("protobuf", type(FeedResponse).__module__.startswith("google._upb")),
            ("websockets", find_spec("websockets.speedups") is not None),
            ("hiredis", find_spec("hiredis") is not None),
            ("uvloop", find_spec("uvloop") is not None or os.name == "nt"),
        )
        if not is_compiled
    ]
    if slow:
        raise ConfigError(
            f"{', '.join(slow)} run without compiled code, many times slower: install them anew "
            "for this Python"
        )
    return "frames, socket and Redis are read by compiled code"


def decoder() -> str:
    """The parts of ours that are compiled where there is a compiler."""
    lost = [name.rpartition(".")[2].lstrip("_") for name in missing()]
    if not lost:
        return "compiled: frames are read straight from the wire, and measured, by compiled code"
    if not is_wanted():
        raise NotChecked("not compiled, TICKTICK_PURE is set: plain Python serves")
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang", "cl"))), None)
    why = "there is no C compiler" if found is None else f"it was not built with {found}"
    raise NotChecked(
        f"not compiled: {', '.join(lost)}; {why}: plain Python serves, as right but more slowly; "
        "`python3 start.py setup` tries again"
    )


def page() -> str:
    """The dashboard's files."""
    built = resources.files("ticktick").joinpath("web", "dist", "index.html")
    if not built.is_file():
        raise NotChecked(
            "not built: a plain status page is served; `python3 start.py setup` builds it"
        )
    return "built"


def _wrong(requirement: str) -> Iterator[str]:
    """What is wrong with the library a line of the package's requirements names."""
    read = _REQUIREMENT.match(requirement)
    if read is None or not _applies(read[3] or ""):
        return
    name = read[1]
    try:
        found = version(name)
    except PackageNotFoundError:
        yield f"{name} is missing"
        return
    for relation, bound in _BOUND.findall(read[2]):
        if (_release(found) >= _release(bound)) != (relation == ">="):
            yield f"{name} is {found}, needed is {relation}{bound}"


def _applies(marker: str) -> bool:
    """Whether a requirement is for this system; those of extras are not looked at."""
    return "extra" not in marker and not ("!= " in marker and repr(sys.platform)[1:-1] in marker)


def _release(text: str) -> tuple[int, ...]:
    numbers = [int(number) for number in re.findall(r"\d+", text)[:3]]
    return (*numbers, 0, 0, 0)[:3]


def _is_posix() -> bool:
    return os.name == "posix"
