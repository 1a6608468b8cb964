"""The auctions of a day: which one takes orders when, on what terms, and what closes the day."""

from datetime import date

import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.sessions import Calendar, Session, SessionClass
from ticktick.emulator.auction import Call, Terms, closing_call, opening_call
from ticktick.emulator.board import Board
from ticktick.emulator.day import Auction, Minute, closing_auction, opening_auction
from ticktick.emulator.lead import after_hours_walk
from ticktick.emulator.listings import price_band
from ticktick.emulator.model import N_STOCKS, STEP_NS, TICK, Carry, Floats, Ints
from ticktick.emulator.showing import CallBooks

_BAND = 0.03
_AUCTION_WINDOW_MINUTES, _AVERAGE_WINDOW_MINUTES = 15, 30


class Calls:
    """Pre-open and closing session of a day, made when the first of their minutes begins.

    `reference` is the average price in paise that the close refers to, once it is known.
    """

    def __init__(self, seed: int, day: date, calendar: Calendar, board: Board) -> None:
        self._seed = seed
        self._day = day
        self._calendar = calendar
        self._board = board
        self.reference: Ints | None = None
        self._before_window: tuple[Ints, Ints] | None = None
        self._made: dict[Auction, tuple[Call, CallBooks]] = {}
        self._matched: Auction | None = None

    def watch(self, minute: Minute) -> None:
        """Take the average price of the last minutes of trading."""
        session = self._session()
        if session is None:
            return
        by_auction = closing_auction(session) is not None
        minutes = _AUCTION_WINDOW_MINUTES if by_auction else _AVERAGE_WINDOW_MINUTES
        if minute.start_ns == session.close_ns - minutes * NS_PER_MINUTE:
            self._before_window = self._totals()
        elif minute.start_ns == session.close_ns and self._before_window is not None:
            self.reference = self._average(*self._before_window)

    def at(self, at_ns: int, carry: Carry) -> tuple[Call, CallBooks] | None:
        """The auction that takes orders at a moment; None if none does."""
        auction = self._auction(at_ns)
        if auction is None:
            return None
        if auction not in self._made:
            call = self._call(auction, carry)
            self._made = {auction: (call, CallBooks(call))}
        return self._made[auction]

    def match(self, match_ns: int) -> tuple[Call, CallBooks] | None:
        """The auction that is matched at a moment; None if nobody could give an order."""
        for auction, made in self._made.items():
            if auction.match_ns == match_ns:
                self._matched = auction
                return made
        return None

    def closes(self, last_price: Ints) -> Ints:
        """Closing prices in paise of all listings: an average where no auction makes them."""
        closes, session = last_price.copy(), self._session()
        by_average = session is not None and closing_auction(session) is None
        if by_average and self.reference is not None:
            closes[:N_STOCKS] = self.reference
        return closes

    def overnight(self) -> float:
        """Log distance that the market walks between the last match or trade and the next open."""
        walk, session = self._evening(), self._session()
        if not walk.size or session is None:
            return 0.0
        matched = self._matched
        if matched is None or matched.match_ns < session.close_ns:
            return float(walk[-1])
        return float(walk[-1] - walk[(matched.match_ns - session.close_ns) // STEP_NS - 1])

    def _call(self, auction: Auction, carry: Carry) -> Call:
        session = self._session()
        lowest, highest = self._bands()
        base = carry.half_ticks * TICK / 2
        if session is None or auction.match_ns < session.close_ns:
            nothing = np.zeros(N_STOCKS, np.int64)
            terms = Terms(base, lowest, highest, nothing, carry.shares)
            return opening_call(self._seed, self._day, auction, terms)
        reference = carry.last_price[:N_STOCKS] if self.reference is None else self.reference
        below = np.ceil(reference * (1 - _BAND) / TICK).astype(np.int64) * TICK
        above = np.floor(reference * (1 + _BAND) / TICK).astype(np.int64) * TICK
        lowest, highest = np.maximum(lowest, below), np.minimum(highest, above)
        terms = Terms(base, lowest, highest, reference, carry.shares)
        first, end = (
            (at_ns - session.close_ns) // STEP_NS for at_ns in (auction.start_ns, auction.match_ns)
        )
        market = self._evening()[first:end]
        return closing_call(self._seed, self._day, auction, terms, market)

    def _auction(self, at_ns: int) -> Auction | None:
        session = self._session()
        if session is None:
            return None
        for auction in (opening_auction(session), closing_auction(session)):
            if auction is not None and auction.start_ns <= at_ns < auction.match_ns:
                return auction
        return None

    def _bands(self) -> tuple[Ints, Ints]:
        """Lowest and highest price of each stock in the day."""
        closes = self._board.previous_close[:N_STOCKS].tolist()
        bands = np.array([price_band(*pair) for pair in zip(closes, TICK.tolist(), strict=True)])
        return bands[:, 0], bands[:, 1]

    def _evening(self) -> Floats:
        """The market's walk after the close of stocks, step by step."""
        return after_hours_walk(self._seed, self._day, self._calendar).ravel()

    def _session(self) -> Session | None:
        return self._calendar.session(self._day, SessionClass.AUCTION_CASH)

    def _totals(self) -> tuple[Ints, Ints]:
        """Value and volume traded in the day so far."""
        return self._board.value[:N_STOCKS].copy(), self._board.day.volume[:N_STOCKS].copy()

    def _average(self, value_before: Ints, volume_before: Ints) -> Ints:
        """Average price since then in whole ticks; the last price of who did not trade."""
        value, volume = self._totals()
        traded = volume - volume_before
        ticks = np.round((value - value_before) / np.maximum(traded, 1) / TICK).astype(np.int64)
        return np.where(traded > 0, ticks * TICK, self._board.last_price[:N_STOCKS])
