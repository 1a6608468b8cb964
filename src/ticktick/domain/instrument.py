"""What is traded: identity, price unit and the only bridge between rupees and price units."""

from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """The instrument classes that differ in session, depth and volume."""

    EQUITY = "equity"
    INDEX = "index"
    FUTURE = "future"
    CALL = "call"
    PUT = "put"


class Instrument(Struct, frozen=True):
    """One instrument of one exchange on one day.

    `symbol` is the name people, Redis and files use; `instrument_key` is the broker's alias of
    the day. `tick_size` is in price units; `price_scale` units make one rupee. A stock with
    derivatives closes by auction (`has_closing_auction`).
    """

    symbol: str
    name: str
    exchange: str
    segment: str
    instrument_key: str
    kind: Kind
    tick_size: int = 5
    lot_size: int = 1
    price_scale: int = 100
    has_closing_auction: bool = False

    @property
    def has_volume(self) -> bool:
        """Whether the exchange counts volume and shows depth for it: not for an index."""
        return self.kind is not Kind.INDEX

    def units(self, rupees: Decimal) -> int:
        """Price units of a rupee price, rounded to the tick size, half to even."""
        ticks = (rupees * self.price_scale / self.tick_size).quantize(
            Decimal(1), rounding=ROUND_HALF_EVEN
        )
        return int(ticks) * self.tick_size

    def rupees(self, units: int) -> Decimal:
        """Rupee price of price units, exact."""
        return Decimal(units) / self.price_scale
