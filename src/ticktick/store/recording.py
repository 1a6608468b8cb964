"""Recordings: every event of a run in one file, streamed to disk and back.

The layout of the bytes is in blocks.py: a header block (JSON), blocks of events (zlib over
msgpack) and an end block written by an orderly close. A run that was killed leaves a file
without its end; it reads as incomplete and loses at most its last second.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import msgspec
from msgspec import Struct

from ticktick.domain.clock import ist
from ticktick.domain.event import Event
from ticktick.engine.ports import EngineSettings
from ticktick.engine.supervisor import Guard
from ticktick.errors import StoreError
from ticktick.store.blocks import (
    KIND_END,
    KIND_EVENTS,
    KIND_HEADER,
    MAGIC,
    Block,
    Damaged,
    compress,
    expand,
    pack,
    read_blocks,
)

FORMAT: Final = 1
SUFFIX: Final = ".ttrec"
QUEUE_BYTES: Final = 64 << 20
BLOCK_BYTES: Final = 256 << 10
FLUSH_S: Final = 0.5
_PRUNE_EVERY_BYTES: Final = 32 << 20

Disk: TypeAlias = Callable[[Path], BinaryIO]


class RecordingHeader(Struct, frozen=True):
    """What a replay must know before the first event.

    `account` is masked; `note` says what the events alone do not (seed, replayed files).
    """

    decoder: str
    broker: str
    account: str
    ticktick: str
    mode: str
    started_ns: int
    settings: EngineSettings
    note: str = ""
    format: int = FORMAT


class Recording(Struct, frozen=True):
    """A checked recording; iterate it for its events, as often as needed, in flat memory.

    `complete` is true if it was closed in order and lost nothing; else `note` is a sentence
    that says what is missing. `events` are the readable ones.
    """

    path: Path
    header: RecordingHeader
    events: int
    complete: bool
    note: str
    readable_bytes: int

    def __iter__(self) -> Iterator[Event]:
        """Yield the readable events in order.

        Raises StoreError if the file changed under us or holds events of another version.
        """
        with _open_recording(self.path) as file:
            for block in _blocks_until(file, self.readable_bytes):
                if block.kind == KIND_EVENTS:
                    yield from _events_of(self.path, block)


class _Version(Struct):
    format: int


class _End(Struct):
    dropped: int


def recording_path(folder: Path, started_ns: int, mode: str) -> Path:
    """A free file name for a run that starts now: day, time in IST and mode."""
    stem = f"{ist(started_ns):%Y-%m-%d_%H%M%S}_{mode.lower()}"
    taken = {path.name for path in folder.glob(f"{stem}*")}
    names = [f"{stem}{SUFFIX}", *(f"{stem}_{i}{SUFFIX}" for i in range(2, len(taken) + 2))]
    return folder / next(name for name in names if name not in taken)


def read_recording(path: Path) -> Recording:
    """Check a recording from end to end and return what it holds.

    Raises StoreError if it cannot be read, is no recording or was written by a newer version.
    """
    with _open_recording(path) as file:
        blocks = read_blocks(file)
        header = _header(path, blocks)
        events, note, end = 0, "", None
        readable = file.tell()
        try:
            for block in blocks:
                events += block.count if block.kind == KIND_EVENTS else 0
                end = block if block.kind == KIND_END else None
                readable += block.size
        except Damaged:
            note = f"{path.name} is cut off or damaged; its first {events} events are whole"
    if not note:
        note = _what_is_missing(path, end)
    return Recording(path, header, events, not note, note, readable)


def prune(folder: Path, most_bytes: int, running: Path | None = None) -> list[Path]:
    """Remove the oldest recordings until the folder's hold at most `most_bytes`.

    The running one counts but stays. Returns what was removed.
    """
    removed = []
    files = sorted(
        ((path.stat(), path) for path in folder.glob(f"*{SUFFIX}")),
        key=lambda entry: (entry[0].st_mtime_ns, entry[1].name),
    )
    total = sum(stat.st_size for stat, _ in files)
    for stat, path in files:
        if total <= most_bytes:
            break
        if path != running:
            path.unlink(missing_ok=True)
            removed.append(path)
            total -= stat.st_size
    return removed


def open_new(path: Path) -> BinaryIO:
    """A new file that only its owner can read, open for writing; OSError if it cannot be."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


