"""Futures and options over many days: what is listed, how days join, and bars of long ago."""

from datetime import date
from typing import Final, Protocol

import numpy as np

from ticktick.domain.clock import ist_midnight_ns
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.bars import Bars, daily, joined
from ticktick.emulator.contract_day import ContractDay
from ticktick.emulator.contracts import TERMS, contracts, weekly_expiry
from ticktick.emulator.day import day_plan
from ticktick.emulator.interest import open_interest
from ticktick.emulator.lead import VOLATILITY_PER_UNIT, Path
from ticktick.emulator.listings import INDICES, VIX_BASE, Listing
from ticktick.emulator.model import Floats, Ints
from ticktick.emulator.past import past_bars
from ticktick.emulator.strip import Chain, chain_of, values

_VIX_KEY: Final = INDICES[-1].key


class Indices(Protocol):
    """What contracts follow: the indices' running day and all bars before it."""

    @property
    def day(self) -> date:
        """The running day."""
        ...

    def index_path(self, start_ns: int) -> Path | None:
        """The path of a minute that the day has begun; None if stocks do not trade in it."""
        ...

    def bars(self, key: str) -> Bars:
        """One-minute bars of an index."""
        ...


class Derivatives:
    """Every contract listed, from the first day on; `today` runs the day."""

    def __init__(self, seed: int, calendar: Calendar, indices: Indices) -> None:
        self._seed = seed
        self._calendar = calendar
        self._indices = indices
        self._middles: dict[date, int] = {}
        self._first_days: dict[str, date] = {}
        self._before: dict[str, list[Bars]] = {}
        self._long_ago: dict[str, Bars] = {}
        spot = np.array([float(terms.base) for terms in TERMS])
        self.today = self._opened((spot, VIX_BASE * VOLATILITY_PER_UNIT), {})

    @property
    def listings(self) -> tuple[Listing, ...]:
        """The day's contracts."""
        return tuple(self.today.listings)

    def owns(self, key: str) -> bool:
        """Whether the key is one of the day's contracts."""
        return key in self.today.rows

    def next_day(self) -> None:
        """End the day and open the one that the indices are in."""
        for key, row in self.today.rows.items():
            self._before.setdefault(key, []).append(self.today.bars(row))
        self.reopen()
        for gone in self._before.keys() - self.today.rows.keys():
            del self._before[gone], self._first_days[gone]
            self._long_ago.pop(gone, None)

    def reopen(self) -> None:
        """Open the day that the indices are in, where the running one stands."""
        today = self.today
        last_prices = dict(zip(today.rows, today.last_price.tolist(), strict=True))
        self.today = self._opened(today.standing(), last_prices)

    def bars(self, key: str) -> Bars:
        """One-minute bars: made-up ones before its first day here, then those of its trades."""
        if key not in self._long_ago:
            self._long_ago[key] = self._made_up(key)
        today = self.today.bars(self.today.rows[key])
        return joined([self._long_ago[key], *self._before.get(key, []), today])

    def day_bars(self, key: str) -> Bars:
        """Daily bars: contracts have no auction."""
        return daily(self.bars(key))

    def open_interest(self, key: str, at_ns: Ints) -> Ints:
        """Contracts outstanding at moments."""
        row = np.array([self.today.rows[key]])
        return open_interest(self._seed, self.today.chain, row, at_ns)[:, 0]

    def _opened(self, opening: tuple[Floats, float], last_prices: dict[str, int]) -> ContractDay:
        """The day of the indices: who traded before closed at the last price, others at worth."""
        day = self._indices.day
        week = weekly_expiry(day, self._calendar)
        self._middles = {week: self._middles.get(week, int(opening[0][0]))}
        listings = contracts(day, self._calendar, self._middles[week])
        for listing in listings:
            self._first_days.setdefault(listing.key, day)
        chain = chain_of(listings, self._calendar)
        (before,) = self._calendar.trading_days_before(day, 1)
        closed_ns = day_plan(before, self._calendar, SessionClass.DERIVATIVE)[-1].start_ns
        closes = _worth(chain, closed_ns, opening)
        for row, listing in enumerate(listings):
            closes[row] = last_prices.get(listing.key, int(closes[row]))
        return ContractDay(
            self._seed,
            day,
            listings,
            chain,
            self._calendar,
            self._indices,
            opening,
            closes,
            closed_ns,
        )

    def _made_up(self, key: str) -> Bars:
        row = self.today.rows[key]
        chain = self.today.chain
        until_ns = ist_midnight_ns(self._first_days[key])
        index = self._indices.bars(TERMS[chain.index[row]].index.key).between(0, until_ns)
        vix = self._indices.bars(_VIX_KEY).between(0, until_ns)
        return past_bars(self._seed, chain, row, index, vix, self._calendar)


def _worth(chain: Chain, at_ns: int, standing: tuple[Floats, float]) -> Ints:
    """Price of every contract in whole ticks, where the indices stand at a moment."""
    spot, volatility = standing
    rows = np.arange(len(chain))
    level = np.full(len(chain), volatility)
    fair = values(chain, rows, np.full(len(chain), at_ns), spot[chain.index], level)
    return np.asarray(np.maximum(1, np.round(fair / chain.tick)) * chain.tick, np.int64)
