"""Good frames to damage: of the built-in exchange at several moments, and of recorded sessions."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ticktick.brokers.upstox.instruments import to_instrument
from ticktick.brokers.upstox.wire import MasterRecord, parse_master
from ticktick.brokers.upstox.zipped import unzipped
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.emulator.answers import Request
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.floor import Floor
from ticktick.emulator.recording import Recording, recorded_file
from ticktick.proto import MarketDataFeed_pb2 as pb2

# what is heard: from which time of the day on, in which mode
MOMENTS: Final = (
    *(("10:30:00", "full"), ("09:04:00", "full"), ("09:14:50", "full"), ("15:14:40", "full")),
    *(("15:39:40", "full"), ("20:00:00", "full"), ("15:16:00", "full_d30")),
    *(("11:45:00", "option_greeks"), ("13:20:00", "ltpc")),
)
DAY: Final = "2026-11-20"
_INDEX: Final = "NSE_INDEX|Nifty 50"
_OPTIONS = 4
_RECORDED: Final = Path("upstox_v3_feed") / "2025-12-15"
_MOST_RECORDED = 4000


class Good(NamedTuple):
    """A good frame and when it was sent."""

    at_ns: int
    data: bytes


class Supply(NamedTuple):
    """Good frames of one stretch of a day, in order, and what is known of their instruments.

    `bands` are the day's lowest and highest price by symbol, in price units.
    """

    name: str
    instruments: tuple[Instrument, ...]
    bands: Mapping[str, tuple[int, int]]
    frames: Sequence[Good]

    @property
    def keys(self) -> list[str]:
        """The broker's keys of the instruments."""
        return [instrument.instrument_key for instrument in self.instruments]


def made_by_exchange(moment: tuple[str, str], seconds: int, seed: int = 1) -> Supply:
    """What a subscriber of a mode hears from a time of a day on."""
    time, mode = moment
    calendar, start_ns = MovableCalendar(), parse_iso_ns(f"{DAY}T{time}+05:30")
    exchange = Exchange(
        lambda at_ns: Floor(seed, at_ns, calendar), start_ns, seed=seed, calendar=calendar
    )
    exchange.switches.order(b'{"account.plus": true}')
    instruments = tuple(_instruments(exchange))
    keys = [instrument.instrument_key for instrument in instruments]
    link = exchange.connect(exchange.feed_code())
    assert link is not None
    order = {"method": "sub", "data": {"mode": mode, "instrumentKeys": keys}}
    snapshot = link.on_message(msgspec.json.encode(order))
    frames = [Good(start_ns, exchange.greeting())]
    frames += [] if snapshot is None else [Good(start_ns, snapshot)]
    for second in range(1, seconds + 1):
        for _, data in exchange.advance(start_ns + second * NS_PER_S):
            sent_ms = pb2.FeedResponse.FromString(data).currentTs
            frames.append(Good(sent_ms * NS_PER_MS, data))
    return Supply(f"{time} {mode}", instruments, _bands(exchange, instruments), frames)


def recorded(shared: Path) -> Supply:
    """The head of four recorded sessions played together."""
    files = [recorded_file(path) for path in sorted((shared / _RECORDED).glob("*.jsonl.gz"))]
    frames: list[Good] = []
    closes: dict[str, float] = {}
    for message in Recording(files, peeked=True).messages():
        if len(frames) == _MOST_RECORDED:
            break
        sent_ms = message.at_ns // NS_PER_MS
        frame = pb2.FeedResponse(type=pb2.live_feed, currentTs=sent_ms)
        for key, feed in message.feeds.items():
            frame.feeds[key].CopyFrom(feed)
            closes.setdefault(key, feed.fullFeed.marketFF.ltpc.cp)
        frames.append(Good(sent_ms * NS_PER_MS, frame.SerializeToString(deterministic=True)))
    instruments = tuple(_recorded_instrument(key) for key in sorted(closes))
    bands = {
        one.symbol: _around(closes[one.instrument_key], 0.2)
        for one in instruments
        if one.kind is Kind.EQUITY
    }
    return Supply("recorded", instruments, bands, frames)


def _instruments(exchange: Exchange) -> Iterator[Instrument]:
    """The stocks, the index, a future and some options around the money."""
    path = "/market-quote/instruments/exchange/NSE.json.gz"
    records = parse_master(unzipped(exchange.handle(Request("GET", path)).body))
    stocks = [record for record in records if record.instrument_type == "EQ"]
    index = [record for record in records if record.instrument_key == _INDEX]
    futures = [record for record in records if record.instrument_type == "FUT"][:1]
    options = [record for record in records if record.instrument_type in ("CE", "PE")]
    middle = len(options) // 2
    chosen = [*stocks, *index, *futures, *options[middle - _OPTIONS // 2 : middle + _OPTIONS // 2]]
    return (_instrument(record) for record in chosen)


def _instrument(record: MasterRecord) -> Instrument:
    return to_instrument(record, WatchlistEntry(record.trading_symbol, record.instrument_key))


def _recorded_instrument(key: str) -> Instrument:
    segment, _, name = key.partition("|")
    kind = Kind.EQUITY if segment == "NSE_EQ" else Kind.CALL
    return Instrument(name, name, "NSE", segment, key, kind)


def _bands(exchange: Exchange, instruments: Sequence[Instrument]) -> dict[str, tuple[int, int]]:
    """A tenth around the previous close; an index and an option have no narrow band."""
    bands = {}
    for one in instruments:
        feed = exchange.source.snapshot(one.instrument_key)
        if feed is not None and one.kind in (Kind.EQUITY, Kind.FUTURE):
            bands[one.symbol] = _around(feed.fullFeed.marketFF.ltpc.cp, 0.1)
    return bands


def _around(rupees: float, share: float) -> tuple[int, int]:
    paise = round(rupees * 100)
    return round(paise * (1 - share)), round(paise * (1 + share))
