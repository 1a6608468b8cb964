"""Count the pattern verdicts that change when prices are rupees instead of whole price units.

Every recorded file of one-minute candles, on all six timeframes: what the program says against
TA-Lib's batch functions over whole price units (must be equal), and those functions over rupees.
"""

import argparse
import csv
import gzip
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import numpy as np

from ticktick.analytics.patterns import Patterns
from ticktick.analytics.shapes import SHAPES
from ticktick.analytics.talib import talib
from ticktick.analytics.timeframes import timeframes
from ticktick.commands.candle_file import COLUMNS, CandleFile, read_candles
from ticktick.domain.market import TIMEFRAMES, Candle
from ticktick.domain.sessions import Calendar

_DATA: Final = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "candles_1m"

Verdicts = dict[tuple[int, str], int]


class Ties(NamedTuple):
    """One file: its candles on six timeframes, and the verdicts that differ."""

    name: str
    candles: int
    verdicts: int
    whole: int
    rupees: int


def main() -> None:
    """Print a table of every file; fail where whole numbers differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=_DATA, help="recorded candles")
    found = [ties(path) for path in recorded(parser.parse_args().folder)]
    if not found:
        sys.exit("no recorded candles: name the folder that holds *.csv.gz")
    print(f"{'file':<46}{'candles':>9}{'patterns':>10}{'whole':>8}{'rupees':>8}")
    for each in (*found, total(found)):
        print(
            f"{each.name:<46}{each.candles:>9,}{each.verdicts:>10,}{each.whole:>8}{each.rupees:>8}"
        )
    if any(each.whole for each in found):
        sys.exit("patterns differ from TA-Lib's over the same whole numbers")


def recorded(folder: Path) -> list[Path]:
    """The files of one-minute candles under a folder."""
    return sorted(folder.rglob("*.csv.gz"))


def total(found: Sequence[Ties]) -> Ties:
    """All files as one."""
    return Ties("all", *(sum(column) for column in list(zip(*found, strict=True))[1:]))


def ties(path: Path) -> Ties:
    """Compare one file on all timeframes."""
    file = candles_of(path)
    series: dict[int, list[Candle]] = {minutes: [] for minutes in TIMEFRAMES}
    for candle in timeframes(file.candles, Calendar()):
        series[candle.minutes].append(candle)
    name = "/".join(path.parts[-2:])
    counts = [differences(candles, file.price_scale) for candles in series.values() if candles]
    return Ties(name, *(sum(column) for column in zip(*counts, strict=True)))


def differences(candles: Sequence[Candle], scale: int) -> tuple[int, int, int, int]:
    """Candles, patterns, and how many verdicts differ in whole numbers and in rupees."""
    expected = of_library(candles, 1)
    program, rupees = of_program(candles), of_library(candles, scale)
    return len(candles), len(expected), unequal(program, expected), unequal(rupees, expected)


def unequal(one: Verdicts, other: Verdicts) -> int:
    """Places at which two series of verdicts differ."""
    return sum(one.get(place, 0) != other.get(place, 0) for place in one.keys() | other.keys())


def of_program(candles: Sequence[Candle]) -> Verdicts:
    """What the program says, candle by candle."""
    stream = Patterns(candles[0].symbol, candles[0].minutes)
    told = (stream.update(candle)[0] for candle in candles)
    return {(place, p.name): p.value for place, found in enumerate(told) for p in found}


def of_library(candles: Sequence[Candle], unit: int) -> Verdicts:
    """What TA-Lib's batch functions say of prices in so many price units."""
    rows = [(c.open, c.high, c.low, c.close) for c in candles]
    columns = np.array(rows, np.float64).T / unit
    verdicts: Verdicts = {}
    for shape in SHAPES:
        row = getattr(talib, shape.function)(*columns.copy(), *shape.parameters)
        verdicts |= {(int(place), shape.name): int(row[place]) for place in np.flatnonzero(row)}
    return verdicts


def candles_of(path: Path) -> CandleFile:
    """The candles of a recorded file, through the program's own door for candle files."""
    with gzip.open(path, "rt", newline="") as text, TemporaryDirectory() as folder:
        written = Path(folder, "candles.csv")
        with written.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(_rows(list(csv.reader(text))))
        return read_candles(written)


def _rows(table: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Rows in our columns of the layouts that recorders use."""
    head = [name.strip().lower() for name in table[0]]
    if "close" not in head:  # name, yyyymmdd, hh:mm, open, high, low, close and no header
        for _, day, clock, *prices in table:
            yield _time(day, clock), *prices[:4], "0"
        return
    for values in table[1:]:
        row = dict(zip(head, values, strict=False))
        if "time" in row:
            stamp = _time(row["date"], row["time"])
        else:
            stamp = next(row[name] for name in ("date", "datetime", "timestamp") if name in row)
        yield stamp, *(row[name] for name in COLUMNS[1:5]), row.get("volume", "0")


def _time(day: str, clock: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock}:00+05:30"


if __name__ == "__main__":
    main()
