"""The values of a reading, worked out when somebody looks at them.

Five hundred symbols close six timeframes together, and of most of these readings nobody looks at
more than a few values at once.
"""

from collections.abc import Iterator, Mapping
from struct import Struct, unpack_from

from ticktick.analytics.kernels import bands, bollinger, keltner, momentum
from ticktick.analytics.own import Sums

_WIDTH = 8  # bytes of a float64


class Values(Mapping[str, float]):
    """What is ready, by name; prices in price units.

    `numbers` are float64s, `places` says which has which name; NaN is not ready. What follows from
    them comes from the candle's close, the session's sums and the relative volume.
    """

    __slots__ = ("_close", "_numbers", "_places", "_ratio", "_sums")

    def __init__(
        self,
        places: Mapping[str, int],
        numbers: bytes,
        close: int,
        sums: Sums,
        ratio: float | None,
    ) -> None:
        self._places = places
        self._numbers = numbers
        self._close = close
        self._sums = sums
        self._ratio = ratio

    def __getitem__(self, name: str) -> float:
        place = self._places.get(name)
        if place is None:
            return self._whole()[name]
        value: float = unpack_from("d", self._numbers, place * _WIDTH)[0]
        if value != value:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def _whole(self) -> dict[str, float]:
        """All of them, kept until another one's are asked for: who asks, asks for many in a row."""
        global _newest
        whose, known = _newest
        if whose is not self:
            known = self._made()
            _newest = self, known
        return known

    def _made(self) -> dict[str, float]:
        numbers = zip(self._places, unpack(self._numbers), strict=True)
        known = {name: value for name, value in numbers if value == value}
        known |= bands(self._sums)
        if self._ratio is not None:
            known["rvol"] = self._ratio
        known |= keltner(known)
        known |= bollinger(known, self._close)
        known |= momentum(known)
        return known


_newest: tuple[Values | None, dict[str, float]] = (None, {})


def unpack(numbers: bytes) -> tuple[float, ...]:
    """The float64s."""
    return Struct(f"{len(numbers) // _WIDTH}d").unpack(numbers)


def pack(numbers: tuple[float, ...] | list[float]) -> bytes:
    """Numbers as float64s."""
    return Struct(f"{len(numbers)}d").pack(*numbers)
