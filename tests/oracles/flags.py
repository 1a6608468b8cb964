"""The flags of one symbol second by second, from their definitions, in plain words and loops."""

from collections.abc import Sequence
from typing import NamedTuple

DWELL_S = 30
ORDER = ("LIQUID", "THIN", "ILLIQUID", "NO_QUOTE")


class Seen(NamedTuple):
    """One second: spread in basis points (None: no quote), rupees of the thinner side, usual."""

    spread_bps: float | None
    depth: float
    usual_bps: float | None = None


class Moved(NamedTuple):
    """One second: volatility, the usual one, how far from the nearer band as a fraction."""

    rv: float | None
    usual_rv: float | None
    distance: float | None = None


def liquidity(seconds: Sequence[Seen], order: float) -> list[str | None]:
    """The word of each second; None while it is withheld."""
    words: list[str | None] = []
    held, since = "", 0
    for now, seen in enumerate(seconds):
        strict, kind = _liquidity(seen, order, 1.0), _liquidity(seen, order, 0.8)
        wanted = strict
        if held and ORDER.index(held) > ORDER.index(kind):
            wanted = kind
        elif held and ORDER.index(held) > ORDER.index(strict):
            wanted = held
        if not held or (wanted != held and now - since >= DWELL_S):
            held, since = wanted, now
        gone = seen.spread_bps is None
        words.append(None if gone and held != "NO_QUOTE" else held)
    return words


def volatility(seconds: Sequence[Moved]) -> list[str]:
    """The word of each second."""
    words = []
    held, since = "", 0
    for now, moved in enumerate(seconds):
        near = moved.distance is not None and moved.distance <= 0.01
        near |= held == "EXTREME" and moved.distance is not None and moved.distance <= 0.012
        ratio = None
        if moved.rv is not None and moved.usual_rv is not None and moved.usual_rv > 0:
            ratio = moved.rv / moved.usual_rv
        if ratio is None and not near:
            words.append("UNKNOWN")
            continue
        wanted = "EXTREME" if near else _volatility(ratio or 0.0, held)
        if not held or (wanted != held and now - since >= DWELL_S):
            held, since = wanted, now
        words.append(held)
    return words


def _liquidity(seen: Seen, order: float, ease: float) -> str:
    """The word by limits of which only a part counts."""
    if seen.spread_bps is None:
        return "NO_QUOTE"
    usual = seen.usual_bps
    for word, times, most, orders in (("ILLIQUID", 4, 25, 2), ("THIN", 2, 10, 5)):
        if seen.spread_bps > most * ease:
            return word
        if usual is not None and seen.spread_bps > times * usual * ease:
            return word
        if seen.depth < orders * order * (2 - ease):
            return word
    return "LIQUID"


def _volatility(ratio: float, held: str) -> str:
    """The word the ratio asks for, a fifth beyond the limit to get back towards normal."""
    rise = {"LOW": 0.6 * 1.2}.get(held, 0.6)
    if ratio >= (3 * 0.8 if held == "EXTREME" else 3):
        return "EXTREME"
    if ratio >= (1.6 * 0.8 if held in ("HIGH", "EXTREME") else 1.6):
        return "HIGH"
    return "LOW" if ratio < rise else "NORMAL"
