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

    __slots__ = ("_close", "_known", "_numbers", "_places", "_ratio", "_sums")

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
        self._known: dict[str, float] | None = None

    def __getitem__(self, name: str) -> float:
        if self._known is None:
            place = self._places.get(name)
            if place is not None:
                value: float = unpack_from("d", self._numbers, place * _WIDTH)[0]
                if value != value:
                    raise KeyError(name)
                return value
        return self._whole()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def _whole(self) -> dict[str, float]:
        if self._known is None:
            numbers = zip(self._places, unpack(self._numbers), strict=True)
            known = {name: value for name, value in numbers if value == value}
            known |= bands(self._sums)
            if self._ratio is not None:
                known["rvol"] = self._ratio
            known |= keltner(known)
            known |= bollinger(known, self._close)
            known |= momentum(known)
            self._known = known
        return self._known


def unpack(numbers: bytes) -> tuple[float, ...]:
    """The float64s."""
    return Struct(f"{len(numbers) // _WIDTH}d").unpack(numbers)


def pack(numbers: tuple[float, ...] | list[float]) -> bytes:
    """Numbers as float64s."""
    return Struct(f"{len(numbers)}d").pack(*numbers)
