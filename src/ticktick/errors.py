"""The error tree: one class for each thing a caller does differently.

    TickTickError
    ├── ConfigError           tell the user which setting, what was found, what is expected
    ├── BrokerError           the broker answered no: code, message, http_status
    │   ├── AuthError         ask for login; never retry
    │   └── RateLimited       wait retry_after_s
    ├── DecodeError           keep the frame, count it, go on with the next
    ├── StoreError            degrade, show it, go on
    └── TaskError             end the program: a vital part of it fails again and again

Every message says what happened, with which value, and what to do.
"""


class TickTickError(Exception):
    """The root: its message may be shown to the user as it is."""


class ConfigError(TickTickError):
    """A setting, a file or an argument of ours is wrong."""


class BrokerError(TickTickError):
    """The broker refused a request or answered in a way nobody can use."""

    def __init__(self, message: str, *, code: str = "", http_status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status


class AuthError(BrokerError):
    """The token is missing, expired or refused; only a new login helps."""


class RateLimited(BrokerError):
    """Too many requests; the class of requests pauses for `retry_after_s`."""

    def __init__(self, message: str, *, code: str = "", retry_after_s: float = 60.0) -> None:
        super().__init__(message, code=code, http_status=429)
        self.retry_after_s = retry_after_s


class DecodeError(TickTickError):
    """A frame that cannot be read as the broker's message."""


class StoreError(TickTickError):
    """A store (Redis, recording, file) cannot be read or written."""


class TaskError(TickTickError):
    """A vital part of the program failed so often that it must end."""
