"""How a long run treats its memory: what the garbage collector looks at, what goes back."""

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Final

_COLLECT_AFTER: Final = (20_000, 25, 50)
_LARGE_BYTES: Final = 128 << 10
_M_MMAP_THRESHOLD: Final = -3  # of glibc's malloc.h


def calm_collector() -> None:
    """Let the garbage collector look at nothing that stays for ever, and seldom from here on.

    Its whole look at a market's history takes a fifth of a second, in which no frame is read.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def keep_large_apart() -> None:
    """Let large pieces of memory come from the system, and go back to it when they are freed.

    Glibc begins so, but with the first such piece that is freed it takes the next ones of that
    size, up to 32 MiB, from where small pieces lie: what a burst of updates took and gave back
    stayed with the process, in holes between what stays.
    """
    set_option = _of_glibc("mallopt")
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Give memory that was freed back to the system where its C library keeps it for later."""
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """The function, where the C library is one that has it."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
