"""`ticktick indicators`: every indicator of six timeframes, live or from a file of candles."""

from collections.abc import Iterator
from pathlib import Path

import click

from ticktick.analytics.indicators import Indicators
from ticktick.analytics.plain import plain_reading
from ticktick.analytics.timeframes import timeframes
from ticktick.commands import source
from ticktick.commands.candle_file import CandleFile
from ticktick.commands.show import show_readings
from ticktick.domain.analysis import Reading
from ticktick.domain.market import TIMEFRAMES
from ticktick.domain.sessions import Calendar
from ticktick.errors import ConfigError


@click.command(epilog="Example: ticktick indicators RELIANCE")
@source.options
def command(symbol: str | None, path: Path | None, as_json: bool) -> None:
    """Show every indicator of a symbol on six timeframes, as the running program has it.

    With --from they are computed from a file, after each of its candles, so that anyone can check
    them elsewhere. Prices in rupees; null, and `-`, is not ready.
    """
    if path is None and symbol is None:
        raise click.UsageError("name a SYMBOL that the running program watches, or a file --from")
    told = _of_running(symbol or "") if path is None else _of_file(source.candles_of(path))
    latest = {each["timeframe"]: each for each in source.tell(told, as_json=as_json)}
    if latest and not as_json:
        show_readings(list(latest.values()))


def _of_running(symbol: str) -> Iterator[source.Told]:
    answer = source.ask_running("indicators", symbol, as_query=False)
    if not answer["readings"]:
        raise ConfigError(f"{symbol.upper()} has no settled candle yet; try again in a minute")
    yield from answer["readings"]


def _of_file(file: CandleFile) -> Iterator[source.Told]:
    yield from (plain_reading(reading, file.price_scale) for reading in readings(file))


def readings(file: CandleFile) -> Iterator[Reading]:
    """The readings of every timeframe, in the order in which candles end."""
    has_volume = any(candle.volume for candle in file.candles)
    symbol = file.candles[0].symbol
    streams = {m: Indicators(symbol, m, has_volume=has_volume) for m in TIMEFRAMES}
    for candle in timeframes(file.candles, Calendar()):
        yield streams[candle.minutes].update(candle)
