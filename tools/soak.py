"""Run the demo for simulated hours with random faults and see whether anything grows.

It prints a line every ten seconds and at the end how memory, open files, tasks, threads and
Redis moved; it fails where one of them grows, where a part of the program failed, or where
prices are not fresh again after the last fault.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.request import ProxyHandler, Request, build_opener

EVERY_S = 10.0
WARM_UP = 0.25  # of the samples, at the least two
DAY_S = 6.5 * 3600
START = "2026-11-20T09:20"
RECOVERY_S = 90.0
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ws.close", {}),
    ("ws.rst", {}),
    ("ws.silence", {"for": 60}),
    ("ws.freeze", {"for": 60}),
    ("ws.bitflip", {"for": 60, "args": {"share": 0.5}}),
    ("ws.truncate", {"for": 60, "args": {"share": 0.5}}),
    ("ws.random", {"for": 20}),
    ("ws.text", {"for": 20}),
    ("ws.dup", {"for": 120, "args": {"n": 3}}),
    ("ws.reorder", {"for": 120, "args": {"n": 8}}),
    ("ws.burst", {"for": 60, "args": {"x": 5}}),
    ("ws.values", {"for": 60, "args": {"kind": "nan"}}),
    ("rest.status", {"for": 120, "args": {"code": 503}}),
    ("rest.badjson", {"for": 120}),
    ("rest.delay", {"for": 120, "args": {"s": 2.0}}),
    ("clock.skew", {"for": 120, "args": {"s": 3600}}),
    ("auth.expire", {}),
)


class Bar(NamedTuple):
    """What one figure may grow by: in a simulated day, and in any run however short."""

    name: str
    per_day: float
    least: float


BARS = (
    Bar("memory MB", 20.0, 20.0),
    Bar("open files", 0.0, 2.0),
    Bar("tasks", 0.0, 2.0),
    Bar("threads", 0.0, 2.0),
    Bar("Redis MB", 60.0, 20.0),
)


class Sample(NamedTuple):
    """The figures at one moment; `at_s` is market seconds since the beginning."""

    at_s: float
    figures: tuple[float, ...]


class Verdict(NamedTuple):
    """How a figure moved between two moments, in its unit, and whether that is too much."""

    name: str
    first: float
    last: float
    growth: float
    most: float

    @property
    def good(self) -> bool:
        """Whether it grew by no more than it may."""
        return self.growth <= self.most


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Theil and Sen's slope: the median of those between any two points; 0 without any."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] > a[0]]
    return median(slopes) if slopes else 0.0


def judge(samples: Sequence[Sample]) -> list[Verdict]:
    """The verdict on each figure after the warm-up; a single peak counts for nothing."""
    warm = samples[max(int(len(samples) * WARM_UP), min(2, len(samples) - 1)) :]
    verdicts = []
    for place, bar in enumerate(BARS):
        points = [(sample.at_s, sample.figures[place]) for sample in warm]
        span_s = points[-1][0] - points[0][0]
        most = max(bar.per_day * span_s / DAY_S, bar.least)
        growth = slope(points) * span_s
        verdicts.append(Verdict(bar.name, points[0][1], points[-1][1], growth, most))
    return verdicts


class Program:
    """A demo and its exchange in a workspace of their own."""

    def __init__(self, home: Path, exchange: str, demo: "subprocess.Popen[str]") -> None:
        self.home = home
        self.exchange = exchange
        self.demo = demo
        self._open = build_opener(ProxyHandler({})).open

    def get(self, path: str) -> bytes:
        """An answer of the demo's server."""
        told = json.loads((self.home / "data" / "server.json").read_bytes())
        headers = {"Authorization": f"Bearer {told['token']}"}
        with self._open(Request(told["url"] + path, headers=headers), timeout=60) as answer:
            return bytes(answer.read())

    def figures(self) -> dict[str, float]:
        """Every figure of /metrics by name and labels."""
        lines = self.get("/metrics").decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def order(self, verb: str, order: dict[str, Any]) -> None:
        """Have the exchange make a fault."""
        body = json.dumps({"verb": verb, **order}).encode()
        with self._open(Request(f"{self.exchange}/_emu/fault", body), timeout=60) as answer:
            answer.read()

    @property
    def redis_pid(self) -> int:
        """The process of the demo's Redis."""
        (left,) = (self.home / "data" / "demo" / "redis").glob("*/server.json")
        return int(json.loads(left.read_bytes())["pid"])

    def sample(self, begun_s: float) -> tuple[Sample, dict[str, float]]:
        """What everything takes at this moment, and every figure."""
        told = self.figures()
        taken = (
            told["ticktick_process_resident_memory_bytes"] / 1e6,
            told["ticktick_process_open_fds"],
            told["ticktick_tasks"],
            told["ticktick_threads"],
            resident_mb(self.redis_pid),
        )
        return Sample(told["ticktick_market_time_seconds"] - begun_s, taken), told

    def is_fresh(self) -> bool:
        """Whether every symbol of the list is fresh or quiet."""
        told = self.figures()
        good = told['ticktick_symbols{freshness="fresh"}']
        quiet = told['ticktick_symbols{freshness="quiet"}']
        names = [name for name in told if name.startswith("ticktick_symbols{")]
        return good > 0 and good + quiet == sum(told[name] for name in names)


