"""`ticktick indicators`: every indicator of six timeframes, live or from a file of candles."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from ticktick.analytics.indicators import Indicators
from ticktick.analytics.plain import plain_reading
from ticktick.analytics.timeframes import timeframes
from ticktick.commands.asking import ask
from ticktick.commands.candle_file import CandleFile, read_candles
from ticktick.commands.show import show_readings
from ticktick.domain.analysis import Reading
from ticktick.domain.market import TIMEFRAMES
from ticktick.domain.sessions import Calendar
from ticktick.errors import ConfigError
from ticktick.running import find_running
from ticktick.workspace import current_workspace


@click.command(epilog="Example: ticktick indicators RELIANCE")
@click.argument("symbol", required=False)
@click.option(
    "--from",
    "path",
    metavar="CANDLES.csv",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One-minute candles: timestamp,open,high,low,close,volume in rupees.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each reading.")
def command(symbol: str | None, path: Path | None, as_json: bool) -> None:
    """Show every indicator of a symbol on six timeframes, as the running program has it.

    With --from they are computed from a file, after each of its candles, so that anyone can check
    them elsewhere. Prices in rupees; null, and `-`, is not ready.
    """
    if path is None and symbol is None:
        raise click.UsageError("name a SYMBOL that the running program watches, or a file --from")
    told = _of_running(symbol or "") if path is None else _of_file(read_candles(path))
    latest: dict[str, dict[str, Any]] = {}
    for reading in told:
        latest[reading["timeframe"]] = reading
        if as_json:
            click.echo(msgspec.json.encode(reading))
    if latest and not as_json:
        show_readings(list(latest.values()))


def _of_running(symbol: str) -> Iterator[dict[str, Any]]:
    running = find_running(current_workspace().server)
    answer = json.loads(ask(running, f"/api/v1/indicators/{quote(symbol.upper(), safe='')}"))
    if not answer["readings"]:
        raise ConfigError(f"{symbol.upper()} has no settled candle yet; try again in a minute")
    yield from answer["readings"]


def _of_file(file: CandleFile) -> Iterator[dict[str, Any]]:
    for note in file.notes:
        click.echo(note, err=True)
    yield from (plain_reading(reading, file.price_scale) for reading in readings(file))


def readings(file: CandleFile) -> Iterator[Reading]:
    """The readings of every timeframe, in the order in which candles end."""
    has_volume = any(candle.volume for candle in file.candles)
    symbol = file.candles[0].symbol
    streams = {m: Indicators(symbol, m, has_volume=has_volume) for m in TIMEFRAMES}
    for candle in timeframes(file.candles, Calendar()):
        yield streams[candle.minutes].update(candle)
