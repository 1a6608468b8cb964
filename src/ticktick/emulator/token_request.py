"""The semi-automated login: an app asks, the person approves, the app is sent a token."""

from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ticktick.domain.clock import NS_PER_MS
from ticktick.emulator.answers import Refused, Request, Response, success
from ticktick.emulator.auth import USER_ID, App, Login, token_expiry_ns

DEFAULT_NOTIFIER: Final = "http://127.0.0.1:8000/notifier"
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


class _Secret(Struct):
    client_secret: str | None = None


class Notice(Struct, frozen=True):
    """What is to be posted to the app's notifier."""

    url: str
    body: bytes


class TokenRequests:
    """The open request of the demo account's app, and where its token is sent."""

    def __init__(self, login: Login, app: App) -> None:
        self._login = login
        self._app = app
        self._lapses_ns: int | None = None
        self.notifier_url = DEFAULT_NOTIFIER

    def register(self, url: str) -> None:
        """Send tokens to this address.

        Raises ValueError unless it is plain http on this machine.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK_NAMES:
            raise ValueError(f"the notifier must be http on this machine, was {url}")
        self.notifier_url = url

    def answer(self, request: Request, client_id: str, at_ns: int) -> Response:
        """`POST /v3/login/auth/token/request/{client_id}`."""
        try:
            secret = msgspec.json.decode(request.body or b"{}", type=_Secret).client_secret
        except msgspec.DecodeError as error:
            raise Refused("UDAPI100036", f"Invalid input: {error}") from error
        if not client_id.strip():
            raise Refused("UDAPI1017", "API key is required")
        if not secret:
            raise Refused("UDAPI1024", "API secret is required")
        if (client_id, secret) != (self._app.client_id, self._app.client_secret):
            raise Refused("UDAPI100016", "Invalid Credentials", 401)
        self._lapses_ns = token_expiry_ns(at_ns)
        expiry = str(self._lapses_ns // NS_PER_MS)
        return success({"authorization_expiry": expiry, "notifier_url": self.notifier_url})

    def decide(self, approved: bool, at_ns: int) -> Notice | None:
        """What the person says to the open request; None if nothing is sent.

        Raises LookupError if there is no open request.
        """
        lapses_ns, self._lapses_ns = self._lapses_ns, None
        if lapses_ns is None or at_ns >= lapses_ns:
            raise LookupError("no app has asked for a token, or its request has lapsed")
        if not approved:
            return None
        message = {
            "client_id": self._app.client_id,
            "user_id": USER_ID,
            "access_token": self._login.mint(at_ns),
            "token_type": "Bearer",
            "expires_at": str(token_expiry_ns(at_ns) // NS_PER_MS),
            "issued_at": str(at_ns // NS_PER_MS),
            "message_type": "access_token",
        }
        return Notice(self.notifier_url, msgspec.json.encode(message))
