"""What a person changes of a run on a broker, and the sentence that says what happened."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from ticktick.domain.clock import Clock
from ticktick.domain.event import InstrumentsResolved
from ticktick.engine.runner import Runner
from ticktick.origin.day_list import DayList
from ticktick.origin.relisting import Relisting
from ticktick.web.steering import SearchResult, Wanted


class Link(Protocol):
    """The connection to the feed, as far as a person may touch it."""

    def reconnect(self) -> str:
        """Make a new connection; the sentence says what happens."""
        ...

    def take_over(self) -> str:
        """Use the feed although another program seems to have it."""
        ...


class BrokerSteering:
    """Changes the list through `relisting` and asks the link for the rest."""

    def __init__(
        self, runner: Runner, day_list: DayList, relisting: Relisting, link: Link, clock: Clock
    ) -> None:
        self._runner = runner
        self._day_list = day_list
        self._relisting = relisting
        self._link = link
        self._clock = clock

    async def add_symbol(
        self, what: str, name: str | None = None, before: str | None = None
    ) -> str:
        """Watch an instrument from now on."""
        known = {instrument.symbol for instrument in self._day_list.listed}
        await self._change(lambda now_ns: self._day_list.add(what, name, now_ns, before))
        new = [one for one in self._day_list.listed if one.symbol not in known]
        names = ", ".join(f"{one.symbol} ({one.instrument_key})" for one in new) or what
        return f"{names} is watched now; {self._day_list.place} holds it"

    async def remove_symbol(self, what: str) -> str:
        """Watch an instrument no more."""
        before = {instrument.symbol for instrument in self._day_list.listed}
        await self._change(lambda now_ns: self._day_list.remove(what, now_ns))
        gone = before - {instrument.symbol for instrument in self._day_list.listed}
        names = ", ".join(sorted(gone)) or what
        return f"{names} is watched no more; {self._day_list.place} is without it"

    async def search(self, wanted: Wanted) -> SearchResult:
        """Look into the instruments of the day."""
        return await self._day_list.search(wanted)

    async def reconnect(self) -> str:
        """Open the connection to the feed anew."""
        return self._link.reconnect()

    async def take_over(self) -> str:
        """Use the feed although another program does."""
        return self._link.take_over()

    async def _change(self, change: Callable[[int], Awaitable[InstrumentsResolved]]) -> None:
        await self._relisting.change(self._runner, lambda: change(self._clock.now_ns()))
