"""Disks that fail: a real small one, and files that do what the test says."""

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest
from typing_extensions import Buffer


@contextmanager
def small_disk(tmp_path: Path, megabytes: int = 8) -> Iterator[Path]:
    """A disk of its own; skips where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={megabytes}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def fill(path: Path, leave_bytes: int = 0) -> None:
    """Write a file until the disk is full, but for so many bytes."""
    block = bytes(4096)
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        size = file.tell()
        file.truncate(max(size - leave_bytes, 0))


class Disk:
    """Opens files that fail with `error_number` or are slow, from the moment the test says so."""

    def __init__(self) -> None:
        self.error_number = 0
        self.is_fast = threading.Event()
        self.is_fast.set()

    def __call__(self, path: Path) -> "DiskFile":
        """Open a new file."""
        self.obey()
        return DiskFile(path, self)

    def obey(self) -> None:
        """Wait and fail as told."""
        if not self.is_fast.wait(60):
            raise TimeoutError("the test never made the disk fast again")
        if self.error_number:
            raise OSError(self.error_number, os.strerror(self.error_number))


class DiskFile(FileIO):
    """A file of such a disk."""

    def __init__(self, path: Path, disk: Disk) -> None:
        super().__init__(path, "x")
        self._disk = disk

    def write(self, data: Buffer, /) -> int:
        """Write, if the disk lets us."""
        self._disk.obey()
        return super().write(data)
