"""The numbers that TA-Lib's own regression test expects, through our streaming handles.

252 bars go in as whole numbers, one by one; prices come out in 1/10,000 of the table's. Rows for
another compatibility mode or a longer unstable period are left out: neither can be set here.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.analytics_stage import minute
from ticktick.analytics.bars import bars_of, input_fields
from ticktick.analytics.handle import Streaming, handles_of
from ticktick.analytics.values import unpack
from ticktick.domain.market import Candle

pytestmark = pytest.mark.shared

SCALE = 10_000
AVERAGES = {"SMA": "SMA", "EMA": "EMA"}
OUTPUTS = {"MACD": "ddd", "BBANDS": "ddd", "STOCH": "dd"}
_CLOSE, _HLC = ("close",), ("high", "low", "close")

Row = dict[str, Any]


class Claim(NamedTuple):
    """An output of a function with parameters at a place behind its first value."""

    function: str
    inputs: Sequence[str]
    parameters: Sequence[float]
    first: int
    output: int
    place: int
    expected: float
    is_price: bool


def bars(shared_data: Path) -> list[Candle]:
    path = shared_data / "vectors" / "ta_lib_regtest" / "reference_252_bars.csv"
    with path.open() as file:
        return [_bar(place, row) for place, row in enumerate(csv.DictReader(file))]


def _bar(place: int, row: dict[str, str]) -> Candle:
    first, high, low, last = (
        round(float(row[name]) * SCALE) for name in ("open", "high", "low", "close")
    )
    return minute(place, first, high, low, last, 0)


def table(shared_data: Path, name: str) -> Iterator[Row]:
    text = (shared_data / "vectors" / "ta_lib_regtest" / f"test_{name}.json").read_text()
    for row in json.loads(text)["rows"]:
        usual = row.get("compatibility", "TA_COMPATIBILITY_DEFAULT") == "TA_COMPATIBILITY_DEFAULT"
        whole = (row["startIdx"], row["endIdx"]) == (0, 251)
        if usual and whole and not row.get("unstablePeriod") and row["expectedNbElement"]:
            yield row


def outputs(row: Row, count: int) -> Iterator[tuple[int, int, float]]:
    """Output, place behind the first value, expected value."""
    if "oneOfTheExpectedOutReal" in row:
        yield 0, row["oneOfTheExpectedOutRealIndex"], row["oneOfTheExpectedOutReal"]
        return
    for output in range(count):
        place = row[f"oneOfTheExpectedOutRealIndex{output}"]
        yield output, place, row[f"oneOfTheExpectedOutReal{output}"]


def claims_of(
    row: Row,
    function: str,
    inputs: Sequence[str],
    parameters: Sequence[float],
    *,
    count: int = 1,
    is_price: bool = True,
) -> Iterator[Claim]:
    for output, place, expected in outputs(row, count):
        first = row["expectedBegIdx"]
        yield Claim(function, inputs, parameters, first, output, place, expected, is_price)


def averages(row: Row) -> Iterator[Claim]:
    function = AVERAGES.get(row["optInMAType_1"].removeprefix("TA_MAType_"))
    if function is not None and row["optInTimePeriod"] > 1:
        yield from claims_of(row, function, _CLOSE, (row["optInTimePeriod"],))


def strength(row: Row) -> Iterator[Claim]:
    if row["theFunction"] == "TA_RSI_TEST":
        yield from claims_of(row, "RSI", _CLOSE, (row["optInTimePeriod"],), is_price=False)


def convergence(row: Row) -> Iterator[Claim]:
    if row["testId"] == "TA_MACD_TEST":
        periods = [row[f"optIn{n}"] for n in ("FastPeriod", "SlowPeriod", "SignalPeriod_2")]
        yield from claims_of(row, "MACD", _CLOSE, periods, count=3)


def bands(row: Row) -> Iterator[Claim]:
    kind = {"TA_MAType_SMA": 0, "TA_MAType_EMA": 1}[row["optInMethod_3"]]
    widths = (row["optInNbDevUp"], row["optInNbDevDn"])
    yield from claims_of(row, "BBANDS", _CLOSE, (row["optInTimePeriod"], *widths, kind), count=3)


def stochastic(row: Row) -> Iterator[Claim]:
    if row["testId"] == "TEST_STOCH":
        fast, slow, last = (row[f"optInPeriod_{n}"] for n in range(3))
        parameters = (fast, slow, 0, last, 0)
        yield from claims_of(row, "STOCH", _HLC, parameters, count=2, is_price=False)


def ranges(row: Row) -> Iterator[Claim]:
    if not row["doAverage"]:
        yield from claims_of(row, "TRANGE", _HLC, ())
    elif row["optInTimePeriod"] > 1:
        yield from claims_of(row, "ATR", _HLC, (row["optInTimePeriod"],))


TABLES: dict[str, tuple[Callable[[Row], Iterator[Claim]], int]] = {
    "ma": (averages, 17),
    "rsi": (strength, 4),
    "macd": (convergence, 6),
    "bbands": (bands, 9),
    "stoch": (stochastic, 6),
    "trange": (ranges, 11),
}


def told(candles: Sequence[Candle], claim: Claim) -> float:
    """What the handle says after the bar that the claim is about."""
    outputs = OUTPUTS.get(claim.function, "d")
    fields = input_fields(claim.inputs)
    streaming = Streaming(claim.function, fields, tuple(claim.parameters), claim.first, outputs)
    handles = handles_of((streaming,))
    columns = bars_of(candles[: claim.first + claim.place + 1]).columns.T.tolist()
    said = [unpack(handles.update(*bar))[claim.output] for bar in columns]
    assert np.isnan(said[: claim.first]).all()
    return float(said[-1]) / (SCALE if claim.is_price else 1)


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_of_the_library_are_met(name: str, shared_data: Path) -> None:
    of_row, count = TABLES[name]
    candles = bars(shared_data)
    claims = [claim for row in table(shared_data, name) for claim in of_row(row)]
    assert len(claims) == count
    for claim in claims:
        # the tables were typed with two to six digits, and the library's test allows 0.01
        np.testing.assert_allclose(
            told(candles, claim), claim.expected, 0, 0.01, err_msg=str(claim)
        )
