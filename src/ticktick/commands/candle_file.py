"""One-minute candles of a CSV file, checked: what cannot be one is told with its line."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ticktick.domain.clock import (
    NS_PER_DAY,
    NS_PER_MINUTE,
    at_ist,
    iso_ist,
    ist_day,
    parse_iso_ns,
)
from ticktick.domain.market import Candle
from ticktick.errors import ConfigError

COLUMNS: Final = ("timestamp", "open", "high", "low", "close", "volume")
_PRICES: Final = COLUMNS[1:5]
_MOST: Final = 1e12
_GRID: Final = 1e-4  # of a price unit: what binary fractions of exact prices are off


class CandleFile(Struct, frozen=True):
    """Candles in the price unit of the file, oldest first, and sentences for the user."""

    candles: list[Candle]
    price_scale: int
    notes: tuple[str, ...]


def read_candles(path: Path) -> CandleFile:
    """The candles of a file with the columns of COLUMNS: ISO time with offset, rupees.

    A time is the start of its minute. A file whose days end with a minute labelled as their
    close is labelled by minute ends: it is put right, and a note says so.
    Raises ConfigError with the line for what is no candle.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [*_rows(path, file)]
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise ConfigError(f"{path} is no table of comma-separated values: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: found bytes that are no text, expected UTF-8") from error
    if not rows:
        raise ConfigError(f"{path} holds no candle under its header")
    scale = _price_scale([price for _, prices, _ in rows for price in prices])
    candles = [
        _candle(path.stem, start_ns, prices, volume, scale) for start_ns, prices, volume in rows
    ]
    notes = []
    if any(after.start_ns < before.start_ns for before, after in pairwise(candles)):
        candles.sort(key=lambda candle: candle.start_ns)
        notes.append(f"{path.name}: the candles were not in order of time; sorted")
    if _is_labelled_by_ends(candles):
        candles = [replace(c, start_ns=c.start_ns - NS_PER_MINUTE) for c in candles]
        notes.append(f"{path.name}: its times are the ends of the minutes; one minute taken off")
    notes += _early(path, candles)
    off = sum(abs(p * scale - round(p * scale)) > _GRID for _, prices, _ in rows for p in prices)
    if off:
        notes.append(f"{path.name}: {off} prices finer than 1/{scale} rupee were rounded to it")
    return CandleFile(candles, scale, tuple(notes))


def _early(path: Path, candles: Sequence[Candle]) -> list[str]:
    """What to say of candles before 09:15: no timeframe takes them, and often the zone is wrong."""
    early = [candle for candle in candles if _minute_of_day(candle) < _START]
    if not early:
        return []
    first = iso_ist(early[0].start_ns)
    if len(early) == len(candles):
        raise ConfigError(
            f"{path}: no candle is at 09:15 IST or later, the first is at {first}; "
            "is the offset of its times right?"
        )
    return [f"{path.name}: {len(early)} candles before 09:15 IST left out, the first at {first}"]


_Row = tuple[int, tuple[float, float, float, float], int]


def _rows(path: Path, file: "Iterator[str]") -> Iterator[_Row]:
    reader = csv.DictReader(file)
    found = tuple(name.strip().lower() for name in reader.fieldnames or ())
    if not set(COLUMNS) <= set(found):
        raise ConfigError(
            f"{path}: the first line must name the columns {','.join(COLUMNS)}; "
            f"found {','.join(found)[:200] or 'nothing'}"
        )
    reader.fieldnames = list(found)
    seen: set[int] = set()
    for row in reader:
        try:
            parsed = _row(row)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{path}, line {reader.line_num}: {error}") from error
        if parsed[0] in seen:
            raise ConfigError(f"{path}, line {reader.line_num}: {row['timestamp']} is there twice")
        seen.add(parsed[0])
        yield parsed


def _row(row: Mapping[str, str]) -> _Row:
    if any(row[name] is None for name in COLUMNS):
        raise ValueError(f"fewer than {len(COLUMNS)} values")
    start_ns = parse_iso_ns(row["timestamp"].strip())
    if start_ns <= 0:
        raise ValueError(f"{row['timestamp']} is before 1970")
    if start_ns % NS_PER_MINUTE:
        raise ValueError(f"{row['timestamp']} is no whole minute")
    first, high, low, last = (_number(name, row[name]) for name in _PRICES)
    if not 0 < low <= min(first, last) <= max(first, last) <= high:
        raise ValueError(f"open {first}, high {high}, low {low}, close {last} are no candle")
    return start_ns, (first, high, low, last), round(_number("volume", row["volume"]))


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _MOST:  # false for what is not a number
        raise ValueError(f"{name} is {text!r:.40}, expected a number from 0")
    return value


def _price_scale(prices: Sequence[float]) -> int:
    """Paise, or the finer unit of instruments with four decimals if that explains more prices."""
    fine, coarse = (
        sum(abs(price * scale - round(price * scale)) > _GRID for price in prices)
        for scale in (10_000, 100)
    )
    return 10_000 if coarse and not fine else 100


def _candle(
    symbol: str, start_ns: int, prices: tuple[float, float, float, float], volume: int, scale: int
) -> Candle:
    first, high, low, last = (round(price * scale) for price in prices)
    return Candle(symbol, 1, start_ns, first, high, low, last, volume)


def _is_labelled_by_ends(candles: Sequence[Candle]) -> bool:
    """Whether most regular days have a minute 15:30 and none at 09:15."""
    opens = Counter(_minute_of_day(candle) for candle in candles)
    return opens[_END] > 0 and opens[_START] == 0 and opens[_START + 1] > 0


_START, _END = 9 * 60 + 15, 15 * 60 + 30


def _minute_of_day(candle: Candle) -> int:
    midnight_ns = at_ist(ist_day(candle.start_ns), 0)
    return (candle.start_ns - midnight_ns) % NS_PER_DAY // NS_PER_MINUTE
