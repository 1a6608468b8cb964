"""Logs in Indian time: four files, one line per record, no secret in any of them.

    system.log       everything from INFO up
    error.log        ERROR and above
    trade.log        the logger `ticktick.trade`
    performance.log  the logger `ticktick.performance`; each line holds the word PERFORMANCE

A record of whatever library becomes safe text before it leaves its thread: secrets are masked
by shape and by value, control characters are escaped, so that nobody can forge a line.
"""

import logging
import os
import re
import shutil
import sys
import time
import traceback
from collections import Counter
from copy import copy
from datetime import datetime, timedelta, timezone
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import Full, Queue
from types import TracebackType
from typing import Any, Final, TextIO

from ticktick.redact import redact, safe

TRADE_LOGGER: Final = "ticktick.trade"
PERFORMANCE_LOGGER: Final = "ticktick.performance"
FILE_BYTES: Final = 50 * 1024 * 1024
FILES_KEPT: Final = 10
LINES_PER_S: Final = 1_000
RESERVE_BYTES: Final = 64 * 1024 * 1024

_IST = timezone(timedelta(hours=5, minutes=30), "IST")
_LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
_PERFORMANCE_LINE = "%(asctime)s %(levelname)s PERFORMANCE %(message)s"
_QUEUE_LINES = 10_000


def log_files(folder: Path) -> list[Path]:
    """Our log files in the folder, the rotated ones too, in order of their names."""
    return sorted(path for path in folder.glob("*.log") if _OURS.fullmatch(path.name))


def print_crash(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """Show an error nobody expected, with its traceback, on stderr: a `sys.excepthook`."""
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


class ConsoleLog:
    """Warnings and errors as short lines on a stream, for a person who ran a command."""

    def __init__(self, stream: TextIO, level: int = logging.WARNING) -> None:
        self._handler = logging.StreamHandler(stream)
        self._handler.setLevel(level)
        self._handler.setFormatter(_SafeText("%(levelname)s: %(message)s"))

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self._handler)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)


class FileLogs:
    """The four log files of one running program, written by a thread of their own.

    Whoever logs never waits for the disk: above 10,000 waiting lines new ones are dropped and
    counted, as are lines above `lines_per_s` in a second, a tenth of that from one place. When
    less than `reserve_bytes` of the disk are free only errors are written, so that recordings
    and Redis may have the rest. Leaving the block writes what waits, and the error that ended
    it, if any: one of the `expected` kind as its sentence, another with its traceback.
    Raises OSError when the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        expected: type[Exception] | tuple[()] = (),
        *,
        file_bytes: int = FILE_BYTES,
        files_kept: int = FILES_KEPT,
        lines_per_s: int = LINES_PER_S,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        queue: Queue[logging.LogRecord] = Queue(_QUEUE_LINES)
        self._entrance = _Entrance(queue, lines_per_s)
        self._files = [
            _log_file(
                _LogFile(folder / f"{name}.log", file_bytes, files_kept, reserve_bytes),
                level,
                logger,
                line,
            )
            for name, level, logger, line in _FILES
        ]
        self._writer = _Writer(queue, *self._files, respect_handler_level=True)
        self._expected = expected
        self._level_before = logging.NOTSET

    def __enter__(self) -> None:
        root = logging.getLogger()
        self._level_before = root.level
        root.setLevel(logging.INFO)
        root.addHandler(self._entrance)
        logging.captureWarnings(True)
        self._writer.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        root = logging.getLogger()
        if isinstance(error, Exception):  # into the files alone: the command line tells the user
            is_expected = isinstance(error, self._expected)
            self._entrance.handle(_ending(error, with_trace=not is_expected))
        logging.captureWarnings(False)
        root.removeHandler(self._entrance)
        root.setLevel(self._level_before)
        self._writer.stop()
        for file in self._files:
            file.close()


def _ending(error: Exception, *, with_trace: bool) -> logging.LogRecord:
    text = "the program ends with an error" if with_trace else f"the program ends: {error}"
    where = (type(error), error, error.__traceback__) if with_trace else None
    return logging.LogRecord("ticktick", logging.ERROR, __file__, 0, "%s", (text,), where)


_FILES = (
    ("system", logging.INFO, "", _LINE),
    ("error", logging.ERROR, "", _LINE),
    ("trade", logging.INFO, TRADE_LOGGER, _LINE),
    ("performance", logging.INFO, PERFORMANCE_LOGGER, _PERFORMANCE_LINE),
)


# the demo's exchange, a process of its own, writes exchange.log
_OURS = re.compile(rf"({'|'.join(name for name, *_ in _FILES)}|exchange)(\.\d+)?\.log")


class _SafeText(logging.Formatter):
    """Renders message, arguments, exception and stack, and makes the whole safe."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(super().format(record))


