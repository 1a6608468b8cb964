"""`ticktick patterns`: candlestick patterns of six timeframes, live or from a file of candles."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from ticktick.analytics.patterns import Patterns
from ticktick.analytics.plain import plain_pattern
from ticktick.analytics.timeframes import timeframes
from ticktick.commands import source
from ticktick.commands.candle_file import CandleFile
from ticktick.commands.show import show_patterns
from ticktick.domain.analysis import Pattern
from ticktick.domain.market import TIMEFRAMES
from ticktick.domain.sessions import Calendar

_SHOWN = 20


@click.command(epilog="Example: ticktick patterns RELIANCE")
@source.options
def command(symbol: str | None, path: Path | None, as_json: bool) -> None:
    """Show the candlestick patterns of the day, of all symbols or of one.

    With --from they are found in a file, so that anyone can check them elsewhere. `confirmed` is
    what the candle after the pattern said, null for the last candle and for patterns that
    foretell nothing. Prices in rupees.
    """
    told = _of_running(symbol) if path is None else _of_file(source.candles_of(path))
    newest = deque(source.tell(told, as_json=as_json), maxlen=_SHOWN)
    if not as_json:
        show_patterns(newest)


def _of_running(symbol: str | None) -> Iterator[source.Told]:
    """Oldest first."""
    yield from reversed(source.ask_running("patterns", symbol, as_query=True)["patterns"])


def _of_file(file: CandleFile) -> Iterator[source.Told]:
    for pattern, confirmed in judged_patterns(file):
        yield plain_pattern(pattern, confirmed, file.price_scale)


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
