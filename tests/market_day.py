"""One day of the built-in exchange through the engine, in one process and on no clock at all.

As a program: `python -m tests.market_day FOLDER FROM TO` writes `day.jsonl`, what the engine
said, and `day.ttrec`, the recording of it.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ticktick import __version__
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.domain.event import Event, FrameArrived, InstrumentsResolved, LinkChanged, TimerFired
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.sessions import Calendar
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.floor import Floor
from ticktick.engine.engine import Engine
from ticktick.engine.ports import Decoder, EngineSettings
from ticktick.store.outputs import OutputLog
from ticktick.store.recording import Recorder, RecordingHeader

INSTRUMENTS = (
    Instrument("RELIANCE", "Reliance", "NSE", "NSE_EQ", "NSE_EQ|INE002A01018", Kind.EQUITY),
    Instrument("NIFTY", "Nifty 50", "NSE", "NSE_INDEX", "NSE_INDEX|Nifty 50", Kind.INDEX),
)


def day_events(from_ns: int, to_ns: int, seed: int = 1) -> Iterator[Event]:
    """What a run hears that connects at the first moment and has a timer every second."""
    calendar = MovableCalendar()
    exchange = Exchange(
        lambda at_ns: Floor(seed, at_ns, calendar), from_ns, seed=seed, calendar=calendar
    )
    link = exchange.connect(exchange.feed_code())
    if link is None:
        raise ValueError("the exchange refused the connection")
    yield InstrumentsResolved(from_ns, INSTRUMENTS, canary="NIFTY", extras=("NIFTY",))
    yield LinkChanged(from_ns, True, "data arrived")
    keys = [instrument.instrument_key for instrument in INSTRUMENTS]
    wish = {"method": "sub", "data": {"mode": "full", "instrumentKeys": keys}}
    snapshot = link.on_message(msgspec.json.encode(wish))
    frames = [exchange.greeting(), *([snapshot] if snapshot else [])]
    seq = 0
    for second in range(from_ns // NS_PER_S + 1, to_ns // NS_PER_S + 1):
        frames += [frame for _, frame in exchange.advance(second * NS_PER_S)]
        for data in frames:
            seq += 1
            yield FrameArrived(second * NS_PER_S, seq, data)
        yield TimerFired(second * NS_PER_S)
        frames = []


def compute(folder: Path, span: Sequence[str], decoder: Decoder | None = None) -> None:
    """Write outputs and recording from one moment in India to another."""
    from_ns, to_ns = (parse_iso_ns(f"{moment}+05:30") for moment in span)
    settings = EngineSettings()
    engine = Engine(decoder or new_decoder(), Calendar(), settings)
    header = RecordingHeader("p", "upstox", "", __version__, "DEMO", from_ns, settings)
    log, recorder = (
        OutputLog(folder / "day.jsonl", engine.market),
        Recorder(folder / "day.ttrec", header),
    )
    for event in day_events(from_ns, to_ns):
        recorder.write(event)
        log.take(engine.process(event))
    log.close()
    recorder.close(30.0)


if __name__ == "__main__":
    compute(Path(sys.argv[1]), sys.argv[2:4])
