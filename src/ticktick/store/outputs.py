"""The output log: what the engine said, one JSON object a line, the same bytes every time.

Lines: facts as they are (`type` is the fact's tag); `metrics`, one per touched row; and
`instruments` whenever the watched ones change, before the first line that needs them. Prices
are in price units, integers where the market's are; an instrument's `price_scale` units make
one rupee. What is not known is null. A live run and the replay of its recording give equal
files.
"""

from pathlib import Path

import msgspec

from ticktick.domain.instrument import Instrument
from ticktick.domain.metric import METRICS
from ticktick.engine.ports import Outputs
from ticktick.errors import StoreError
from ticktick.store.market_view import MarketView

_BUFFER_BYTES = 1 << 20
_NAMES = tuple(metric.name for metric in METRICS)


class OutputLog:
    """A sink that writes every output to a file; close it to have it whole.

    A disk error stops it without disturbing the caller; `trouble` then holds the sentence, and
    `close` raises it. Raises StoreError if the file cannot be made.
    """

    def __init__(self, path: Path, market: MarketView) -> None:
        self.trouble = ""
        self._path = path
        self._market = market
        self._instruments: list[Instrument] = []
        self._encode = msgspec.json.Encoder(enc_hook=dict).encode  # values of readings
        try:
            self._file = path.open("wb", buffering=_BUFFER_BYTES)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}") from error

    def take(self, outputs: Outputs) -> None:
        """Append what changed."""
        if self.trouble:
            return
        objects = [*self._new_instruments(outputs), *outputs.facts, *self._metrics(outputs)]
        try:
            for item in objects:
                self._file.write(self._encode(item) + b"\n")
        except OSError as error:
            self._lose(error)

    def close(self) -> None:
        """Write what is buffered. Raises StoreError if the log is not whole."""
        try:
            self._file.close()
        except OSError as error:
            self._lose(error)
        if self.trouble:
            raise StoreError(self.trouble)

    def _new_instruments(self, outputs: Outputs) -> list[dict[str, object]]:
        instruments = self._market.table.instruments
        if instruments == self._instruments:
            return []
        self._instruments = list(instruments)
        return [
            {"type": "instruments", "at_ns": outputs.at_ns, "instruments": self._instruments},
        ]

    def _metrics(self, outputs: Outputs) -> list[dict[str, object]]:
        rows = outputs.touched
        records = self._market.table.records[rows]
        columns = zip(
            rows.tolist(),
            records["exchange_ns"].tolist(),
            records["received_ns"].tolist(),
            records["seq"].tolist(),
            records["last_price"].tolist(),
            self._market.metrics[:, rows].T.tolist(),
            strict=True,
        )
        return [
            {
                "type": "metrics",
                "at_ns": outputs.at_ns,
                "symbol": self._instruments[row].symbol,
                "exchange_ns": exchange_ns or None,
                "received_ns": received_ns or None,
                "seq": seq,
                "freshness": self._market.freshness[row],
                "last_price": last_price or None,
                **dict(zip(_NAMES, values, strict=True)),
            }
            for row, exchange_ns, received_ns, seq, last_price, values in columns
        ]

    def _lose(self, error: OSError) -> None:
        self.trouble = self.trouble or f"cannot write {self._path}: {error.strerror}"
