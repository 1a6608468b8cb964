"""Laws of the market model: reproducible however it is run, and nothing in it tells the future."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.book import depth_of
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.market import Market
from ticktick.emulator.model import BASES, N_STOCKS, TICK, Tape, minute_tape, opening

START_NS = parse_iso_ns("2026-11-20T10:30:00+05:30")
OPEN_NS = parse_iso_ns("2026-11-20T09:15:00+05:30")
SUBSCRIBE = (
    b'{"guid":"g","method":"sub","data":{"mode":"full",'
    b'"instrumentKeys":["NSE_EQ|INE002A01018","NSE_EQ|INE585B01010","NSE_INDEX|Nifty 50"]}}'
)


def frames(stops: list[int], seed: int = 5) -> list[bytes]:
    """The frames of 20 seconds of one connection, advanced from stop to stop."""
    exchange = Exchange(lambda at_ns: Market(seed, at_ns, Calendar()), START_NS, seed=seed)
    exchange.login.mint(START_NS)
    link = exchange.connect(exchange.feed_code())
    assert link is not None
    seen = [exchange.greeting(), link.on_message(SUBSCRIBE) or b""]
    for stop_ns in [*stops, START_NS + 20 * NS_PER_S]:
        seen += [frame for _, frame in exchange.advance(stop_ns)]
    return seen


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, 20_000), max_size=12))
def test_any_way_of_advancing_gives_the_same_bytes(stops_ms: list[int]) -> None:
    stops = sorted(START_NS + stop * NS_PER_MS for stop in stops_ms)
    assert frames(stops) == frames([])


def test_another_seed_gives_another_market() -> None:
    assert frames([], seed=5) != frames([], seed=6)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 30))
def test_a_later_start_continues_the_same_day(minutes: int) -> None:
    late = Market(3, OPEN_NS + minutes * NS_PER_MINUTE, Calendar())
    early = Market(3, OPEN_NS, Calendar())
    for _ in early.advance(OPEN_NS + minutes * NS_PER_MINUTE, frozenset({"NSE_EQ|INE154A01025"})):
        continue
    for key in ("NSE_EQ|INE154A01025", "NSE_INDEX|India VIX"):
        assert late.snapshot(key) == early.snapshot(key)
        assert late.trades(key, 0, START_NS * 2) == early.trades(key, 0, START_NS * 2)


def tapes(days: int) -> Iterator[Tape]:
    """Minutes of whole days, one after the other."""
    for day in range(days):
        carry = opening(BASES, 0.0)
        for minute in range(360):
            tape, carry = minute_tape((77, 700_000 + day, minute), 0, minute / 360, carry)
            yield tape


@pytest.fixture(scope="module")
def moves() -> dict[str, NDArray[np.float64]]:
    """Two days of books: what could be seen at each change of a book, and the next move of mid."""
    seen: dict[str, list[NDArray[np.float64]]] = {
        name: [] for name in ("imbalance", "last_move", "sign", "spread", "next_move")
    }
    for tape in tapes(2):
        depth = depth_of(tape)
        sums = depth.quantity.sum(axis=-1)
        imbalance = (sums[..., 0] - sums[..., 1]) / sums.sum(axis=-1)
        for row in range(N_STOCKS):
            at = np.flatnonzero(tape.refreshed[:, row])
            mid = (tape.bid[at, row] + tape.ask[at, row]) / 2.0 / TICK[row]
            move = np.diff(mid)
            seen["next_move"].append(move[1:])
            seen["last_move"].append(move[:-1])
            seen["imbalance"].append(imbalance[at[1:-1], row])
            seen["spread"].append((tape.ask - tape.bid)[at[1:-1], row] / TICK[row])
            seen["sign"].append(_signs(tape, row)[at[1:-1]])
    return {name: np.concatenate(parts) for name, parts in seen.items()}


@pytest.mark.parametrize("name", ["imbalance", "last_move", "sign", "spread"])
def test_nothing_seen_tells_the_next_move(moves: dict[str, NDArray[np.float64]], name: str) -> None:
    correlation = np.corrcoef(moves[name], moves["next_move"])[0, 1]
    assert abs(correlation) < 4.5 / np.sqrt(len(moves["next_move"]))


def test_the_mid_has_no_drift(moves: dict[str, NDArray[np.float64]]) -> None:
    move = moves["next_move"]
    assert abs(move.mean()) < 4.5 * move.std() / np.sqrt(len(move))


def _signs(tape: Tape, row: int) -> NDArray[np.float64]:
    """Side of the latest trade at the end of each step: 1 at the ask, -1 at the bid, 0 none yet."""
    signs = np.zeros(len(tape.bid))
    step = (tape.at_ns - tape.start_ns) // (250 * NS_PER_MS)
    mine = tape.row == row
    signs[step[mine]] = np.where(tape.price[mine] == tape.ask[step[mine], row], 1.0, -1.0)
    known = np.maximum.accumulate(np.where(signs != 0, np.arange(len(signs)), 0))
    return np.asarray(signs[known], np.float64)
