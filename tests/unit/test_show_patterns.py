"""The table of patterns that `ticktick patterns` prints."""

from typing import Any

import pytest

from ticktick.commands.show import show_patterns

PATTERN: dict[str, Any] = {
    "symbol": "RELIANCE",
    "timeframe": "5m",
    "start": "2026-11-20T10:45:00+05:30",
    "pattern": "hammer",
    "value": 100,
    "trend": "down",
    "cases": 12,
    "hit_rate": None,
    "superseded": False,
}


def test_each_line_names_its_symbol_and_says_when_it_is_superseded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    of_file = {name: PATTERN[name] for name in PATTERN if name not in ("symbol", "superseded")}
    show_patterns([PATTERN, PATTERN | {"superseded": True}, of_file])
    _, stands, gone, nameless = capsys.readouterr().out.splitlines()
    assert stands.split()[1] == "RELIANCE"
    assert stands.endswith("not enough history, n=12")
    assert gone.endswith("n=12, superseded")
    assert nameless.split()[1] == "-"
