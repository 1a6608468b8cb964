"""Binary frames of the feed into rows of the slot table, by protobuf's own parser."""

from collections.abc import Iterator, Mapping

import numpy as np
from google.protobuf.message import DecodeError as ParseError
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import NDArray

from ticktick.brokers.upstox.packet import LATEST_MS, Impossible, Packet, Writes
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.sessions import Phase
from ticktick.engine.ports import Decoded, MarketWords
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

_PHASES: dict[int, Phase] = {
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


class ProtobufDecoder:
    """Reads frames of the Upstox V3 feed, in every mode.

    A packet that holds an impossible value is refused as a whole, so that its row grows old
    instead of wrong.
    """

    name = "upstox-v3-protobuf"

    def __init__(self) -> None:
        self._table: SlotTable | None = None
        self._columns: dict[str, NDArray[np.generic]] = {}
        self._deep: dict[str, NDArray[np.generic]] = {}

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write the frame's instruments into the table's `incoming`.

        `refused` counts packets and minute candles that cannot be a market's.
        Raises DecodeError if the bytes are not a frame, or one without a time.
        """
        frame = _parsed(data)
        at_ns = frame.currentTs * NS_PER_MS
        self._face(table)
        packets = _Packets(table, frame.currentTs)
        touched: list[int] = []
        whole: list[int] = []
        for key, feed in frame.feeds.items():
            found = packets.read(key, feed)
            if found is None:
                continue
            row, packet = found
            told = packet.columns | {"exchange_ns": at_ns, "received_ns": received_ns, "seq": seq}
            _write(self._columns, row, told)
            _write(self._deep, row, packet.deep)
            touched.append(row)
            if packet.is_whole:
                whole.append(row)
        # the parser's own order of a map differs from run to run
        return Decoded(
            exchange_ns=at_ns,
            rows=np.array(sorted(touched), np.int32),
            whole=np.array(sorted(whole), np.int32),
            words=_words(frame.marketInfo) if frame.HasField("marketInfo") else None,
            unknown_keys=packets.unknown,
            refused=packets.refused,
            unknown_parts=_unknown_parts(frame, table) + (frame.type not in _TYPES),
            off_grid=packets.off_grid,
            samples=sorted((why, *sample) for why, sample in packets.samples.items()),
        )

    def _face(self, table: SlotTable) -> None:
        """Find the columns of this table."""
        if self._table is not table:
            self._table = table
            self._columns = {
                name: table.incoming[name] for name in table.incoming.dtype.names or ()
            }
            deep = table.incoming_deep
            self._deep = {name: deep[name] for name in deep.dtype.names or ()}


def _write(columns: Mapping[str, NDArray[np.generic]], row: int, told: Writes) -> None:
    for name, value in told.items():
        columns[name][row] = value


class _Packets:
    """Reads the packets of one frame and counts those that cannot be used."""

    def __init__(self, table: SlotTable, sent_ms: int) -> None:
        self.unknown = 0
        self.refused = 0
        self.off_grid = 0
        self.samples: dict[str, tuple[str, str]] = {}
        self._table = table
        self._sent_ms = sent_ms

    def read(self, key: str, feed: pb2.Feed) -> tuple[int, Packet] | None:
        """The row and what it was told; None if nothing is left."""
        row = self._table.row_of_key.get(key)
        if row is None:
            if key not in self._table.left_keys:
                self.unknown += 1
                self._keep("unknown", key, "")
            return None
        instrument = self._table.instruments[row]
        packet = Packet(instrument.price_scale, self._sent_ms)
        try:
            packet.read(feed)
        except Impossible as impossible:
            self.refused += 1
            self._keep("impossible", instrument.symbol, str(impossible))
            return None
        if packet.bad_minute:
            self.refused += 1
            self._keep("impossible", instrument.symbol, packet.bad_minute)
        self.off_grid += packet.off_grid
        return (row, packet) if packet.columns else None

    def _keep(self, reason: str, who: str, value: str) -> None:
        """Keep one sample of a reason, the same whatever the order of the packets."""
        self.samples[reason] = min((who, value), self.samples.get(reason, (who, value)))


def _parsed(data: bytes) -> pb2.FeedResponse:
    try:
        frame = pb2.FeedResponse.FromString(data)
    except ParseError as error:
        raise DecodeError(f"{len(data)} bytes are no frame of the feed: {error}") from error
    if not 0 < frame.currentTs <= LATEST_MS:
        raise DecodeError(f"a frame of {len(data)} bytes carries no time ({frame.currentTs} ms)")
    return frame


def _unknown_parts(frame: pb2.FeedResponse, table: SlotTable) -> int:
    """How many fields the schema does not know, those of instruments nobody follows as one."""
    size = frame.ByteSize()
    known = pb2.FeedResponse()
    known.CopyFrom(frame)
    known.DiscardUnknownFields()
    if known.ByteSize() == size:
        return 0
    feeds = (frame.feeds[key] for key in frame.feeds if key in table.row_of_key)
    return max(
        1, len(UnknownFieldSet(frame)) + sum(map(_unknown_fields, (*feeds, frame.marketInfo)))
    )


def _unknown_fields(message: Message) -> int:
    return len(UnknownFieldSet(message)) + sum(map(_unknown_fields, _parts(message)))


def _parts(message: Message) -> Iterator[Message]:
    """The messages right inside a message."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if not field.is_repeated:
            yield value
        elif field.message_type.GetOptions().map_entry:
            yield from (each for each in value.values() if isinstance(each, Message))
        else:
            yield from value


def _words(info: pb2.MarketInfo) -> MarketWords:
    return market_words(
        info.segmentStatus,
        {name: told.status for name, told in info.casMarketStatus.items()},
        {name: told.status for name, told in info.preOpenSessionStatus.items()},
    )


def market_words(
    segments: Mapping[str, int], auctions: Mapping[str, str], pre_opens: Mapping[str, str]
) -> MarketWords:
    """The phases behind the feed's numbers and words, in one order whatever that of the parser."""
    return MarketWords(
        {name: _PHASES.get(segments[name], Phase.UNKNOWN) for name in sorted(segments)},
        {name: _AUCTIONS.get(auctions[name], Phase.UNKNOWN) for name in sorted(auctions)},
        {name: _PRE_OPENS.get(pre_opens[name], Phase.UNKNOWN) for name in sorted(pre_opens)},
    )
