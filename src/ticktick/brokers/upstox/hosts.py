"""Where the broker lives, and the one rule about hosts: plain text only to loopback."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from ticktick import __version__
from ticktick.errors import BrokerError, ConfigError

USER_AGENT = f"TickTick/{__version__}"
_BROKER_DOMAIN = "upstox.com"


class Hosts(Struct, frozen=True):
    """Base addresses of the API and of the instrument files, without a slash at the end.

    Made by `upstox` or `loopback` alone: the broker is spoken to over verified TLS only, and
    anything else must be this machine.
    """

    api: str
    assets: str
    is_loopback: bool

    def __post_init__(self) -> None:
        for url in (self.api, self.assets):
            _require(url, self.is_loopback)

    @classmethod
    def upstox(cls) -> "Hosts":
        """The broker itself."""
        return cls("https://api.upstox.com", "https://assets.upstox.com", is_loopback=False)

    @classmethod
    def loopback(cls, url: str) -> "Hosts":
        """An exchange on this machine, everything on one port.

        Raises ConfigError if the address is not a loopback address.
        """
        base = url.rstrip("/")
        return cls(base, base, is_loopback=True)

    def checked_feed(self, url: str) -> str:
        """The feed's address if it may be dialled.

        The broker's must be `wss` on its own domain, a loopback exchange's must stay on loopback.
        Raises BrokerError otherwise; the address holds a one-time code and is not repeated.
        """
        parts = _split(url)
        if self.is_loopback:
            good = parts is not None and parts.scheme in {"ws", "wss"} and _is_loopback(parts)
        else:
            good = parts is not None and parts.scheme == "wss" and _is_broker(parts)
        if not good:
            host = parts.hostname if parts is not None else "no host"
            raise BrokerError(
                f"the exchange sent the feed to {host}, which is not its own: refused"
            )
        return url


def _require(url: str, on_loopback: bool) -> None:
    parts = _split(url)
    if on_loopback:
        if parts is None or parts.scheme not in {"http", "https"} or not _is_loopback(parts):
            raise ConfigError(
                f"an exchange must run on this machine, like http://127.0.0.1:8900; was {url}"
            )
    elif parts is None or parts.scheme != "https" or not _is_broker(parts):
        raise ConfigError(f"the broker is spoken to over https on {_BROKER_DOMAIN}; was {url}")


def _split(url: str) -> SplitResult | None:
    """The parts of an address, None when it has no host, or a name and password."""
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return None
    return parts if parts.hostname and port_is_valid and "@" not in parts.netloc else None


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_broker(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    return host == _BROKER_DOMAIN or host.endswith("." + _BROKER_DOMAIN)
