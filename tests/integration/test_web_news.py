"""Patterns, readings and closes on the socket: what the API says, as it happens."""

from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from tests.analytics_stage import split, walk
from tests.web_stage import Browser, SmallMarket, Stage, instrument, outputs, running
from ticktick.domain.clock import NS_PER_MS, iso_ist
from ticktick.domain.event import CandleChanged, Fact, WatchlistChanged
from ticktick.domain.market import Candle, CandleState
from ticktick.web.insights import ListedPattern, ReadingRow

SCALE = 100


class Market:
    """A market of one symbol whose candles the test closes, and a browser that is always there."""

    def __init__(self, past: list[Candle]) -> None:
        self.stage = Stage(SmallMarket([instrument("ACME"), instrument("OTHER")]))
        self.candles = self.stage.market.closed.setdefault(("ACME", 1), [])
        self.browser = Page(self.stage)
        for each in past:
            self.candles.append(each)
        self.tell([CandleChanged(each.end_ns, each) for each in past])

    def close(self, candle: Candle) -> None:
        """A further candle, or another one in the place of the same minute."""
        self.candles[:] = [one for one in self.candles if one.start_ns != candle.start_ns]
        self.candles.append(candle)
        self.candles.sort(key=lambda one: one.start_ns)
        self.tell([CandleChanged(candle.end_ns, candle)])

    def tell(self, facts: list[Fact]) -> None:
        board = self.stage.analysis
        self.stage.now_ns = self.candles[-1].end_ns
        found = board.hear(facts)
        while board.waiting:
            self.stage.now_ns += 5_000_000_000
            found += board.work(self.stage.now_ns)
        told = replace(outputs(facts=[*facts, *found]), at_ns=self.stage.now_ns)
        self.stage.hub.take(told)
        self.browser.read()

    async def api(self) -> list[dict[str, Any]]:
        """The day's patterns as programs read them."""
        async with running(self.stage) as site:
            await site.log_in()
            told = (await site.ask("GET", "/api/v1/patterns")).json()["patterns"]
        patterns: list[dict[str, Any]] = told
        return patterns


