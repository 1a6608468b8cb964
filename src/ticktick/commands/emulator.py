"""`ticktick emulator`: serve the built-in exchange to any Upstox client on this machine."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime

import click

from ticktick.domain.clock import IST, at_ist, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.market import Market
from ticktick.emulator.pace import Pace
from ticktick.emulator.server import ExchangeServer, listening
from ticktick.errors import ConfigError

_DEFAULT_PORT = 8900
_DEFAULT_HOUR, _DEFAULT_MINUTE = 10, 30


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


@click.command(epilog="Example: ticktick emulator --port 8900 --speed 5 --start 2026-11-20T09:10")
@click.option("--port", default=_DEFAULT_PORT, show_default=True, help="0 picks a free port.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another market.")
@click.option("--speed", type=_Speed(), default=1.0, show_default=True, help="X, or max.")
@click.option("--start", type=_Start(), help="Market time, in India; default 10:30 of a session.")
@click.option("--exit-with-parent", is_flag=True, help="End when standard input closes.")
def command(
    port: int, seed: int, speed: float | str, start: int | None, exit_with_parent: bool
) -> None:
    """Serve the built-in exchange on this machine, to any client that speaks Upstox."""
    start_ns = _default_start_ns() if start is None else start
    rate = None if isinstance(speed, str) else speed
    asyncio.run(_serve(port, seed, rate, start_ns, exit_with_parent))


async def _serve(
    port: int, seed: int, rate: float | None, start_ns: int, exit_with_parent: bool
) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop, exit_with_parent)
    exchange = Exchange(
        lambda at_ns: Market(seed, at_ns, Calendar()), start_ns, seed=seed, calendar=Calendar()
    )
    pace = Pace(start_ns, rate, time.monotonic_ns)
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


def _default_start_ns() -> int:
    day = Calendar().latest_trading_day(time.time_ns())
    return at_ist(day, _DEFAULT_HOUR, _DEFAULT_MINUTE)
