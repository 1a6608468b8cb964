"""Of which time every trade of one instrument is known, and where there is a hole."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from ticktick.domain.clock import NS_PER_MINUTE

Span: TypeAlias = tuple[int, int]
_MOST_SPANS: Final = 64
_FOR_EVER: Final = 9_223_372_036_854_775_807


class Coverage:
    """The spans [from, until) in which the feed was watched or the broker's history told all.

    Between them trades may have happened that nobody saw. What lies so after the first moment
    watched is lost until history tells it. Of very many spans the oldest are forgotten.
    """

    def __init__(self) -> None:
        self._known: list[Span] = []
        self._watched_ns: int | None = None
        self._first_watched_ns: int | None = None

    @property
    def is_watching(self) -> bool:
        """Whether trades are seen at present."""
        return self._watched_ns is not None

    def resume(self, at_ns: int) -> None:
        """Trades are seen from the moment on."""
        self._watched_ns = at_ns
        if self._first_watched_ns is None:
            self._first_watched_ns = at_ns

    def pause(self, at_ns: int) -> None:
        """Trades after the moment are not seen."""
        if self._watched_ns is not None:
            self.fill(self._watched_ns, at_ns)
        self._watched_ns = None

    def fill(self, start_ns: int, end_ns: int) -> None:
        """Everything in [start_ns, end_ns) is known."""
        if start_ns >= end_ns or self._is_told((start_ns, end_ns)):
            return
        apart = [span for span in self._known if span[1] < start_ns or end_ns < span[0]]
        joined = [span for span in self._known if start_ns <= span[1] and span[0] <= end_ns]
        first = min([start_ns, *(span[0] for span in joined)])
        last = max([end_ns, *(span[1] for span in joined)])
        self._known = sorted([*apart, (first, last)])[-_MOST_SPANS:]

    def is_known(self, span: Span) -> bool:
        """Whether all of the span is known."""
        if self._watched_ns is not None and self._watched_ns <= span[0]:
            return True
        if self._is_told(span):
            return True
        return self._watched_ns is not None and not any(True for _ in self.unknown(span))

    def is_lost(self, span: Span) -> bool:
        """Whether a hole of the feed touches the span."""
        return any(True for _ in self.lost(span))

    def lost(self, span: Span) -> Iterator[Span]:
        """The parts of the span that a watched feed left out."""
        if self._first_watched_ns is not None:
            yield from self.unknown((max(span[0], self._first_watched_ns), span[1]))

    def unknown(self, span: Span) -> Iterator[Span]:
        """The parts of the span that are not known."""
        at_ns, end_ns = span
        for start, end in self._spans_from(at_ns):
            if start >= end_ns:
                break
            if at_ns < start:
                yield at_ns, start
            at_ns = max(at_ns, end)
        if at_ns < end_ns:
            yield at_ns, end_ns

    def _is_told(self, span: Span) -> bool:
        place = bisect_right(self._known, (span[0], _FOR_EVER)) - 1
        return place >= 0 and span[1] <= self._known[place][1]

    def _spans_from(self, at_ns: int) -> Sequence[Span]:
        place = bisect_right(self._known, (at_ns, _FOR_EVER))
        spans = self._known[max(place - 1, 0) :]
        if self._watched_ns is None:
            return spans
        return sorted([*spans, (self._watched_ns, _FOR_EVER)])


def minutes_of(spans: Iterator[Span], trading: Sequence[Span]) -> list[int]:
    """The starts of the minutes of trading that the spans touch, in order."""
    found: set[int] = set()
    for start, end in spans:
        for opens, closes in trading:
            first = max(start, opens) // NS_PER_MINUTE * NS_PER_MINUTE
            found.update(range(first, min(end, closes), NS_PER_MINUTE))
    return sorted(found)
