"""Binary frames of the feed into rows of the slot table, by protobuf's own parser."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import DecodeError as ParseError
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.sessions import Phase
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.engine.ports import Decoded
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

_MOST = 2.0**53  # beyond it a double no longer counts in ones
_LATEST_MS = 2**63 // NS_PER_MS - 1
_MINUTE_MS = 60_000

_PHASES = {
    pb2.PRE_OPEN_START: Phase.PRE_OPEN,
    pb2.PRE_OPEN_END: Phase.PRE_OPEN,
    pb2.NORMAL_OPEN: Phase.CONTINUOUS,
    pb2.NORMAL_CLOSE: Phase.CLOSED,
    pb2.CLOSING_START: Phase.POST_CLOSE,
    pb2.CLOSING_END: Phase.CLOSED,
}

_Writes = dict[str, int | float | Sequence[int]]


class ProtobufDecoder:
    """Reads frames of the Upstox V3 feed, in every mode.

    A sub-message that is absent leaves its columns as they are; in one that is present an absent
    number is 0. A packet without a last trade is a partial one: there an absent total of the day
    is not told rather than 0. A packet that holds an impossible value is refused as a whole, so
    that its row grows old instead of wrong.
    """

    name = "upstox-v3-protobuf"

    def __init__(self) -> None:
        self._records: NDArray[np.void] | None = None
        self._columns: dict[str, NDArray[np.generic]] = {}

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write the frame's instruments into the table.

        `refused` counts packets and minute candles that cannot be a market's. A status the feed's
        schema does not know makes its segment's phase unknown.
        Raises DecodeError if the bytes are not a frame, or one without a time.
        """
        frame = _parsed(data)
        sent_ms: int = frame.currentTs
        row_of_key, instruments = table.row_of_key, table.instruments
        touched: list[int] = []
        unknown = refused = 0
        for key, feed in frame.feeds.items():
            row = row_of_key.get(key)
            if row is None:
                unknown += 1
                continue
            writes: _Writes = {}
            try:
                refused += _read_feed(feed, instruments[row].price_scale, sent_ms, writes)
            except _Impossible:
                refused += 1
                continue
            if writes:
                writes |= {
                    "exchange_ns": sent_ms * NS_PER_MS,
                    "received_ns": received_ns,
                    "seq": seq,
                }
                self._write(table, row, writes)
                touched.append(row)
        touched.sort()  # the parser's own order of a map differs from run to run
        return Decoded(
            exchange_ns=sent_ms * NS_PER_MS,
            rows=np.array(touched, np.int32),
            phases=_phases(frame) if frame.HasField("marketInfo") else None,
            unknown_keys=unknown,
            refused=refused,
        )

    def _write(self, table: SlotTable, row: int, writes: _Writes) -> None:
        if self._records is not table.records:
            self._records = table.records
            names = table.records.dtype.names or ()
            self._columns = {name: table.records[name] for name in names}
        columns = self._columns
        for name, value in writes.items():
            columns[name][row] = value


class _Impossible(Exception):
    """A value that no market sends."""


def _parsed(data: bytes) -> pb2.FeedResponse:
    try:
        frame = pb2.FeedResponse.FromString(data)
    except ParseError as error:
        raise DecodeError(f"{len(data)} bytes are no frame of the feed: {error}") from error
    if not 0 < frame.currentTs <= _LATEST_MS:
        raise DecodeError(f"a frame of {len(data)} bytes carries no time ({frame.currentTs} ms)")
    return frame


def _phases(frame: pb2.FeedResponse) -> Mapping[str, Phase]:
    statuses = frame.marketInfo.segmentStatus
    return {name: _PHASES.get(statuses[name], Phase.UNKNOWN) for name in sorted(statuses)}


def _read_feed(feed: pb2.Feed, scale: int, sent_ms: int, writes: _Writes) -> int:
    """Collect what one packet says; return how many of its candles were refused."""
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
    return 0


def _read_market(full: pb2.MarketFullFeed, scale: int, sent_ms: int, writes: _Writes) -> int:
    is_whole = full.HasField("ltpc")
    if is_whole:
        _read_trade(full.ltpc, scale, writes)
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
    return 0


def _read_index(index: pb2.IndexFullFeed, scale: int, sent_ms: int, writes: _Writes) -> int:
    if index.HasField("ltpc"):
        _read_trade(index.ltpc, scale, writes)
    if index.HasField("marketOHLC"):
        return _read_candles(index.marketOHLC.ohlc, scale, sent_ms, writes)
    return 0


def _read_first_level(first: pb2.FirstLevelWithGreeks, scale: int, writes: _Writes) -> None:
    is_whole = first.HasField("ltpc")
    if is_whole:
        _read_trade(first.ltpc, scale, writes)
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


def _read_trade(ltpc: pb2.LTPC, scale: int, writes: _Writes) -> None:
    writes["last_price"] = _price(ltpc.ltp, scale)
    writes["last_trade_ns"] = _time_ns(ltpc.ltt)
    writes["last_quantity"] = _quantity(ltpc.ltq)
    writes["previous_close"] = _price(ltpc.cp, scale)


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


def _read_candles(candles: Sequence[pb2.OHLC], scale: int, sent_ms: int, writes: _Writes) -> int:
    """Take the newest day and the newest minute that is over; the list may hold more of each."""
    day = max((c for c in candles if c.interval == "1d"), key=_start, default=None)
    over = (c for c in candles if c.interval == "I1" and c.ts + _MINUTE_MS <= sent_ms)
    minute = max(over, key=_start, default=None)
    if day is not None:
        _read_day(day, scale, writes)
    if minute is None:
        return 0
    if not _is_candle(minute):
        return 1
    _read_minute(minute, scale, writes)
    return 0


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


def _is_candle(candle: pb2.OHLC) -> bool:
    """Whether it is a minute's candle; false also when a price is not a number."""
    low, high, at_ms = candle.low, candle.high, candle.ts
    is_minute = at_ms > 0 and at_ms % _MINUTE_MS == 0
    return is_minute and 0.0 < low <= candle.open <= high and low <= candle.close <= high


def _start(candle: pb2.OHLC) -> int:
    return candle.ts


def _told(totals: _Writes) -> _Writes:
    return {name: value for name, value in totals.items() if value}


def _price(rupees: float, scale: int) -> int:
    units = rupees * scale
    if 0.0 <= units <= _MOST:  # false for what is not a number
        return round(units)
    raise _Impossible


def _quantity(count: float) -> int:
    if 0 <= count <= _MOST:
        return int(count)
    raise _Impossible


def _time_ns(at_ms: int) -> int:
    if 0 <= at_ms <= _LATEST_MS:
        return at_ms * NS_PER_MS
    raise _Impossible


def _statistic(value: float) -> float:
    """The model's number as it is; NaN, for missing, where it found none."""
    return value if math.isfinite(value) else math.nan
