"""How far the engine lags behind market time."""

from typing import Final

from ticktick.domain.clock import NS_PER_MS
from ticktick.engine.ports import Outputs

BEHIND_LIMIT_MS: Final = 5_000


class Lateness:
    """Knows the moment of the engine's newest event.

    Time itself is an event of every second, so an engine that keeps up is never further behind
    than a moment.
    """

    def __init__(self) -> None:
        self._heard_ms = 0

    def take(self, outputs: Outputs) -> None:
        """Note when that was."""
        self._heard_ms = outputs.at_ns // NS_PER_MS

    def behind_ms(self, now_ms: int) -> int:
        """How far the newest event lies behind market time; 0 while the engine keeps up."""
        behind_ms = now_ms - self._heard_ms
        return behind_ms if self._heard_ms and behind_ms > BEHIND_LIMIT_MS else 0
