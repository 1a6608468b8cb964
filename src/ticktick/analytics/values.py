"""The values of a reading, worked out when somebody looks at them.

Five hundred symbols close six timeframes together, and of most of these readings nobody looks at
more than a few values at once.
"""

from collections.abc import Callable, Iterator, Mapping
from struct import Struct, unpack_from

_WIDTH = 8  # bytes of a float64

Rest = Callable[[dict[str, float]], None]


class Values(Mapping[str, float]):
    """What is ready, by name; prices in price units.

    `numbers` are float64s, `places` says which has which name; NaN is not ready. `rest` adds to
    them what follows from them.
    """

    __slots__ = ("_known", "_numbers", "_places", "_rest")

    def __init__(self, places: Mapping[str, int], numbers: bytes, rest: Rest) -> None:
        self._places = places
        self._numbers = numbers
        self._rest = rest
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
            self._rest(known)
            self._known = known
        return self._known


def unpack(numbers: bytes) -> tuple[float, ...]:
    """The float64s."""
    return Struct(f"{len(numbers) // _WIDTH}d").unpack(numbers)


def pack(numbers: tuple[float, ...] | list[float]) -> bytes:
    """Numbers as float64s."""
    return Struct(f"{len(numbers)}d").pack(*numbers)
