"""Recorded sessions of the real feed, served by the exchange and watched by the real client.

What must come out is counted in the files by `tests/oracles/recorded_day.py`, without the client.
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.day_report import DayReport, day_report
from tests.day_stage import SETTINGS, play_in_step, play_with_programs, symbol_of
from tests.oracles.recorded_day import recorded_days
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.emulator.recording import recorded_file
from ticktick.engine.ports import Decoded, Decoder, EngineSettings
from ticktick.market.table import SlotTable
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, MarketFullFeed

FEED = Path("upstox_v3_feed")
DAY = FEED / "2025-12-15"
NAMES = ("NSE_EQ_INE118H01025", "NSE_EQ_INE811K01011", "NSE_FO_51461", "NSE_FO_60166")
TICKS = Path("ticks_nse_2021") / "2021-05-14" / "RELIANCE_2021-05-14_.csv.gz"

LOST = ("10:57", "10:58", "11:02", "15:26")

pytestmark = [pytest.mark.shared, pytest.mark.timeout(600)]


def check_updates(report: DayReport) -> None:
    """Every update arrives, none is refused, and those that tell nothing new are known."""
    assert report.updates == report.recorded_updates
    assert report.refused == 0
    assert report.repeats == report.recorded_repeats - report.minute_ends


def check_volume(report: DayReport) -> None:
    """The day's volume is the recorder's, and only updates that raised it count as trades.

    The first one after a silence does not: nobody knows what of it happened before.
    """
    assert report.volume == report.recorded_volume
    at_least, at_most = report.after_silence
    assert at_least <= report.recorded_trades - report.trades <= at_most


def check_candles(report: DayReport) -> None:
    """The candles kept are the broker's, minute by minute."""
    assert report.equal == report.recorded_minutes


def check_outages(report: DayReport) -> None:
    """Each silence of the recorder is shown as stale within seconds, until it is over."""
    assert report.stale == report.outages


def check_lost(report: DayReport) -> None:
    """A minute that the broker told nobody is missing, or filled from its history."""
    assert set(report.lost.values()) <= {"missing", "backfilled"}


def check_first_candles(report: DayReport) -> None:
    """Before the broker confirms them, candles are as good as a plain reading of the updates."""
    for ours, plain in zip(report.rates[2:], report.plain_rates[2:], strict=True):
        assert ours == pytest.approx(plain, abs=0.02)
    assert report.rates.close > 0.85
    assert min(report.rates.high, report.rates.low) > 0.7


