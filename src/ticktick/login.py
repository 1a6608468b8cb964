"""The access token of a run, and who can renew it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp

from ticktick.brokers.upstox.auth import token_expiry_ns
from ticktick.redact import hide


class Login:
    """One token at a time. The built-in exchange gives a new one, a broker only to a person.

    Raises AuthError if the token is no token of the broker.
    """

    def __init__(self, token: str, fetch: Callable[[], Awaitable[str]] | None = None) -> None:
        self._fetch = fetch
        self._take(token)

    def _take(self, token: str) -> None:
        self.expires_ns = token_expiry_ns(token)
        self.token = token
        hide(token)

    async def renew(self) -> bool:
        """Take a new token if this run can get one; false if only a person can.

        While the exchange does not answer the old token stays.
        """
        if self._fetch is None:
            return False
        with suppress(aiohttp.ClientError, TimeoutError):
            self._take(await self._fetch())
        return True
