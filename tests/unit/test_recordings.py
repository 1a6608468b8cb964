"""The recording of a run on disks that are slow, full, read-only or broken."""

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from msgspec.structs import replace

from tests.disk_stage import Disk, fill, small_disk
from tests.store_stage import OPEN_NS, candle, eventually, instrument
from tests.unit.test_recording import HEADER, frame
from ticktick.domain.event import (
    Event,
    FrameArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    TimerFired,
)
from ticktick.engine.ports import EventLog
from ticktick.engine.supervisor import Supervisor
from ticktick.errors import StoreError
from ticktick.store.recording import Recorder, open_new, read_recording
from ticktick.store.recordings import Recordings

FIRST = InstrumentsResolved(OPEN_NS, (instrument("RELIANCE"),))
LINK = LinkChanged(OPEN_NS, True, "data arrived")
HISTORY = HistoryRead(OPEN_NS, "RELIANCE", (candle(),))
PATIENCE_S = 0.25


class OverError(Exception):
    """The test has seen enough."""


class Run:
    """The recordings of a run in a folder, and the one file after the other."""

    def __init__(
        self,
        folder: Path,
        disk: Callable[[Path], BinaryIO] = open_new,
        folder_bytes: int | None = None,
    ) -> None:
        self.folder = folder
        self._disk = disk
        self._folder_bytes = folder_bytes
        self.recordings = Recordings(self._begin, lambda: [HISTORY], least_free_bytes=1 << 20)

    def _begin(self, note: str) -> Recorder:
        path = self.folder / f"{len(self.files()) + 1}.ttrec"
        return Recorder(
            path, replace(HEADER, note=note), disk=self._disk, folder_bytes=self._folder_bytes
        )

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.ttrec"))

    def begin(self) -> None:
        """What every run begins with."""
        for event in (FIRST, LINK):
            self.recordings.write(event)

    async def look(self) -> None:
        """One look of the task that mends."""
        looks = iter([True])

        async def sleep(_: float) -> None:
            if not next(looks, False):
                raise OverError

        with pytest.raises(OverError):
            await self.recordings.mend(sleep)


def longest_wait_s(log: EventLog, events: list[FrameArrived]) -> float:
    """How long the engine waited at most for one event to be kept."""
    longest_s = 0.0
    for event in events:
        began = time.perf_counter()
        log.write(event)
        longest_s = max(longest_s, time.perf_counter() - began)
    return longest_s


class WaitingLog:
    """A broken recorder: it writes on the spot."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, event: Event) -> None:
        self._file.write(repr(event).encode())


def nobody_waits(log: EventLog, disk: Disk) -> None:
    """The check of F38: while the disk takes two seconds for a write, the engine goes on."""
    disk.is_fast.clear()
    slow = threading.Timer(2.0, disk.is_fast.set)
    slow.start()
    try:
        assert longest_wait_s(log, [frame(seq) for seq in range(500)]) < PATIENCE_S
    finally:
        slow.join()


def test_F38_a_disk_that_takes_two_seconds_delays_nobody_and_loses_nothing(tmp_path: Path) -> None:
    disk = Disk()
    run = Run(tmp_path, disk)
    nobody_waits(run.recordings, disk)
    run.recordings.close()
    (file,) = run.files()
    recording = read_recording(file)
    assert (recording.events, recording.complete) == (500, True)
    assert run.recordings.dropped == 0
    mutant = WaitingLog(disk(tmp_path / "mutant"))
    with pytest.raises(AssertionError):
        nobody_waits(mutant, disk)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
async def test_F37_F38_a_disk_that_refuses_ends_the_file_and_a_new_one_goes_on_when_it_can(
    tmp_path: Path, number: int
) -> None:
    disk = Disk()
    run = Run(tmp_path, disk)
    run.begin()
    eventually(lambda: run.recordings.written == 2)
    disk.error_number = number
    assert longest_wait_s(run.recordings, [frame(seq) for seq in range(10)]) < PATIENCE_S
    eventually(lambda: not run.recordings.is_on)
    assert os.strerror(number) in run.recordings.text
    assert "10 events are missing" in run.recordings.text
    await run.look()
    assert not run.recordings.is_on

    disk.error_number = 0
    await run.look()
    assert run.recordings.is_on
    run.recordings.write(frame(10))
    run.recordings.close()
    first, second = map(read_recording, run.files())
    assert (first.events, first.complete) == (2, False)
    assert list(second)[:3] == [FIRST, LINK, HISTORY]
    assert len(list(second)) == 4
    assert second.complete
    assert second.header.note == "goes on after 1.ttrec"
    assert (run.recordings.written, run.recordings.dropped) == (6, 10)
    assert run.recordings.text == "recording to 2.ttrec, 10 events are missing"


async def test_F37_a_disk_that_is_really_full_is_used_again_when_there_is_room(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path) as folder:
        run = Run(folder)
        run.begin()
        eventually(lambda: run.recordings.written == 2)
        fill(folder / "filler")
        for seq in range(300):
            run.recordings.write(frame(seq))
        eventually(lambda: not run.recordings.is_on)
        assert "No space left" in run.recordings.text
        await run.look()
        assert len(run.files()) == 1
        (folder / "filler").unlink()
        await run.look()
        run.recordings.write(TimerFired(OPEN_NS))
        run.recordings.close()
        first, second = map(read_recording, run.files())
        assert list(second) == [FIRST, LINK, HISTORY, TimerFired(OPEN_NS)]
        assert list(first)[:2] == [FIRST, LINK]


async def test_a_recording_that_reached_its_cap_is_not_begun_anew(tmp_path: Path) -> None:
    run = Run(tmp_path, folder_bytes=200_000)
    for seq in range(400):
        run.recordings.write(frame(seq))
    eventually(lambda: not run.recordings.is_on)
    await run.look()
    assert len(run.files()) == 1
    run.recordings.close()


def test_F38_a_read_only_disk_is_told_at_the_start(tmp_path: Path) -> None:
    disk = Disk()
    disk.error_number = errno.EROFS
    with pytest.raises(StoreError, match=r"cannot write the recording .*Read-only file system"):
        Run(tmp_path, disk)


def test_P20_what_waits_for_a_disk_that_stands_is_bounded_and_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    disk = Disk()
    recorder = Recorder(tmp_path / "a.ttrec", HEADER, queue_bytes=100_000, disk=disk)
    disk.is_fast.clear()
    for seq in range(1_000):
        recorder.write(frame(seq))
        assert recorder.waiting_bytes <= 100_000
    assert not recorder.complete
    disk.is_fast.set()
    recorder.close()
    assert recorder.dropped + recorder.written == 1_000
    assert recorder.dropped > 800
    assert recorder.waiting_bytes == 0


def test_F49_a_recorder_that_fails_in_itself_says_so_and_is_counted(tmp_path: Path) -> None:
    class BrokenDisk(Disk):
        is_broken = False

        def obey(self) -> None:
            if self.is_broken:
                raise ValueError("a bug")

    disk, supervisor = BrokenDisk(), Supervisor(lambda: 0.0)
    guard = supervisor.guard("the recorder")
    recorder = Recorder(tmp_path / "a.ttrec", HEADER, disk=disk, guard=guard)
    disk.is_broken = True
    recorder.write(frame(0))
    eventually(lambda: not recorder.complete)
    assert "logs/error.log tells why" in recorder.text
    assert recorder.dropped == 1
    assert supervisor.restarts == {"the recorder": 1}
    assert [news.level for news in supervisor.take_news()] == ["warning"]
    recorder.flush(0.1)
    recorder.close()
