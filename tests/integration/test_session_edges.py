"""What a trader sees around and beside continuous trading: auctions, halts, stocks held back.

The built-in exchange and the engine with its real decoder, in one process and on no clock at all.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pytest

from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.domain.event import Fact, FrameArrived, InstrumentsResolved, LinkChanged, TimerFired
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Freshness
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Calendar, Phase, Session, SessionClass
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.faults import Faults
from ticktick.emulator.floor import Floor
from ticktick.emulator.levers import Levers
from ticktick.emulator.register import Register
from ticktick.engine.engine import Engine
from ticktick.engine.ports import Decoded, Decoder, EngineSettings
from ticktick.market.table import SlotTable

INFY = Instrument(
    "INFY", "Infosys", "NSE", "NSE_EQ", "NSE_EQ|INE009A01021", Kind.EQUITY, has_closing_auction=True
)
TCS = Instrument(
    "TCS", "TCS", "NSE", "NSE_EQ", "NSE_EQ|INE467B01029", Kind.EQUITY, has_closing_auction=True
)
NIFTY = Instrument("NIFTY", "Nifty 50", "NSE", "NSE_INDEX", "NSE_INDEX|Nifty 50", Kind.INDEX)
WATCHED = (INFY, TCS, NIFTY)


class Deaf(ProtobufDecoder):
    """A broken decoder: what the feed says of the market's phases is not passed on."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Drop the phases."""
        decoded = super().decode(data, table, received_ns, seq)
        return Decoded(decoded.exchange_ns, decoded.rows, decoded.whole)


class Invents(ProtobufDecoder):
    """A broken decoder: what was not told is the number beside it."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Take each packet for a trade and each empty side of a book for the full one."""
        decoded = super().decode(data, table, received_ns, seq)
        told = table.incoming
        for row in decoded.rows:
            told["last_trade_ns"][row] = decoded.exchange_ns
            told["volume"][row] += 10
            price = max(told["bid_price"][row][0], told["ask_price"][row][0])
            for column in ("bid_price", "ask_price"):
                told[column][row][0] = told[column][row][0] or price
            for column in ("bid_quantity", "ask_quantity"):
                told[column][row][0] = told[column][row][0] or 1
        return decoded


def ist(time: str, day: str = "2026-11-20") -> int:
    """A moment of the day in India."""
    return parse_iso_ns(f"{day}T{time}+05:30")


class EarlyCalendar(Calendar):
    """A broken calendar: shares trade without a break from nine to four."""

    def session(self, day: date, kind: SessionClass) -> Session | None:
        """One stretch, no auction."""
        session = super().session(day, kind)
        if session is None:
            return None
        stretch = (ist("09:00:00"), ist("16:00:00"))
        return msgspec.structs.replace(
            session, stretches=(stretch,), pre_open_ns=stretch[0], auction_end_ns=stretch[1]
        )


