"""Binary frames of the feed into rows of the slot table, by protobuf's own parser."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import DecodeError as ParseError
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.sessions import Phase
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.engine.ports import Decoded, MarketWords
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

_MOST = 2.0**53  # beyond it a double no longer counts in ones
_LATEST_MS = 2**63 // NS_PER_MS - 1
_MINUTE_MS = 60_000
_NOTHING = 0.5  # price units that round to none

_PHASES = {
    pb2.PRE_OPEN_START: Phase.PRE_OPEN,
    pb2.PRE_OPEN_END: Phase.PRE_OPEN,
    pb2.NORMAL_OPEN: Phase.CONTINUOUS,
    pb2.NORMAL_CLOSE: Phase.CLOSED,
    pb2.CLOSING_START: Phase.POST_CLOSE,
    pb2.CLOSING_END: Phase.CLOSED,
}

# of stocks that close by auction: their trading ends, and with the auction their day
_AUCTIONS = {
    "NORMAL_OPEN": Phase.CONTINUOUS,
    "CTS_CLOSE": Phase.AUCTION,
    "CLOSING_END": Phase.CLOSED,
}
_PRE_OPENS = {
    "PRE_OPEN_START": Phase.PRE_OPEN,
    "PRE_OPEN_END": Phase.PRE_OPEN,
    "NORMAL_OPEN": Phase.CONTINUOUS,
}
_TYPES = frozenset({pb2.initial_feed, pb2.live_feed, pb2.market_info})
_Writes = dict[str, int | float | Sequence[int]]


class ProtobufDecoder:
    """Reads frames of the Upstox V3 feed, in every mode.

    A sub-message that is absent leaves its columns as they are; in one that is present an absent
    number is 0. A packet without a last trade, or with an empty one, is a partial one: there an
    absent total of the day is not told rather than 0. A packet that holds an impossible value is
    refused as a whole, so that its row grows old instead of wrong.
    """

    name = "upstox-v3-protobuf"

    def __init__(self) -> None:
        self._incoming: NDArray[np.void] | None = None
        self._columns: dict[str, NDArray[np.generic]] = {}

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write the frame's instruments into the table's `incoming`.

        `refused` counts packets and minute candles that cannot be a market's.
        Raises DecodeError if the bytes are not a frame, or one without a time.
        """
        frame, unknown_parts = _parsed(data)
        at_ns = frame.currentTs * NS_PER_MS
        packets = _Packets(table, frame.currentTs)
        touched: list[int] = []
        whole: list[int] = []
        for key, feed in frame.feeds.items():
            packet = packets.read(key, feed)
            if packet is None:
                continue
            row, is_whole, writes = packet
            writes |= {"exchange_ns": at_ns, "received_ns": received_ns, "seq": seq}
            self._write(table, row, writes)
            touched.append(row)
            if is_whole:
                whole.append(row)
        # the parser's own order of a map differs from run to run
        return Decoded(
            exchange_ns=at_ns,
            rows=np.array(sorted(touched), np.int32),
            whole=np.array(sorted(whole), np.int32),
            words=_words(frame.marketInfo) if frame.HasField("marketInfo") else None,
            unknown_keys=packets.unknown,
            refused=packets.refused,
            unknown_parts=unknown_parts,
            samples=sorted((why, *sample) for why, sample in packets.samples.items()),
        )

    def _write(self, table: SlotTable, row: int, writes: _Writes) -> None:
        if self._incoming is not table.incoming:
            self._incoming = table.incoming
            names = table.incoming.dtype.names or ()
            self._columns = {name: table.incoming[name] for name in names}
        columns = self._columns
        for name, value in writes.items():
            columns[name][row] = value


class _Impossible(Exception):
    """A value that no market sends."""


class _Packets:
    """Reads the packets of one frame and counts those that cannot be used."""

    def __init__(self, table: SlotTable, sent_ms: int) -> None:
        self.unknown = 0
        self.refused = 0
        self.samples: dict[str, tuple[str, str]] = {}
        self._table = table
        self._sent_ms = sent_ms

    def read(self, key: str, feed: pb2.Feed) -> tuple[int, bool, _Writes] | None:
        """The row, whether the last trade was told, and the columns; None if nothing is left."""
        row = self._table.row_of_key.get(key)
        if row is None:
            if key not in self._table.left_keys:
                self.unknown += 1
                self._keep("unknown", key, "")
            return None
        instrument = self._table.instruments[row]
        writes: _Writes = {}
        try:
            refused = _read_feed(feed, instrument.price_scale, self._sent_ms, writes)
        except _Impossible as impossible:
            self.refused += 1
            self._keep("impossible", instrument.symbol, str(impossible))
            return None
        if refused:
            self.refused += 1
            self._keep("impossible", instrument.symbol, refused)
        return (row, "last_price" in writes, writes) if writes else None

    def _keep(self, reason: str, who: str, value: str) -> None:
        """Keep one sample of a reason, the same whatever the order of the packets."""
        self.samples[reason] = min((who, value), self.samples.get(reason, (who, value)))


