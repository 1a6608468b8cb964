"""`ticktick emulator`: serve the built-in exchange to any Upstox client on this machine."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import click

from ticktick.domain.clock import IST, NS_PER_S, at_ist, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.floor import Floor
from ticktick.emulator.pace import Pace
from ticktick.emulator.recording import RecordedFile, recorded_file
from ticktick.emulator.register import Register
from ticktick.emulator.replay import EmptyRecordingError, Replay, first_ns
from ticktick.emulator.server import ExchangeServer, listening
from ticktick.emulator.source import Source
from ticktick.errors import ConfigError

_DEFAULT_PORT = 8900
_DEFAULT_HOUR, _DEFAULT_MINUTE = 10, 30
_LEAD_S = 5.0


class _Speed(click.ParamType[float | str]):
    name = "speed"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        if value == "max":
            return "max"
        try:
            speed = float(str(value))
        except ValueError:
            speed = -1.0
        if not 0.0 <= speed <= 10_000.0:
            self.fail(f"speed must be a number from 0 to 10000 or max, was {value}", param, ctx)
        return speed


class _Start(click.ParamType[int]):
    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment; write 2026-11-20T10:30", param, ctx)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=IST)
        return parse_iso_ns(moment.isoformat())


class _Recording(click.ParamType[RecordedFile]):
    """A file, or `KEY=FILE` for a tick file."""

    name = "file"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> RecordedFile:
        if isinstance(value, RecordedFile):
            return value
        key, _, name = str(value).rpartition("=")
        path = Path(str(value))
        if path.is_file():
            key = ""
        elif key and Path(name).is_file():
            path = Path(name)
        else:
            self.fail(f"there is no file {value}", param, ctx)
        try:
            return recorded_file(path, key)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(epilog="Example: ticktick emulator --port 8900 --speed 5 --start 2026-11-20T09:10")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=_DEFAULT_PORT,
    show_default=True,
    help="0 picks a free port.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Another seed, another market.",
)
@click.option("--speed", type=_Speed(), default=1.0, show_default=True, help="X, or max.")
@click.option("--start", type=_Start(), help="Market time, in India; default 10:30 of a session.")
@click.option(
    "--replay",
    "recordings",
    type=_Recording(),
    multiple=True,
    metavar="[KEY=]FILE...",
    help="Play recordings (JSON lines, or ticks as CSV; also .gz) on the clock of their day.",
)
@click.argument("more_recordings", nargs=-1, type=_Recording())
@click.option("--exit-with-parent", is_flag=True, help="End when standard input closes.")
def command(
    port: int,
    seed: int,
    speed: float | str,
    start: int | None,
    recordings: tuple[RecordedFile, ...],
    more_recordings: tuple[RecordedFile, ...],
    exit_with_parent: bool,
) -> None:
    """Serve the built-in exchange on this machine, to any client that speaks Upstox."""
    if more_recordings and not recordings:
        raise click.UsageError(
            f"what is {more_recordings[0].path} for? Files belong after --replay"
        )
    rate = None if isinstance(speed, str) else speed
    files = recordings + more_recordings
    start_ns = _start_ns(files, rate) if start is None else start
    calendar, register = MovableCalendar(), Register()
    exchange = Exchange(
        _source(seed, files, calendar, register),
        start_ns,
        seed=seed,
        calendar=calendar,
        register=None if files else register,
    )
    asyncio.run(_serve(exchange, Pace(start_ns, rate, time.monotonic_ns), port, exit_with_parent))


async def _serve(exchange: Exchange, pace: Pace, port: int, exit_with_parent: bool) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop, exit_with_parent)
    server = ExchangeServer(exchange, pace)
    try:
        async with listening(server.application(), port) as bound:
            exchange.address = f"127.0.0.1:{bound}"
            click.echo(f"ready http://{exchange.address}")
            await _run_until(server, stop)
    except OSError as error:
        raise ConfigError(f"port {port} cannot be used ({error.strerror}); try --port 0") from error


async def _run_until(server: ExchangeServer, stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        market = group.create_task(server.run())
        await stop.wait()
        market.cancel()


def _stop_on_signals(stop: asyncio.Event, exit_with_parent: bool) -> None:
    loop = asyncio.get_running_loop()

    def ask() -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ask())
    if exit_with_parent:
        threading.Thread(target=_until_input_closes, args=(ask,), daemon=True).start()


def _until_input_closes(ask: Callable[[], None]) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # unbuffered: a lock held here would bar the exit
        continue
    ask()


def _source(
    seed: int, recordings: Sequence[RecordedFile], calendar: Calendar, register: Register
) -> Callable[[int], Source]:
    if recordings:
        return lambda at_ns: Replay(recordings, at_ns)
    return lambda at_ns: Floor(seed, at_ns, calendar, register)


def _start_ns(recordings: Sequence[RecordedFile], rate: float | None) -> int:
    """A moment of the latest session, or a little before a recording, so that clients find in."""
    if not recordings:
        day = Calendar().latest_trading_day(time.time_ns())
        return at_ist(day, _DEFAULT_HOUR, _DEFAULT_MINUTE)
    try:
        first = first_ns(recordings)
    except EmptyRecordingError as error:
        names = ", ".join(str(file.path) for file in recordings)
        raise ConfigError(f"nothing to play in {names}: {error}") from error
    return first - int(max(1.0, rate or 1.0) * _LEAD_S * NS_PER_S)
