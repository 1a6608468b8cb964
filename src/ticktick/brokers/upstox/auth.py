"""The user's credentials on disk, and what a token says about itself."""

import base64
import os
import stat
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from ticktick.brokers.upstox.hosts import Hosts
from ticktick.domain.clock import NS_PER_S, iso_ist
from ticktick.errors import AuthError, ConfigError

DEFAULT_REDIRECT_URI = "http://localhost:8000"
_LATEST_S = 2**63 // NS_PER_S - 1


class Credentials(Struct, frozen=True):
    """The API app's key and secret, the token of the latest login, and the analytics token.

    `token_expires_at` is for people: the program reads the expiry from the token itself. The
    analytics token, if the user made one at the broker, reads market data for a year.
    """

    api_key: str | None = None
    api_secret: str | None = None
    redirect_uri: str = DEFAULT_REDIRECT_URI
    access_token: str | None = None
    token_expires_at: str | int | float | None = None
    analytics_token: str | None = None

    def __repr__(self) -> str:
        held = [name for name in self.__struct_fields__ if getattr(self, name)]
        return f"Credentials({', '.join(held)})"


class _Claims(Struct, frozen=True):
    exp: int


def load_credentials(path: Path) -> Credentials:
    """What the file holds; empty credentials if there is none.

    Raises ConfigError if others may read the file or its folder, or it is no such file.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Credentials()
    _require_private(path)
    try:
        return msgspec.json.decode(content, type=Credentials)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path} must be a JSON object with the texts api_key and api_secret ({error})"
        ) from error


def save_credentials(path: Path, credentials: Credentials) -> None:
    """Write the file for its owner alone; whoever reads meanwhile sees the old or the new one."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    # mkstemp creates with O_EXCL and mode 0600
    descriptor, fresh = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(credentials)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    finally:
        Path(fresh).unlink(missing_ok=True)


def token_expiry_ns(token: str) -> int:
    """When the token ends, from its own `exp`.

    Raises AuthError if it is no token of the broker.
    """
    try:
        _, payload, _ = token.split(".")
        claims = msgspec.json.decode(_decoded(payload), type=_Claims)
    except (ValueError, msgspec.DecodeError):
        claims = None
    if claims is None or not 0 < claims.exp <= _LATEST_S:
        raise AuthError("the access token is no token of the broker; run `ticktick login`")
    return claims.exp * NS_PER_S


def token_claims(token: str) -> dict[str, Any]:
    """Everything the token says of itself, unchecked.

    Raises AuthError if it is no token of the broker.
    """
    token_expiry_ns(token)
    payload = token.split(".")[1]
    claims: dict[str, Any] = msgspec.json.decode(_decoded(payload))
    return claims


def with_token(credentials: Credentials, token: str) -> Credentials:
    """The credentials after a login."""
    return msgspec.structs.replace(
        credentials,
        access_token=token,
        token_expires_at=iso_ist(token_expiry_ns(token)),
    )


def dialog_url(hosts: Hosts, credentials: Credentials, state: str) -> str:
    """Where the user signs in; the broker sends the browser back with the state.

    Raises ConfigError without an API key and secret.
    """
    if not credentials.api_key or not credentials.api_secret:
        raise ConfigError(
            "the login needs an api_key and an api_secret; create an app at "
            "https://account.upstox.com/developer/apps with the redirect URI "
            f"{credentials.redirect_uri} and write both into authentication/credentials.json, "
            "or set UPSTOX_API_KEY and UPSTOX_API_SECRET"
        )
    query = urlencode(
        {
            "response_type": "code",
            "client_id": credentials.api_key,
            "redirect_uri": credentials.redirect_uri,
            "state": state,
        }
    )
    return f"{hosts.api}/v2/login/authorization/dialog?{query}"


def _decoded(payload: str) -> bytes:
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


def _require_private(path: Path) -> None:
    if os.name != "posix":
        return
    for checked, mode in ((path.parent, "700"), (path, "600")):
        found = stat.S_IMODE(checked.stat().st_mode)
        if found & 0o077:
            raise ConfigError(
                f"{checked} is open to others (mode {found:o}) and holds secrets: "
                f"run `chmod {mode} {checked}`"
            )
