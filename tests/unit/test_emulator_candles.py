"""REST candles: units, spans, order, and what belongs to today."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ticktick.domain.clock import parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.answers import Request, Response
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.market import Market

RELIANCE = "NSE_EQ|INE002A01018"
HISTORY, TODAY = "/v3/historical-candle", "/v3/historical-candle/intraday"


@pytest.fixture(scope="module")
def made() -> Exchange:
    start_ns = parse_iso_ns("2026-11-20T12:07:30+05:30")
    return Exchange(lambda at_ns: Market(1, at_ns, Calendar()), start_ns, seed=1)


def ask(made: Exchange, path: str) -> Response:
    return made.handle(Request("GET", path))


def candles(made: Exchange, path: str) -> list[list[Any]]:
    answer = ask(made, path)
    assert answer.status == 200, answer.body
    rows: list[list[Any]] = json.loads(answer.body)["data"]["candles"]
    return rows


def frame(rows: list[list[Any]]) -> pd.DataFrame:
    names = ["start", "open", "high", "low", "close", "volume", "oi"]
    table = pd.DataFrame(rows[::-1], columns=names)
    return table.set_index(pd.to_datetime(table.pop("start")))


def test_history_ends_yesterday_and_today_holds_the_forming_bar(made: Exchange) -> None:
    past = candles(made, f"{HISTORY}/{RELIANCE}/minutes/1/2026-11-20/2026-11-19")
    now = candles(made, f"{TODAY}/{RELIANCE}/minutes/1")
    assert len(past) == 360
    assert past[0][0] == "2026-11-19T15:14:00+05:30"
    assert past[-1][0] == "2026-11-19T09:15:00+05:30"
    assert now[0][0] == "2026-11-20T12:07:00+05:30"
    assert len(now) == 173


def test_newest_comes_first_and_prices_are_rupees(made: Exchange) -> None:
    rows = candles(made, f"{TODAY}/{RELIANCE}/minutes/1")
    starts = [row[0] for row in rows]
    assert starts == sorted(starts, reverse=True)
    assert all(1000 < row[4] < 2000 and row[6] == 0 for row in rows)


@pytest.mark.parametrize("minutes", [3, 5, 7, 15, 60, 300])
@pytest.mark.parametrize("kind", ["past", "today"])
def test_longer_bars_equal_a_resample_from_the_open(
    made: Exchange, minutes: int, kind: str
) -> None:
    tail = "/2026-11-19/2026-11-19" if kind == "past" else ""
    base = HISTORY if kind == "past" else TODAY
    ones = frame(candles(made, f"{base}/{RELIANCE}/minutes/1{tail}"))
    longer = frame(candles(made, f"{base}/{RELIANCE}/minutes/{minutes}{tail}"))
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    expected = ones.resample(f"{minutes}min", origin=ones.index[0]).agg(rules)
    assert list(longer.index) == list(expected.index)
    for name in rules:
        np.testing.assert_array_equal(longer[name], expected[name])


def test_hours_are_sixty_minutes_and_start_with_the_session(made: Exchange) -> None:
    hours = candles(made, f"{TODAY}/{RELIANCE}/hours/1")
    assert hours == candles(made, f"{TODAY}/{RELIANCE}/minutes/60")
    assert [row[0][11:16] for row in hours] == ["11:15", "10:15", "09:15"]


@pytest.mark.parametrize(
    ("unit", "first"),
    [("days", "2026-11-19"), ("weeks", "2026-11-16"), ("months", "2026-11-01")],
)
def test_longer_units_start_at_midnight_of_their_first_day(
    made: Exchange, unit: str, first: str
) -> None:
    rows = candles(made, f"{HISTORY}/{RELIANCE}/{unit}/1/2026-11-20")
    assert rows[0][0] == f"{first}T00:00:00+05:30"
    days = candles(made, f"{HISTORY}/{RELIANCE}/days/1/2026-11-20")
    inside = [row for row in days if row[0] >= rows[0][0]]
    assert rows[0][2] == max(row[2] for row in inside)
    assert rows[0][5] == sum(row[5] for row in inside)


def test_without_from_date_the_answer_is_clipped_to_the_cap(made: Exchange) -> None:
    rows = candles(made, f"{HISTORY}/{RELIANCE}/minutes/1/2026-11-20")
    assert rows[-1][0] == "2026-10-21T09:15:00+05:30"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{HISTORY}/{RELIANCE}/minutes/1/2026-11-20/2026-10-19", "UDAPI1148"),
        (f"{HISTORY}/{RELIANCE}/minutes/16/2026-11-20/2026-08-19", "UDAPI1148"),
        (f"{HISTORY}/{RELIANCE}/hours/1/2026-11-20/2026-08-19", "UDAPI1148"),
        (f"{HISTORY}/{RELIANCE}/days/1/2026-11-20/2016-11-19", "UDAPI1148"),
        (f"{HISTORY}/{RELIANCE}/minutes/1/2026-11-19/2026-11-20", "UDAPI1015"),
        (f"{HISTORY}/{RELIANCE}/minutes/1/20-11-2026/2026-11-20", "UDAPI1015"),
        (f"{HISTORY}/{RELIANCE}/minutes/301/2026-11-20/2026-11-20", "UDAPI1147"),
        (f"{HISTORY}/{RELIANCE}/minutes/0/2026-11-20/2026-11-20", "UDAPI1147"),
        (f"{HISTORY}/{RELIANCE}/hours/6/2026-11-20/2026-11-20", "UDAPI1147"),
        (f"{HISTORY}/{RELIANCE}/seconds/1/2026-11-20/2026-11-20", "UDAPI1146"),
        (f"{TODAY}/{RELIANCE}/weeks/1", "UDAPI1146"),
        (f"{HISTORY}/RELIANCE/minutes/1/2026-11-20/2026-11-20", "UDAPI1021"),
        (f"{TODAY}/NSE_EQ|INE296A01024/minutes/1", "UDAPI100011"),
    ],
)
def test_a_bad_question_gets_its_documented_code(made: Exchange, path: str, code: str) -> None:
    answer = ask(made, path)
    assert answer.status == 400
    assert json.loads(answer.body)["errors"][0]["errorCode"] == code


@pytest.mark.parametrize(
    "path",
    [
        f"{HISTORY}/{RELIANCE}/minutes/1/2026-11-20/2026-10-20",
        f"{HISTORY}/{RELIANCE}/minutes/30/2026-11-20/2026-08-20",
        f"{HISTORY}/{RELIANCE}/days/1/2026-11-20/2016-11-20",
        f"{HISTORY}/{RELIANCE}/weeks/1/2026-11-20/2001-01-01",
    ],
)
def test_the_longest_span_is_answered(made: Exchange, path: str) -> None:
    assert ask(made, path).status == 200


def test_on_a_day_without_trading_today_is_empty_and_history_has_the_last_session() -> None:
    start_ns = parse_iso_ns("2026-11-21T12:00:00+05:30")
    saturday = Exchange(lambda at_ns: Market(1, at_ns, Calendar()), start_ns, seed=1)
    assert candles(saturday, f"{TODAY}/{RELIANCE}/minutes/1") == []
    past = candles(saturday, f"{HISTORY}/{RELIANCE}/minutes/1/2026-11-21/2026-11-20")
    assert len(past) == 360


def test_undocumented_ways_of_candles_are_switches() -> None:
    start_ns = parse_iso_ns("2026-11-21T12:00:00+05:30")
    saturday = Exchange(lambda at_ns: Market(1, at_ns, Calendar()), start_ns, seed=1)
    today = f"{TODAY}/{RELIANCE}/minutes/1"
    past = candles(saturday, f"{HISTORY}/{RELIANCE}/minutes/1/2026-11-21/2026-11-20")
    saturday.switches.order(b'{"candles.last_session": true}')
    assert candles(saturday, today) == past
    saturday.switches.order(b'{"candles.oldest_first": true}')
    assert candles(saturday, today) == past[::-1]
    saturday.switches.order(b'{"candles.need_token": true}')
    assert ask(saturday, today).status == 401