class Page:
    """Holds what a page would know from the socket's messages alone."""

    def __init__(self, stage: Stage) -> None:
        self._browser = Browser(stage.hub)
        self.patterns: dict[tuple[str, int, int, str, int], dict[str, Any]] = {}
        self.readings: dict[tuple[str, int], dict[str, Any]] = {}
        self.closes: dict[tuple[str, int], int | None] = {}

    def read(self) -> None:
        self._browser.read()
        for text in self._browser.news:
            self._take(text["type"], text["data"])
        self._browser.news.clear()

    def _take(self, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "pattern":
                self._pattern(data["pattern"])
            case "patterns":
                if data["is_all"]:
                    self.patterns.clear()
                for row in data["patterns"]:
                    self._pattern(row)
            case "readings":
                if data["is_all"]:
                    self.readings.clear()
                self.readings |= {(row[0], row[1]): _named(ReadingRow, row) for row in data[kind]}
            case "closes":
                if data["is_all"]:
                    self.closes.clear()
                self.closes |= {(row[0], row[1]): row[2] for row in data[kind]}

    def _pattern(self, row: list[Any]) -> None:
        symbol, minutes, start_ms, name, revision = row[:5]
        self.patterns[symbol, minutes, start_ms, name, revision] = _named(ListedPattern, row)


def _named(kind: type[Struct], row: list[Any]) -> dict[str, Any]:
    return dict(zip(kind.__struct_fields__, row, strict=True))


def as_api(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the socket in the words and units of the API."""
    prices = ("confirmation", "invalidation")
    plain = {
        name: value / SCALE if name in prices and value is not None else value
        for name, value in row.items()
        if name not in ("minutes", "start_ms")
    }
    return plain | {
        "timeframe": f"{row['minutes']}m",
        "start": iso_ist(row["start_ms"] * NS_PER_MS),
    }


def by_name(patterns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(patterns, key=lambda one: (one["start"], one["pattern"], one["revision"]))


@pytest.mark.parametrize("stays", [True, False])
async def test_the_page_knows_the_patterns_that_the_api_tells(stays: bool) -> None:
    candles = walk(300, 3, step=4.0)
    market = Market(candles[:280])
    for each in candles[280:]:
        market.close(each)
    turned = candles[290]
    market.close(replace(turned, close=turned.open, high=turned.high + 60, revision=1))
    page = market.browser if stays else Page(market.stage)
    page.read()
    told = await market.api()
    assert {one["superseded"] for one in told} == {True, False}
    assert {one["confirmed"] for one in told} == {True, False, None}
    last = told[0]["start"]
    shown = by_name([as_api(row) for row in page.patterns.values()])
    since = [one for one in by_name(told) if one["start"] >= shown[0]["start"]]
    assert shown == since
    assert len(shown) >= 20
    assert shown[-1]["start"] == last


async def test_deeper_history_brings_the_records_up_to_what_the_api_says() -> None:
    candles = walk(900, 3, step=4.0)
    market = Market(candles[560:])
    few = {one["cases"] for one in market.browser.patterns.values()}
    market.candles[:0] = candles[:560]
    market.tell([CandleChanged(each.end_ns, each) for each in candles[:560]])
    told = by_name(await market.api())
    shown = by_name([as_api(row) for row in market.browser.patterns.values()])
    assert shown[-50:] == told[-50:]
    assert max(one["cases"] for one in shown) > max(few)


def test_a_reading_that_is_withheld_says_why() -> None:
    candles = split(walk(400), 375, 2)
    market = Market(candles[:390])
    market.close(candles[390])
    reading = market.stage.analysis.reading("ACME", 1)
    assert reading is not None
    assert "-50" in reading.withheld
    shown = market.browser.readings["ACME", 1]
    assert (shown["rsi"], shown["withheld"]) == (None, reading.withheld)


def test_readings_come_with_every_candle_and_only_when_they_are_warm() -> None:
    candles = walk(251)
    market = Market(candles[:249])
    assert market.browser.readings["ACME", 1]["rsi"] is None
    for each in candles[249:]:
        market.close(each)
    reading = market.stage.analysis.reading("ACME", 1)
    shown = market.browser.readings["ACME", 1]
    assert reading is not None
    assert shown["start_ms"] * NS_PER_MS == candles[-1].start_ns
    assert shown["rsi"] == reading.values["rsi_14"]
    assert shown["atr_percent"] == reading.values["natr_14"]
    assert shown["is_flat"] is False
    late = Page(market.stage)
    late.read()
    assert late.readings == market.browser.readings


def test_the_closes_of_the_last_half_hour_follow_corrections_and_keep_holes() -> None:
    candles = walk(40)
    market = Market(candles[:38])
    market.close(replace(candles[38], close=1, low=1))
    market.close(replace(candles[38], revision=1))
    lost = replace(candles[39], state=CandleState.MISSING)
    market.close(lost)
    late = Page(market.stage)
    late.read()
    for page in (market.browser, late):
        newest = {key: page.closes[key] for key in sorted(page.closes)[-30:]}
        starts = [candle.start_ns // NS_PER_MS for candle in candles[-30:]]
        closes = [*(candle.close for candle in candles[-30:-1]), None]
        assert newest == {("ACME", s): c for s, c in zip(starts, closes, strict=True)}


def test_a_symbol_whose_past_was_restated_is_told_anew() -> None:
    market = Market(walk(60))
    assert market.browser.closes
    market.candles.clear()
    board = market.stage.analysis
    change = WatchlistChanged(market.stage.now_ns, ("ACME", "OTHER"), restated=("ACME",))
    market.stage.hub.take(outputs(facts=[change, *board.hear([change])]))
    market.browser.read()
    assert not market.browser.closes
    assert not market.browser.readings
    assert not market.browser.patterns