class Recorder:
    """Writes events to a new recording from a thread of its own; never makes the caller wait.

    What waits for the disk is bounded by `queue_bytes`; beyond it, or when the disk fails, the
    recording ends there: it is marked incomplete and later events are counted as dropped,
    because a replay with a hole would be wrong. With `folder_bytes` the oldest recordings of
    the folder make room; when this one alone is as big, it ends and `is_full`. `disk` opens a
    new file.
    Raises StoreError if the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        header: RecordingHeader,
        *,
        folder_bytes: int | None = None,
        queue_bytes: int = QUEUE_BYTES,
        guard: Guard | None = None,
        disk: Disk = open_new,
    ) -> None:
        self.path = path
        self.written = 0
        self.dropped = 0
        self._taken = 0
        self.trouble = ""
        self.is_full = False
        self._folder_bytes = folder_bytes
        self._queue_bytes = queue_bytes
        self._encode = msgspec.msgpack.Encoder().encode
        self._queue: list[msgspec.Raw] = []
        self._queued_bytes = 0
        self._flushed: list[threading.Event] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._guard = guard or Guard("the recorder")
        self._file = _create(path, header, disk)
        self._file_bytes = self._file.tell()
        self._prune_at = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def complete(self) -> bool:
        """Whether every event so far was kept."""
        return not self.trouble

    @property
    def waiting_bytes(self) -> int:
        """What waits for the disk."""
        return self._queued_bytes

    @property
    def text(self) -> str:
        """The state as a sentence for people."""
        return self.trouble or f"recording to {self.path.name}"

    def write(self, event: Event) -> None:
        """Append one event; after close or a first loss it is only counted as dropped."""
        data = self._encode(event)
        with self._lock:
            self._taken += 1
            if self._queued_bytes + len(data) > self._queue_bytes:
                self._lose("the disk is too slow")
            if self.trouble or self._closing:
                self.dropped += 1
                return
            self._queue.append(msgspec.Raw(data))
            self._queued_bytes += len(data)
            full = self._queued_bytes >= BLOCK_BYTES
        if full:
            self._wake.set()

    def flush(self, timeout_s: float) -> None:
        """Wait until what was written so far is in the file, at most `timeout_s`."""
        done = threading.Event()
        with self._lock:
            self._flushed.append(done)
        self._wake.set()
        done.wait(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what is left and the end mark; give up waiting after `timeout_s`."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        if not self._guard.attempt(self._record):
            self._end("the recorder failed, logs/error.log tells why")

    def _record(self) -> None:
        encoder = msgspec.msgpack.Encoder()
        try:
            with self._file:
                while not self._closing:
                    self._wake.wait(FLUSH_S)
                    self._wake.clear()
                    self._write_queue(encoder)
                self._write_queue(encoder)
                self._append(KIND_END, 0, msgspec.json.encode(_End(self.dropped)))
                os.fsync(self._file.fileno())
        except OSError as error:
            self._end(f"{error.strerror or error}")

    def _end(self, reason: str) -> None:
        """Give up on the file, and on what waits for it."""
        with self._lock:
            self._lose(reason)
            self._queue.clear()
            self._queued_bytes = 0
            self.dropped = self._taken - self.written
            for done in self._flushed:
                done.set()

    def _write_queue(self, encoder: msgspec.msgpack.Encoder) -> None:
        with self._lock:
            queue, self._queue = self._queue, []
            flushed, self._flushed = self._flushed, []
        for batch, size in _batches(queue):
            over = self._is_over_cap()
            if not over:
                self._append(KIND_EVENTS, len(batch), compress(encoder.encode(batch)))
                self.written += len(batch)
            with self._lock:
                self._queued_bytes -= size
                self.dropped += len(batch) if over else 0
        for done in flushed:
            done.set()

    def _append(self, kind: int, count: int, payload: bytes) -> None:
        data = pack(Block(kind, count, payload))
        self._file.write(data)
        self._file.flush()
        self._file_bytes += len(data)

    def _is_over_cap(self) -> bool:
        if self._folder_bytes is None:
            return False
        if self._file_bytes >= self._folder_bytes:
            self.is_full = True
            self._lose(f"it reached the cap of {self._folder_bytes >> 20} MiB")
            return True
        if self._file_bytes >= self._prune_at:
            self._prune_at = self._file_bytes + min(_PRUNE_EVERY_BYTES, self._folder_bytes // 16)
            with suppress(OSError):  # room is made again later; this recording goes on
                prune(self.path.parent, self._folder_bytes, self.path)
        return False

    def _lose(self, reason: str) -> None:
        self.trouble = self.trouble or f"recording {self.path.name} is incomplete: {reason}"


def _create(path: Path, header: RecordingHeader, disk: Disk) -> BinaryIO:
    block = Block(KIND_HEADER, 0, msgspec.json.encode(header))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = disk(path)
        file.write(MAGIC + pack(block))
        file.flush()
    except OSError as error:
        raise StoreError(f"cannot write the recording {path}: {error.strerror}") from error
    return file


def _batches(queue: list[msgspec.Raw]) -> Iterator[tuple[list[msgspec.Raw], int]]:
    batch: list[msgspec.Raw] = []
    size = 0
    for raw in queue:
        batch.append(raw)
        size += len(memoryview(raw))
        if size >= BLOCK_BYTES:
            yield batch, size
            batch, size = [], 0
    if batch:
        yield batch, size


def _open_recording(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
        magic = file.read(len(MAGIC))
    except OSError as error:
        raise StoreError(f"cannot read the recording {path}: {error.strerror}") from error
    if magic != MAGIC:
        file.close()
        raise StoreError(f"{path} is not a Tick-Tick recording (expected a {SUFFIX} file)")
    return file


def _header(path: Path, blocks: Iterator[Block]) -> RecordingHeader:
    try:
        block = next(blocks)
        version = msgspec.json.decode(block.payload, type=_Version).format
        if version > FORMAT:
            raise StoreError(
                f"{path} was written by a newer Tick-Tick (format {version}, this one reads "
                f"{FORMAT}); update Tick-Tick to read it"
            )
        return msgspec.json.decode(block.payload, type=RecordingHeader)
    except (Damaged, StopIteration, msgspec.MsgspecError) as error:
        raise StoreError(f"{path} is damaged at its beginning; nothing of it is usable") from error


def _what_is_missing(path: Path, end: Block | None) -> str:
    if end is None:
        return f"{path.name} was not closed; what followed its last second is missing"
    dropped = msgspec.json.decode(end.payload, type=_End).dropped
    return f"{path.name} lacks {dropped} events at its end" if dropped else ""


def _blocks_until(file: BinaryIO, readable_bytes: int) -> Iterator[Block]:
    blocks = read_blocks(file)
    while file.tell() < readable_bytes:
        try:
            yield next(blocks)
        except (Damaged, StopIteration) as error:
            raise StoreError("the recording changed while it was read; read it again") from error


def _events_of(path: Path, block: Block) -> list[Event]:
    try:
        return _DECODER.decode(expand(block.payload))
    except (Damaged, msgspec.MsgspecError) as error:
        raise StoreError(f"{path} holds events of another version: {error}") from error


_DECODER = msgspec.msgpack.Decoder(list[Event])