def faults(program: Program, chance: random.Random) -> Callable[[], str]:
    """Makes one random fault at each call; says which."""

    def stop(pid: int, seconds: float) -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(pid, signal.SIGCONT)

    def make() -> str:
        match chance.randrange(len(FAULTS) + 3):
            case 0:
                stop(program.redis_pid, 3.0)
                return "Redis stopped for 3 s"
            case 1:
                os.kill(program.redis_pid, signal.SIGKILL)
                return "Redis killed"
            case 2:
                stop(program.demo.pid, 6.0)
                return "program stopped for 6 s"
            case number:
                verb, order = FAULTS[number - 3]
                program.order(verb, {"seed": chance.randrange(1000), **order})
                return verb

    return make


def soak(program: Program, hours: float, chance: random.Random) -> bool:
    """Run for so many hours of the market; print what is seen; whether nothing grew."""
    make_fault = faults(program, chance)
    begun_s = program.figures()["ticktick_market_time_seconds"]
    samples: list[Sample] = []
    told: dict[str, float] = {}
    _print_row("market", *(bar.name for bar in BARS), "stale", "fault")
    while not samples or samples[-1].at_s < hours * 3600:
        fault = make_fault()
        time.sleep(EVERY_S)
        sample, told = program.sample(begun_s)
        samples.append(sample)
        moment = time.strftime("%H:%M:%S", time.gmtime(sample.at_s))
        stale = told["ticktick_symbols_stale"]
        _print_row(moment, *(f"{value:.0f}" for value in sample.figures), f"{stale:.0f}", fault)
    return _report(program, judge(samples))


def _report(program: Program, verdicts: Sequence[Verdict]) -> bool:
    print(f"\n{'':<14}{'first':>9}{'last':>9}{'grew by':>9}{'may':>9}")
    for one in verdicts:
        moved = "".join(f"{v:>9.1f}" for v in (one.first, one.last, one.growth, one.most))
        print(f"{one.name:<14}{moved}  {'ok' if one.good else 'FAILED'}")
    deadline = time.monotonic() + RECOVERY_S
    while not (fresh := program.is_fresh()) and time.monotonic() < deadline:
        time.sleep(1.0)
    told = program.figures()
    restarts = sum(v for name, v in told.items() if name.startswith("ticktick_task_restarts_total"))
    errors = (program.home / "logs" / "error.log").read_text().count("Traceback")
    alive = program.demo.poll() is None
    for name, value, good in (
        ("fresh at the end", "yes" if fresh else "no", fresh),
        ("parts that failed", f"{restarts:.0f}", restarts == 0),
        ("tracebacks", str(errors), errors == 0),
        ("still running", "yes" if alive else "no", alive),
    ):
        print(f"{name:<32}{value:>9}  {'ok' if good else 'FAILED'}")
    return fresh and restarts == 0 and errors == 0 and alive and all(v.good for v in verdicts)


@contextmanager
def running(folder: Path, speed: float, seed: int) -> Iterator[Program]:
    """A demo and its exchange until the block ends."""
    with ExitStack() as stack:
        homes = []
        for name in ("exchange", "demo"):
            homes.append(folder / name)
            homes[-1].mkdir()
        market = ("--port", "0", "--speed", str(speed), "--seed", str(seed), "--start", START)
        server = stack.enter_context(process(homes[0], "emulator", *market))
        url = line_with(server, "ready ").removeprefix("ready ").strip()
        page = ("--exchange", url, "--no-browser", "--port", "0")
        demo = stack.enter_context(process(homes[1], "demo", *page))
        line_with(demo, "are fresh")
        yield Program(homes[1], url, demo)


@contextmanager
def process(home: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "TICKTICK_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ticktick", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def line_with(process: "subprocess.Popen[str]", text: str) -> str:
    said = []
    for line in process.stdout or ():
        said.append(line)
        if text in line:
            return line
    sys.exit("the program ended without saying " + text + ":\n" + "".join(said))


def resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it was just killed
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _print_row(*cells: str) -> None:
    print("".join(f"{cell:>11}" for cell in cells[:-1]) + f"  {cells[-1]}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="start.py soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=6.5, help="of the market (default 6.5)")
    parser.add_argument("--speed", type=float, default=20.0, help="market seconds per second")
    parser.add_argument("--seed", type=int, default=1, help="which faults, and which market")
    chosen = parser.parse_args(arguments)
    if not Path("/proc/self/statm").is_file():
        print("memory is read from /proc, which this system does not have")
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="ticktick-soak-") as folder,
        running(Path(folder), chosen.speed, chosen.seed) as program,
    ):
        good = soak(program, chosen.hours, random.Random(chosen.seed))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
