"""Freshness in columns against the rules, one instrument at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.freshness import Told, freshness
from ticktick.core.age import age
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.market import Freshness
from ticktick.domain.sessions import Phase
from ticktick.domain.slots import SLOT, WORD_OF

NOW = 1_000 * NS_PER_S
FRESH, QUIET = 5 * NS_PER_S, 60 * NS_PER_S
# around every limit, and never told
MOMENTS = st.one_of(
    st.just(0),
    st.sampled_from([0, 1, 2, 5, 6, 59, 60, 61, 70]).flatmap(
        lambda seconds: st.integers(-2, 2).map(lambda ns: NOW - seconds * NS_PER_S + ns)
    ),
)
ROWS = st.builds(
    Told,
    now_ns=st.just(NOW),
    life_ns=st.just(0),
    link_up=st.just(True),
    exchange_ns=MOMENTS,
    received_ns=MOMENTS,
    last_trade_ns=MOMENTS,
    heard=st.sampled_from([True, True, True, False]),
    gap_until_ns=st.sampled_from([0, 0, 0, NOW]),
    phase=st.sampled_from(Phase),
    began_ns=MOMENTS,
    proved_ns=MOMENTS,
    newer_trade_ns=MOMENTS,
)


@given(st.lists(ROWS, min_size=1, max_size=8), MOMENTS, st.sampled_from([True, True, False]))
def test_P04_every_row_is_as_old_as_the_rules_say(
    rows: list[Told], life_ns: int, link_up: bool
) -> None:
    rows = [told._replace(life_ns=life_ns, link_up=link_up) for told in rows]
    told = {name: np.array([getattr(row, name) for row in rows]) for name in Told._fields}
    words = np.zeros((len(rows), SLOT.itemsize // 8), np.int64)
    for name in ("exchange_ns", "received_ns", "last_trade_ns"):
        words[:, WORD_OF[name]] = told[name]
    codes, changed = np.zeros(len(rows), np.uint8), np.zeros(len(rows), np.int32)
    count = age(
        np.arange(len(rows), dtype=np.int32),
        NOW,
        life_ns,
        link_up,
        FRESH,
        words,
        told["heard"].astype(np.uint8),
        told["gap_until_ns"],
        np.array([row.phase is Phase.CONTINUOUS for row in rows], np.uint8),
        np.array([row.phase in {Phase.CLOSED, Phase.HALTED} for row in rows], np.uint8),
        told["began_ns"],
        told["proved_ns"],
        told["newer_trade_ns"],
        np.full(len(rows), QUIET),
        codes,
        changed,
    )
    classes = list(Freshness)
    assert [classes[code] for code in codes] == [freshness(row, FRESH, QUIET) for row in rows]
    assert changed[:count].tolist() == [row for row, code in enumerate(codes) if code]