def _parsed(data: bytes) -> tuple[pb2.FeedResponse, int]:
    """The frame, and 1 if the schema does not know a part of it, else 0."""
    try:
        frame = pb2.FeedResponse.FromString(data)
    except ParseError as error:
        raise DecodeError(f"{len(data)} bytes are no frame of the feed: {error}") from error
    if not 0 < frame.currentTs <= _LATEST_MS:
        raise DecodeError(f"a frame of {len(data)} bytes carries no time ({frame.currentTs} ms)")
    size = frame.ByteSize()
    frame.DiscardUnknownFields()
    is_known = frame.ByteSize() == size and frame.type in _TYPES
    return frame, 0 if is_known else 1


def _words(info: pb2.MarketInfo) -> MarketWords:
    statuses = info.segmentStatus
    phases = {name: _PHASES.get(statuses[name], Phase.UNKNOWN) for name in sorted(statuses)}
    auctions = _told_words(info.casMarketStatus, _AUCTIONS)
    return MarketWords(phases, auctions, _told_words(info.preOpenSessionStatus, _PRE_OPENS))


def _told_words(
    statuses: Mapping[str, pb2.StatusInfo], listed: Mapping[str, Phase]
) -> Mapping[str, Phase]:
    return {name: listed.get(statuses[name].status, Phase.UNKNOWN) for name in sorted(statuses)}


def _read_feed(feed: pb2.Feed, scale: int, sent_ms: int, writes: _Writes) -> str:
    """Collect what one packet says; return why its minute's candle was refused, if it was."""
    member = feed.WhichOneof("FeedUnion")
    if member == "ltpc":
        _read_trade(feed.ltpc, scale, writes)
    elif member == "firstLevelWithGreeks":
        _read_first_level(feed.firstLevelWithGreeks, scale, writes)
    elif member == "fullFeed":
        full = feed.fullFeed
        union = full.WhichOneof("FullFeedUnion")
        if union == "marketFF":
            return _read_market(full.marketFF, scale, sent_ms, writes)
        if union == "indexFF":
            return _read_index(full.indexFF, scale, sent_ms, writes)
    return ""


def _read_market(full: pb2.MarketFullFeed, scale: int, sent_ms: int, writes: _Writes) -> str:
    is_whole = full.HasField("ltpc") and _read_trade(full.ltpc, scale, writes)
    if full.HasField("marketLevel"):
        _read_depth(full.marketLevel.bidAskQuote[:DEPTH_LEVELS], scale, writes)
    if full.HasField("optionGreeks"):
        _read_greeks(full.optionGreeks, writes)
    totals: _Writes = {
        "average_price": _price(full.atp, scale),
        "volume": _quantity(full.vtt),
        "open_interest": _quantity(full.oi),
        "total_bid_quantity": _quantity(full.tbq),
        "total_ask_quantity": _quantity(full.tsq),
        "implied_volatility": _statistic(full.iv),
    }
    writes |= totals if is_whole else _told(totals)
    if full.HasField("marketOHLC"):
        return _read_candles(full.marketOHLC.ohlc, scale, sent_ms, writes)
    return ""


def _read_index(index: pb2.IndexFullFeed, scale: int, sent_ms: int, writes: _Writes) -> str:
    if index.HasField("ltpc"):
        _read_trade(index.ltpc, scale, writes)
    if index.HasField("marketOHLC"):
        return _read_candles(index.marketOHLC.ohlc, scale, sent_ms, writes)
    return ""


def _read_first_level(first: pb2.FirstLevelWithGreeks, scale: int, writes: _Writes) -> None:
    is_whole = first.HasField("ltpc") and _read_trade(first.ltpc, scale, writes)
    if first.HasField("firstDepth"):
        _read_depth([first.firstDepth], scale, writes)
    if first.HasField("optionGreeks"):
        _read_greeks(first.optionGreeks, writes)
    totals: _Writes = {
        "volume": _quantity(first.vtt),
        "open_interest": _quantity(first.oi),
        "implied_volatility": _statistic(first.iv),
    }
    writes |= totals if is_whole else _told(totals)


