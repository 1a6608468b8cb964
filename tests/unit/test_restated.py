"""Whether the broker tells a past at another price level: splits do, corrections do not."""

from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from tests.market_stage import OPEN, candle, instrument
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.market import Candle, CandleState
from ticktick.origin.restated import is_restated

ACME = instrument(tick_size=5)


def past(count: int = 60, level: int = 140_000) -> list[Candle]:
    """Closes on a random walk in whole ticks."""
    steps = np.random.default_rng(3).integers(-20, 21, count).cumsum() * 5 + level
    return [
        candle(OPEN + place * NS_PER_MINUTE, close) for place, close in enumerate(steps.tolist())
    ]


def told_anew(factor: float) -> list[Candle]:
    """The same minutes in other shares, in whole ticks."""
    return [replace(one, close=round(one.close * factor / 5) * 5) for one in past()]


@pytest.mark.parametrize("factor", [0.2, 0.5, 2 / 3, 10 / 11, 0.985, 0.997, 1.5, 10.0])
def test_F45_a_split_a_bonus_or_a_dividend_is_another_level(factor: float) -> None:
    assert is_restated(ACME, past(), told_anew(factor))


@pytest.mark.parametrize("factor", [1.0, 1.0004, 0.9995])
def test_F45_the_same_prices_are_no_other_level(factor: float) -> None:
    assert not is_restated(ACME, past(), told_anew(factor))


def some_other(one: Candle) -> Candle:
    return replace(one, close=one.close // 2) if one.start_ns // NS_PER_MINUTE % 4 == 0 else one


def off_by_a_tick(one: Candle) -> Candle:
    return replace(one, close=one.close + 5)


def unsettled(one: Candle) -> Candle:
    return replace(one, close=one.close * 5, state=CandleState.PROVISIONAL)


@pytest.mark.parametrize("change", [some_other, off_by_a_tick])
def test_F45_corrected_candles_are_no_other_level(change: Callable[[Candle], Candle]) -> None:
    assert not is_restated(ACME, past(), [change(one) for one in past()])


def test_F45_candles_of_our_own_that_nobody_settled_prove_nothing() -> None:
    assert not is_restated(ACME, [unsettled(one) for one in past()], past())
    assert is_restated(ACME, [replace(one, close=one.close * 5) for one in past()], past())


def test_F45_few_minutes_or_none_in_common_prove_nothing() -> None:
    assert not is_restated(ACME, past(), told_anew(0.2)[:9])
    assert is_restated(ACME, past(), told_anew(0.2)[:10])
    assert not is_restated(ACME, [], told_anew(0.2))


def test_F45_a_share_of_few_rupees_is_judged_by_its_ticks() -> None:
    cheap = past(level=400)
    up = [replace(one, close=one.close + 5) for one in cheap]
    assert not is_restated(ACME, cheap, up)
    assert is_restated(
        ACME, cheap, [replace(one, close=round(one.close / 10) * 5) for one in cheap]
    )
