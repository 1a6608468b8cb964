"""Recordings at their limits: rotation, caps, slow disks and files of other programs."""

import os
import stat
import threading
import time
from pathlib import Path

import msgspec
import pytest

from tests.store_stage import OPEN_NS, eventually
from ticktick import __version__
from ticktick.domain.event import FrameArrived, TimerFired
from ticktick.engine.ports import EngineSettings
from ticktick.errors import StoreError
from ticktick.store.blocks import KIND_EVENTS, KIND_HEADER, MAGIC, Block, compress, pack
from ticktick.store.recording import (
    Recorder,
    RecordingHeader,
    prune,
    read_recording,
    recording_path,
)

HEADER = RecordingHeader(
    decoder="upstox-v3-protobuf",
    broker="upstox",
    account="AB**12",
    ticktick=__version__,
    mode="DEMO",
    started_ns=OPEN_NS,
    settings=EngineSettings(),
)


def frame(seq: int, size: int = 1_000) -> FrameArrived:
    return FrameArrived(OPEN_NS + seq, seq, os.urandom(size))


def old_recording(folder: Path, name: str, size: int, age_s: int) -> Path:
    path = folder / f"{name}.ttrec"
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def test_a_running_recording_can_be_read_up_to_its_last_second(tmp_path: Path) -> None:
    path = tmp_path / "a.ttrec"
    recorder = Recorder(path, HEADER)
    recorder.write(TimerFired(OPEN_NS))
    eventually(lambda: read_recording(path).events == 1, within_s=3)
    running = read_recording(path)
    assert not running.complete
    assert "not closed" in running.note
    recorder.close()
    assert read_recording(path).complete


def test_a_recording_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    Recorder(tmp_path / "a.ttrec", HEADER).close()
    assert stat.S_IMODE((tmp_path / "a.ttrec").stat().st_mode) == 0o600


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.ttrec").write_bytes(b"precious")
    with pytest.raises(StoreError, match=r"cannot write the recording .*a\.ttrec"):
        Recorder(tmp_path / "a.ttrec", HEADER)
    assert (tmp_path / "a.ttrec").read_bytes() == b"precious"


def test_each_run_of_the_same_second_gets_a_name_of_its_own(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = recording_path(tmp_path, OPEN_NS, "DEMO")
        path.touch()
        names.append(path.name)
    assert names == [
        "2026-11-20_091500_demo.ttrec",
        "2026-11-20_091500_demo_2.ttrec",
        "2026-11-20_091500_demo_3.ttrec",
    ]


def test_a_long_recording_is_read_in_flat_memory_block_by_block(tmp_path: Path) -> None:
    path = tmp_path / "a.ttrec"
    recorder = Recorder(path, HEADER)
    for seq in range(2_000):
        recorder.write(frame(seq))
    recorder.close()
    seqs = [event.seq for event in read_recording(path) if isinstance(event, FrameArrived)]
    assert seqs == list(range(2_000))
    assert path.read_bytes().count(bytes([KIND_EVENTS])) > 2


def test_a_disk_that_is_too_slow_ends_the_recording_and_nobody_waits(tmp_path: Path) -> None:
    path = tmp_path / "a.ttrec"
    recorder = Recorder(path, HEADER, queue_bytes=10_000)
    began = time.perf_counter()
    events = [frame(seq, 3_000) for seq in range(8)]
    for event in events:
        recorder.write(event)
    assert time.perf_counter() - began < 0.25
    recorder.close()
    assert not recorder.complete
    assert "too slow" in recorder.text
    recording = read_recording(path)
    kept = list(recording)
    assert kept == events[: len(kept)]
    assert recorder.dropped == len(events) - len(kept) > 0
    assert recording.note == f"a.ttrec lacks {recorder.dropped} events at its end"


def put_on_a_full_disk(path: Path) -> None:
    """From here on what the open file gets does not fit on its disk."""
    for entry in Path("/proc/self/fd").iterdir():
        if entry.is_symlink() and entry.readlink() == path:
            with Path("/dev/full").open("wb") as full:
                os.dup2(full.fileno(), int(entry.name))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_and_later_events_are_counted(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.ttrec", HEADER)
    put_on_a_full_disk(tmp_path / "a.ttrec")
    recorder.write(frame(0))
    eventually(lambda: not recorder.complete)
    recorder.write(frame(1))
    assert "No space left" in recorder.text
    assert recorder.dropped == 2
    recorder.close()


def test_the_oldest_recordings_make_room_and_the_running_one_stays(tmp_path: Path) -> None:
    running = old_recording(tmp_path, "running", 400, age_s=900)
    old = old_recording(tmp_path, "old", 300, age_s=800)
    older = old_recording(tmp_path, "older", 300, age_s=850)
    new = old_recording(tmp_path, "new", 300, age_s=10)
    other = tmp_path / "notes.txt"
    other.write_bytes(bytes(5_000))
    assert prune(tmp_path, 1_300, running) == []
    assert prune(tmp_path, 800, running) == [older, old]
    assert prune(tmp_path, 0, running) == [new]
    assert {path.name for path in tmp_path.iterdir()} == {"running.ttrec", "notes.txt"}


def test_a_recording_that_fills_the_cap_alone_ends_and_says_so(tmp_path: Path) -> None:
    older = old_recording(tmp_path, "older", 500_000, age_s=100)
    recorder = Recorder(tmp_path / "a.ttrec", HEADER, folder_bytes=600_000)
    for seq in range(1_500):
        recorder.write(frame(seq))
    recorder.close()
    assert not older.exists()
    assert not recorder.complete
    assert "cap" in recorder.text
    size = (tmp_path / "a.ttrec").stat().st_size
    assert 600_000 <= size < 900_000
    recording = read_recording(tmp_path / "a.ttrec")
    assert recording.events == recorder.written == 1_500 - recorder.dropped


def test_a_recording_of_a_newer_version_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.ttrec"
    header = msgspec.json.encode({"format": 2, "decoder": "something new"})
    path.write_bytes(MAGIC + pack(Block(KIND_HEADER, 0, header)))
    with pytest.raises(StoreError, match=r"newer Tick-Tick \(format 2, .* update Tick-Tick"):
        read_recording(path)


def test_events_of_another_version_are_refused_when_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ttrec"
    events = compress(msgspec.msgpack.encode([{"type": "from the future"}]))
    header = pack(Block(KIND_HEADER, 0, msgspec.json.encode(HEADER)))
    path.write_bytes(MAGIC + header + pack(Block(KIND_EVENTS, 1, events)))
    with pytest.raises(StoreError, match="events of another version"):
        list(read_recording(path))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        read_recording(tmp_path / "nothing.ttrec")


def test_what_several_threads_see_after_flush_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ttrec"
    recorder = Recorder(path, HEADER)
    for seq in range(10):
        recorder.write(frame(seq))
        flusher = threading.Thread(target=recorder.flush, args=(5.0,))
        flusher.start()
        flusher.join()
        assert read_recording(path).events == seq + 1
    recorder.close()
