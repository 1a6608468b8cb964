"""A file that one process at a time may hold: how programs keep out of each other's way."""

import sys
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl


def hold(path: Path) -> BinaryIO | None:
    """Hold the file while the returned one is open; None if another process holds it.

    The folder must exist. The system lets go when the process ends, in whatever way. On Windows
    nobody is kept out.
    """
    file = path.open("ab")
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
    return file
