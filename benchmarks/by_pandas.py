"""The tick metrics as one would look them up in pandas: a frame of the last updates, each time.

Definitions as in docs/reference/tick-metrics.md; shares nothing with the program. The frame holds
the updates of the last 330 seconds and the one before them: one row a tick, five levels a side.
"""

import numpy as np
import pandas as pd

QUOTE = ["bid", "bids", "ask", "asks"]


def pandas_metrics(frame: pd.DataFrame, tick_size: int, price_scale: int = 100) -> dict[str, float]:
    """All metrics at the newest row of a frame whose quotes all stand."""
    newest, now = frame.iloc[-1], frame.index[-1]
    mids = (frame["bid"] + frame["ask"]) / 2
    mid, spread = mids.iloc[-1], newest["ask"] - newest["bid"]
    sides = {
        side: newest[[f"{side}_quantity_{n}" for n in range(5)]].to_numpy()
        for side in ("bid", "ask")
    }
    prices = {side: newest[[f"{side}_{n}" for n in range(5)]].to_numpy() for side in sides}
    near = {
        side: (np.exp(-0.5 * np.abs(prices[side] - mid) / tick_size) * sides[side]).sum()
        for side in sides
    }
    trades = frame[frame["bought"] > 0]
    inside = frame[frame.index > now - pd.Timedelta(seconds=300)]
    then = frame[frame.index <= now - pd.Timedelta(seconds=300)].iloc[-1]
    change = trades["price"].diff()
    direction = np.sign(change.where(change != 0).ffill())
    by_quote = np.where(trades["price"] <= trades["bid"], -1, direction)
    signs = pd.Series(np.where(trades["price"] >= trades["ask"], 1, by_quote), trades.index)
    costs = 2e4 * signs * (trades["price"] - mids[frame["bought"] > 0])
    old = trades.index < now - pd.Timedelta(seconds=30)
    moment = trades.index[old][-1] + pd.Timedelta(seconds=30)
    later = mids[mids.index <= moment].iloc[-1]
    sold = trades[old].iloc[-1]
    grid = mids.resample("5s", closed="right", label="right").last().ffill()
    grid = grid[grid.index < now]
    returns = np.log(grid).diff().iloc[-60:]
    found = {
        "mid": mid,
        "spread": spread,
        "spread_bps": 1e4 * spread / mid,
        "spread_ticks": spread / tick_size,
        "microprice": (newest["bid"] * newest["asks"] + newest["ask"] * newest["bids"])
        / (newest["bids"] + newest["asks"]),
        "imbalance": _balance(sides["bid"].sum(), sides["ask"].sum()),
        "imbalance_1": _balance(newest["bids"], newest["asks"]),
        "imbalance_w": _balance(near["bid"], near["ask"]),
        "tbq_tsq": _balance(newest["total_bid"], newest["total_ask"]),
        "tick_return": trades["price"].pct_change().iloc[-1],
        "log_return": np.log(trades["price"]).diff().iloc[-1],
        "trade_sign": signs.iloc[-1],
        "vwap": (inside["price"] * inside["bought"]).sum() / inside["bought"].sum(),
        "vwap_exact": _exact(newest, then, tick_size, price_scale),
        "vwap_session": newest["average"],
        "vwap_distance": newest["price"] / newest["average"] - 1,
        "rv": 1e4 * np.sqrt((returns**2).sum()) * np.sqrt(60 / 300),
        "effective_spread": costs.iloc[-1] / mids[trades.index[-1]],
        "realised_spread": 2e4
        * signs[old].iloc[-1]
        * (sold["price"] - later)
        / ((sold["bid"] + sold["ask"]) / 2),
    }
    return found | _flows(frame, now)


def _flows(frame: pd.DataFrame, now: pd.Timestamp) -> dict[str, float]:
    before = frame[QUOTE].shift()
    net = (
        (frame["bid"] >= before["bid"]) * frame["bids"]
        - (frame["bid"] <= before["bid"]) * before["bids"]
        - (frame["ask"] <= before["ask"]) * frame["asks"]
        + (frame["ask"] >= before["ask"]) * before["asks"]
    )
    changed = (frame[QUOTE] != before).any(axis=1)
    depth = (frame["bids"] + frame["asks"]) / 2
    found = {}
    for name, seconds in (("ofi_10", 10), ("ofi", 30), ("ofi_60", 60)):
        inside = changed & (frame.index > now - pd.Timedelta(seconds=seconds))
        found[name] = net[inside].sum() / depth[inside].mean()
    return found


def _exact(newest: pd.Series, then: pd.Series, tick_size: int, price_scale: int) -> float:
    volume = newest["volume"] - then["volume"]
    error = 0.005 * price_scale * (newest["volume"] + then["volume"]) / volume
    if error > 0.2 * tick_size:
        return np.nan
    value = newest["average"] * newest["volume"] - then["average"] * then["volume"]
    return float(value / volume)


def _balance(bids: float, asks: float) -> float:
    return (bids - asks) / (bids + asks)
