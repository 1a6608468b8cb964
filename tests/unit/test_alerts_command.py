"""`ticktick alerts` where no program runs: the file alone."""

import json

import pytest

from ticktick.cli import run
from ticktick.workspace import Workspace, current_workspace


@pytest.fixture
def workspace(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))
    return current_workspace()


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["alerts", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_alerts_are_added_listed_and_removed(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(capsys)[1].startswith("No alerts yet. Try: ticktick alerts add ")
    said = ended(capsys, "add", "reliance", "last_price", "crosses", "2,500", "--no-sound")
    assert said == (
        0,
        "Alert 1 is set: RELIANCE last price crosses ₹2,500.00. It counts from the next start.\n",
        "",
    )
    assert ended(capsys, "add", "*", "imbalance", "below", "-0.5")[0] == 0
    assert ended(capsys, "add", "*", "5m:hammer", "becomes", "up", "--level", "info")[0] == 0
    assert ended(capsys, "list")[1].splitlines() == [
        "   1  RELIANCE last price crosses ₹2,500.00  (warning, browser)",
        "   2  any symbol imbalance below −0.5  (warning, sound, browser)",
        "   3  any symbol 5m hammer that points up  (info, sound, browser)",
    ]
    assert ended(capsys, "remove", "1")[0] == 0
    told = [json.loads(line) for line in ended(capsys, "list", "--json")[1].splitlines()]
    assert [(one["id"], one["threshold"]) for one in told] == [(2, -0.5), (3, "up")]


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "ACME", "5m:rsi", "above", "70"), "did you mean 5m:rsi_14"),
        (("add", "ACME", "last_price", "above", "high"), "threshold is 'high', expected a number"),
        (("add", "ACME", "last_price", "above", "nan"), "threshold is nan, expected a number"),
        (("add", "A/B", "last_price", "above", "1"), "expected a trading symbol"),
        (("remove", "1"), "there is no alert 1"),
        (("sources", "no_such"), "no source has 'no_such' in its name"),
        (("history",), "Tick-Tick is not running in this workspace"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = ended(capsys, *arguments)
    assert code == 1
    assert words in err


def test_a_broken_file_is_named_and_never_overwritten(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.alerts.write_text("{")
    for arguments in ((), ("add", "ACME", "last_price", "above", "1")):
        code, _, err = ended(capsys, *arguments)
        assert code == 1
        assert "alerts.json, line 1, column 2: this is not JSON" in err
    assert workspace.alerts.read_text() == "{"


@pytest.mark.usefixtures("workspace")
def test_sources_are_listed_with_units_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    lines = dict(line.split(maxsplit=1) for line in ended(capsys, "sources")[1].splitlines())
    assert lines["last_price"] == "rupees"
    assert lines["5m:rsi_14"] == "percent"
    assert lines["feed"] == "down, up"
    assert lines["60m:doji"] == "any, up, down"
