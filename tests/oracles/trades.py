"""Candles straight from the exchange's list of trades, by pandas: nothing of the product in it."""

from collections.abc import Sequence

import pandas as pd


def candles_of_trades(
    trades: Sequence[Sequence[int]], minutes: int, open_ns: int
) -> dict[int, list[int]]:
    """Open, high, low, close and volume by start in nanoseconds, anchored at the session's open.

    trades: rows of (time in ns, price, quantity). A candle without a trade has no row.
    """
    frame = pd.DataFrame(trades, columns=["at", "price", "quantity"])
    frame.index = pd.to_datetime(frame["at"])
    bars = frame.resample(f"{minutes}min", origin=pd.Timestamp(open_ns))
    table = bars["price"].ohlc()
    table["volume"] = bars["quantity"].sum()
    table = table.dropna().astype("int64")
    starts = table.index.astype("datetime64[ns]").astype("int64")
    return dict(zip(starts.tolist(), table.to_numpy().tolist(), strict=True))
