"""The exchange's page: every verb and switch with its defaults, and addresses that answer."""

import re
from pathlib import Path

import pytest

from ticktick.domain.clock import parse_iso_ns
from ticktick.emulator.answers import Request
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.faults import BAD_VALUES, VERBS
from ticktick.emulator.floor import Floor
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


@pytest.fixture(scope="module")
def exchange() -> Exchange:
    calendar, start_ns = MovableCalendar(), parse_iso_ns("2026-11-20T10:00:00+05:30")
    return Exchange(lambda at_ns: Floor(1, at_ns, calendar), start_ns, seed=1, calendar=calendar)


def asked(exchange: Exchange, method: str, path: str, token: str = "") -> int:
    parts = {"key": "NSE_EQ|INE002A01018", "date": "2026-11-19", "exchange": "NSE"}
    path = path.format(client_id="demo-api-key", name="NSE", **parts)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return exchange.handle(Request(method, path, {}, headers)).status


def addresses() -> list[tuple[str, str, str]]:
    """Method, path and the token that is needed, as the page tells them."""
    page = _PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^\| `([A-Z]+) (/[^`]+)` \| (\w+) \|", page, re.MULTILINE)
    assert len(found) > 25
    return found


def test_every_address_of_the_page_is_answered(exchange: Exchange) -> None:
    for method, path, _ in sorted(addresses(), reverse=True):
        token = exchange.login.live_token(exchange.now_ns)
        assert asked(exchange, method, path, token) not in (401, 404, 405), path


def test_the_page_tells_which_token_an_address_wants(exchange: Exchange) -> None:
    long = exchange.login.long_token(exchange.now_ns)
    for method, path, token in addresses():
        without = asked(exchange, method, path)
        assert (without == 401) == (token != "none"), path
        assert (asked(exchange, method, path, long) == 403) == (token == "daily"), path


def test_what_the_page_calls_missing_is_missing(exchange: Exchange) -> None:
    (passage,) = re.findall(r"^Not there: .*?\n\n", _PAGE.read_text(encoding="utf-8"), re.M | re.S)
    paths = re.findall(r"`(/v2/[^`]+)`", passage)
    assert len(paths) > 5
    assert [asked(exchange, "GET", path) for path in paths] == [404] * len(paths)
