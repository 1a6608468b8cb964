"""Start and memory of the whole program, against their bars.

The exchange runs already. A start is timed from the call of the command to the line in
logs/system.log that the feed's first data was decoded: interpreter, imports, Redis, login,
instruments and the feed lie in between. Files are warm, as in every start but the first after
booting. What only the page needs is imported after that: its first answer is timed too. Memory is
the resident set of the program some seconds after 500 symbols are fresh. Of memory the table
shows MiB.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.request import ProxyHandler, build_opener

from benchmarks.race import Result, result, tell
from tools.crowd_feed import key_of
from tools.load import Crowd
from tools.soak import line_with, process, resident_mb

ROOT: Final = Path(__file__).resolve().parent.parent
SIZES: Final = (15, 500)
STARTS: Final = 5
START_BAR_NS: Final = 1_000_000_000
MEMORY_BAR_MIB: Final = 200.0
SETTLE_S: Final = 5.0
_UPDATES_PER_SYMBOL: Final = 5.0
_LIMIT_S: Final = 60.0
_DECODED: Final = "feed up"
_MIB: Final = 1_000.0  # of a result's unit, so that the table shows whole ones


class Start(NamedTuple):
    """Nanoseconds from the command to the first decoded frame, and to the page's first answer."""

    frame_ns: int
    page_ns: int


def start(folder: Path, exchange: str, symbols: int) -> Start:
    """Start once. Raises TimeoutError if no frame is decoded."""
    home = Path(tempfile.mkdtemp(dir=folder))
    log = home / "logs" / "system.log"
    began = time.perf_counter_ns()
    with process(home, *_command(exchange, symbols)):
        while not (log.is_file() and _DECODED in log.read_text()):
            if time.perf_counter_ns() - began > _LIMIT_S * 1e9:
                raise TimeoutError(f"no frame was decoded within {_LIMIT_S:.0f} s: see {log}")
            time.sleep(0.002)
        frame_ns = time.perf_counter_ns() - began
        url = json.loads((home / "data" / "server.json").read_bytes())["url"]
        with build_opener(ProxyHandler({})).open(url, timeout=_LIMIT_S) as answer:
            answer.read()
        return Start(frame_ns, time.perf_counter_ns() - began)


def memory_mib(folder: Path, exchange: str, symbols: int) -> float:
    """Resident memory of a program that has been fresh for a while."""
    home = Path(tempfile.mkdtemp(dir=folder))
    with process(home, *_command(exchange, symbols)) as program:
        line_with(program, "are fresh")
        time.sleep(SETTLE_S)
        return resident_mb(program.pid) * 1e6 / 2**20


def results() -> Iterator[Result]:
    """Starts with few and many symbols, and memory with many."""
    for symbols in SIZES:
        with tempfile.TemporaryDirectory(prefix="ticktick-bench-") as made, _crowd(symbols) as url:
            folder = Path(made)
            start(folder, url, symbols)  # warms the files
            took = [start(folder, url, symbols) for _ in range(STARTS)]
            frames, pages = [one.frame_ns for one in took], [one.page_ns for one in took]
            yield result("start", f"{symbols} symbols", "bar: 1 s", frames, [START_BAR_NS])
            yield result("start", f"{symbols} symbols, page", "first frame", pages, frames)
            if symbols == max(SIZES):
                used = [memory_mib(folder, url, symbols) * _MIB]
                bar = [MEMORY_BAR_MIB * _MIB]
                yield result("start", f"memory, {symbols} symbols, MiB", "bar: 200 MiB", used, bar)


@contextmanager
def _crowd(symbols: int) -> Iterator[str]:
    """An exchange with so many stocks; its address."""
    rate = str(_UPDATES_PER_SYMBOL * symbols)
    command = [sys.executable, "-m", "tools.crowd", "--symbols", str(symbols), "--updates", rate]
    pipe = subprocess.PIPE
    exchange = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
    try:
        yield Crowd(exchange).url
    finally:
        if exchange.stdin is not None:
            exchange.stdin.close()
        exchange.wait(10)


def _command(exchange: str, symbols: int) -> tuple[str, ...]:
    keys = ",".join(map(key_of, range(symbols)))
    return ("demo", "--exchange", exchange, "--symbols", keys, "--no-browser", "--port", "0")


if __name__ == "__main__":
    tell("start and memory", results())