class Day:
    """An engine that follows two shares and their index on the exchange, second by second."""

    def __init__(
        self, at: str, decoder: Decoder | None = None, calendar: Calendar | None = None
    ) -> None:
        movable, register, at_ns = MovableCalendar(), Register(), ist(at)
        self.exchange = Exchange(
            lambda at_ns: Floor(1, at_ns, movable, register),
            at_ns,
            seed=1,
            calendar=movable,
            register=register,
        )
        self.faults = Faults()
        self.levers = Levers(self.exchange, self.faults)
        self.engine = Engine(decoder or ProtobufDecoder(), calendar or Calendar(), EngineSettings())
        self.market = self.engine.market
        self.facts: list[Fact] = []
        self.seen: list[tuple[int, dict[str, Freshness], Phase]] = []
        self.seq = 0
        self.take(InstrumentsResolved(at_ns, WATCHED, canary="NIFTY", extras=()))
        self.take(LinkChanged(at_ns, up=True, reason="data arrived"))
        link = self.exchange.connect(self.exchange.feed_code())
        assert link is not None
        keys = [instrument.instrument_key for instrument in WATCHED]
        wish = {"method": "sub", "data": {"mode": "full", "instrumentKeys": keys}}
        snapshot = link.on_message(json.dumps(wish).encode())
        self.hear([self.exchange.greeting(), *([snapshot] if snapshot else [])])

    def take(self, event: Any) -> None:
        """Let one event happen."""
        self.facts += self.engine.process(event).facts

    def hear(self, frames: Sequence[bytes]) -> None:
        """Read frames at this moment."""
        for data in frames:
            self.seq += 1
            self.take(FrameArrived(self.exchange.now_ns, self.seq, data))

    def order(self, verb: str, match: str = "", **more: Any) -> None:
        """Order a fault; `lasting` is its `for`."""
        more = {"for" if name == "lasting" else name: value for name, value in more.items()}
        body = json.dumps({"verb": verb, "match": match, **more}).encode()
        self.levers.check(self.faults.order(body, self.exchange.now_ns))
        self.attend()

    def attend(self) -> None:
        """Let faults begin and end."""
        for fault in self.faults.due(self.exchange.now_ns):
            self.hear([data for _, data in self.levers.act(fault)])
        self.hear([data for _, data in self.levers.hold()])

    def run(self, to: str) -> "Day":
        """Let the day go on, looking at everything once a second."""
        while self.exchange.now_ns < ist(to):
            now_ns = self.exchange.now_ns + NS_PER_S
            self.hear([data for _, data in self.exchange.advance(now_ns)])
            self.attend()
            self.take(TimerFired(now_ns))
            followed = zip(WATCHED, self.market.freshness, strict=True)
            self.seen.append((now_ns, {i.symbol: f for i, f in followed}, self.phase()))
        return self

    def phase(self, instrument: Instrument = INFY) -> Phase:
        """What a person is told of the segment."""
        return self.market.phases[instrument.segment]

    def freshness(self, begin: str, end: str, symbol: str = "INFY") -> set[Freshness]:
        """Every state that was shown after one moment, up to another."""
        return {shown[symbol] for at_ns, shown, _ in self.seen if ist(begin) < at_ns <= ist(end)}

    def phases(self, begin: str, end: str) -> set[Phase]:
        """Every phase that was shown after one moment, up to another."""
        return {phase for at_ns, _, phase in self.seen if ist(begin) < at_ns <= ist(end)}

    def metric(self, name: str, symbol: str = "INFY") -> float:
        """A published metric."""
        return float(self.market.metrics[METRIC_ROW[name], self.market.table.row_of_symbol[symbol]])

    def told(self, column: str, symbol: str = "INFY") -> int:
        """What the table holds."""
        return int(self.market.table.records[column][self.market.table.row_of_symbol[symbol]])

    def minutes(self, symbol: str = "INFY") -> list[int]:
        """When the minutes began of which there is a candle."""
        return [candle.start_ns for candle in self.market.candles(symbol, 1)]


def opened(day: Day) -> None:
    """The check of F42 in the morning."""
    day.run("09:07:30")
    assert day.phases("09:00:00", "09:07:30") == {Phase.PRE_OPEN}
    assert np.isnan(day.metric("mid"))
    day.run("09:15:00")
    assert Freshness.STALE not in day.freshness("09:00:00", "09:15:00")
    assert day.told("volume") > 0  # the print of the auction
    assert day.minutes() == []
    assert np.isnan(day.metric("vwap"))
    day.run("09:17:10")
    assert day.minutes() == [ist("09:15:00"), ist("09:16:00")]
    assert day.freshness("09:16:00", "09:17:00") == {Freshness.FRESH}
    assert day.metric("mid") > 0


def closed(day: Day) -> None:
    """The check of F42 in the afternoon."""
    day.run("15:16:00")
    traded = day.told("volume")
    day.run("15:36:00")
    assert day.phases("15:15:00", "15:34:59") == {Phase.AUCTION}
    assert Freshness.STALE not in day.freshness("15:15:00", "15:36:00")
    assert day.told("volume") > traded  # the print of the auction
    assert day.minutes()[-1] == ist("15:14:00")
    assert np.isnan(day.metric("mid"))