class _IstLine(logging.Formatter):
    """A line that starts like `2026-11-20 10:15:02.123 IST`."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        moment = datetime.fromtimestamp(record.created, _IST)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} IST"


class _Entrance(QueueHandler):
    """Turns each record into safe text and queues it without waiting."""

    def __init__(self, queue: "Queue[logging.LogRecord]", lines_per_s: int) -> None:
        super().__init__(queue)
        self.setFormatter(_SafeText())
        self._flood = _Flood(lines_per_s)
        self._lost = 0

    def handle(self, record: logging.LogRecord) -> bool:
        suppressed = self._flood.take_suppressed()
        if suppressed:
            text = f"{suppressed} log lines before this one were suppressed: too many in a second"
            super().handle(_with_text(record, text))
        return self._flood.admits(record) and bool(super().handle(record))

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return _with_text(record, self.format(record))

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            if self._lost:
                lost = f"{self._lost} log lines before this one were lost: the disk was too slow"
                self.queue.put_nowait(_with_text(record, lost))
                self._lost = 0
            self.queue.put_nowait(record)
        except Full:
            self._lost += 1

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        where = f"{record.pathname}:{record.lineno}"
        self.enqueue(_with_text(record, f"a log line could not be rendered, see {where}"))


class _Flood:
    """Counts lines second by second, so that a part that logs without end cannot fill the disk."""

    def __init__(self, lines_per_s: int) -> None:
        self._lines_per_s = lines_per_s
        self._second = 0
        self._places: Counter[tuple[str, int]] = Counter()
        self._lines = 0
        self._suppressed = 0

    def take_suppressed(self) -> int:
        """Lines suppressed in the second before, told once it is over."""
        second = int(time.monotonic())
        if second == self._second:
            return 0
        self._second, self._lines = second, 0
        self._places.clear()
        suppressed, self._suppressed = self._suppressed, 0
        return suppressed

    def admits(self, record: logging.LogRecord) -> bool:
        """Whether the line may still be written in this second."""
        place = (record.pathname, record.lineno)
        self._places[place] += 1
        is_too_much = self._lines >= self._lines_per_s
        if is_too_much or self._places[place] > max(self._lines_per_s // 10, 1):
            self._suppressed += 1
            return False
        self._lines += 1
        return True


class _Writer(QueueListener):
    """The thread that writes; ends only after the last queued line."""

    queue: "Queue[Any]"

    def enqueue_sentinel(self) -> None:
        self.queue.put(None)


class _LogFile(RotatingFileHandler):
    """A file that only its owner can read; full ones become system.1.log, system.2.log ..."""

    def __init__(self, path: Path, file_bytes: int, files_kept: int, reserve_bytes: int) -> None:
        self._reserve_bytes = reserve_bytes
        self._has_complained = False
        self._lost = 0
        super().__init__(path, maxBytes=file_bytes, backupCount=files_kept - 1, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR and self._is_disk_scarce():
            self._lost += 1
            return
        if self._lost and not self._tells_lost(record):
            self._lost += 1
            return
        super().emit(record)

    def _tells_lost(self, record: logging.LogRecord) -> bool:
        """Whether the disk takes the line about those that it did not take."""
        lost, self._lost = self._lost, 0
        text = f"{lost} log lines before this one were dropped: the disk was full"
        super().emit(_with_text(record, text))
        is_told = not self._lost
        self._lost = 0 if is_told else lost
        return is_told

    def rotation_filename(self, default_name: str) -> str:
        base, _, number = default_name.rpartition(".log.")
        return f"{base}.{number}.log"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        self._lost += 1
        if not self._has_complained:
            self._has_complained = True
            sys.stderr.write(f"{self.baseFilename} cannot be written: {sys.exc_info()[1]}\n")

    def _is_disk_scarce(self) -> bool:
        try:
            return shutil.disk_usage(self.baseFilename).free < self._reserve_bytes
        except OSError:
            return False

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        Path(self.baseFilename).chmod(0o600)  # also one that an older umask left wider
        return os.fdopen(handle, "a", encoding="utf-8")


def _log_file(file: _LogFile, level: int, logger: str, line: str) -> _LogFile:
    file.setLevel(level)
    file.addFilter(logging.Filter(logger))
    file.setFormatter(_IstLine(line))
    return file


def _with_text(record: logging.LogRecord, text: str) -> logging.LogRecord:
    line = copy(record)
    line.msg, line.message, line.args = text, text, None
    line.exc_info = line.exc_text = line.stack_info = None
    return line
