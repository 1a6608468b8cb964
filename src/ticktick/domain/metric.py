"""The published tick metrics: names, units and their order in every column block."""

from typing import Final

from msgspec import Struct


class Metric(Struct, frozen=True):
    """One published number per instrument.

    `unit` is `price` (price units inside, rupees at the edges), `fraction` or `ratio`.
    """

    name: str
    unit: str
    help: str


METRICS: Final = (
    Metric("mid", "price", "Middle of best bid and best ask"),
    Metric("spread", "price", "Best ask minus best bid"),
    Metric("imbalance", "ratio", "Bid minus ask quantity over their sum, five levels"),
    Metric("tick_return", "fraction", "Last price against the trade before"),
    Metric("vwap", "price", "Volume weighted price of the last 300 seconds"),
    Metric("vwap_session", "price", "Volume weighted price of the day, as the exchange tells it"),
    Metric("vwap_distance", "fraction", "Last price against the day's VWAP"),
)

METRIC_ROW: Final = {metric.name: index for index, metric in enumerate(METRICS)}
