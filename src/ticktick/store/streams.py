"""Streams: what is said once and stays, the newest of it, each entry with an id that rises.

An entry written twice has the same id, and the server refuses the second.
"""

from collections.abc import Mapping
from typing import Final

from ticktick.domain.clock import NS_PER_MS
from ticktick.store.link import Command, Word

ENTRIES_KEPT: Final = 1_000
ALREADY_THERE: Final = "equal or smaller"  # the server's words for an entry written before


class Streams:
    """Makes the commands that append to streams."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, int]] = {}

    def append(self, key: str, at_ns: int, words: Mapping[str, Word | None]) -> Command:
        """The command for an entry of that moment; fields that are None are left out."""
        newest_ms, number = self._newest.get(key, (0, 0))
        at_ms = at_ns // NS_PER_MS
        place = (at_ms, 0) if at_ms > newest_ms else (newest_ms, number + 1)
        self._newest[key] = place
        told = ((name, value) for name, value in words.items() if value is not None)
        fields = [word for pair in told for word in pair]
        return ("XADD", key, "MAXLEN", "~", ENTRIES_KEPT, f"{place[0]}-{place[1]}", *fields)
