"""Services that carry an alert to a phone or a mailbox, by addresses that apprise understands."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Protocol

from ticktick.errors import StoreError, TickTickError

INSTALL: Final = (
    "install it with `pip install 'ticktick[notify]'`, in a checkout with "
    "`.venv/bin/uv pip install -r requirements/notify.lock`"
)


class SendFailed(TickTickError):
    """A service did not take a message; another attempt may help."""


class Service(Protocol):
    """Takes messages; `name` says which it is, without its secrets."""

    name: str

    def send(self, title: str, text: str) -> None:
        """Deliver one message. Raises SendFailed if the service did not take it."""
        ...


class AppriseService:
    """One address; `place` is its number in the settings, from 1.

    Raises StoreError, without the address, if apprise does not know its kind.
    """

    def __init__(self, address: str, place: int) -> None:
        apprise: Any = import_module("apprise")
        plugin = apprise.Apprise.instantiate(address)
        if plugin is None:
            kind = address.partition("://")[0][:20]
            raise StoreError(
                f"service {place} of notify.services ({kind}) is no address that apprise knows: "
                "mend it as apprise's pages show, the others work"
            )
        # only the whole of apprise turns plain text into what the service shows: M&M stays M&M
        self._carrier = apprise.Apprise([plugin])
        self.name = f"{plugin.service_name} ({place})"

    def send(self, title: str, text: str) -> None:
        """Deliver one message. Raises SendFailed if the service did not take it."""
        if not self._carrier.notify(body=text, title=title, body_format="text"):
            raise SendFailed(f"{self.name} did not take it")


def open_services(addresses: Sequence[str]) -> tuple[list[Service], list[str]]:
    """The services of the addresses, and sentences about those that cannot be used."""
    if not addresses:
        return [], []
    if find_spec("apprise") is None:
        return [], [f"alerts cannot be sent: apprise is not there; {INSTALL}"]
    services, troubles = list[Service](), list[str]()
    for place, address in enumerate(addresses, 1):
        try:
            services.append(AppriseService(address, place))
        except StoreError as error:
            troubles.append(str(error))
    return services, troubles