@pytest.mark.timeout(180)
def test_F42_the_auction_before_the_open_is_no_minute_and_nothing_is_stale() -> None:
    opened(Day("08:59:30"))
    with pytest.raises(AssertionError):
        opened(Day("08:59:30", Deaf(), EarlyCalendar()))


@pytest.mark.timeout(180)
def test_F42_the_closing_auction_is_no_minute_and_nothing_is_stale() -> None:
    closed(Day("15:13:30"))
    with pytest.raises(AssertionError):
        closed(Day("15:13:30", Deaf(), EarlyCalendar()))


def halted(day: Day) -> None:
    """The check of F43: minutes of a halt that was not announced."""
    day.run("11:38:30")
    day.order("market.halt", lasting=180)
    day.run("11:41:30")
    assert day.phases("11:39:10", "11:41:00") == {Phase.HALTED}
    for symbol in ("INFY", "TCS", "NIFTY"):
        assert day.freshness("11:39:00", "11:41:30", symbol) == {Freshness.CLOSED}
    assert day.phase() is Phase.HALTED
    day.run("11:44:10")
    assert day.freshness("11:42:00", "11:44:10") == {Freshness.FRESH}
    assert day.market.counters["gap_minutes_open"] == 0
    assert day.phase() is Phase.CONTINUOUS
    assert not {ist("11:39:00"), ist("11:40:00")} & set(day.minutes())
    assert ist("11:43:00") in day.minutes()


@pytest.mark.timeout(120)
def test_F43_a_halt_has_its_name_and_no_alarm_and_ends_by_the_word_of_the_feed() -> None:
    halted(Day("11:38:00"))
    with pytest.raises(AssertionError):
        halted(Day("11:38:00", Deaf()))


def untraded(day: Day) -> None:
    """The check of F44 on a stock that nobody trades today."""
    day.order("instrument.quiet", "INFY")
    day.run("09:18:00")
    assert day.told("volume") == 0
    assert day.minutes() == []
    assert day.metric("mid") > 0  # its book is told
    for name in ("tick_return", "vwap", "vwap_session", "vwap_distance"):
        assert np.isnan(day.metric(name)), name
    assert day.freshness("09:16:00", "09:18:00") == {Freshness.FRESH}
    assert len(day.minutes("TCS")) >= 2


@pytest.mark.timeout(120)
def test_F44_a_stock_without_a_trade_has_a_book_and_no_metric_of_trades() -> None:
    untraded(Day("08:59:30"))
    with pytest.raises(AssertionError):
        untraded(Day("08:59:30", Invents()))


def locked(day: Day, side: str) -> None:
    """The check of F44 on a stock at its limit: one side of the book is empty."""
    day.order("instrument.circuit", "INFY", args={"side": side})
    day.run("10:03:30")
    assert day.metric("imbalance") == (1.0 if side == "upper" else -1.0)
    assert np.isnan(day.metric("mid"))
    assert np.isnan(day.metric("spread"))
    assert day.metric("mid", "TCS") > 0
    assert day.freshness("10:02:00", "10:03:30") <= {Freshness.FRESH, Freshness.QUIET}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("side", ["upper", "lower"])
def test_F44_a_stock_at_its_limit_has_one_side_and_neither_middle_nor_spread(side: str) -> None:
    locked(Day("10:00:00"), side)
    with pytest.raises(AssertionError):
        locked(Day("10:00:00", Invents()), side)


@pytest.mark.timeout(120)
def test_F44_a_suspended_stock_is_stale_after_its_limit_and_the_others_are_fresh() -> None:
    day = Day("10:00:00")
    day.order("instrument.suspend", "INFY")
    day.run("10:03:00")
    assert day.freshness("10:02:10", "10:03:00") == {Freshness.STALE}
    assert day.freshness("10:02:10", "10:03:00", "TCS") == {Freshness.FRESH}
    assert day.phase() is Phase.CONTINUOUS
