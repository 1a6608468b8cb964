"""`ticktick symbols` beside a running program: it changes the list there, at once."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.web_stage import CLI_TOKEN, Site, Stage, running
from ticktick.cli import run
from ticktick.running import Running, announce
from ticktick.workspace import Workspace, current_workspace

Ended = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))
    return current_workspace()


@pytest.fixture
async def site(workspace: Workspace) -> AsyncIterator[Site]:
    async with running(Stage()) as found:
        announce(workspace.server, Running(os.getpid(), "DEMO", found.url, CLI_TOKEN))
        yield found


@pytest.fixture
def ended(capsys: pytest.CaptureFixture[str]) -> Ended:
    async def ask(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(run, ["symbols", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return ask


async def test_the_running_program_changes_its_list_and_says_so(
    site: Site, workspace: Workspace, ended: Ended
) -> None:
    before = workspace.symbols.read_bytes()
    assert await ended("add", "INDIA VIX", "--name", "Fear") == (0, "Fear is watched now.\n", "")
    assert site.stage.steering.symbols == ["RELIANCE", "INDIA VIX"]
    assert (await ended("remove", "INDIA VIX"))[1] == "INDIA VIX is no longer watched.\n"
    assert site.stage.steering.symbols == ["RELIANCE"]
    assert workspace.symbols.read_bytes() == before


@pytest.mark.usefixtures("site")
async def test_what_the_running_program_refuses_is_told_in_its_words(ended: Ended) -> None:
    assert await ended("add", "RELIANCE") == (1, "", "Error: RELIANCE is already watched\n")
    assert await ended("remove", "M&M") == (1, "", "Error: M&M is not watched\n")


@pytest.mark.usefixtures("site")
async def test_a_search_asks_the_running_program(ended: Ended) -> None:
    code, out, _ = await ended("search", "infy")
    assert (code, out.splitlines()[1].split()) == (0, ["infy", "Infosys", "NSE_EQ|1"])
    assert out.splitlines()[2] == "... and 6 more: search for a longer text"
    assert (await ended("search", "nifty", "--expiry", "2026-12-03", "--strike", "24500"))[0] == 0


async def test_a_program_that_was_killed_is_not_waited_for(
    site: Site, workspace: Workspace, ended: Ended
) -> None:
    announce(workspace.server, Running(1, "DEMO", "http://127.0.0.1:9", CLI_TOKEN))
    code, out, _ = await ended("remove", "ITC")
    assert (code, out) == (0, "Removed ITC. It counts from the next start.\n")
    assert len(workspace.load_watchlist()) == 14
    assert site.stage.steering.symbols == ["RELIANCE"]


async def test_a_replay_has_a_list_of_its_own(
    site: Site, workspace: Workspace, ended: Ended
) -> None:
    announce(workspace.server, Running(os.getpid(), "REPLAY", site.url, CLI_TOKEN))
    assert (await ended("remove", "ITC"))[1] == "Removed ITC. It counts from the next start.\n"
    assert len(json.loads(workspace.symbols.read_text())["symbols"]) == 14
