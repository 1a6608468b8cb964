"""How the connection to the broker does, beyond whether it is up."""

from typing import Final

from msgspec import Struct

CLOCK_WARNING_MS: Final = 2_000.0
ORDER_CLOCK_LIMIT_MS: Final = 30_000.0


class LinkHealth(Struct, frozen=True):
    """The figures of the connection at one moment; None where nothing was measured.

    `ping_ms` is the last round trip of the feed's ping, `rest_ms` of a REST read, by class in
    `rest_waiting` how many wait for the budget. `clock_offset_ms` is this machine's clock minus
    the exchange's, already taken out of every age. `budget_left` is the share of the tightest
    window left, by class. `unheard` are symbols that were asked for twice and never told.
    `can_take_over`: another program seems to use the feed, and only the user decides who has it.
    """

    ping_ms: float | None = None
    rest_ms: float | None = None
    rest_waiting: dict[str, int] = {}
    budget_left: dict[str, float] = {}
    clock_offset_ms: float | None = None
    next_attempt_s: float | None = None
    unheard: tuple[str, ...] = ()
    can_take_over: bool = False

    @property
    def clock_permits_orders(self) -> bool:
        """Whether this machine's clock is known, and right enough to send orders by it."""
        offset_ms = self.clock_offset_ms
        return offset_ms is not None and abs(offset_ms) <= ORDER_CLOCK_LIMIT_MS
