"""What a chart draws over its candles equals the analytics, whatever order things come in."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.analytics_stage import minute, walk
from tests.web_stage import Browser, SmallMarket, Stage, instrument, outputs
from ticktick.analytics.catalogue import UNITS
from ticktick.analytics.indicators import Indicators
from ticktick.domain.analysis import Reading
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS
from ticktick.domain.event import CandleChanged, Fact, WatchlistChanged
from ticktick.domain.market import Candle, CandleState
from ticktick.web.analysis import Analysis
from ticktick.web.chart import Studies
from ticktick.web.insights import ListedPattern
from ticktick.web.messages import View
from ticktick.web.overlays import PEEK_EVERY_S, is_known

FIELDS = ListedPattern.__struct_fields__
NAMES = ("ema_9", "rsi_14", "vwap", "macd_hist", "momentum", "supertrend")
DAY = walk(375)
MONTH_NS = 40 * NS_PER_DAY


class Chart:
    """A browser that looks at ACME by the minute, the analytics, and the market both read."""

    def __init__(self, candles: Sequence[Candle] = (), patterns: bool = False) -> None:
        self.market = SmallMarket([instrument("ACME"), instrument("BETA")])
        self.stage = Stage(self.market)
        self.browser = Browser(self.stage.hub)
        self.at_ns = DAY[0].start_ns
        self.now_s = 0.0
        self.stored: dict[int, Candle] = {candle.start_ns: candle for candle in candles}
        for candle in candles:
            self.change(candle)
        self.work()
        self.browser.client.overlays.want(Studies(NAMES, patterns))
        self.browser.client.look_at(View("ACME", 1))
        self.read()

    def change(self, candle: Candle) -> None:
        """The candle closed or changed."""
        self.stored[candle.start_ns] = candle
        self.market.closed["ACME", 1] = [self.stored[start] for start in sorted(self.stored)]
        changed = CandleChanged(candle.end_ns, candle)
        self.tell([changed, *self.stage.analysis.hear([changed])])

    def work(self) -> None:
        """Let the analytics begin anew where they must."""
        self.at_ns += MONTH_NS
        self.tell(self.stage.analysis.work(self.at_ns))

    def tell(self, facts: Sequence[Fact]) -> None:
        self.stage.hub.take(outputs(facts=facts))

    def read(self) -> list[str]:
        """The types of what the page is told now; twice, as a job is done between."""
        self.now_s += PEEK_EVERY_S
        return [text["type"] for _ in range(2) for text in self.browser.read(self.now_s)]

    def readings(self) -> list[Reading]:
        settled = (CandleState.FINAL, CandleState.BACKFILLED)
        stream = Indicators("ACME", 1)
        kept = (self.stored[start] for start in sorted(self.stored))
        return [stream.update(candle) for candle in kept if candle.state in settled]

    def check(self) -> None:
        """The page holds every settled candle's indicators, and no other."""
        expected = {reading.start_ns // NS_PER_MS: row(reading) for reading in self.readings()}
        assert self.browser.overlays == expected


def row(reading: Reading) -> list[Any]:
    degenerate = [name for name in NAMES if name in reading.degenerate]
    values = [reading.values.get(name) for name in NAMES]
    return [reading.start_ns // NS_PER_MS, reading.bars, values, degenerate, reading.withheld]


steps = st.one_of(
    st.tuples(st.just("settle"), st.integers(1, 8)),
    st.tuples(st.just("correct"), st.integers(0, 400)),
    st.tuples(st.just("backfill"), st.integers(0, 400)),
    st.tuples(st.sampled_from(["read", "work", "look"]), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=25))
def test_the_page_holds_the_stream_of_the_stored_candles(script: list[tuple[str, int]]) -> None:
    chart = Chart(DAY[10:60:2])
    ahead = iter(DAY[60:])
    for step, number in script:
        known = [chart.stored[start] for start in sorted(chart.stored)]
        match step:
            case "settle":
                for _ in range(number):
                    chart.change(next(ahead))
            case "correct":
                old = known[number % len(known)]
                high = old.high + number
                chart.change(replace(old, high=high, revision=old.revision + 1))
            case "backfill":
                missing = [candle for candle in DAY[:60] if candle.start_ns not in chart.stored]
                if missing:
                    late = missing[number % len(missing)]
                    chart.change(replace(late, state=CandleState.BACKFILLED))
            case "read":
                chart.read()
            case "work":
                chart.work()
            case "look":
                chart.browser.client.look_again()
    for _ in range(3):
        chart.work()
    chart.read()
    chart.check()


def test_a_settled_candle_is_one_row_and_nothing_is_made_anew() -> None:
    chart = Chart(DAY[:300])
    chart.check()
    chart.change(DAY[300])
    assert "series" not in chart.read()
    chart.check()


def test_a_correction_makes_the_whole_series_anew_even_when_the_next_candle_came_before() -> None:
    chart = Chart(DAY[:100])
    chart.change(replace(DAY[50], high=DAY[50].high + 900, revision=1))
    chart.change(DAY[100])
    chart.work()
    assert "series" in chart.read()
    chart.check()


def test_the_forming_candle_is_peeked_and_forgotten_when_it_settled() -> None:
    chart = Chart(DAY[:60])
    stream = Indicators("ACME", 1)
    for candle in DAY[:60]:
        stream.update(candle)
    forming = replace(DAY[60], state=CandleState.FORMING)
    chart.market.running["ACME", 1] = forming
    chart.read()
    assert chart.browser.forming == row(stream.peek(forming))
    assert "reading" not in chart.read()
    del chart.market.running["ACME", 1]
    chart.change(DAY[60])
    chart.read()
    assert chart.browser.forming is None
    chart.check()


def test_a_closed_candle_nobody_checked_is_peeked_before_the_running_one() -> None:
    """The running candle's indicators would leave the unchecked one out."""
    chart = Chart(DAY[:60])
    chart.change(replace(DAY[60], state=CandleState.PROVISIONAL))
    chart.market.running["ACME", 1] = replace(DAY[61], state=CandleState.FORMING)
    chart.read()
    assert chart.browser.forming is not None
    assert chart.browser.forming[0] == DAY[60].start_ns // NS_PER_MS


def test_nothing_is_peeked_while_the_analytics_lag_behind_the_candles() -> None:
    chart = Chart(DAY[:60])
    chart.market.running["ACME", 1] = replace(DAY[62], state=CandleState.FORMING)
    chart.market.closed["ACME", 1] = list(DAY[:61])
    chart.read()
    assert chart.browser.forming is None


def test_of_the_oldest_day_no_vwap_is_told_once_a_later_day_is_there() -> None:
    """Its morning may not be stored, and a VWAP from noon on would be none."""
    two_days = walk(500)
    chart = Chart(two_days)
    place = NAMES.index("vwap")
    vwaps = [row[2][place] for row in chart.browser.overlays.values()]
    assert vwaps[:375] == [None] * 375
    assert None not in vwaps[375:]
    assert vwaps[375:] == [reading.values["vwap"] for reading in chart.readings()[375:]]


def test_the_newest_candle_has_the_reading_of_analytics_that_know_more_of_the_past() -> None:
    chart = Chart(walk(700))
    expected = chart.stage.analysis.reading("ACME", 1)
    for start in sorted(chart.stored)[:300]:
        del chart.stored[start]
    chart.market.closed["ACME", 1] = [chart.stored[start] for start in sorted(chart.stored)]
    chart.browser.client.look_again()
    chart.read()
    assert expected is not None
    assert list(chart.browser.overlays.values())[-1] == row(expected)


def test_flat_windows_are_marked() -> None:
    still = [minute(place, 100, 100, 100, 100, 0) for place in range(60)]
    chart = Chart(still)
    chart.check()
    newest = list(chart.browser.overlays.values())[-1]
    assert newest[2][NAMES.index("rsi_14")] == 50.0
    assert newest[3] == ["rsi_14"]


def test_all_patterns_of_the_shown_candles_come_with_their_judgement() -> None:
    chart = Chart(DAY, patterns=True)
    rows = [dict(zip(FIELDS, row, strict=True)) for row in chart.browser.series["patterns"]]
    analysis = chart.stage.analysis
    known = {(p.start_ns // NS_PER_MS, p.name): p for p in analysis.patterns("ACME", 1)}
    shown = {(row["start_ms"], row["pattern"]): row for row in rows}
    assert known.keys() <= shown.keys()
    assert rows[0]["start_ms"] < min(start for start, _ in known)
    assert rows == sorted(rows, key=lambda row: row["start_ms"])
    for name, pattern in known.items():
        assert shown[name]["confirmed"] == analysis.judged(pattern)
        assert shown[name]["cases"] == pattern.record.cases


def test_nothing_is_sent_to_who_wants_nothing_or_looks_away() -> None:
    chart = Chart(DAY[:50])
    chart.browser.client.overlays.want(Studies((), patterns=False))
    chart.change(DAY[50])
    assert not {"series", "reading"} & set(chart.read())
    chart.browser.client.overlays.want(Studies(NAMES, patterns=False))
    chart.stage.market.table.follow([instrument("BETA")])
    chart.tell([WatchlistChanged(chart.at_ns, ("BETA",))])
    assert "series" not in chart.read()


def test_another_wish_while_the_series_is_made_makes_that_one_void() -> None:
    chart = Chart(DAY[:50])
    overlays = chart.browser.client.overlays
    overlays.want(Studies(("ema_9",), patterns=False))
    job = overlays.job()
    assert job is not None
    overlays.want(Studies(("ema_21",), patterns=False))
    overlays.deliver(job())
    chart.read()
    assert chart.browser.series["names"] == ["ema_21"]


@pytest.mark.parametrize(
    ("names", "known"),
    [((), True), (tuple(UNITS), True), (("ema_9", "ema_9"), False), (("ema_7",), False)],
)
def test_only_published_names_are_known(names: tuple[str, ...], known: bool) -> None:
    assert is_known(Studies(names, patterns=True)) is known


def test_every_candle_has_the_relative_volume_that_its_reading_told() -> None:
    """A chart of few days, made of what the analytics know of the sessions before."""
    month = walk(375 * 22)
    chart = Chart()
    chart.market.closed["ACME", 1] = month[-500:]
    chart.stage.analysis.hear([CandleChanged(each.end_ns, each) for each in month])
    chart.work()
    chart.browser.client.overlays.want(Studies(("rvol",), patterns=False))
    chart.read()
    told = [row[2][0] for row in chart.browser.overlays.values()]
    volumes = chart.stage.analysis.volumes("ACME")
    assert volumes is not None
    assert told == [volumes.ratio(each) for each in month[-500:]]
    assert None not in told[-375:]


async def test_a_program_reads_no_forming_value_that_leaves_a_candle_out() -> None:
    async def forming(chart: Chart) -> list[str]:
        stage = chart.stage
        answer = await Analysis(stage.overview, stage.analysis, stage.hub.news).indicators("ACME")
        return [peeked["start"][11:16] for peeked in answer.forming]

    chart = Chart(DAY[:60])
    chart.market.running["ACME", 1] = replace(DAY[60], state=CandleState.FORMING)
    assert await forming(chart) == ["10:15"]
    chart.change(replace(DAY[60], state=CandleState.PROVISIONAL))
    chart.market.running["ACME", 1] = replace(DAY[61], state=CandleState.FORMING)
    assert await forming(chart) == ["10:15"]
    chart.market.closed["ACME", 1] = list(DAY[:61])  # settled, but not read yet
    assert await forming(chart) == []
