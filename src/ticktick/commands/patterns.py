"""`ticktick patterns`: every candlestick pattern of six timeframes, from a file of candles."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from ticktick.analytics.patterns import Patterns
from ticktick.analytics.plain import plain_pattern
from ticktick.analytics.timeframes import timeframes
from ticktick.commands.candle_file import CandleFile, read_candles
from ticktick.commands.show import show_patterns
from ticktick.domain.analysis import Pattern
from ticktick.domain.market import TIMEFRAMES
from ticktick.domain.sessions import Calendar

_SHOWN = 20


@click.command(epilog="Example: ticktick patterns --from candles.csv --json")
@click.option(
    "--from",
    "path",
    metavar="CANDLES.csv",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One-minute candles: timestamp,open,high,low,close,volume in rupees.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each pattern.")
def command(path: Path, as_json: bool) -> None:
    """Find the candlestick patterns of each timeframe, to check them elsewhere.

    Without --json the newest are shown. `confirmed` is what the candle after the pattern said,
    null for the last candle and for patterns that foretell nothing. Prices in rupees.
    """
    file = read_candles(path)
    for note in file.notes:
        click.echo(note, err=True)
    newest: deque[dict[str, Any]] = deque(maxlen=_SHOWN)
    for pattern, confirmed in judged_patterns(file):
        told = plain_pattern(pattern, confirmed, file.price_scale)
        newest.append(told)
        if as_json:
            click.echo(msgspec.json.encode(told))
    if not as_json:
        show_patterns(newest)


def judged_patterns(file: CandleFile) -> Iterator[tuple[Pattern, bool | None]]:
    """Each pattern as soon as the next candle of its timeframe has judged it; the rest last."""
    streams = {minutes: Patterns(file.candles[0].symbol, minutes) for minutes in TIMEFRAMES}
    waiting: dict[int, list[Pattern]] = {minutes: [] for minutes in TIMEFRAMES}
    for candle in timeframes(file.candles, Calendar()):
        found, confirmations = streams[candle.minutes].update(candle)
        said = {told.name: told.confirmed for told in confirmations}
        yield from ((pattern, said.get(pattern.name)) for pattern in waiting[candle.minutes])
        waiting[candle.minutes] = found
    for patterns in waiting.values():
        yield from ((pattern, None) for pattern in patterns)
