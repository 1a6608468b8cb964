"""Laws of a recording: what was written comes back, and damage costs at most one block."""

from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticktick.domain.event import (
    CalendarRead,
    Event,
    FrameArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    TimerFired,
)
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Candle, CandleState
from ticktick.domain.sessions import DayHours
from ticktick.engine.ports import EngineSettings
from ticktick.errors import StoreError
from ticktick.store.recording import Recorder, RecordingHeader, read_recording

NS = st.integers(0, 2**62)
PRICE = st.integers(1, 10**12)
TEXT = st.text(max_size=20)
FRAME = st.builds(FrameArrived, received_ns=NS, seq=NS, data=st.binary(max_size=300))
CANDLE = st.builds(
    Candle,
    symbol=TEXT,
    minutes=st.sampled_from([1, 60]),
    start_ns=NS,
    open=PRICE,
    high=PRICE,
    low=PRICE,
    close=PRICE,
    volume=NS,
    open_interest=NS,
    state=st.sampled_from(CandleState),
    confirmed=st.booleans(),
    revision=st.integers(0, 9),
)
INSTRUMENT = st.builds(
    Instrument,
    symbol=TEXT,
    name=TEXT,
    exchange=TEXT,
    segment=TEXT,
    instrument_key=TEXT,
    kind=st.sampled_from(Kind),
)
HOURS = st.lists(st.tuples(NS, NS), max_size=2).map(tuple)
EVENT: st.SearchStrategy[Event] = st.one_of(
    FRAME,
    st.builds(LinkChanged, at_ns=NS, up=st.booleans(), reason=TEXT),
    st.builds(TimerFired, at_ns=NS),
    st.builds(HistoryRead, at_ns=NS, symbol=TEXT, candles=st.lists(CANDLE, max_size=3).map(tuple)),
    st.builds(
        CalendarRead,
        at_ns=NS,
        days=st.lists(
            st.builds(DayHours, day=st.dates(), cash=HOURS, derivatives=HOURS), max_size=3
        ).map(tuple),
    ),
    st.builds(
        InstrumentsResolved,
        at_ns=NS,
        instruments=st.lists(INSTRUMENT, max_size=3).map(tuple),
        canary=st.none() | TEXT,
        notes=st.lists(TEXT, max_size=2).map(tuple),
    ),
)
HEADER = RecordingHeader(
    decoder="upstox-v3-protobuf",
    broker="upstox",
    account="AB**12",
    ticktick="0.1.0",
    mode="DEMO",
    started_ns=1_763_696_700_000_000_000,
    settings=EngineSettings(),
    note="seed 7",
)


def record(path: Path, batches: list[list[Event]]) -> None:
    """Write each batch as a block of its own."""
    recorder = Recorder(path, HEADER)
    for batch in batches:
        done = recorder.written + len(batch)
        for event in batch:
            recorder.write(event)
        recorder.flush(5.0)
        assert recorder.written == done
    recorder.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENT, max_size=40))
def test_what_was_written_comes_back_in_order(events: list[Event]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.ttrec")
        record(path, [events])
        recording = read_recording(path)
        assert recording.header == HEADER
        assert (recording.complete, recording.note) == (True, "")
        assert recording.events == len(events)
        assert list(recording) == events == list(recording)


def _blocks() -> list[list[Event]]:
    return [
        [FrameArrived(block * 10 + i, i, bytes([i]) * 20) for i in range(3)] for block in range(3)
    ]


def test_a_file_cut_at_any_byte_loses_at_most_the_cut_block(tmp_path: Path) -> None:
    batches = _blocks()
    record(tmp_path / "whole.ttrec", batches)
    data = (tmp_path / "whole.ttrec").read_bytes()
    prefixes = [list(chain.from_iterable(batches[:n])) for n in range(len(batches) + 1)]
    whole_blocks: list[int] = []
    for length in range(len(data)):
        path = tmp_path / "cut.ttrec"
        path.write_bytes(data[:length])
        try:
            recording = read_recording(path)
        except StoreError:
            assert not whole_blocks, "once the header is whole a cut never makes it unreadable"
            continue
        assert not recording.complete
        assert recording.note
        events = list(recording)
        assert len(events) == recording.events
        whole_blocks.append(prefixes.index(events))
    assert whole_blocks == sorted(whole_blocks)
    assert whole_blocks[0] == 0
    assert whole_blocks[-1] == len(batches)
    path.write_bytes(data)
    assert read_recording(path).complete


def test_any_flipped_byte_is_detected_and_no_changed_event_is_read(tmp_path: Path) -> None:
    batches = _blocks()
    record(tmp_path / "whole.ttrec", batches)
    data = (tmp_path / "whole.ttrec").read_bytes()
    events = list(chain.from_iterable(batches))
    for position in range(len(data)):
        path = tmp_path / "flipped.ttrec"
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x41]) + data[position + 1 :])
        try:
            recording = read_recording(path)
        except StoreError:
            continue
        assert not recording.complete, f"byte {position}"
        read = list(recording)
        assert read == events[: len(read)]


@given(st.binary(max_size=200))
def test_a_foreign_file_is_refused_in_one_sentence(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.ttrec")
        path.write_bytes(data)
        with pytest.raises(StoreError, match=r"a\.ttrec"):
            read_recording(path)
