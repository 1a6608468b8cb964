"""The parts that are compiled ahead of time, and whether they serve.

TICKTICK_PURE=1 lets plain Python serve instead; TICKTICK_REQUIRE_EXT=1 makes a part that was not
built an error. Both are read here and nowhere else, where a part is imported.
"""

import os
from importlib import import_module
from types import ModuleType
from typing import Final

# `_name` is compiled from name.py beside it, with the types of _name.pxd; a name from name.pyx
PARTS: Final = (
    "ticktick.analytics._flat",
    "ticktick.analytics._leaps",
    "ticktick.analytics._own",
    "ticktick.analytics._record",
    "ticktick.analytics._story",
    "ticktick.analytics.handles",
    "ticktick.analytics.microstructure._doubt",
    "ticktick.analytics.microstructure._ranges",
    "ticktick.brokers.upstox._skim",
    "ticktick.brokers.upstox.scan",
    "ticktick.core._age",
    "ticktick.core._copy",
    "ticktick.core._crossing",
    "ticktick.core._flow",
    "ticktick.core._fold",
    "ticktick.core._gate",
    "ticktick.core._measure",
    "ticktick.core._moments",
    "ticktick.core._prints",
    "ticktick.core._quotes",
    "ticktick.core._roll",
    "ticktick.core._screen",
    "ticktick.core._signed",
    "ticktick.core._ticks",
    "ticktick.core._trade",
    "ticktick.core._vwap",
    "ticktick.store._resp",
    "ticktick.web._told",
)


def is_wanted() -> bool:
    """Whether compiled parts may serve."""
    return not os.environ.get("TICKTICK_PURE")


def part(name: str) -> ModuleType | None:
    """The compiled module of this name; None where plain Python serves.

    Raises ImportError if it was not built and TICKTICK_REQUIRE_EXT is set.
    """
    if not is_wanted():
        return None
    try:
        return import_module(name)
    except ImportError:
        if os.environ.get("TICKTICK_REQUIRE_EXT"):
            raise
        return None


def missing() -> list[str]:
    """The names of the parts for which plain Python serves."""
    return [name for name in PARTS if part(name) is None]
