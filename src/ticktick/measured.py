"""The parts of a run whose figures are told."""

from msgspec import Struct

from ticktick.engine.loop_lag import LoopLag
from ticktick.engine.meters import FeedLag, LinkTally
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import Supervisor
from ticktick.store.recordings import Recordings
from ticktick.store.redis_store import RedisWriter
from ticktick.web.overview import Overview


class Measured(Struct, frozen=True):
    """The parts whose figures are told; writer and recordings may be absent."""

    overview: Overview
    runner: Runner
    supervisor: Supervisor
    loop_lag: LoopLag
    feed_lag: FeedLag
    losses: LinkTally
    writer: RedisWriter | None
    recordings: Recordings | None
