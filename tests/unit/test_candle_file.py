"""Candles of a CSV file: taken as they are, put right and told, or refused with their line."""

from pathlib import Path

import pytest

from ticktick.commands.candle_file import read_candles
from ticktick.domain.clock import iso_ist, parse_iso_ns
from ticktick.errors import ConfigError

HEADER = "timestamp,open,high,low,close,volume"
GOOD = "2023-04-03T09:15:00+05:30,524.75,525,522.6,523.9,116485"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "candles.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def minute_line(clock: str, day: str = "2023-04-03") -> str:
    return f"{day}T{clock}:00+05:30,100.05,100.1,100,100.05,7"


def test_a_candle_is_read_in_paise(tmp_path: Path) -> None:
    file = read_candles(written(tmp_path, HEADER, GOOD))
    candle = file.candles[0]
    assert (candle.open, candle.high, candle.low, candle.close) == (52475, 52500, 52260, 52390)
    assert (candle.volume, candle.start_ns) == (116485, parse_iso_ns("2023-04-03T09:15:00+05:30"))
    assert (file.price_scale, file.notes) == (100, ())


def test_columns_may_stand_in_any_order_and_case_and_time_in_any_zone(tmp_path: Path) -> None:
    file = read_candles(
        written(tmp_path, "Volume,Close,Low,High,Open,Timestamp", "7,2,1,3,2,2023-04-03T03:45:00Z")
    )
    assert iso_ist(file.candles[0].start_ns) == "2023-04-03T09:15:00+05:30"


def test_four_decimals_get_the_finer_price_unit(tmp_path: Path) -> None:
    line = "2023-04-03T09:15:00+05:30,82.1025,82.1050,82.1000,82.1025,7"
    file = read_candles(written(tmp_path, HEADER, line))
    assert (file.price_scale, file.candles[0].open) == (10_000, 821_025)


def test_binary_noise_is_rounded_and_told(tmp_path: Path) -> None:
    line = "2023-04-03T09:15:00+05:30,1412.699951171875,1413,1412,1412.5,7"
    file = read_candles(written(tmp_path, HEADER, line))
    assert file.candles[0].open == 141_270
    assert file.notes == ("candles.csv: 1 prices finer than 1/100 rupee were rounded to it",)


def test_labels_at_the_minutes_end_are_put_right_and_told(tmp_path: Path) -> None:
    lines = [minute_line("09:16"), minute_line("09:17"), minute_line("15:30")]
    file = read_candles(written(tmp_path, HEADER, *lines))
    assert [iso_ist(c.start_ns)[11:16] for c in file.candles] == ["09:15", "09:16", "15:29"]
    assert "ends of the minutes" in file.notes[0]


def test_labels_at_the_minutes_start_stay_even_where_the_first_minute_is_missing(
    tmp_path: Path,
) -> None:
    lines = [minute_line("09:16"), minute_line("15:29")]
    file = read_candles(written(tmp_path, HEADER, *lines))
    assert iso_ist(file.candles[0].start_ns)[11:16] == "09:16"


def test_a_wrong_order_is_sorted_and_told(tmp_path: Path) -> None:
    file = read_candles(written(tmp_path, HEADER, minute_line("09:17"), minute_line("09:15")))
    starts = [candle.start_ns for candle in file.candles]
    assert starts == sorted(starts)
    assert "sorted" in file.notes[0]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["date,open,high,low,close", "x"], "the first line must name the columns"),
        ([HEADER], "holds no candle"),
        ([], "the first line must name the columns"),
        ([HEADER, GOOD, "2023-04-03T09:16:00+05:30,1,2"], "line 3: fewer than 6 values"),
        ([HEADER, "2023-04-03 09:15:00,1,2,1,2,5"], "line 2: time"),
        ([HEADER, "yesterday,1,2,1,2,5"], "line 2: Invalid isoformat"),
        ([HEADER, "2023-04-03T09:15:30+05:30,1,2,1,2,5"], "no whole minute"),
        ([HEADER, "2023-04-03T09:15:00+05:30,1,2,x,2,5"], "low is 'x', expected a number"),
        ([HEADER, "2023-04-03T09:15:00+05:30,1,2,nan,2,5"], "low is 'nan'"),
        ([HEADER, "2023-04-03T09:15:00+05:30,1,inf,1,2,5"], "high is 'inf'"),
        ([HEADER, "2023-04-03T09:15:00+05:30,1,2,1,2,-5"], "volume is '-5'"),
        ([HEADER, "2023-04-03T09:15:00+05:30,5,2,1,2,5"], "are no candle"),
        ([HEADER, "2023-04-03T09:15:00+05:30,0,2,0,2,5"], "are no candle"),
        (
            [HEADER, "1900-11-20T09:15:00+05:30,1,2,1,2,5"],
            "1900-11-20T09:15:00+05:30 is before",
        ),
        ([HEADER, "2023-04-03T09:15:00+05:30,1,2,1,2," + "9" * 200_000], "no table of comma-sep"),
        ([HEADER, "2023-04-03T03:45:00+05:30,1,2,1,2,5"], "is the offset of its times right?"),
        ([HEADER, GOOD, GOOD], "line 3: 2023-04-03T09:15:00+05:30 is there twice"),
    ],
)
def test_what_is_no_candle_is_refused_with_its_line(
    lines: list[str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"candles\.csv") as refused:
        read_candles(written(tmp_path, *lines))
    assert sentence in str(refused.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "candles.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="expected UTF-8"):
        read_candles(path)


def test_candles_before_the_open_are_told(tmp_path: Path) -> None:
    file = read_candles(written(tmp_path, HEADER, minute_line("09:08"), minute_line("09:15")))
    assert file.notes == (
        "candles.csv: 1 candles before 09:15 IST left out, the first at 2023-04-03T09:08:00+05:30",
    )
