"""A refusal of the broker as an error a person can use."""

import msgspec

from ticktick.brokers.upstox.wire import ErrorBody, Problem
from ticktick.errors import AuthError, BrokerError, RateLimited

_RATE_PAUSE_S = 60.0
_TOKEN_REFUSED = "UDAPI100050"  # noqa: S105 - an error code
_CREDENTIALS_REFUSED = frozenset({"UDAPI100016", "UDAPI100073"})
KEYS_REFUSED = frozenset({"UDAPI100011", "UDAPI1011", "UDAPI1087", "UDAPI100095"})
"""One of the instrument keys asked for is unknown, malformed or not served."""
_ADVICE = {
    "UDAPI100011": "an instrument key is not listed; check symbols.json",
    "UDAPI1021": "an instrument key is malformed; check symbols.json",
    "UDAPI100072": "the service is closed from midnight to 05:30 IST; try again after that",
}
_ADVICE_BY_STATUS = {
    403: "the gateway refused this program or machine; wait a minute and try again",
    404: "this address is unknown there; update the program",
    423: "the service is closed from midnight to 05:30 IST; try again after that",
}


def refusal(status: int, body: bytes, retry_after: str | None = None) -> BrokerError:
    """The error of an answer that is no success.

    body: whatever came; it need not be JSON. retry_after: the header's text, seconds if any.
    """
    problem = _first_problem(body)
    said = f"{problem.code or 'no code'}, HTTP {status}"
    message = problem.message or "no reason given"
    if problem.code in _CREDENTIALS_REFUSED:
        advice = "check api_key, api_secret and redirect_uri against the developer console"
        return AuthError(_sentence(said, message, advice), code=problem.code, http_status=status)
    if status == 401 or problem.code == _TOKEN_REFUSED:
        advice = "the login has ended or another program logged in; run `ticktick login`"
        return AuthError(_sentence(said, message, advice), code=problem.code, http_status=status)
    if status == 429:
        pause_s = _seconds(retry_after)
        text = _sentence(said, message, f"wait {pause_s:.0f} s")
        return RateLimited(text, code=problem.code, retry_after_s=pause_s)
    advice = _ADVICE.get(problem.code) or _ADVICE_BY_STATUS.get(status, "try again in a minute")
    return BrokerError(_sentence(said, message, advice), code=problem.code, http_status=status)


def _first_problem(body: bytes) -> Problem:
    try:
        errors = msgspec.json.decode(body, type=ErrorBody, strict=False).errors
    except msgspec.DecodeError:
        return Problem()
    return errors[0] if errors else Problem()


def _sentence(said: str, message: str, advice: str) -> str:
    return f"the broker refused ({said}): {message.strip().rstrip('.')}; {advice}"


def _seconds(retry_after: str | None) -> float:
    """The header's seconds within reason; it may also be a date, which is not worth reading."""
    if retry_after is None or not retry_after.isdecimal():
        return _RATE_PAUSE_S
    return min(max(float(retry_after), 1.0), 3600.0)
