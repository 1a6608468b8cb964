"""The routes that change what runs: the watchlist and the link to the feed."""

from datetime import date
from typing import Annotated

from fastapi import Query

from ticktick.web.bodies import AddRequest, ChangeAnswer, Empty, FoundSymbol, SearchAnswer
from ticktick.web.steering import Steering, Wanted


class Changes:
    """The handlers; what they may assume was checked by the guard before."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering

    async def add_symbol(self, body: AddRequest) -> ChangeAnswer:
        """Watch an instrument from now on, by its trading symbol or its instrument key."""
        text = await self._steering.add_symbol(body.what, body.name, body.before)
        return ChangeAnswer(text=text)

    async def remove_symbol(self, symbol: str) -> ChangeAnswer:
        """Watch an instrument no more."""
        return ChangeAnswer(text=await self._steering.remove_symbol(symbol))

    async def search(
        self,
        q: Annotated[str, Query(min_length=1, max_length=100)],
        derivatives: bool = False,
        expiry: date | None = None,
        strike: Annotated[float | None, Query(gt=0, allow_inf_nan=False)] = None,
    ) -> SearchAnswer:
        """Instruments whose symbol, name or key holds every word of `q`.

        Futures and options only with `derivatives`; `expiry` and `strike` (rupees) narrow them.
        """
        result = await self._steering.search(Wanted(q, derivatives, expiry, strike))
        found = [FoundSymbol.model_validate(one, from_attributes=True) for one in result.found]
        return SearchAnswer(found=found, total=result.total)

    async def reconnect(self, _: Empty) -> ChangeAnswer:
        """Open the connection to the feed anew."""
        return ChangeAnswer(text=await self._steering.reconnect())

    async def take_over(self, _: Empty) -> ChangeAnswer:
        """Use the feed although another program seems to use it."""
        return ChangeAnswer(text=await self._steering.take_over())
