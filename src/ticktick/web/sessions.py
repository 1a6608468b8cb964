"""Who may read: one-time start codes, sessions until 03:30 IST, socket codes, the CLI's token."""

import secrets
from collections import deque
from collections.abc import Callable
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S, at_ist, ist_day

START_CODE_LIFE_NS: Final = 10 * NS_PER_MINUTE
SOCKET_CODE_LIFE_NS: Final = 30 * NS_PER_S
REQUESTS_PER_SECOND: Final = 100
_WRONG_CODES_PER_MINUTE: Final = 5


class Session(Struct, eq=False):
    """One browser that opened a start link; `csrf` must come back with every POST."""

    id: str
    csrf: str
    ends_ns: int
    second: int = 0
    requests: int = 0

    def __repr__(self) -> str:
        return "Session(***)"


class TooManyTries(Exception):
    """Several wrong start codes within a minute; the next try must wait."""


class Sessions:
    """Start codes, sessions and socket codes, all in memory: a restart ends every session.

    `wall_ns` is the computer's clock; `new_token` makes unguessable text of at least 128 bit;
    `cli_token` opens what this user's own commands may ask.
    """

    def __init__(
        self,
        cli_token: str,
        wall_ns: Callable[[], int],
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> None:
        self._cli_token = cli_token
        self._wall_ns = wall_ns
        self._new_token = new_token
        self._start_codes: dict[str, int] = {}
        self._socket_codes: dict[str, tuple[Session, int]] = {}
        self._sessions: dict[str, Session] = {}
        self._wrong_codes: deque[int] = deque(maxlen=_WRONG_CODES_PER_MINUTE)

    def new_start_code(self) -> str:
        """A code that opens one session within ten minutes."""
        now_ns = self._wall_ns()
        self._start_codes = {c: ends for c, ends in self._start_codes.items() if ends > now_ns}
        code = self._new_token()
        self._start_codes[code] = now_ns + START_CODE_LIFE_NS
        return code

    def open(self, start_code: str) -> Session | None:
        """Start a session with an unused start code; None if the code is not one.

        Raises TooManyTries after five wrong codes within a minute.
        """
        now_ns = self._wall_ns()
        self._refuse_guessing(now_ns)
        if self._start_codes.pop(start_code, 0) <= now_ns:
            self._wrong_codes.append(now_ns)
            return None
        self._sessions = {s.id: s for s in self._sessions.values() if s.ends_ns > now_ns}
        session = Session(self._new_token(), self._new_token(), next_end_ns(now_ns))
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """The session of a cookie, if it still runs."""
        session = self._sessions.get(session_id)
        return session if session is not None and self.is_open(session) else None

    def is_open(self, session: Session) -> bool:
        """Whether the session has not ended."""
        return self._wall_ns() < session.ends_ns

    def seconds_left(self, session: Session) -> int:
        """Whole seconds until the session ends."""
        return max(0, (session.ends_ns - self._wall_ns()) // NS_PER_S)

    def admits(self, session: Session) -> bool:
        """Count a request; whether the session stays within its requests per second."""
        second = self._wall_ns() // NS_PER_S
        if second != session.second:
            session.second, session.requests = second, 0
        session.requests += 1
        return session.requests <= REQUESTS_PER_SECOND

    def new_socket_code(self, session: Session) -> str:
        """A code that opens one socket of this session within 30 seconds."""
        now_ns = self._wall_ns()
        self._socket_codes = {
            code: held for code, held in self._socket_codes.items() if held[1] > now_ns
        }
        code = self._new_token()
        self._socket_codes[code] = (session, now_ns + SOCKET_CODE_LIFE_NS)
        return code

    def take_socket_code(self, code: str, session: Session) -> bool:
        """Use up a socket code; whether it was this session's and not too old."""
        owner, ends_ns = self._socket_codes.pop(code, (None, 0))
        return owner is session and self._wall_ns() < ends_ns

    def is_cli(self, token: str) -> bool:
        """Whether this is the token of the user's own commands."""
        return compare_digest(token.encode(), self._cli_token.encode())

    def _refuse_guessing(self, now_ns: int) -> None:
        tries = self._wrong_codes
        if len(tries) == _WRONG_CODES_PER_MINUTE and now_ns - tries[0] < NS_PER_MINUTE:
            raise TooManyTries


def next_end_ns(now_ns: int) -> int:
    """The next 03:30 in India, when every session ends."""
    today_ns = at_ist(ist_day(now_ns), 3, 30)
    return today_ns if now_ns < today_ns else today_ns + NS_PER_DAY
