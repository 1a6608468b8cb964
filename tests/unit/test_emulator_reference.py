"""The page on the exchange's levers names every verb and switch, with its defaults."""

import re
from pathlib import Path

from ticktick.emulator.faults import BAD_VALUES, VERBS
from ticktick.emulator.switches import SWITCHES

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "built-in-exchange.md"
_ROW = re.compile(r"^\| `([a-z0-9_.]+)` \|([^|]*)\|", re.MULTILINE)


def rows() -> dict[str, str]:
    """The second column by the name in the first."""
    return dict(_ROW.findall(_PAGE.read_text(encoding="utf-8")))


def test_the_page_names_every_verb_with_its_arguments() -> None:
    told = {name: column for name, column in rows().items() if name in VERBS}
    assert told.keys() == VERBS.keys()
    for verb, column in told.items():
        names = re.findall(r"`(\w+)`", column)
        assert names == [parameter.name for parameter in VERBS[verb]], verb
        for parameter in VERBS[verb]:
            if isinstance(parameter.default, int | float):
                assert f"`{parameter.name}` {parameter.default:g}" in column, verb


def test_the_page_names_every_switch_with_its_default() -> None:
    told = {name: column.strip() for name, column in rows().items() if name in SWITCHES}
    assert told == {name: "on" if switch.is_on else "off" for name, switch in SWITCHES.items()}


def test_the_page_names_every_bad_value() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    assert all(f"`{kind}`" in page for kind in BAD_VALUES)