CHECKS = (
    *(check_updates, check_volume, check_candles, check_lost, check_outages),
    check_first_candles,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_P07_a_session_at_full_speed_comes_out_as_the_broker_told_it(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    report = report_of(shared_data / DAY / f"{name}.jsonl.gz", tmp_path)
    for check in CHECKS:
        check(report)
    assert tuple(report.lost) == LOST
    assert (report.recorded_minutes, report.outages) == (355, 4)
    assert report.rates.minutes >= 350
    assert report.others == {}


class Altered(ProtobufDecoder):
    """A mutant: a decoder that reads frames which something has changed on the way."""

    def __init__(self, change: Callable[[MarketFullFeed, int], None]) -> None:
        super().__init__()
        self._change = change

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """As the decoder does, on the changed frame."""
        frame = FeedResponse.FromString(data)
        for feed in frame.feeds.values():
            self._change(feed.fullFeed.marketFF, seq)
        return super().decode(frame.SerializeToString(), table, received_ns, seq)


def minutes_too_early(full: MarketFullFeed, _: int) -> None:
    for bar in full.marketOHLC.ohlc:
        bar.ts -= 60_000


def trade_with_every_update(full: MarketFullFeed, seq: int) -> None:
    full.vtt += seq


def never_the_same(full: MarketFullFeed, seq: int) -> None:
    full.tbq += seq


def a_price_that_cannot_be(full: MarketFullFeed, seq: int) -> None:
    if seq == 400:
        full.ltpc.ltp = -1.0


def prices_beside(full: MarketFullFeed, _: int) -> None:
    full.ltpc.ltp += 0.05


def untouched(_: MarketFullFeed, __: int) -> None:
    return


PATIENT = replace(SETTINGS, fresh_limit_s=600)


@pytest.mark.parametrize(
    ("change", "settings", "check"),
    [
        pytest.param(never_the_same, SETTINGS, check_updates, marks=pytest.mark.slow),
        pytest.param(a_price_that_cannot_be, SETTINGS, check_updates, marks=pytest.mark.slow),
        (trade_with_every_update, SETTINGS, check_volume),
        pytest.param(minutes_too_early, SETTINGS, check_lost, marks=pytest.mark.slow),
        (prices_beside, SETTINGS, check_first_candles),
        pytest.param(untouched, PATIENT, check_outages, marks=pytest.mark.slow),
    ],
)
def test_a_client_with_a_fault_fails_the_check(
    change: Callable[[MarketFullFeed, int], None],
    settings: EngineSettings,
    check: Callable[[DayReport], None],
    shared_data: Path,
    tmp_path: Path,
) -> None:
    path = cut(shared_data / DAY / f"{NAMES[1]}.jsonl.gz", "10:50:00", "11:06:30", tmp_path)
    good = report_of(path, tmp_path)
    check(good)
    assert good.outages == 3
    with pytest.raises(AssertionError):
        check(report_of(path, tmp_path, Altered(change), settings))


def test_a_single_minute_that_is_not_the_brokers_fails_the_check(
    shared_data: Path, tmp_path: Path
) -> None:
    path = cut(shared_data / DAY / f"{NAMES[1]}.jsonl.gz", "10:50:00", "10:53:30", tmp_path)
    (day,) = recorded_days(path)
    minute = '"close":1638.2,"vol":"128"'
    other = tmp_path / "other.jsonl"
    other.write_text(path.read_text().replace(minute, minute.replace("128", "129")))
    assert other.read_text() != path.read_text()
    played = play_in_step([recorded_file(other)], [day.key], tmp_path)
    with pytest.raises(AssertionError):
        check_candles(day_report(played, day, day.key.rpartition("|")[2]))


def cut(path: Path, begin: str, end: str, folder: Path) -> Path:
    """The lines of a session between two clocks, in a file of their own."""
    with gzip.open(path, "rt") as lines:
        kept = [line for line in lines if begin <= json.loads(line)["_insertion_time"][11:] < end]
    part = folder / "part.jsonl"
    part.write_text("".join(kept), encoding="utf-8")
    return part


def report_of(
    path: Path,
    folder: Path,
    decoder: Decoder | None = None,
    settings: EngineSettings = SETTINGS,
) -> DayReport:
    """The report of the only instrument of a file, played at full speed."""
    file = recorded_file(path)
    (day,) = recorded_days(path, file.key)
    played = play_in_step([file], [day.key], folder, decoder, settings)
    return day_report(played, day, symbol_of(file, day.key))


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", NAMES)
def test_P07_a_session_at_fifty_times_its_speed_comes_out_the_same(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    file = recorded_file(shared_data / DAY / f"{name}.jsonl.gz")
    (day,) = recorded_days(file.path)
    played = play_with_programs(file, [day.key], day.lines[-1].at_ns, "50", tmp_path)
    report = day_report(played, day, symbol_of(file, day.key), stale_after_s=25.0)
    for check in CHECKS:
        check(report)
    assert tuple(report.lost) == LOST
    assert (report.recorded_minutes, report.outages) == (355, 4)


def test_the_start_of_a_real_connection_is_told_whole(shared_data: Path, tmp_path: Path) -> None:
    report = report_of(
        shared_data / FEED / "ICICIBANK_2025-03-19_session_start_7msgs.jsonl", tmp_path
    )
    check_updates(report)
    check_volume(report)
    check_candles(report)
    assert (report.updates, report.volume, report.trades) == (6, 7_792_081, 4)


def test_a_snapshot_before_the_open_makes_no_candle(shared_data: Path, tmp_path: Path) -> None:
    file = recorded_file(shared_data / FEED / "premarket_2026-03-04_4msgs.jsonl")
    days = recorded_days(file.path)
    played = play_in_step([file], [day.key for day in days], tmp_path)
    assert len(days) == 32
    assert sum(played.updates.values()) == 34
    for day in days:
        symbol = symbol_of(file, day.key)
        assert played.updates[day.key] == len(day.lines)
        assert played.volumes[symbol] == day.last_volume
        assert played.minutes(symbol) == {}
        shown = [word for _, word in played.freshness(symbol)]
        assert not {"stale", "gap"} & set(shown)


@pytest.mark.slow
def test_plain_ticks_of_a_day_become_the_candles_of_a_plain_reading(
    shared_data: Path, tmp_path: Path
) -> None:
    report = report_of(shared_data / TICKS, tmp_path)
    for check in (check_updates, check_volume, check_outages):
        check(report)
    assert report.recorded_minutes == 0
    assert report.plain_minutes > 360
    assert report.plain_minutes - report.plain_equal <= 2 * report.outages
