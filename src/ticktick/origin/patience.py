"""How long to wait before asking again for something that was asked for in vain."""

from collections.abc import Callable, Container
from typing import Final

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0


class Patience:
    """A pause for each name, twice as long after each attempt, until it is forgotten.

    `clock_s` counts seconds and never steps back.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._pauses_s: dict[str, float] = {}
        self._until_s: dict[str, float] = {}

    def is_over(self, name: str) -> bool:
        """Whether the name may be asked for now."""
        return self._clock_s() >= self._until_s.get(name, 0.0)

    def asked(self, name: str) -> None:
        """It was asked for; begin to wait."""
        pause_s = min(self._pauses_s.get(name, FIRST_PAUSE_S / 2) * 2, LONGEST_PAUSE_S)
        self._pauses_s[name] = pause_s
        self._until_s[name] = self._clock_s() + pause_s

    def keep(self, names: Container[str]) -> None:
        """Forget all other names: they are no longer wished for."""
        for name in [name for name in self._pauses_s if name not in names]:
            del self._pauses_s[name], self._until_s[name]

    def forget(self) -> None:
        """Let everything be asked for at once."""
        self._pauses_s.clear()
        self._until_s.clear()
