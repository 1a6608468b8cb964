"""Every check that needs no network, in the order in which one builds on the other."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from ticktick.checkup import account, clock, folder, machine, services
from ticktick.checkup.finding import Finding, Verdict, find
from ticktick.checkup.patient import Patient
from ticktick.config import load_settings
from ticktick.errors import ConfigError
from ticktick.workspace import current_workspace


def examine(now_ns: int) -> Iterator[Finding]:
    """Every finding in turn; without a workspace and settings the rest cannot be looked at.

    `now_ns` is the time of this computer.
    """
    for subject, check in _OF_THE_MACHINE:
        yield find(subject, check)
    yield find("calendar", partial(clock.calendar, now_ns))
    try:
        workspace = current_workspace()
    except ConfigError as error:
        yield Finding("workspace", Verdict.FAIL, str(error))
        return
    yield find("workspace", partial(folder.workspace, workspace))
    yield find("permissions", partial(folder.permissions, workspace))
    yield find("clock", lambda: clock.clock(now_ns, folder.written(workspace)))
    yield find("watchlist", partial(folder.watchlist, workspace))
    yield find("recording", partial(folder.recording, workspace))
    try:
        settings = load_settings(workspace.toml)
    except ConfigError as error:
        yield Finding("settings", Verdict.FAIL, str(error))
        return
    yield Finding("settings", Verdict.PASS, folder.settings(workspace))
    patient = Patient(workspace, settings, now_ns)
    for subject, examination in _OF_THE_PATIENT:
        yield find(subject, partial(examination, patient))


_OF_THE_MACHINE: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("system", machine.system),
    ("python", machine.python),
    ("libraries", machine.libraries),
    ("fast parts", machine.fast_parts),
    ("decoder", machine.decoder),
    ("page", machine.page),
    ("time zone", clock.time_zone),
)
_OF_THE_PATIENT: Final[tuple[tuple[str, Callable[[Patient], str]], ...]] = (
    ("credentials", account.credentials),
    ("token", account.token),
    ("disk", folder.disk),
    ("running", services.running),
    ("port", services.page_port),
    ("login port", services.login_port),
    ("redis", services.redis),
    ("store", services.store),
)
