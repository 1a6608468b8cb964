"""A stage for the engine: a feed of plain JSON frames, a clock the test owns, makers of values."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S, parse_iso_ns
from ticktick.domain.event import (
    CandleChanged,
    Event,
    Fact,
    FrameArrived,
    FreshnessChanged,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    Quote,
    QuotesRead,
    TimerFired,
)
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Candle, CandleState, Freshness
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Calendar, Phase
from ticktick.engine.engine import Engine
from ticktick.engine.ports import Decoded, Decoder, EngineSettings, MarketWords, Outputs
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable

DAY = parse_iso_ns("2026-11-20T00:00:00+05:30")
OPEN = DAY + (9 * 60 + 15) * NS_PER_MINUTE
NEVER_SILENT = EngineSettings(silence_limit_s=24 * 3600)  # one symbol is all there is to hear


def clock(hour: int, minute: int = 0, second: float = 0) -> int:
    """Wall time in India on the stage's day, Friday 20 November 2026."""
    return DAY + (hour * 60 + minute) * NS_PER_MINUTE + round(second * NS_PER_S)


class JsonDecoder:
    """Reads frames `{"at", "rows": {symbol: {column: value}}, "phases": [...]}`."""

    name = "json"

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write the rows as they are told; raise DecodeError if it is no JSON."""
        try:
            frame = msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise DecodeError(str(error)) from error
        rows, unknown = [], list[str]()
        for symbol, values in frame["rows"].items():
            row = table.row_of_symbol.get(symbol)
            if row is None:
                unknown.append(symbol)
                continue
            written = {"exchange_ns": frame["at"], **values, "received_ns": received_ns, "seq": seq}
            for column, value in written.items():
                table.incoming[column][row] = value
            rows.append(row)
        phases = frame.get("phases")
        return Decoded(
            frame["at"],
            np.array(rows, np.int32),
            words=MarketWords(*({n: Phase(p) for n, p in told.items()} for told in phases))
            if phases
            else None,
            unknown_keys=len(unknown),
            samples=[("unknown", min(unknown), "")] if unknown else (),
        )


def instrument(symbol: str = "ACME", **changes: Any) -> Instrument:
    """A share without closing auction."""
    plain: dict[str, Any] = {
        "symbol": symbol,
        "name": symbol.title(),
        "exchange": "NSE",
        "segment": "NSE_EQ",
        "instrument_key": f"NSE_EQ|{symbol}",
        "kind": Kind.EQUITY,
    }
    return Instrument(**{**plain, **changes})


def index(symbol: str = "NIFTY") -> Instrument:
    """An index: no volume, no book."""
    return instrument(symbol, kind=Kind.INDEX, segment="NSE_INDEX")


def candle(start_ns: int, close: int = 100, *, volume: int = 10, **changes: Any) -> Candle:
    """A flat minute, final and confirmed."""
    plain: dict[str, Any] = {"symbol": "ACME", "minutes": 1, "start_ns": start_ns}
    plain |= dict.fromkeys(("open", "high", "low", "close"), close)
    return Candle(**{**plain, "volume": volume, **changes})


def minute_columns(minute: Candle) -> dict[str, int]:
    """The slot columns of the feed's own finished minute."""
    return {
        "minute_start_ns": minute.start_ns,
        "minute_open": minute.open,
        "minute_high": minute.high,
        "minute_low": minute.low,
        "minute_close": minute.close,
        "minute_volume": minute.volume,
    }


def frame(at_ns: int, rows: Mapping[str, Mapping[str, Any]], **extra: Any) -> FrameArrived:
    """One frame, read at the moment it speaks of."""
    return FrameArrived(at_ns, 0, msgspec.json.encode({"at": at_ns, "rows": rows, **extra}))


def words(at_ns: int, **phases: Phase) -> FrameArrived:
    """A frame in which the feed says the phase of segments."""
    return frame(at_ns, {}, phases=[phases])


def auction_words(at_ns: int, **phases: Phase) -> FrameArrived:
    """A frame in which the feed says the state of those that close by auction."""
    return frame(at_ns, {}, phases=[{}, phases])


