"""What the page is told about the link and the latencies, and what is left open."""

import pytest
from msgspec.structs import replace

from tests.web_stage import MORNING_NS, Stage, outputs
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.event import Fact, FeedChanged, FreshnessChanged, WatchlistChanged
from ticktick.domain.health import LinkHealth
from ticktick.domain.market import Freshness
from ticktick.engine.ports import Outputs
from ticktick.market.rejections import Rejection
from ticktick.web.health import OUTAGES_KEPT, PULSES_KEPT, SAMPLES_TOLD
from ticktick.web.parts import Health, Outage

MORNING_MS = MORNING_NS // NS_PER_MS


class Watched(Stage):
    """A stage whose steady counter only the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.wall_s = 0.0
        self._read_ns = MORNING_NS

    def happen(self, *facts: Fact, rows: tuple[int, ...] = (), at_ns: int = MORNING_NS) -> None:
        told = outputs(*rows, facts=facts)
        self.overview.remember(Outputs(at_ns, told.touched, told.facts), self.wall_s)

    def link(self, second: int, up: bool, reason: str = "", cause: str = "") -> None:
        self.happen(FeedChanged(MORNING_NS + second * NS_PER_S, up, reason, cause))

    def hear(self, symbol: str, lag_ms: float) -> None:
        """A frame that took so long from the exchange to us."""
        row = self.market.table.row_of_symbol[symbol]
        record = self.market.table.records[row]
        self._read_ns += NS_PER_MS
        record["received_ns"] = self._read_ns
        record["exchange_ns"] = self._read_ns - round(lag_ms * NS_PER_MS)
        self.happen(rows=(row,))

    @property
    def health(self) -> Health:
        return self.overview.status().health


def at(second: int) -> int:
    return MORNING_MS + second * 1000


def test_what_was_never_measured_is_null() -> None:
    health = Stage().overview.status().health
    assert health.pulse.feed_median_ms is None
    assert health.pulse.ping_ms is None
    assert health.clock_offset_ms is None
    assert health.repair.minutes_open is None
    assert (health.outages, health.unheard, health.can_take_over) == ((), (), False)


def test_an_outage_runs_from_the_loss_to_the_return() -> None:
    stage = Watched()
    stage.link(0, up=True)
    stage.link(60, up=False, reason="the server closed the feed", cause="closed")
    feed = stage.overview.status().feed
    assert (feed.cause, feed.since_ms) == ("closed", at(60))
    lost = Outage(at(60), None, "closed", "the server closed the feed")
    assert stage.health.outages == (lost,)
    stage.link(72, up=True)
    assert stage.health.outages == (Outage(at(60), at(72), "closed", "the server closed the feed"),)
    feed = stage.overview.status().feed
    assert (feed.cause, feed.since_ms) == ("", at(72))


def test_a_loss_that_gets_another_reason_is_one_outage_with_the_newest() -> None:
    stage = Watched()
    stage.link(0, up=True)
    stage.link(10, up=False, reason="closed", cause="closed")
    stage.link(40, up=False, reason="another program has the feed", cause="taken")
    assert stage.health.outages == (Outage(at(10), None, "taken", "another program has the feed"),)
    assert stage.overview.status().feed.since_ms == at(10)


def test_the_time_before_the_first_connection_is_no_outage() -> None:
    stage = Watched()
    stage.link(0, up=False, reason="refused", cause="refused")
    assert stage.health.outages == ()
    assert stage.overview.status().feed.since_ms == at(0)
    stage.link(5, up=True)
    assert stage.health.outages == ()


def test_only_the_last_outages_are_kept() -> None:
    stage = Watched()
    for number in range(3 * OUTAGES_KEPT):
        stage.link(10 * number, up=True)
        stage.link(10 * number + 5, up=False, reason=str(number), cause="closed")
    outages = stage.health.outages
    assert len(outages) == OUTAGES_KEPT
    assert outages[-1].reason == str(3 * OUTAGES_KEPT - 1)


def test_a_repair_tells_who_waits_and_of_how_many() -> None:
    stage = Watched()
    gap = [FreshnessChanged(MORNING_NS, symbol, Freshness.GAP) for symbol in ("RELIANCE", "M&M")]
    stage.happen(*gap)
    assert (stage.health.repair.symbols, stage.health.repair.total) == (("RELIANCE", "M&M"), 2)
    stage.happen(FreshnessChanged(MORNING_NS, "RELIANCE", Freshness.FRESH))
    assert (stage.health.repair.symbols, stage.health.repair.total) == (("M&M",), 2)
    stage.happen(FreshnessChanged(MORNING_NS, "M&M", Freshness.QUIET))
    assert (stage.health.repair.symbols, stage.health.repair.total) == ((), 0)


def test_a_symbol_that_leaves_the_list_is_not_waited_for() -> None:
    stage = Watched()
    stage.happen(FreshnessChanged(MORNING_NS, "M&M", Freshness.GAP))
    stage.happen(WatchlistChanged(MORNING_NS, ("RELIANCE",), removed=("M&M",)))
    assert (stage.health.repair.symbols, stage.health.repair.total) == ((), 0)


def test_the_lag_of_a_second_is_that_of_the_rows_it_brought() -> None:
    stage = Watched()
    stage.happen()
    for symbol, lag_ms in (("RELIANCE", 40.0), ("M&M", 60.0), ("INDIA VIX", 500.0)):
        stage.hear(symbol, lag_ms)
    stage.wall_s = 1.0
    stage.happen(rows=(0, 1, 2), at_ns=MORNING_NS + NS_PER_S)  # aged by time, not heard
    pulse = stage.health.pulse
    assert (pulse.feed_median_ms, pulse.feed_worst_ms) == (60.0, 500.0)
    stage.wall_s = 2.0
    stage.happen(at_ns=MORNING_NS + 2 * NS_PER_S)
    assert stage.health.pulse.feed_median_ms is None


def test_a_market_that_runs_faster_has_its_lag_in_real_time() -> None:
    stage = Watched()
    system = stage.system()
    link = LinkHealth(ping_ms=12.5, rest_ms=80.0)
    stage.overview.system = lambda: replace(system, rate=20.0, link=link, loop_lag_ms=3.0)
    stage.happen()
    stage.hear("RELIANCE", 100.0)
    stage.wall_s = 1.0
    stage.happen()
    pulse = stage.health.pulse
    assert pulse.feed_worst_ms == pytest.approx(5.0)
    assert (pulse.ping_ms, pulse.rest_ms, pulse.loop_ms) == (12.5, 80.0, 3.0)


def test_what_was_refused_is_counted_by_reason_and_its_newest_samples_are_told() -> None:
    stage = Watched()
    for second in range(3 * SAMPLES_TOLD):
        at_ns = MORNING_NS + second * NS_PER_S
        reason = "jump" if second % 2 else "impossible"
        stage.market.rejections.add(Rejection(reason, "M&M", f"{second}.00 rupees", at_ns))
    health = stage.health
    assert (health.rejected["jump"], health.rejected["unreadable"]) == (12, 0)
    times = [sample.at_ms for sample in health.rejected_samples]
    assert times == [at(second) for second in range(2 * SAMPLES_TOLD, 3 * SAMPLES_TOLD)]
    newest = health.rejected_samples[-1]
    assert newest.reason == "jump"
    assert newest.text == "M&M: a jump to 23.00 rupees that no second tick confirmed yet"


def test_a_browser_that_comes_late_gets_the_last_five_minutes() -> None:
    stage = Watched()
    for second in range(PULSES_KEPT + 50):
        stage.wall_s = float(second)
        stage.happen()
    assert len(stage.overview.hello().pulses) == PULSES_KEPT


def test_status_of_socket_and_api_hold_the_same_health() -> None:
    stage = Watched()
    stage.link(0, up=True)
    stage.link(60, up=False, reason="the server closed the feed", cause="closed")
    assert stage.overview.answer().health == stage.overview.status().health
