"""`ticktick patterns`: candlestick patterns of six timeframes, live or from a file of candles."""

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from ticktick.analytics.patterns import Patterns
from ticktick.analytics.plain import plain_pattern
from ticktick.analytics.timeframes import timeframes
from ticktick.commands.asking import ask
from ticktick.commands.candle_file import CandleFile, read_candles
from ticktick.commands.show import show_patterns
from ticktick.domain.analysis import Pattern
from ticktick.domain.market import TIMEFRAMES
from ticktick.domain.sessions import Calendar
from ticktick.running import find_running
from ticktick.workspace import current_workspace

_SHOWN = 20


@click.command(epilog="Example: ticktick patterns RELIANCE")
@click.argument("symbol", required=False)
@click.option(
    "--from",
    "path",
    metavar="CANDLES.csv",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One-minute candles: timestamp,open,high,low,close,volume in rupees.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each pattern.")
def command(symbol: str | None, path: Path | None, as_json: bool) -> None:
    """Show the candlestick patterns of the day, of all symbols or of one.

    With --from they are found in a file, so that anyone can check them elsewhere. `confirmed` is
    what the candle after the pattern said, null for the last candle and for patterns that
    foretell nothing. Prices in rupees.
    """
    told = _of_running(symbol) if path is None else _of_file(read_candles(path))
    newest: deque[dict[str, Any]] = deque(maxlen=_SHOWN)
    for pattern in told:
        newest.append(pattern)
        if as_json:
            click.echo(msgspec.json.encode(pattern))
    if not as_json:
        show_patterns(newest)


def _of_running(symbol: str | None) -> Iterator[dict[str, Any]]:
    """Oldest first."""
    running = find_running(current_workspace().server)
    query = "" if symbol is None else f"?symbol={quote(symbol.upper(), safe='')}"
    yield from reversed(json.loads(ask(running, f"/api/v1/patterns{query}"))["patterns"])


def _of_file(file: CandleFile) -> Iterator[dict[str, Any]]:
    for note in file.notes:
        click.echo(note, err=True)
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
