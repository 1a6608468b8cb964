"""`ticktick doctor --live` against the exchange: its lines, its report, and what it never tells."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.program_stage import exchange, fetch, ticktick
from tests.survey_stage import SurveyStage, survey_stage
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.survey.survey import ASSUMPTIONS
from ticktick.brokers.upstox.survey.verdict import Result, Verdict
from ticktick.checkup.live import COUNT, Outcome, Wish, examine_broker
from ticktick.checkup.report import report, shown, write_report
from ticktick.errors import AuthError, StoreError

PRIVATE = ("TT0001", "DEMO TRADER", "trader@example.in", "203.0.113.10")


async def examined(
    stage: SurveyStage, folder: Path, listen_s: float = 2.0, busy: str = ""
) -> tuple[Outcome, list[str], list[tuple[str, float]]]:
    lines: list[str] = []
    steps: list[tuple[str, float]] = []
    token = stage.exchange.login.live_token(stage.exchange.now_ns)
    wish = Wish(Hosts.loopback(stage.url), token, listen_s, folder, token, busy)
    outcome = await examine_broker(wish, lines.append, lambda *step: steps.append(step))
    return outcome, lines, steps


async def test_the_report_tells_everything_but_whose_account_it_is(tmp_path: Path) -> None:
    secrets: list[str] = []
    async with survey_stage(rate=5.0) as stage:
        make = stage.exchange.login.secret

        def remembered(purpose: str) -> str:
            secrets.append(make(purpose))
            return secrets[-1]

        stage.exchange.login.secret = remembered  # type: ignore[method-assign]
        token = stage.exchange.login.live_token(stage.exchange.now_ns)
        await stage.switch(account__plus=True)
        outcome, lines, steps = await examined(stage, tmp_path)
    text = outcome.path.read_text()
    assert len(secrets) >= 8  # the token's id, and a request and a code for each address
    for private in (*PRIVATE, *secrets, token, *token.split(".")):
        assert private not in text
        assert private not in "\n".join(lines)
    content = json.loads(text)
    assert content == json.loads(json.dumps(outcome.content))
    assert [one["name"] for one in content["results"]] == [one.name for one in ASSUMPTIONS]
    assert {tuple(sorted(one)) for one in content["results"]} == {
        ("expected", "found", "name", "verdict")
    }
    assert sum(content["counts"].values()) == COUNT == len(lines)
    profile = next(one for one in content["asked"] if one["path"] == "/v2/user/profile")
    assert profile["shape"]["data"]["user_id"] == "text"
    assert stat.S_IMODE(outcome.path.stat().st_mode) == 0o600
    assert outcome.path.parent == tmp_path
    differing = [one["name"] for one in content["results"] if one["verdict"] == "DIFF"]
    assert differing == ["feed.sockets", "modes.full_d30"]  # the token was made before the plan
    assert outcome.differs
    done = [count for _, count in steps]
    assert done == sorted(done)
    assert done[-1] == COUNT
    assert any(step.startswith("listening to the feed, ") for step, _ in steps)


async def test_a_report_that_would_tell_something_private_is_not_kept(tmp_path: Path) -> None:
    async with survey_stage() as stage:
        subject = await stage.subject()
        await subject.asker.get("/v2/user/profile")
        leaky = Result("x", Verdict.DIFF, "nothing", "it belongs to DEMO TRADER (TT0001)")
        content = report(subject, [leaky], 1.0)
        assert content["results"][0]["found"] == "it belongs to *** (***)"
        assert "TT0001" not in shown(leaky, subject)
        content["results"][0]["found"] = leaky.found
        with pytest.raises(StoreError, match="would have told something private"):
            write_report(tmp_path, subject, content)
    assert [*os.scandir(tmp_path)] == []


async def test_a_feed_that_a_run_uses_is_left_alone(tmp_path: Path) -> None:
    async with survey_stage() as stage:
        outcome, lines, _ = await examined(stage, tmp_path, busy="Tick-Tick runs: stop it first")
        assert [path for _, path in stage.requests if "feed" in path] == []
    assert not outcome.differs
    told = [line for line in lines if "feed." in line]
    assert told
    assert all(line.endswith("Tick-Tick runs: stop it first") for line in told)


async def test_a_token_that_the_broker_does_not_take_ends_it_at_once(tmp_path: Path) -> None:
    async with survey_stage() as stage:
        wish = Wish(Hosts.loopback(stage.url), "not.a.token", 1.0, tmp_path)
        with pytest.raises(AuthError, match="run `ticktick login`"):
            await examine_broker(wish, pytest.fail, lambda *_: None)


def test_the_command_prints_lines_or_json_and_its_exit_code_tells_of_differences(
    tmp_path: Path,
) -> None:
    def survey(url: str, *arguments: str) -> Any:
        return ticktick(tmp_path, "doctor", "--live", "--exchange", url, *arguments)

    with exchange(tmp_path) as (_, url):
        fetch(f"{url}/_emu/fault", b'{"verb": "rest.status", "match": "authorize"}')
        good = survey(url, "--listen", "1")
        assert good.returncode == 0, good.stdout + good.stderr
        lines = good.stdout.splitlines()
        assert len(lines) == COUNT + 1
        summary, _, path = lines[-1].partition(". Report: ")
        assert summary.endswith("SKIPPED")
        assert json.loads(Path(path).read_text())["broker"] == "an exchange on this machine"
        order = {"verb": "rest.status", "match": "kill-switch",
                 "args": {"code": 200, "body": '{"data": []}'}}  # fmt: skip
        fetch(f"{url}/_emu/fault", json.dumps(order).encode())
        other = survey(url, "--listen", "1", "--json")
    assert other.returncode == 1
    told = json.loads(other.stdout)
    assert told["counts"]["DIFF"] == 1
    assert [one["name"] for one in told["results"] if one["verdict"] == "DIFF"] == [
        "account.kill_switch"
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--live"], 1, "Error: not logged in: there is no access token; run `ticktick login`"),
        (["--live", "--exchange", "http://10.0.0.1:80"], 1, "an exchange must run on this machine"),
        (["--live", "--exchange", "http://127.0.0.1:9"], 1, "no built-in exchange answers at"),
        (["--exchange", "http://127.0.0.1:9"], 2, "--exchange goes with --live"),
    ],
)
def test_what_cannot_work_is_told_in_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    done = ticktick(tmp_path, "doctor", *arguments)
    assert done.returncode == code
    assert sentence in done.stderr