class Stage:
    """An engine with watched instruments and the link up; remembers every fact."""

    def __init__(
        self,
        *instruments: Instrument,
        at_ns: int = OPEN,
        canary: str | None = None,
        settings: EngineSettings | None = None,
        up: bool = True,
        decoder: Decoder | None = None,
    ) -> None:
        self.engine = Engine(decoder or JsonDecoder(), Calendar(), settings or EngineSettings())
        self.market = self.engine.market
        self.facts: list[Fact] = []
        self.volume: dict[str, int] = {}
        self.process(InstrumentsResolved(at_ns, instruments or (instrument(),), canary))
        if up:
            self.process(LinkChanged(at_ns, True, "connected"))

    def process(self, event: Event) -> Outputs:
        """Let one event happen."""
        outputs = self.engine.process(event)
        self.facts += outputs.facts
        return outputs

    def frame(self, at_ns: int, symbol: str = "ACME", **columns: Any) -> Outputs:
        """One frame with one instrument."""
        return self.process(frame(at_ns, {symbol: columns}))

    def begin(self, at_ns: int = OPEN, symbol: str = "ACME", price: int = 100) -> Outputs:
        """The snapshot after the link came up: the base of everything."""
        self.volume[symbol] = 1000
        return self.frame(at_ns, symbol, last_price=price, last_trade_ns=at_ns, volume=1000)

    def trade(self, at_ns: int, price: int, size: int = 10, symbol: str = "ACME") -> Outputs:
        """One trade, told at once."""
        self.volume[symbol] = self.volume.get(symbol, 1000) + size
        return self.frame(
            at_ns, symbol, last_price=price, last_trade_ns=at_ns, volume=self.volume[symbol]
        )

    def confirm(self, at_ns: int, minute: Candle) -> Outputs:
        """The feed's own finished minute, told with nothing else new."""
        return self.frame(at_ns, minute.symbol, **minute_columns(minute))

    def timer(self, at_ns: int) -> Outputs:
        """Let time pass."""
        return self.process(TimerFired(at_ns))

    def history(
        self,
        at_ns: int,
        *candles: Candle,
        symbol: str = "ACME",
        told: tuple[int, int] | None = None,
    ) -> Outputs:
        """The broker's history of one symbol, everything from its first to its last candle."""
        ends = (candles[0].start_ns, candles[-1].end_ns) if candles else (0, 0)
        return self.process(HistoryRead(at_ns, symbol, candles, told or ends))

    def link(self, at_ns: int, up: bool, reason: str = "") -> Outputs:
        """The link came up or went away."""
        return self.process(LinkChanged(at_ns, up, reason or ("back" if up else "lost")))

    def quotes(self, at_ns: int, *quotes: Quote) -> Outputs:
        """What was asked of the broker instead of streamed."""
        return self.process(QuotesRead(at_ns, quotes))

    def band(self, at_ns: int, low: int, high: int, symbol: str = "ACME") -> Outputs:
        """The day's price band, with nothing else new."""
        record = self.market.table.records[self.market.table.row_of_symbol[symbol]]
        columns = ("last_price", "last_trade_ns", "volume")
        price, trade_ns, volume = (int(record[name]) for name in columns)
        return self.quotes(
            at_ns, Quote(symbol, at_ns, price, trade_ns, volume, lower_band=low, upper_band=high)
        )

    def metric(self, name: str, symbol: str = "ACME") -> float:
        """A published metric."""
        row = self.market.table.row_of_symbol[symbol]
        return float(self.market.metrics[METRIC_ROW[name], row])

    def freshness(self, symbol: str = "ACME") -> Freshness:
        """The symbol's freshness."""
        return self.market.freshness[self.market.table.row_of_symbol[symbol]]

    def counter(self, name: str) -> int:
        """One of the market's counters."""
        return self.market.counters[name]


class LiveStage(Stage):
    """A stage whose feed never falls silent: an index that does not move is told all the time."""

    PULSE = "PULSE"
    EVERY_NS = 4 * NS_PER_S

    def __init__(
        self,
        *instruments: Instrument,
        at_ns: int = OPEN,
        up: bool = True,
        decoder: Decoder | None = None,
    ) -> None:
        self._beaten_ns = at_ns
        watched = (*(instruments or (instrument(),)), index(self.PULSE))
        super().__init__(*watched, at_ns=at_ns, canary=self.PULSE, up=up, decoder=decoder)

    def process(self, event: Event) -> Outputs:
        """Let the pulse beat up to the event, then let the event happen."""
        at_ns = event_ns(event)
        while self.market.link_up and self._beaten_ns < at_ns:
            self._beaten_ns = min(self._beaten_ns + self.EVERY_NS, at_ns)
            columns = {"last_price": 100, "last_trade_ns": 1}
            self.facts += self.engine.process(frame(self._beaten_ns, {self.PULSE: columns})).facts
        self._beaten_ns = max(self._beaten_ns, at_ns)
        return super().process(event)


def event_ns(event: Event) -> int:
    """The moment of market time at which an event happens."""
    return event.received_ns if isinstance(event, FrameArrived) else event.at_ns


def changed_candles(facts: Sequence[Fact], minutes: int = 1) -> list[Candle]:
    """The candles of one timeframe among the facts, in order."""
    found = [fact.candle for fact in facts if isinstance(fact, CandleChanged)]
    return [candle for candle in found if candle.minutes == minutes]


def states(facts: Sequence[Fact], minutes: int = 1) -> list[CandleState]:
    """The states through which the candles of one timeframe went."""
    return [candle.state for candle in changed_candles(facts, minutes)]


def told_freshness(facts: Sequence[Fact]) -> list[tuple[str, Freshness]]:
    """The changes of freshness among the facts."""
    return [(f.symbol, f.freshness) for f in facts if isinstance(f, FreshnessChanged)]
