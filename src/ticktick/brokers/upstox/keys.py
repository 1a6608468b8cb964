"""Which instruments a connection was asked for, and which of them it has told."""

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Final
from uuid import UUID

import msgspec

from ticktick.errors import ConfigError

MOST_KEYS: Final = 2000  # of one connection in full mode
CONFIRM_S: Final = 5.0
_PER_MESSAGE: Final = 500
_MODE: Final = "full"


def check_keys(keys: Sequence[str]) -> None:
    """Raise ConfigError if there are more than one connection may ask for."""
    if len(keys) > MOST_KEYS:
        raise ConfigError(
            f"the broker's feed tells {MOST_KEYS} instruments, the watchlist has {len(keys)} with "
            f"its index; take {len(keys) - MOST_KEYS} off the list"
        )


class Subscriptions:
    """The wished keys against what the present connection knows of.

    A key is confirmed by its first frame. One that is not after five seconds is asked for once
    more, and after another five it is unheard. `now_s` is a clock that never steps back.
    """

    def __init__(self, keys: Iterable[str], rng: Random) -> None:
        self._rng = rng
        self._wished = dict.fromkeys(keys)
        self._told = set[str]()
        self._asked: dict[str, list[float]] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether a key that was asked for is not yet confirmed."""
        return bool(self._asked)

    def wish(self, keys: Sequence[str]) -> None:
        """Follow these keys from now on; the present connection is told by the next messages.

        Raises ConfigError if they are too many.
        """
        check_keys(keys)
        self._wished = dict.fromkeys(keys)

    def restart(self) -> None:
        """Know that a new connection was asked for nothing yet."""
        self._told.clear()
        self._asked.clear()

    def confirm(self, keys: Iterable[str]) -> None:
        """Take note of the keys of a frame."""
        for key in keys:
            if self._asked.pop(key, None) is not None:
                self._told.add(key)

    def doubt(self, keys: Iterable[str]) -> None:
        """Ask again for keys that the feed seems to have forgotten."""
        self._told.difference_update(keys)

    def messages(self, now_s: float) -> list[bytes]:
        """What is to be sent now: what is new, what is over, and what to ask once more."""
        gone = [key for key in (*self._asked, *self._told) if key not in self._wished]
        for key in gone:
            self._asked.pop(key, None)
            self._told.discard(key)
        due = [key for key in self._wished if self._is_due(key, now_s)]
        for key in due:
            self._asked.setdefault(key, []).append(now_s)
        return [*self._encoded("unsub", gone), *self._encoded("sub", due)]

    def unheard(self, now_s: float) -> list[str]:
        """The keys that were asked for twice and not told within five seconds."""
        return [
            key
            for key, asked_s in self._asked.items()
            if len(asked_s) > 1 and now_s - asked_s[-1] >= CONFIRM_S
        ]

    def _is_due(self, key: str, now_s: float) -> bool:
        if key in self._told:
            return False
        asked_s = self._asked.get(key, [])
        return not asked_s or (len(asked_s) == 1 and now_s - asked_s[0] >= CONFIRM_S)

    def _encoded(self, method: str, keys: Sequence[str]) -> Iterator[bytes]:
        """Messages of at most 500 keys each."""
        for first in range(0, len(keys), _PER_MESSAGE):
            data = {"mode": _MODE} if method == "sub" else {}
            some = keys[first : first + _PER_MESSAGE]
            guid = UUID(int=self._rng.getrandbits(128), version=4)
            yield msgspec.json.encode(
                {"guid": str(guid), "method": method, "data": {**data, "instrumentKeys": some}}
            )
