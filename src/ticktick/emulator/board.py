"""What the exchange shows: latest trades, running day and minute, published minute bars."""

import numpy as np

from ticktick.emulator.bars import Running
from ticktick.emulator.model import Ints
from ticktick.emulator.wire import Bar, LastTrade


class Board:
    """The state of every listing, one column each; prices in paise, 0 = none yet."""

    def __init__(self, closes: Ints, last_ns: Ints) -> None:
        rows = len(closes)
        self.day = Running(rows)
        self.minute = Running(rows)
        self.previous_close: Ints = closes.copy()
        self.last_price: Ints = closes.copy()
        self.last_ns: Ints = last_ns.copy()
        self.last_quantity: Ints = np.zeros(rows, np.int64)
        self.value: Ints = np.zeros(rows, np.int64)
        self._finished: Ints = np.zeros((6, rows), np.int64)
        self._published: Ints = np.zeros((6, rows), np.int64)

    def take(self, row: Ints, at_ns: Ints, price: Ints, quantity: Ints) -> None:
        """Take over trades in order of time."""
        self.minute.add(row, price, quantity)
        self.take_auction(row, at_ns, price, quantity)

    def take_auction(self, row: Ints, at_ns: Ints, price: Ints, quantity: Ints) -> None:
        """Take over trades of an auction: they make the day's bar, but no minute's."""
        self.day.add(row, price, quantity)
        self._add(row, at_ns, price, quantity)

    def take_at_close(self, row: Ints, at_ns: Ints, price: Ints, quantity: Ints) -> None:
        """Take over trades after the close: of the day's bar they change the volume alone."""
        np.add.at(self.day.volume, row, quantity)
        self._add(row, at_ns, price, quantity)

    def indicate(self, row: Ints, at_ns: Ints, price: Ints) -> None:
        """Show values of indices that count for no bar."""
        self.last_price[row] = price
        self.last_ns[row] = at_ns

    def _add(self, row: Ints, at_ns: Ints, price: Ints, quantity: Ints) -> None:
        np.add.at(self.value, row, price * quantity)
        self.last_price[row] = price
        self.last_ns[row] = at_ns
        self.last_quantity[row] = quantity

    def finish_minute(self, start_ns: int) -> Ints:
        """End the running minute; returns its open, high, low, close, volume by listing."""
        table = self.minute.table.copy()
        traded = table[0] > 0
        self._finished[0, traded] = start_ns
        self._finished[1:, traded] = table[:, traded]
        self.minute.reset()
        return table

    def publish(self, rows: Ints) -> Ints:
        """Show the last finished minute of these listings; returns those that show a new one."""
        new = np.any(self._published[:, rows] != self._finished[:, rows], axis=0)
        self._published[:, rows] = self._finished[:, rows]
        return rows[new]

    def last_trade(self, row: int) -> LastTrade:
        """The latest trade of one listing."""
        return LastTrade(
            int(self.last_price[row]),
            int(self.last_ns[row]),
            int(self.last_quantity[row]),
            int(self.previous_close[row]),
        )

    def average_rupees(self, row: int) -> float:
        """Average traded price of the day, two decimals; 0 before the first trade."""
        volume = int(self.day.volume[row])
        return round(int(self.value[row]) / volume / 100, 2) if volume else 0.0

    def bars(self, row: int, day_start_ns: int) -> list[Bar]:
        """The day's bar and the last published minute, as far as there are any."""
        found = []
        if self.day.open[row]:
            found.append(Bar("1d", day_start_ns, *map(int, self.day.table[:, row])))
        if self._published[0, row]:
            start, *prices = map(int, self._published[:, row])
            found.append(Bar("I1", start, *prices))
        return found
