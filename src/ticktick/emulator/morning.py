"""The instrument files: those of a trading day are there from six in its morning on."""

from collections.abc import Callable, Sequence

from ticktick.domain.clock import at_ist, ist_day, ist_midnight_ns
from ticktick.emulator.answers import Request, Response
from ticktick.emulator.listings import Listing
from ticktick.emulator.master import master_file
from ticktick.emulator.source import Source

_HOUR = 6


class Files:
    """What is served as `NSE`, `BSE`, `MCX` and `complete`; all but the first may be empty."""

    def __init__(self, source: Source, open_source: Callable[[int], Source]) -> None:
        self._open_source = open_source
        self._listings: Sequence[Listing] = ()
        self.open(source)

    def open(self, source: Source) -> None:
        """Take the file of the moment at which a market is opened."""
        if not _is_out(source.now_ns):
            source = self._open_source(ist_midnight_ns(ist_day(source.now_ns)) - 1)
        self._listings = source.listings

    def renew(self, source: Source) -> None:
        """Take the running day's file if it is out."""
        if _is_out(source.now_ns):
            self._listings = source.listings

    def answer(self, request: Request, name: str) -> Response:
        """`GET /market-quote/instruments/exchange/{name}.json.gz`."""
        listings = [
            one
            for one in self._listings
            if name == "complete" or one.segment.partition("_")[0] == name
        ]
        return master_file(listings, request.headers.get("if-none-match", ""))


def _is_out(at_ns: int) -> bool:
    return at_ns >= at_ist(ist_day(at_ns), _HOUR, 0)
