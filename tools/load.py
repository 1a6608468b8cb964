"""Run the whole program under load and hold it against its targets.

An exchange of its own process sends full depth of 500 stocks, first steadily, then ten times as
much; twenty dashboards read everything, and five more read nothing. The steady load is measured
once the past of every symbol is read, at the pace the broker allows; how it goes until then is
told apart. The exchange stamps its frames instead of building them, as its whole market would
need more than a core; they are real frames over the real protocol. It fails where a target is
missed. Times are those of this computer while it does all this at once.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import numpy as np
from numpy.typing import NDArray

from tools.crowd_feed import key_of
from tools.load_clients import Dashboard, Site, Tally
from tools.load_report import BURST, STEADY, Line, Measured, Phase, report, table
from tools.soak import Program, line_with, process, resident_mb

ROOT: Final = Path(__file__).resolve().parent.parent
WATCHING: Final = 20
STALLED: Final = 5
START_LIMIT_S: Final = 10.0
_SETTLE_S: Final = 1.0
_LOOK_S: Final = 0.25
_PROGRESS_S: Final = 5.0
_OTHERS_S: Final = 60.0
_HISTORY_S: Final = 300.0
_MOST_RECOVERY_S: Final = 10.0
_NO_HISTORY: Final = "ticktick_symbols_without_history"


class Crowd:
    """The exchange's process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        hello = json.loads(line_with(process, '"url"'))
        self.url: str = hello["url"]
        self.market_ns: int = hello["market_ns"]

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def set(self, updates_per_s: float) -> dict[str, Any]:
        """Send so many updates a second from now on; what was sent so far."""
        if self._process.stdin is None:
            raise ValueError("the exchange's process was started without an input")
        self._process.stdin.write(f"{updates_per_s}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(line_with(self._process, "{"))
        return answer


class Load:
    """A program, its exchange and its dashboards; `tell` is told what happens."""

    def __init__(self, program: Program, crowd: Crowd, tell: Callable[[str], None]) -> None:
        self._program = program
        self.crowd = crowd
        self._tell = tell

    @property
    def address(self) -> tuple[str, str]:
        """Where the program answers, and the token of its commands."""
        told = json.loads((self._program.home / "data" / "server.json").read_bytes())
        return told["url"], told["token"]

    async def figures(self) -> dict[str, float]:
        """Every figure of the program."""
        return await asyncio.to_thread(self._program.figures)

    async def phase(
        self,
        name: str,
        updates_per_s: float,
        seconds: float,
        dashboards: Sequence[Dashboard],
        is_over: Callable[[dict[str, float]], bool] = lambda _: False,
    ) -> Phase:
        """Let this load last so long, or until `is_over` says so of the program's figures."""
        self._tell(f"{name}: {updates_per_s:,.0f} updates a second for {seconds:,.0f} s")
        tally = Tally()
        begun, before = self.crowd.set(updates_per_s), await self.figures()
        cpu, watching, started = _cpu_s(self.crowd.pid), time.process_time(), time.monotonic()
        for each in dashboards:
            each.tally = tally
        while True:
            left = started + seconds - time.monotonic()
            await asyncio.sleep(max(0.0, min(left, _PROGRESS_S)))
            after, spent = await self.figures(), time.monotonic() - started
            phase = Phase(
                spent,
                self.crowd.set(updates_per_s)["sent"] - begun["sent"],
                before,
                after,
                tally,
                (_cpu_s(self.crowd.pid) - cpu) / spent,
                (time.process_time() - watching) / spent,
            )
            if left <= _PROGRESS_S or is_over(after):
                break
            self._tell(f"  {spent:,.0f} s: {progress(phase)}, {self.memory_mib():.0f} MiB")
        for each in dashboards:
            each.tally = Tally()
        return phase

    async def recovery_s(self, dashboards: Sequence[Dashboard]) -> float:
        """Seconds after a burst until what is shown is as new as before it; inf if never."""
        self.crowd.set(STEADY)
        started = time.monotonic()
        while time.monotonic() - started < _MOST_RECOVERY_S:
            tally = Tally()
            for each in dashboards:
                each.tally = tally
            await asyncio.sleep(_LOOK_S)
            told = await self.figures()
            if tally.sent_ms.quantile_ms(0.99) <= 60 and not told["ticktick_engine_behind_ms"]:
                return time.monotonic() - started
        return float("inf")

    async def rest(self) -> list[int]:
        """Let nothing happen until all is worked off; the last price of every stock, in paise."""
        self.crowd.set(0)
        started = time.monotonic()
        await asyncio.sleep(_SETTLE_S)
        while time.monotonic() - started < _MOST_RECOVERY_S:
            if not (await self.figures())["ticktick_engine_behind_ms"]:
                break
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(_SETTLE_S)
        paise: list[int] = self.crowd.set(0)["paise"]
        return paise

    def memory_mib(self) -> float:
        """What the program takes."""
        return resident_mb(self._program.demo.pid) * 1e6 / 2**20

    def redis_mb(self) -> float:
        """What its Redis takes."""
        return resident_mb(self._program.redis_pid)


class Prices(Protocol):
    """Last prices by row, and the row of each symbol."""

    prices: NDArray[np.int64]
    row_of: dict[str, int]


def differing(dashboards: Sequence[Prices], paise: Sequence[int]) -> int:
    """How many prices on all dashboards are not the exchange's last ones."""
    wrong = 0
    for each in dashboards:
        rows = [each.row_of[f"CROWD{number:03}"] for number in range(len(paise))]
        wrong += int(np.count_nonzero(each.prices[rows] != np.array(paise)))
    return wrong


async def measure(
    load: Load,
    seconds: float,
    watching: int = WATCHING,
    stalled: int = STALLED,
    history_s: float = _HISTORY_S,
) -> Measured:
    """Every phase of the test, with so many dashboards that read and so many that do not.

    The steady one lasts so long, the others no longer than a minute; it begins when the past of
    every symbol is read, or after `history_s`.
    """
    others_s = min(seconds, _OTHERS_S)
    async with aiohttp.ClientSession() as http:
        site = Site(*load.address, http)
        await site.log_in()
        async with site.dashboards(watching, load.crowd.market_ns) as dashboards:
            await asyncio.sleep(_SETTLE_S)  # the first block of each tells all rows, old or new
            name = "until all history is read, at most"
            begun = await load.phase(name, STEADY, history_s, dashboards, _has_all_history)
            steady = await load.phase("steady", STEADY, seconds, dashboards)
            idle = await site.stalled(stalled)
            crowded = await load.phase("stalled dashboards too", STEADY, others_s, dashboards)
            burst = await load.phase("burst", BURST, others_s, dashboards)
            recovery_s = await load.recovery_s(dashboards)
            paise = await load.rest()
            for each in idle:
                each.transport.abort()
            return Measured(
                watching,
                stalled,
                begun,
                int(begun.after[_NO_HISTORY]),
                steady,
                crowded,
                burst,
                recovery_s,
                differing(dashboards, paise),
                sum(each.is_lost for each in dashboards),
                load.memory_mib(),
                load.redis_mb(),
            )


def progress(phase: Phase) -> str:
    """How a phase goes so far."""
    ready_ms, sent_ms = phase.ready_us(0.99) / 1000, phase.tally.sent_ms.quantile_ms(0.99)
    return (
        f"{phase.sent / phase.seconds:,.0f} updates/s, processor {phase.cpu:.0%}, "
        f"p99 socket -> metrics {ready_ms:.1f} ms, -> dashboard {sent_ms:.0f} ms"
    )


def _has_all_history(figures: dict[str, float]) -> bool:
    return not figures[_NO_HISTORY]


@contextmanager
def running(folder: Path, symbols: int, tell: Callable[[str], None]) -> Iterator[tuple[Load, Line]]:
    """A program and its exchange until the block ends, and how long it took to be fresh."""
    command = [sys.executable, "-m", "tools.crowd", "--symbols", str(symbols)]
    pipe = subprocess.PIPE
    exchange = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
    try:
        crowd = Crowd(exchange)
        home = folder / "home"
        home.mkdir()
        keys = ",".join(map(key_of, range(symbols)))
        options = ("--exchange", crowd.url, "--symbols", keys, "--no-browser", "--port", "0")
        tell(f"starting a program with {symbols} symbols")
        started = time.monotonic()
        with process(home, "demo", *options) as demo:
            line_with(demo, "are fresh")
            took = time.monotonic() - started
            start = Line(
                f"start to {symbols} fresh symbols",
                f"<= {START_LIMIT_S:.0f} s",
                f"{took:.1f} s",
                took <= START_LIMIT_S,
            )
            yield Load(Program(home, crowd.url, demo), crowd, tell), start
    finally:
        if exchange.stdin is not None:
            exchange.stdin.close()
        exchange.wait(10)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="start.py load", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of the steady load (default 60)"
    )
    parser.add_argument("--symbols", type=int, default=500, choices=range(1, 501), metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    chosen = parser.parse_args(arguments)
    if not Path("/proc/self/stat").is_file():
        _say("processor and memory are read from /proc, which this system does not have")
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="ticktick-load-") as folder,
        running(Path(folder), chosen.symbols, _say) as (load, start),
    ):
        lines = [start, *report(asyncio.run(measure(load, chosen.seconds)))]
    if chosen.json:
        print("\n".join(json.dumps(line._asdict()) for line in lines))
    else:
        print(table(lines))
    return 0 if all(line.good is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
