"""One demo that lives through nights, a split, a special session and holidays, at speed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.oracles.trades import candles_of_trades
from tests.program_stage import Program, ask, eventually, exchange, fetch, program, ticktick
from ticktick.domain.clock import at_ist, ist_day, parse_iso_ns

INFY = "NSE_EQ|INE009A01021"
NEW_INFY = "NSE_EQ|INE009A01039"
RELIANCE = "NSE_EQ|INE002A01018"
_HOURS_NS = 6 * 3600 * 10**9
_LIMIT_S = 240.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Stage:
    """A demo and the exchange behind it, whose pace the test sets."""

    def __init__(self, home: Path, url: str, demo: Program) -> None:
        self.home = home
        self.url = url
        self.demo = demo

    def get(self, path: str) -> Any:
        """An answer of the program."""
        return json.loads(ask(self.home, path))

    def pace(self, rate: float) -> None:
        """Let so many market seconds pass in a real one."""
        fetch(f"{self.url}/_emu/clock", json.dumps({"rate": rate}).encode())

    def order(self, verb: str, match: str = "", **args: Any) -> None:
        """Order something of the exchange."""
        body = {"verb": verb, "match": match, "args": args}
        fetch(f"{self.url}/_emu/fault", json.dumps(body).encode())

    def run(self, *legs: tuple[float, tuple[date, int, int]]) -> None:
        """Let the market run, leg by leg: the pace, and the Indian day, hour and minute it ends.

        While a leg is looked at some real time passes, so a fast one ends well before its next.
        """
        for rate, moment in legs:
            self.pace(rate)
            assert eventually(partial(self._has_come, at_ist(*moment)), _LIMIT_S)

    def _has_come(self, at_ns: int) -> bool:
        return bool(fetch(f"{self.url}/_emu/clock")["now_ns"] >= at_ns)

    def becomes(self, claim: Callable[[Any], bool]) -> Any:
        """The status, once the claim about it is true."""
        deadline = time.monotonic() + _LIMIT_S
        while True:
            status = self.get("/api/v1/status")
            if claim(status):
                return status
            assert time.monotonic() < deadline, status
            time.sleep(0.2)

    def candles(self, symbol: str, minutes: int = 1) -> dict[int, list[int]]:
        """Settled candles in paise by start in nanoseconds."""
        told = self.get(f"/api/v1/candles/{symbol}/{minutes}")["candles"]
        return {
            one["start_ms"] * 10**6: [
                *(round(one[name] * 100) for name in ("open", "high", "low", "close")),
                one["volume"],
            ]
            for one in told
            if one["state"] in ("final", "backfilled")
        }

    def traded(self, key: str, day: date, hour: int, minute: int) -> dict[int, list[int]]:
        """The minutes of the day from that time on, made of the exchange's list of trades."""
        open_ns = at_ist(day, hour, minute)
        query = f"instrument_key={quote(key)}&from_ns={open_ns}&to_ns={open_ns + _HOURS_NS}"
        trades = fetch(f"{self.url}/_emu/trades?{query}")
        return candles_of_trades(trades, 1, open_ns)

    def check(self, symbol: str, theirs: dict[int, list[int]], least: int) -> None:
        """Every minute of theirs but the newest becomes ours, and there are enough of them."""
        wanted = dict(sorted(theirs.items())[:-1])
        eventually(lambda: wanted.keys() <= self.candles(symbol).keys())
        ours = self.candles(symbol)
        assert {at: ours.get(at) for at in wanted} == wanted
        assert len(wanted) >= least

    def told_by_rest(self, key: str, day: date) -> dict[int, list[int]]:
        """The minutes of a past day as the exchange's REST interface tells them."""
        path = f"/v3/historical-candle/{quote(key, safe='')}/minutes/1/{day}/{day}"
        rows = fetch(self.url + path)["data"]["candles"]
        return {
            parse_iso_ns(row[0]): [*(round(price * 100) for price in row[1:5]), row[5]]
            for row in rows
        }

    def facts(self) -> Iterator[Any]:
        """What the engine said, in order."""
        with (self.home / "live.jsonl").open() as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)

    def false_alarms(self) -> list[Any]:
        """Facts that call data stale although the link was up and nothing traded."""
        is_up, trading, found = False, set[str](), list[Any]()
        segment_of = {}
        for fact in self.facts():
            match fact["type"]:
                case "instruments":
                    segment_of = {i["symbol"]: i["segment"] for i in fact["instruments"]}
                case "feed":
                    is_up = fact["up"]
                case "phase" if fact["phase"] == "continuous":
                    trading.add(fact["segment"])
                case "phase":
                    trading.discard(fact["segment"])
                case "freshness" if fact["freshness"] == "stale":
                    if is_up and segment_of[fact["symbol"]] not in trading:
                        found.append(fact)
        return found

    def ends_clean(self) -> None:
        """The program ends without a word in its error log, and its recording replays."""
        assert self.demo.end() == 0
        errors = (self.home / "logs" / "error.log").read_text()
        assert "ERROR" not in errors, errors
        (recording,) = (self.home / "data" / "demo" / "recordings").glob("*.ttrec")
        played = self.home / "played.jsonl"
        arguments = ("replay", str(recording), "--outputs", str(played))
        with program(self.home, *arguments) as replay:
            assert replay.process.wait(_LIMIT_S) == 0
        assert played.read_bytes() == (self.home / "live.jsonl").read_bytes()


