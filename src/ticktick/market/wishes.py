"""What the broker should be asked, because the feed did not tell it."""

from collections.abc import Iterable, Mapping, Sequence

from ticktick.market.candles import Candles
from ticktick.market.coverage import Span
from ticktick.market.table import SlotTable
from ticktick.market.watch import Watch


class Wishes:
    """Read by whoever asks; what is asked and answered comes back as an event.

    `untold` are followed symbols of whose past the broker told nothing yet.
    """

    def __init__(self, table: SlotTable, watch: Watch, candles: Candles) -> None:
        self._table = table
        self._watch = watch
        self._candles = candles
        self._untold: dict[str, None] = {}

    @property
    def untold(self) -> Sequence[str]:
        """Symbols that need their history, in the order in which they came."""
        return tuple(symbol for symbol in self._untold if symbol in self._table.row_of_symbol)

    def expect(self, symbols: Iterable[str]) -> None:
        """The past of these symbols is not known."""
        self._untold |= dict.fromkeys(symbols)

    def fulfil(self, symbol: str) -> None:
        """The broker told of the symbol's past."""
        self._untold.pop(symbol, None)

    def lost(self, until_ns: int) -> Mapping[str, Span]:
        """First start and last end of the lost minutes that ended by the moment, by symbol."""
        return {
            self._table.instruments[row].symbol: span
            for row, span in self._watch.lost(until_ns).items()
        }

    def unconfirmed(self, from_ns: int, until_ns: int) -> Mapping[str, Sequence[int]]:
        """The starts of the closed minutes in [from, until) that the broker did not confirm.

        Missing ones are among them: it may find them later.
        """
        found = {}
        for row in self._table.followed:
            starts = self._candles.unconfirmed(row, from_ns, until_ns)
            if starts:
                found[self._table.instruments[row].symbol] = starts
        return found
