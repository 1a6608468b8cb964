"""The access token of a run: whether the broker takes it, and the one that follows it."""

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from ticktick.brokers.upstox.auth import token_expiry_ns
from ticktick.config import Settings, credentials_of
from ticktick.domain.clock import NS_PER_MINUTE, ist
from ticktick.errors import AuthError
from ticktick.redact import hide

LoginState = Literal["valid", "expiring", "expired", "refused"]

_EXPIRING_NS: Final = 60 * NS_PER_MINUTE


class Held(Struct, frozen=True):
    """A token, what to call it, and what the user can do when it is of no use any more."""

    token: str
    name: str = "the login"
    advice: str = "run `ticktick login`"

    def __repr__(self) -> str:
        return f"Held({self.name!r})"


class Login:
    """One token at a time, `held`; every client asks it for the token of each request.

    Raises AuthError if the token is no token of the broker.
    """

    def __init__(self, held: Held) -> None:
        self.take(held)

    @property
    def token(self) -> str:
        """The token in use, whether the broker takes it or not."""
        return self.held.token

    def take(self, held: Held) -> None:
        """Use this token from now on, and no other.

        Raises AuthError if it is no token of the broker; the one before stays then.
        """
        self.expires_ns = token_expiry_ns(held.token)
        hide(held.token)
        self.held = held
        self._refusal = ""

    def refuse(self, token: str, code: str = "") -> None:
        """Know that the broker does not take this token, if it is still the one in use."""
        if token == self.token:
            said = f" ({code})" if code else ""
            self._refusal = (
                f"the broker does not take {self.held.name} any more{said}: it was ended, or "
                f"another program signed in; {self.held.advice}"
            )

    def trouble(self, now_ns: int) -> str:
        """Why nothing can be asked with it, as a sentence; empty while it can."""
        if self._refusal:
            return self._refusal
        if now_ns >= self.expires_ns:
            ended = f"{ist(self.expires_ns):%d %b %Y %H:%M} IST"
            return f"{self.held.name} ended {ended}; {self.held.advice}"
        return ""

    def bearer(self, now_ns: int) -> str:
        """The token for a request at that moment.

        Raises AuthError when the broker would not take it; nothing is sent then.
        """
        trouble = self.trouble(now_ns)
        if trouble:
            raise AuthError(trouble)
        return self.token

    def state(self, now_ns: int) -> LoginState:
        """The state in a word."""
        if self._refusal:
            return "refused"
        if now_ns >= self.expires_ns:
            return "expired"
        return "expiring" if now_ns >= self.expires_ns - _EXPIRING_NS else "valid"


def market_token(settings: Settings, path: Path) -> Held | None:
    """The token that reads market data: the analytics token, else that of the daily login.

    Raises ConfigError if the file of the credentials is wrong.
    """
    credentials, given = credentials_of(settings, path), settings.upstox
    if credentials.analytics_token:
        where = "UPSTOX_ANALYTICS_TOKEN" if given.analytics_token else str(path)
        advice = f"make a new one in the broker's developer console and put it into {where}"
        return Held(credentials.analytics_token, "the analytics token", advice)
    if not credentials.access_token:
        return None
    if given.access_token:
        advice = "set a new one, or unset it and run `ticktick login`, and start again"
        return Held(credentials.access_token, "the token in UPSTOX_ACCESS_TOKEN", advice)
    return Held(credentials.access_token)