def _read_trade(ltpc: pb2.LTPC, scale: int, writes: _Writes) -> bool:
    """Collect the last trade; false, and nothing but the close, if it tells of none.

    A trade without a time leaves the time of the one before.
    """
    close = _price(ltpc.cp, scale)
    if ltpc.ltp == 0 and ltpc.ltt == 0:
        if close:
            writes["previous_close"] = close
        return False
    price = _price(ltpc.ltp, scale)
    if price == 0:
        raise _Impossible(f"a trade at a price of {ltpc.ltp}")
    writes["last_price"] = price
    if ltpc.ltt:
        writes["last_trade_ns"] = _time_ns(ltpc.ltt)
    writes["last_quantity"] = _quantity(ltpc.ltq)
    writes["previous_close"] = close
    return True


def _read_depth(levels: Sequence[pb2.Quote], scale: int, writes: _Writes) -> None:
    empty = [0] * (DEPTH_LEVELS - len(levels))
    writes["bid_price"] = [_price(level.bidP, scale) for level in levels] + empty
    writes["bid_quantity"] = [_quantity(level.bidQ) for level in levels] + empty
    writes["ask_price"] = [_price(level.askP, scale) for level in levels] + empty
    writes["ask_quantity"] = [_quantity(level.askQ) for level in levels] + empty


def _read_greeks(greeks: pb2.OptionGreeks, writes: _Writes) -> None:
    writes["delta"] = _statistic(greeks.delta)
    writes["theta"] = _statistic(greeks.theta)
    writes["gamma"] = _statistic(greeks.gamma)
    writes["vega"] = _statistic(greeks.vega)
    writes["rho"] = _statistic(greeks.rho)


def _read_candles(candles: Sequence[pb2.OHLC], scale: int, sent_ms: int, writes: _Writes) -> str:
    """Take the newest day and the newest minute that is over; the list may hold more of each.

    Returns why the minute was refused, nothing if it was not.
    """
    day = max((c for c in candles if c.interval == "1d"), key=_start, default=None)
    over = (c for c in candles if c.interval == "I1" and c.ts + _MINUTE_MS <= sent_ms)
    minute = max(over, key=_start, default=None)
    if day is not None:
        _read_day(day, scale, writes)
    if minute is None:
        return ""
    if not _is_candle(minute, scale):
        prices = (minute.open, minute.high, minute.low, minute.close)
        return f"a minute {minute.ts} of prices {prices}"
    _read_minute(minute, scale, writes)
    return ""


def _read_day(day: pb2.OHLC, scale: int, writes: _Writes) -> None:
    writes["day_open"] = _price(day.open, scale)
    writes["day_high"] = _price(day.high, scale)
    writes["day_low"] = _price(day.low, scale)
    writes["day_close"] = _price(day.close, scale)


def _read_minute(minute: pb2.OHLC, scale: int, writes: _Writes) -> None:
    writes["minute_start_ns"] = _time_ns(minute.ts)
    writes["minute_open"] = _price(minute.open, scale)
    writes["minute_high"] = _price(minute.high, scale)
    writes["minute_low"] = _price(minute.low, scale)
    writes["minute_close"] = _price(minute.close, scale)
    writes["minute_volume"] = _quantity(minute.vol)


def _is_candle(candle: pb2.OHLC, scale: int) -> bool:
    """Whether it is a minute's candle; false also when a price is not a number, or rounds to 0."""
    low, high, at_ms = candle.low, candle.high, candle.ts
    is_minute = at_ms > 0 and at_ms % _MINUTE_MS == 0
    is_price = low * scale > _NOTHING
    return is_minute and is_price and low <= candle.open <= high and low <= candle.close <= high


def _start(candle: pb2.OHLC) -> int:
    return candle.ts


def _told(totals: _Writes) -> _Writes:
    return {name: value for name, value in totals.items() if value}


def _price(rupees: float, scale: int) -> int:
    units = rupees * scale
    if 0.0 <= units <= _MOST:  # false for what is not a number
        return round(units)
    raise _Impossible(f"a price of {rupees}")


def _quantity(count: float) -> int:
    if 0 <= count <= _MOST:
        return int(count)
    raise _Impossible(f"a quantity of {count}")


def _time_ns(at_ms: int) -> int:
    if 0 <= at_ms <= _LATEST_MS:
        return at_ms * NS_PER_MS
    raise _Impossible(f"a time of {at_ms} ms")


def _statistic(value: float) -> float:
    """The model's number as it is; NaN, for missing, where it found none."""
    return value if math.isfinite(value) else math.nan
