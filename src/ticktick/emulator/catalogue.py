"""Every REST path that only reads the market: what answers it, and whether it needs a token."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ticktick.emulator import candles, candles_v2, options, quotes, search
from ticktick.emulator.answers import Request, Response
from ticktick.emulator.source import Source
from ticktick.emulator.view import View

_PART: Final = "([^/]+)"
_V2, _V3 = "/v2/historical-candle", "/v3/historical-candle"

Reading = Callable[..., Response]
"""Answers a request from a view of the market; the path's parts come last."""


class Entry(NamedTuple):
    """A path (a regular expression) that is read with GET."""

    path: str
    answer: Reading
    needs_token: bool


def catalogue() -> Iterator[Entry]:
    """The paths in order: the first one that fits answers."""
    for path, answer in _CANDLES:
        yield Entry(path, _by_parts(answer), False)
    for path, answer in _QUOTES:
        yield Entry(path, _by_request(answer), True)
    yield Entry("/v2/option/chain", _chain, True)


_CANDLES: Final[tuple[tuple[str, Reading], ...]] = (
    (f"{_V3}/intraday/{_PART}/{_PART}/{_PART}", candles.answer_intraday),
    (f"{_V3}/{_PART}/{_PART}/{_PART}/{_PART}", candles.answer_history),
    (f"{_V3}/{_PART}/{_PART}/{_PART}/{_PART}/{_PART}", candles.answer_history),
    (f"{_V3}/(?!intraday/){_PART}/{_PART}/{_PART}", candles.answer_without_end),
    (f"{_V2}/intraday/{_PART}/{_PART}", candles_v2.answer_intraday),
    (f"{_V2}/{_PART}/{_PART}/{_PART}", candles_v2.answer_history),
    (f"{_V2}/{_PART}/{_PART}/{_PART}/{_PART}", candles_v2.answer_history),
    (f"{_V2}/(?!intraday/){_PART}/{_PART}", candles.answer_without_end),
)
_QUOTES: Final[tuple[tuple[str, Callable[[Request, Source], Response]], ...]] = (
    ("/v3/market-quote/ltp", quotes.answer_ltp),
    ("/v3/market-quote/ohlc", quotes.answer_ohlc),
    ("/v3/market-quote/quotes", quotes.answer_full_v3),
    ("/v3/market-quote/option-greek", options.answer_greeks),
    ("/v2/market-quote/ltp", quotes.answer_ltp_v2),
    ("/v2/market-quote/ohlc", quotes.answer_ohlc_v2),
    ("/v2/market-quote/quotes", quotes.answer_full),
    ("/v2/option/contract", options.answer_contracts),
    ("/v2/instruments/search", search.answer_search),
)


def _chain(request: Request, view: View) -> Response:
    return options.answer_chain(request, view.source, view.calendar)


def _by_parts(answer: Reading) -> Reading:
    def read(_: Request, view: View, *parts: str) -> Response:
        return answer(view, *parts)

    return read


def _by_request(answer: Callable[[Request, Source], Response]) -> Reading:
    def read(request: Request, view: View) -> Response:
        return answer(request, view.source)

    return read
