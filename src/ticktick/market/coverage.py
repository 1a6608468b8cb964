"""What was seen of one instrument's trades, and where there is a hole."""

from collections.abc import Iterator

from ticktick.domain.clock import NS_PER_MINUTE

Span = tuple[int, int]
_MOST_HOLES = 64


class Coverage:
    """The time since the first moment known, less the holes.

    A hole is time in which trades may have happened that nobody saw: the link was down, or the
    history ended before the feed began. The broker's history fills it. Of very many holes the
    oldest become one, with the time between them.
    """

    def __init__(self) -> None:
        self._known_from_ns: int | None = None
        self._unseen_ns: int | None = None
        self._was_watched = False
        self._holes: list[Span] = []

    def pause(self, at_ns: int) -> None:
        """Trades after the moment are not seen."""
        self._unseen_ns = at_ns

    def resume(self, at_ns: int) -> None:
        """Trades are seen from the moment on; what lies before it is a hole."""
        if self._unseen_ns is not None:
            self._dig(self._unseen_ns, at_ns)
        self._unseen_ns = None
        self._was_watched = True
        self._know_from(at_ns)

    def fill(self, start_ns: int, end_ns: int) -> None:
        """The broker's history told everything in [start_ns, end_ns)."""
        self._know_from(start_ns)
        left = [(start, min(end, start_ns)) for start, end in self._holes]
        right = [(max(start, end_ns), end) for start, end in self._holes]
        self._holes = sorted({span for span in left + right if span[0] < span[1]})
        if not self._was_watched:
            self._unseen_ns = max(self._unseen_ns or 0, end_ns)
        elif self._unseen_ns is not None and self._unseen_ns < end_ns:
            self._dig(self._unseen_ns, start_ns)
            self._unseen_ns = end_ns

    def is_known(self, at_ns: int) -> bool:
        """Whether the moment lies after the first one known."""
        return self._known_from_ns is not None and self._known_from_ns <= at_ns

    def was_missed(self, span: Span) -> bool:
        """Whether a hole of the feed, not of the start, touches the span."""
        return self._was_watched and any(True for _ in self._touching(span))

    def minutes_missed(self, span: Span) -> Iterator[int]:
        """The starts of the minutes of the span that a hole touches."""
        for start, end in self._touching(span):
            minute = max(span[0], start // NS_PER_MINUTE * NS_PER_MINUTE)
            yield from range(minute, min(end, span[1]), NS_PER_MINUTE)

    def _touching(self, span: Span) -> Iterator[Span]:
        unseen = [] if self._unseen_ns is None else [(self._unseen_ns, span[1])]
        return (hole for hole in self._holes + unseen if hole[0] < span[1] and span[0] < hole[1])

    def _know_from(self, at_ns: int) -> None:
        if self._known_from_ns is None or at_ns < self._known_from_ns:
            self._known_from_ns = at_ns

    def _dig(self, start_ns: int, end_ns: int) -> None:
        if start_ns >= end_ns:
            return
        self._holes.append((start_ns, end_ns))
        if len(self._holes) > _MOST_HOLES:
            (first, _), (_, last) = self._holes[:2]
            self._holes[:2] = [(first, last)]
