"""One instrument's packet as protobuf's parser tells it, into columns of the slot table."""

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.slots import ALL_LEVELS, DEPTH_LEVELS
from ticktick.proto import MarketDataFeed_pb2 as pb2

LATEST_MS: Final = 2**63 // NS_PER_MS - 1
MINUTE_MS: Final = 60_000
_MOST = 2.0**53  # beyond it a double no longer counts in ones
_NOTHING = 0.5  # price units that round to none
_OFF_GRID = 0.001  # price units from a whole one: more than a double's error

Writes: TypeAlias = dict[str, int | float | Sequence[int]]


class Impossible(Exception):
    """A value that no market sends."""


class Packet:
    """Reads one packet of an instrument with so many price units to the rupee.

    `columns` and `deep` are what it tells, by the names of the slot table and of its deep levels;
    `off_grid` counts prices between two whole units, `bad_minute` says why the minute's candle
    was refused.
    A sub-message that is absent leaves its columns out; in one that is present an absent number
    is 0. A packet without a last trade, or with an empty one, is a partial one: there an absent
    total of the day is not told rather than 0.
    """

    def __init__(self, scale: int, sent_ms: int) -> None:
        self.columns: Writes = {}
        self.deep: Writes = {}
        self.off_grid = 0
        self.bad_minute = ""
        self._scale = scale
        self._sent_ms = sent_ms

    @property
    def is_whole(self) -> bool:
        """Whether it told the last trade."""
        return "last_price" in self.columns

    def read(self, feed: pb2.Feed) -> None:
        """Collect what it says.

        Raises Impossible if any value of it cannot be a market's.
        """
        match feed.WhichOneof("FeedUnion"):
            case "ltpc":
                self._read_trade(feed.ltpc)
            case "firstLevelWithGreeks":
                self._read_first_level(feed.firstLevelWithGreeks)
            case "fullFeed" if feed.fullFeed.HasField("marketFF"):
                self._read_market(feed.fullFeed.marketFF)
            case "fullFeed" if feed.fullFeed.HasField("indexFF"):
                self._read_index(feed.fullFeed.indexFF)

    def _read_market(self, full: pb2.MarketFullFeed) -> None:
        if full.HasField("ltpc"):
            self._read_trade(full.ltpc)
        if full.HasField("marketLevel"):
            self._read_depth(full.marketLevel.bidAskQuote)
        if full.HasField("optionGreeks"):
            self._read_greeks(full.optionGreeks)
        self._tell(
            average_price=self._price(full.atp, has_grid=False),
            volume=_quantity(full.vtt),
            open_interest=_quantity(full.oi),
            implied_volatility=_statistic(full.iv),
            total_bid_quantity=_quantity(full.tbq),
            total_ask_quantity=_quantity(full.tsq),
            auction_price=self._price(full.iep) or self.columns.get("auction_price", 0),
            reference_price=self._price(full.rp),
            auction_quantity=_quantity(full.ieq),
            auction_imbalance=_surplus(full.iiqTotal),
            auction_imbalance_at_market=_surplus(full.iiqM),
            closes_by_auction=int(full.casEligible),
        )
        if full.HasField("marketOHLC"):
            self._read_candles(full.marketOHLC.ohlc)

    def _read_index(self, index: pb2.IndexFullFeed) -> None:
        if index.HasField("ltpc"):
            self._read_trade(index.ltpc)
        if index.HasField("marketOHLC"):
            self._read_candles(index.marketOHLC.ohlc)

    def _read_first_level(self, first: pb2.FirstLevelWithGreeks) -> None:
        if first.HasField("ltpc"):
            self._read_trade(first.ltpc)
        if first.HasField("firstDepth"):
            self._read_depth([first.firstDepth])
        if first.HasField("optionGreeks"):
            self._read_greeks(first.optionGreeks)
        self._tell(
            volume=_quantity(first.vtt),
            open_interest=_quantity(first.oi),
            implied_volatility=_statistic(first.iv),
        )

    def _read_trade(self, ltpc: pb2.LTPC) -> None:
        """Collect the last trade; of one without price and time only what stands beside it.

        A trade without a time leaves the time of the one before.
        """
        close, auction = self._price(ltpc.cp), self._price(ltpc.iep.value)
        if ltpc.ltp == 0 and ltpc.ltt == 0:
            self._tell(previous_close=close, auction_price=auction)
            return
        price = self._price(ltpc.ltp)
        if price == 0:
            raise Impossible(f"a trade at a price of {ltpc.ltp}")
        if ltpc.ltt:
            self.columns["last_trade_ns"] = _time_ns(ltpc.ltt)
        self.columns |= {
            "last_price": price,
            "last_quantity": _quantity(ltpc.ltq),
            "previous_close": close,
            "auction_price": auction,
        }

    def _read_depth(self, told: Sequence[pb2.Quote]) -> None:
        quotes = told[:ALL_LEVELS]
        self.columns["told_levels"] = len(quotes)
        empty = [0] * (ALL_LEVELS - len(quotes))
        sides = {
            "bid_price": [self._price(quote.bidP) for quote in quotes],
            "bid_quantity": [_quantity(quote.bidQ) for quote in quotes],
            "ask_price": [self._price(quote.askP) for quote in quotes],
            "ask_quantity": [_quantity(quote.askQ) for quote in quotes],
        }
        for name, values in sides.items():
            levels = values + empty
            self.columns[name], self.deep[name] = levels[:DEPTH_LEVELS], levels[DEPTH_LEVELS:]

    def _read_greeks(self, greeks: pb2.OptionGreeks) -> None:
        self.columns |= {
            "delta": _statistic(greeks.delta),
            "theta": _statistic(greeks.theta),
            "gamma": _statistic(greeks.gamma),
            "vega": _statistic(greeks.vega),
            "rho": _statistic(greeks.rho),
        }

    def _read_candles(self, candles: Sequence[pb2.OHLC]) -> None:
        """Take the newest day and the newest minute that is over; a list may hold more of each."""
        over_ms = self._sent_ms - MINUTE_MS
        day = max((c for c in candles if c.interval == "1d"), key=_start, default=None)
        over = (c for c in candles if c.interval == "I1" and c.ts <= over_ms)
        minute = max(over, key=_start, default=None)
        if day is not None:
            self._read_candle("day", day)
        if minute is not None and self._is_candle(minute):
            self._read_candle("minute", minute)
            self.columns["minute_start_ns"] = _time_ns(minute.ts)
            self.columns["minute_volume"] = _quantity(minute.vol)
        elif minute is not None:
            prices = (minute.open, minute.high, minute.low, minute.close)
            self.bad_minute = f"a minute {minute.ts} of prices {prices}"

    def _read_candle(self, kind: str, candle: pb2.OHLC) -> None:
        self.columns |= {
            f"{kind}_open": self._price(candle.open),
            f"{kind}_high": self._price(candle.high),
            f"{kind}_low": self._price(candle.low),
            f"{kind}_close": self._price(candle.close),
        }

    def _is_candle(self, candle: pb2.OHLC) -> bool:
        """Whether it is a minute's; false also when a price is not a number, or rounds to 0."""
        low, high, at_ms = candle.low, candle.high, candle.ts
        is_minute = at_ms > 0 and at_ms % MINUTE_MS == 0
        is_price = low * self._scale > _NOTHING
        is_inside = low <= candle.open <= high and low <= candle.close <= high
        return is_minute and is_price and is_inside

    def _tell(self, **values: int | float | Sequence[int]) -> None:
        """Collect what is told for the whole day; in a partial packet 0 is not told."""
        is_whole = self.is_whole
        self.columns |= {name: value for name, value in values.items() if is_whole or value}

    def _price(self, rupees: float, *, has_grid: bool = True) -> int:
        """Whole price units; an average has no grid to be off."""
        units = rupees * self._scale
        if not 0.0 <= units <= _MOST:  # true for what is not a number
            raise Impossible(f"a price of {rupees}")
        whole = round(units)
        self.off_grid += has_grid and abs(units - whole) > _OFF_GRID
        return whole


def _start(candle: pb2.OHLC) -> int:
    return candle.ts


def _quantity(count: float) -> int:
    if 0 <= count <= _MOST:
        return int(count)
    raise Impossible(f"a quantity of {count}")


def _surplus(count: int) -> int:
    """Buyers or sellers too many."""
    if -_MOST <= count <= _MOST:
        return count
    raise Impossible(f"a surplus of {count}")


def _time_ns(at_ms: int) -> int:
    if 0 <= at_ms <= LATEST_MS:
        return at_ms * NS_PER_MS
    raise Impossible(f"a time of {at_ms} ms")


def _statistic(value: float) -> float:
    """The model's number as it is; NaN, for missing, where it found none."""
    return value if math.isfinite(value) else math.nan
