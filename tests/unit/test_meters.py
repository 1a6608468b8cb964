"""What is counted: how a figure is spread, how late the feed is, why links were lost."""

from hypothesis import given
from hypothesis import strategies as st

from tests.market_stage import OPEN, Stage, frame, index, instrument
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.event import LINK_CAUSES, FrameArrived, LinkChanged, TimerFired
from ticktick.engine.distribution import Distribution
from ticktick.engine.meters import FeedLag, LinkTally


@given(st.lists(st.floats(0, 1e6)))
def test_every_value_is_in_the_bucket_of_the_first_bound_that_is_not_below_it(
    values: list[float],
) -> None:
    spread = Distribution((1, 10, 100))
    for value in values:
        spread.add(value)
    upper = [1, 10, 100, float("inf")]
    for place, bound in enumerate(upper):
        below = sum(value <= bound for value in values)
        assert sum(spread.counts[: place + 1]) == below
    assert spread.count == len(values)
    assert spread.total == sum(values)
    assert spread.take_worst() == max(values, default=0.0)
    assert spread.take_worst() == 0.0


def test_the_lag_of_each_frame_is_counted_once_and_its_times_are_passed_on() -> None:
    stage = Stage(instrument(), index())
    heard: list[tuple[int, int]] = []
    lag = FeedLag(stage.market.table, lambda sent, received: heard.append((sent, received)))
    for late_ms in (3, 3, 900):
        sent_ns = OPEN + len(heard) * NS_PER_S
        data = frame(sent_ns, {"ACME": {"last_price": 100}, "NIFTY": {"last_price": 9}}).data
        received_ns = sent_ns + late_ms * NS_PER_MS
        lag.take(stage.process(FrameArrived(received_ns, 0, data)))
        lag.take(stage.process(TimerFired(received_ns + 20 * NS_PER_S)))
    assert [(received - sent) // NS_PER_MS for sent, received in heard] == [3, 3, 900]
    assert (lag.lags_ms.count, lag.lags_ms.total) == (3, 906.0)


def test_losses_of_the_link_are_counted_by_cause_and_failed_attempts_are_not() -> None:
    stage, tally = Stage(up=False), LinkTally()
    for up, cause in (
        (False, "refused"),
        (True, ""),
        (False, "silent"),
        (False, "refused"),
        (True, ""),
        (False, "closed"),
    ):
        text = f"{cause} {up}"
        tally.take(stage.process(LinkChanged(OPEN, up, text, cause)))
    assert tally.losses == dict.fromkeys(LINK_CAUSES, 0) | {"silent": 1, "closed": 1}
