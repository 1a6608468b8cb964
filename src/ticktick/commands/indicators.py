"""`ticktick indicators`: every indicator of six timeframes, from a file of candles."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from ticktick.analytics.indicators import Indicators
from ticktick.analytics.plain import plain_reading
from ticktick.analytics.timeframes import timeframes
from ticktick.commands.candle_file import CandleFile, read_candles
from ticktick.commands.show import show_readings
from ticktick.domain.analysis import Reading
from ticktick.domain.market import TIMEFRAMES
from ticktick.domain.sessions import Calendar


@click.command(epilog="Example: ticktick indicators --from candles.csv --json")
@click.option(
    "--from",
    "path",
    metavar="CANDLES.csv",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One-minute candles: timestamp,open,high,low,close,volume in rupees.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each candle.")
def command(path: Path, as_json: bool) -> None:
    """Compute the indicators after each candle of each timeframe, to check them elsewhere.

    Without --json the last reading of each timeframe is shown. Prices in rupees; null is not
    ready.
    """
    file = read_candles(path)
    for note in file.notes:
        click.echo(note, err=True)
    latest: dict[int, Reading] = {}
    for reading in readings(file):
        latest[reading.minutes] = reading
        if as_json:
            click.echo(msgspec.json.encode(plain_reading(reading, file.price_scale)))
    if not as_json:
        show_readings([plain_reading(latest[m], file.price_scale) for m in sorted(latest)])


def readings(file: CandleFile) -> Iterator[Reading]:
    """The readings of every timeframe, in the order in which candles end."""
    has_volume = any(candle.volume for candle in file.candles)
    symbol = file.candles[0].symbol
    streams = {m: Indicators(symbol, m, has_volume=has_volume) for m in TIMEFRAMES}
    for candle in timeframes(file.candles, Calendar()):
        yield streams[candle.minutes].update(candle)
