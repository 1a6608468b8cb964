"""The last updates of one symbol for people and programs: rupees and Indian time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ticktick.core.ticks import TICK_COLUMNS
from ticktick.domain.clock import NS_PER_MS, ist
from ticktick.domain.instrument import Instrument
from ticktick.web.bodies import WindowRow

_PRICES = ("last_price", "average_price", "bid", "ask")
_OF_VOLUME = (
    *("volume", "volume_delta", "bid_quantity", "ask_quantity"),
    *("bid_quantity_5", "ask_quantity_5"),
)


def window_rows(window: NDArray[np.int64], instrument: Instrument) -> list[WindowRow]:
    """The rows of a window, int64[n, TICK_WIDTH], oldest first; what is not known is null."""
    return [
        _row(dict(zip(TICK_COLUMNS, update, strict=True)), instrument)
        for update in window.tolist()
    ]


def _row(update: dict[str, int], instrument: Instrument) -> WindowRow:
    told: dict[str, Any] = {"exchange_ms": update["exchange_ns"] // NS_PER_MS}
    for name in ("exchange", "last_trade"):
        at_ns = update[f"{name}_ns"]
        told[f"{name}_time"] = ist(at_ns).isoformat(timespec="milliseconds") if at_ns else None
    for name in _PRICES:
        told[name] = _rupees(update[name], instrument)
    for name in _OF_VOLUME:
        told[name] = update[name] if instrument.has_volume else None
    return WindowRow(**told, is_quote=bool(update["is_quote"]))


def _rupees(units: int, instrument: Instrument) -> float | None:
    """None where no price was told."""
    return float(instrument.rupees(units)) if units else None
