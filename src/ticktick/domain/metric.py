"""The published tick metrics: names, units and their order in every column block."""

from typing import Final

from msgspec import Struct

from ticktick.domain.market import Liquidity, Volatility


class Metric(Struct, frozen=True):
    """One published number per instrument.

    `unit` is `price` (price units inside, rupees at the edges), `fraction`, `ratio`, `bps`
    (a fraction of 0.0001), `ticks` (smallest price steps), `index` (a code), `per_crore`
    (fraction for a crore of rupees), `bps_per_lakh` (bps for a lakh of rupees), `word` (a place in
    `words`) or `claim` (0 or 1).
    """

    name: str
    unit: str
    help: str
    words: tuple[str, ...] = ()


METRICS: Final = (
    Metric("mid", "price", "Middle of best bid and best ask"),
    Metric("spread", "price", "Best ask minus best bid"),
    Metric("spread_bps", "bps", "Spread against the mid"),
    Metric("spread_ticks", "ticks", "Spread in smallest price steps"),
    Metric("microprice", "price", "Bid and ask weighted by the quantity of the other side"),
    Metric("imbalance", "ratio", "Bid minus ask quantity over their sum, five levels"),
    Metric("imbalance_1", "ratio", "The same, best level only"),
    Metric("imbalance_w", "ratio", "The same, five levels weighted by nearness to the mid"),
    Metric("imbalance_30", "ratio", "The same, all levels where more than five are told"),
    Metric("tbq_tsq", "ratio", "The same, whole book as the exchange tells it"),
    Metric("ofi_10", "ratio", "Order-flow imbalance of 10 seconds over mean depth"),
    Metric("ofi", "ratio", "Order-flow imbalance of 30 seconds over mean depth"),
    Metric("ofi_60", "ratio", "Order-flow imbalance of 60 seconds over mean depth"),
    Metric("tick_return", "fraction", "Last price against the trade before"),
    Metric("log_return", "fraction", "Logarithm of last price over the trade before"),
    Metric("trade_sign", "index", "Latest trade: 1 bought, -1 sold, 0 not told apart"),
    Metric("vwap", "price", "Volume weighted price of the last 300 seconds"),
    Metric("vwap_exact", "price", "The same, from the exchange's own average"),
    Metric("vwap_session", "price", "Volume weighted price of the day, as the exchange tells it"),
    Metric("vwap_distance", "fraction", "Last price against the day's VWAP"),
    Metric("rv", "bps", "Realised volatility of 300 seconds, per square root of a minute"),
    Metric("effective_spread", "bps", "Twice the latest trade's distance from the mid"),
    Metric("realised_spread", "bps", "The same against the mid 30 seconds after the trade"),
    Metric("vwap_cross", "index", "Mean of 20 updates above (1) or below (-1) the VWAP"),
    Metric("parkinson", "fraction", "Volatility of a minute from the ranges of the last 30"),
    Metric("garman_klass", "fraction", "Volatility of a minute from ranges and bodies of 30"),
    Metric("amihud", "per_crore", "How much the price gives way per crore rupees traded"),
    Metric("kyle_lambda", "bps_per_lakh", "Move of the mid per lakh rupees bought, half an hour"),
    Metric("kyle_lambda_se", "bps_per_lakh", "Standard error of `kyle_lambda`"),
    Metric("liquidity", "word", "How easily an order is filled", tuple(Liquidity)),
    Metric("liquidity_baseline", "claim", "Whether `liquidity` knows what is usual by now"),
    Metric(
        "volatility",
        "word",
        "How much the price moves against what is usual by now",
        tuple(Volatility),
    ),
    Metric("volatility_baseline", "claim", "Whether `volatility` knows what is usual by now"),
)

METRIC_ROW: Final = {metric.name: index for index, metric in enumerate(METRICS)}