@contextmanager
def living(tmp_path: Path, start: str) -> Iterator[Stage]:
    """A demo on an exchange that stands at the moment, so that it is ready for any pace."""
    home, exchange_home = tmp_path / "demo", tmp_path / "exchange"
    home.mkdir()
    exchange_home.mkdir()
    with exchange(exchange_home, "--start", start) as (_, url):
        fetch(f"{url}/_emu/clock", b'{"rate": 0}')
        wish = ("--no-browser", "--port", "0", "--outputs", str(home / "live.jsonl"))
        with program(home, "demo", "--exchange", url, *wish) as demo:
            demo.line_with("Open ")
            yield Stage(home, url, demo)


def all_fresh(status: Any) -> bool:
    return {one["freshness"] for one in status["symbols"]} <= {"fresh", "quiet"}


def test_F45_a_demo_lives_through_a_night_with_a_split(tmp_path: Path) -> None:
    thursday, friday = date(2026, 11, 19), date(2026, 11, 20)
    with living(tmp_path, "2026-11-19T15:11:00") as stage:
        stage.order("instrument.split", "INFY", r=5)
        stage.pace(10)
        stage.becomes(all_fresh)
        before = stage.get("/api/v1/candles/INFY/1")["candles"][-1]["close"]
        stage.run(
            (10, (thursday, 15, 16)),  # the end of continuous trading
            (60, (thursday, 15, 37)),  # the closing auction
            (300, (thursday, 16, 5)),
            (3000, (friday, 4, 30)),  # the token ends at 03:30
            (600, (friday, 8, 40)),  # the new instruments come at six
            (60, (friday, 9, 14)),
            (10, (friday, 9, 18)),
        )
        status = stage.becomes(all_fresh)
        infy = next(one for one in status["symbols"] if one["symbol"] == "INFY")
        assert infy["last_price"] == pytest.approx(before / 5, rel=0.1)
        assert infy["previous_close"] == pytest.approx(before / 5, rel=0.05)
        assert abs(infy["change_fraction"]) < 0.1
        (outage,) = status["health"]["outages"]  # told late the login ended, in time it is renewed
        assert outage["cause"] in ("login", "asked")
        log = (stage.home / "logs" / "system.log").read_text()
        assert f"Infosys: key {INFY} is no longer listed; using {NEW_INFY} (INFY)" in log
        stage.check("INFY", stage.traded(NEW_INFY, friday, 9, 15), least=2)
        stage.check("RELIANCE", stage.traded(RELIANCE, friday, 9, 15), least=2)
        ours = stage.candles("INFY")
        yesterday = stage.told_by_rest(NEW_INFY, thursday)
        assert {at: ours.get(at) for at in yesterday} == yesterday
        assert len(yesterday) == 360
        hours = stage.candles("INFY", 60)
        assert len(hours) > 200
        assert max(high for _, high, *_ in hours.values()) < before * 100 / 2
        done = ticktick(
            stage.home, *("redis-cli", "-n", "0", "TS.RANGE", "candle:INFY:1m:high", "-", "+")
        )
        highs = [float(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()[1::2]]
        assert len(highs) > 5_000
        assert max(highs) < before / 2
        assert stage.false_alarms() == []
        returns = [
            fact["tick_return"]
            for fact in stage.facts()
            if fact["type"] == "metrics" and fact["symbol"] == "INFY" and fact["tick_return"]
        ]
        assert max(map(abs, returns)) < 0.05
        stage.ends_clean()


def test_F41_a_demo_lives_through_a_week_end_with_a_session_and_two_holidays(
    tmp_path: Path,
) -> None:
    friday, saturday, wednesday = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 25)
    with living(tmp_path, "2026-11-20T15:27:00") as stage:
        stage.order("calendar.set", day="2026-11-21", hours="18:00-18:12")
        stage.order("calendar.set", day="2026-11-23", hours="")
        stage.run(
            (60, (friday, 15, 50)),
            (3000, (saturday, 15, 30)),
            (600, (saturday, 17, 40)),
            (60, (saturday, 17, 58)),
            (10, (saturday, 18, 4)),
        )
        status = stage.becomes(all_fresh)
        assert status["phases"]["NSE_EQ"]["phase"] == "continuous"
        stage.check("RELIANCE", stage.traded(RELIANCE, saturday, 18, 0), least=2)
        stage.run((30, (saturday, 18, 16)))
        closed = stage.becomes(lambda told: told["phases"]["NSE_EQ"]["phase"] == "closed")
        assert {one["freshness"] for one in closed["symbols"]} == {"closed"}
        assert {ist_day(at) for at in stage.candles("RELIANCE")} >= {friday, saturday}
        stage.run(
            (6000, (wednesday, 4, 30)),
            (600, (wednesday, 8, 40)),
            (60, (wednesday, 9, 14)),
            (10, (wednesday, 9, 18)),
        )
        stage.becomes(all_fresh)
        stage.check("RELIANCE", stage.traded(RELIANCE, wednesday, 9, 15), least=1)
        ours = stage.candles("RELIANCE")
        between = {at for at in ours if at_ist(date(2026, 11, 22), 0) <= at < at_ist(wednesday, 9)}
        assert between == set()
        phases = {
            (fact["phase"], ist_day(fact["at_ns"]))
            for fact in stage.facts()
            if fact["type"] == "phase"
        }
        holidays = {date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24)}
        assert {day for phase, day in phases if phase == "continuous"}.isdisjoint(holidays)
        assert stage.false_alarms() == []
        stage.ends_clean()
