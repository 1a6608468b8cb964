"""What a person may change while the program runs: the watchlist and the link to the feed."""

from collections.abc import Sequence
from datetime import date
from typing import NoReturn, Protocol

from msgspec import Struct

from ticktick.errors import ConfigError


class Wanted(Struct, frozen=True):
    """What a search is for: words of symbol, name or key, in any order and case.

    With `derivatives` futures and options are among what is found; `expiry` and `strike`
    (rupees) leave only those of that day and at that price.
    """

    text: str
    derivatives: bool = False
    expiry: date | None = None
    strike: float | None = None


class Found(Struct, frozen=True):
    """An instrument of the broker's list; `strike` is rupees, expiry and strike of derivatives."""

    symbol: str
    name: str
    instrument_key: str
    exchange: str
    kind: str
    lot_size: int
    is_watched: bool
    expiry: date | None = None
    strike: float | None = None


class SearchResult(Struct, frozen=True):
    """The best of the instruments found, and how many there are in all."""

    found: Sequence[Found]
    total: int


class Steering(Protocol):
    """The changes; each is done when the call returns, and the sentence says what happened.

    Raises ConfigError where it cannot be done, BrokerError where the broker does not answer.
    """

    async def add_symbol(
        self, what: str, name: str | None = None, before: str | None = None
    ) -> str:
        """Watch an instrument, by its trading symbol or its key; `name` is what to call it.

        It comes before the watched symbol `before`, or last where that is none.
        """
        ...

    async def remove_symbol(self, what: str) -> str:
        """Watch an instrument no more, by its symbol, key or name."""
        ...

    async def search(self, wanted: Wanted) -> SearchResult:
        """Look into the broker's list of instruments."""
        ...

    async def reconnect(self) -> str:
        """Open the connection to the feed anew."""
        ...

    async def take_over(self) -> str:
        """Use the feed although another program does."""
        ...


class FixedSteering:
    """Where nothing can be changed; `why` is the sentence that says so."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def add_symbol(
        self, what: str, name: str | None = None, before: str | None = None
    ) -> str:
        """Refuse."""
        self._refuse()

    async def remove_symbol(self, what: str) -> str:
        """Refuse."""
        self._refuse()

    async def search(self, wanted: Wanted) -> SearchResult:
        """Refuse."""
        self._refuse()

    async def reconnect(self) -> str:
        """Refuse."""
        self._refuse()

    async def take_over(self) -> str:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigError(self._why)
