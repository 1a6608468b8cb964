"""The login over time: newer tokens are taken, no object keeps an old one, the end is announced."""

import json
from pathlib import Path

import pytest

from tests.upstox_stage import StandingClock
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S, parse_iso_ns
from ticktick.emulator.auth import DEMO_APP
from ticktick.emulator.auth import Login as EmulatorLogin
from ticktick.errors import AuthError, ConfigError
from ticktick.login import Held, Login
from ticktick.origin.signing import CredentialsFile, ExchangeTokens, Signing

MORNING = parse_iso_ns("2026-11-20T09:00:00+05:30")
END = parse_iso_ns("2026-11-21T03:30:00+05:30")
EXCHANGE = EmulatorLogin(1, DEMO_APP)
FIRST, SECOND = EXCHANGE.mint(MORNING), EXCHANGE.mint(MORNING + NS_PER_MINUTE)


class Workspace:
    """The file that `ticktick login` writes, in another terminal."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "credentials.json"
        self.reads = 0
        self.signs_in(FIRST)

    def signs_in(self, token: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"access_token": token}))
        fresh.replace(self.path)

    def read(self) -> Held | None:
        self.reads += 1
        return Held(json.loads(self.path.read_text())["access_token"])


def signing(login: Login, renewal: CredentialsFile | ExchangeTokens, now_ns: int) -> Signing:
    return Signing(login, StandingClock(now_ns), renewal, lambda: True)


def test_a_login_tells_its_state_and_why_it_is_of_no_use() -> None:
    login = Login(Held(FIRST))
    assert login.state(MORNING) == "valid"
    assert login.state(END - 60 * NS_PER_MINUTE) == "expiring"
    assert login.state(END) == "expired"
    assert login.trouble(END) == "the login ended 21 Nov 2026 03:30 IST; run `ticktick login`"
    login.refuse(SECOND, "UDAPI100050")
    assert login.state(MORNING) == "valid"
    login.refuse(FIRST, "UDAPI100050")
    assert login.state(MORNING) == "refused"
    with pytest.raises(AuthError, match=r"UDAPI100050.*run `ticktick login`"):
        login.bearer(MORNING)
    assert FIRST not in login.trouble(MORNING)
    assert FIRST not in repr(login.held)


def test_P23_an_analytics_token_is_never_called_the_login() -> None:
    login = Login(Held(FIRST, "the analytics token", "make a new one"))
    login.refuse(FIRST)
    assert "the analytics token" in login.trouble(MORNING)
    assert login.trouble(MORNING).endswith("make a new one")
    assert "ticktick login" not in login.trouble(MORNING)


def test_a_text_that_is_no_token_changes_nothing() -> None:
    login = Login(Held(FIRST))
    with pytest.raises(AuthError):
        login.take(Held("not-a-jwt"))
    assert login.bearer(MORNING) == FIRST


async def test_P23_a_login_in_another_terminal_is_taken_and_the_old_token_is_gone(
    tmp_path: Path,
) -> None:
    workspace, login = Workspace(tmp_path), Login(Held(FIRST))
    keeper = signing(login, CredentialsFile(workspace.path, workspace.read), MORNING)
    login.refuse(FIRST)
    assert await keeper.look() == []
    assert workspace.reads == 0  # the file is watched, and only read when it changed
    workspace.signs_in(SECOND)
    assert await keeper.look() == [("info", "the login is new; everything goes on with it")]
    assert login.bearer(MORNING) == SECOND
    assert FIRST not in repr(vars(login))
    assert await keeper.look() == []


async def test_a_file_that_cannot_be_used_is_told_once_and_the_login_stays(tmp_path: Path) -> None:
    workspace, login = Workspace(tmp_path), Login(Held(FIRST))

    def read() -> Held | None:
        raise ConfigError("credentials.json is open to others")

    keeper = signing(login, CredentialsFile(workspace.path, read), MORNING)
    workspace.signs_in(SECOND)
    (note,) = await keeper.look()
    assert note == (
        "warning",
        "the new login cannot be used: credentials.json is open to others",
    )
    assert await keeper.look() == []
    workspace.path.unlink()
    assert len(await keeper.look()) == 1
    assert login.bearer(MORNING) == FIRST


async def test_the_built_in_exchange_is_asked_for_a_token_only_when_one_is_needed() -> None:
    asked: list[str] = []

    async def fetch() -> str:
        asked.append("token")
        if len(asked) == 1:
            raise TimeoutError
        return SECOND

    login = Login(Held(FIRST))
    keeper = signing(login, ExchangeTokens(fetch), MORNING)
    assert (await keeper.look(), asked) == ([], [])
    login.refuse(FIRST)
    assert await keeper.look() == []
    assert len(await keeper.look()) == 1
    assert (login.bearer(MORNING), len(asked)) == (SECOND, 2)


@pytest.mark.parametrize(("is_open", "level"), [(True, "warning"), (False, "info")])
async def test_P23_half_an_hour_before_the_end_it_is_announced_once(
    tmp_path: Path, is_open: bool, level: str
) -> None:
    workspace, login = Workspace(tmp_path), Login(Held(FIRST))
    clock = StandingClock(END - 30 * NS_PER_MINUTE - NS_PER_S)
    file = CredentialsFile(workspace.path, workspace.read)
    keeper = Signing(login, clock, file, lambda: is_open)
    assert await keeper.look() == []
    clock.at_ns += NS_PER_S
    told = "the login ends at 03:30 IST; after that run `ticktick login`"
    assert await keeper.look() == [(level, told)]
    assert await keeper.look() == []
    clock.at_ns = END
    assert await keeper.look() == []
