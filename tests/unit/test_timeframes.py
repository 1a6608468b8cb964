"""The six timeframes of stored minutes against pandas, which knows nothing of ours."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.analytics_stage import kite, walk
from ticktick.analytics.timeframes import timeframes
from ticktick.commands.candle_file import COLUMNS, read_candles
from ticktick.commands.indicators import command as indicators
from ticktick.domain.clock import iso_ist
from ticktick.domain.market import TIMEFRAMES, Candle
from ticktick.domain.sessions import Calendar

KITE = ("SBIN", "HDFCBANK", "ICICIBANK", "BANKNIFTY", "INDIAVIX")


def ours(minutes: Sequence[Candle]) -> dict[int, list[tuple[object, ...]]]:
    found: dict[int, list[tuple[object, ...]]] = {width: [] for width in TIMEFRAMES}
    for candle in timeframes(minutes, Calendar()):
        row = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        found[candle.minutes].append((iso_ist(candle.start_ns), *row))
    return found


def of_pandas(minutes: Sequence[Candle]) -> dict[int, list[tuple[object, ...]]]:
    """Resampled day by day from 09:15; minutes before it are no part of the session."""
    frame = pd.DataFrame(
        [(c.open, c.high, c.low, c.close, c.volume) for c in minutes],
        pd.to_datetime([c.start_ns for c in minutes], utc=True).tz_convert("Asia/Kolkata"),
        ["open", "high", "low", "close", "volume"],
    )
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    found: dict[int, list[tuple[object, ...]]] = {width: [] for width in TIMEFRAMES}
    for day, traded in frame.groupby([iso_ist(c.start_ns)[:10] for c in minutes]):
        opened = pd.Timestamp(f"{day} 09:15", tz="Asia/Kolkata")
        traded = traded[traded.index >= opened]
        for width in TIMEFRAMES:
            joined = traded.resample(f"{width}min", origin=opened).agg(how).dropna()
            found[width] += [
                (start.isoformat(), *(int(value) for value in row))
                for start, row in zip(joined.index, joined.to_numpy(), strict=True)
            ]
    return found


def check(minutes: Sequence[Candle]) -> None:
    expected = of_pandas(minutes)
    for width, found in ours(minutes).items():
        assert found == expected[width], width


def test_timeframes_of_a_walk_are_those_of_pandas() -> None:
    check(walk(375 * 3 + 100))


@pytest.mark.shared
@pytest.mark.parametrize("name", KITE)
def test_timeframes_of_a_recorded_month_are_those_of_pandas(name: str, shared_data: Path) -> None:
    check(kite(shared_data / "candles_1m" / "kite_2023" / f"{name}.csv.gz"))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["NIFTY", "BANKNIFTY"])
def test_special_sessions_are_anchored_at_their_open(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "candles_1m" / "index_2024" / f"{name}_2024-01_04.csv.gz"
    rows = [
        [f"{r['Date'][:4]}-{r['Date'][4:6]}-{r['Date'][6:]}T{r['Time']}:00+05:30", *_prices(r), "0"]
        for r in _rows(path)
    ]
    file = read_candles(_written(tmp_path, rows))
    assert not file.notes
    days = {iso_ist(c.start_ns)[:10] for c in file.candles}
    assert {"2024-01-20", "2024-03-02"} <= days
    check(file.candles)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["NIFTY", "BNF"])
def test_files_labelled_by_minute_ends_are_put_right_and_told(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "candles_1m" / "index_2021_minute_end_labels"
    with gzip.open(folder / f"2021_JAN_{name}.csv.gz", "rt") as text:
        rows = [
            [f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock}:00+05:30", *prices[:4], "0"]
            for _, day, clock, *prices in csv.reader(text)
        ]
    file = read_candles(_written(tmp_path, rows))
    labels, early = file.notes
    assert "ends of the minutes" in labels
    assert "before 09:15 IST left out" in early
    check(file.candles)
    first = next(c for c in timeframes(file.candles, Calendar()) if c.minutes == 1)
    assert iso_ist(first.start_ns)[11:16] == "09:15"


def test_the_command_tells_one_line_for_each_candle_of_each_timeframe(tmp_path: Path) -> None:
    candles = walk(400)
    rows = [
        [iso_ist(c.start_ns), *(p / 100 for p in (c.open, c.high, c.low, c.close)), c.volume]
        for c in candles
    ]
    done = CliRunner().invoke(indicators, ["--from", str(_written(tmp_path, rows)), "--json"])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.output.splitlines()]
    assert Counter(line["timeframe"] for line in lines) == {
        f"{width}m": len(found) for width, found in ours(candles).items()
    }
    last = next(line for line in reversed(lines) if line["timeframe"] == "1m")
    closes = [candle.close / 100 for candle in candles[-20:]]
    assert last["start"] == iso_ist(candles[-1].start_ns)
    assert last["sma_20"] == pytest.approx(sum(closes) / 20)
    assert lines[0]["sma_20"] is None


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") as text:
        return list(csv.DictReader(text))


def _prices(row: dict[str, str]) -> list[str]:
    return [row[name] for name in ("Open", "High", "Low", "Close")]


def _written(folder: Path, rows: Sequence[Sequence[object]]) -> Path:
    path = folder / "candles.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return path
