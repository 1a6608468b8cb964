"""The supervisor of long tasks: restarts, the limit, what is told, and the end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ticktick.engine.supervisor import RESTARTS, Supervisor, Work
from ticktick.errors import AuthError, TaskError


class Stage:
    """A supervisor on a clock that only its pauses move."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.pauses: list[float] = []
        self.starts: list[float] = []
        self.supervisor = Supervisor(lambda: self.now_s, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds

    def failing(self, times: int, after_s: float = 0.0) -> Callable[[], Awaitable[None]]:
        """A task that runs so long and fails, so often, and then is done."""

        async def start() -> None:
            self.starts.append(self.now_s)
            self.now_s += after_s
            if len(self.starts) <= times:
                raise ValueError("broken: access_token=Qx7secret")

        return start


async def test_F49_a_task_that_fails_is_counted_told_and_started_again() -> None:
    stage = Stage()
    await stage.supervisor.run(Work("the history", stage.failing(times=1)))
    assert stage.starts == [0.0, 1.0]
    assert stage.supervisor.restarts == {"the history": 1}
    (news,) = stage.supervisor.take_news()
    assert news.level == "warning"
    assert "the history failed and was started again" in news.text
    assert "Qx7secret" not in news.text
    assert stage.supervisor.degraded == set()
    assert stage.supervisor.take_news() == []


async def test_F49_the_sixth_failure_in_a_minute_makes_it_degraded_until_it_lasts_a_minute() -> (
    None
):
    stage = Stage()
    degraded: list[bool] = []
    failing = stage.failing(times=RESTARTS + 3)

    async def start() -> None:
        degraded.append(bool(stage.supervisor.degraded))
        await failing()
        assert stage.supervisor.degraded == {"the feed"}
        stage.now_s += 60.0
        assert stage.supervisor.degraded == set()

    await stage.supervisor.run(Work("the feed", start))
    assert stage.pauses == [1.0] * RESTARTS + [60.0] * 3
    assert degraded == [False] * (RESTARTS + 1) + [True] * 3
    assert [news.level for news in stage.supervisor.take_news()] == ["warning", "error"]
    assert stage.supervisor.restarts["the feed"] == RESTARTS + 3


async def test_F49_a_vital_task_that_keeps_failing_ends_the_program_in_a_sentence() -> None:
    stage = Stage()
    with pytest.raises(TaskError, match=r"the engine failed 6 times .* logs/error.log"):
        await stage.supervisor.run(Work("the engine", stage.failing(times=99), is_vital=True))
    assert len(stage.starts) == RESTARTS + 1
    assert set(stage.pauses) == {0.0}


async def test_failures_that_are_long_ago_are_forgiven() -> None:
    stage = Stage()
    work = Work("the engine", stage.failing(times=20, after_s=15.0), is_vital=True)
    await stage.supervisor.run(work)
    assert len(stage.starts) == 21


async def test_an_error_meant_for_the_user_is_not_tried_again() -> None:
    starts = []

    async def start() -> None:
        starts.append(1)
        raise AuthError("log in")

    with pytest.raises(AuthError):
        await Stage().supervisor.run(Work("the feed", start))
    assert starts == [1]


async def test_a_task_that_fails_while_it_is_ended_is_not_started_again() -> None:
    starts = 0

    async def start() -> None:
        nonlocal starts
        starts += 1
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("cannot clean up")

    task = asyncio.create_task(Supervisor(lambda: 0.0).run(Work("the clock", start)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(ValueError, match="cannot clean up"):
        async with asyncio.timeout(10):
            await task
    assert starts == 1


def test_F49_a_guarded_thread_that_keeps_failing_is_told_twice_and_degraded_for_a_minute() -> None:
    stage = Stage()
    guard = stage.supervisor.guard("the recorder")

    def fail() -> None:
        raise ValueError("broken")

    for _ in range(RESTARTS + 4):
        assert not guard.attempt(fail)
        stage.now_s += 1.0
    assert stage.supervisor.restarts["the recorder"] == RESTARTS + 4
    assert [news.level for news in stage.supervisor.take_news()] == ["warning", "error"]
    assert stage.supervisor.degraded == {"the recorder"}
    stage.now_s += 60.0
    assert stage.supervisor.degraded == set()
    assert guard.attempt(lambda: None)
