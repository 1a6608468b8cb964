"""Refusals of the broker become errors that say what to do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.upstox.problem import refusal
from ticktick.errors import AuthError, BrokerError, RateLimited


def body(code: str, message: str = "Invalid Instrument key") -> bytes:
    problem = {
        "errorCode": code,
        "message": message,
        "propertyPath": None,
        "invalidValue": None,
        "error_code": code,
    }
    return json.dumps({"status": "error", "errors": [problem]}).encode()


def test_given_a_refusal_when_read_then_code_message_and_advice_are_told() -> None:
    error = refusal(400, body("UDAPI100011"))
    assert type(error) is BrokerError
    assert (error.code, error.http_status) == ("UDAPI100011", 400)
    assert "Invalid Instrument key" in str(error)
    assert "check symbols.json" in str(error)


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "UDAPI100050"), (401, ""), (400, "UDAPI100016"), (403, "UDAPI100073")],
)
def test_given_a_refused_login_when_read_then_only_a_login_helps(status: int, code: str) -> None:
    assert isinstance(refusal(status, body(code, "Invalid token")), AuthError)


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [
        (None, 60.0),
        ("5", 5.0),
        ("0", 1.0),
        ("99999999", 3600.0),
        ("-4", 60.0),
        ("Mon, 1 Jan", 60.0),
    ],
)
def test_given_too_many_requests_when_read_then_the_pause_is_told(
    header: str | None, pause_s: float
) -> None:
    error = refusal(429, body("UDAPI10005", "Too many"), header)
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == pause_s


def test_given_the_night_when_read_then_the_opening_time_is_told() -> None:
    assert "05:30 IST" in str(refusal(423, body("UDAPI100072", "closed")))


@given(st.integers(300, 599), st.binary(max_size=200))
def test_no_body_breaks_the_error_that_tells_of_it(status: int, content: bytes) -> None:
    error = refusal(status, content)
    assert error.http_status == status
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>error code: 1010</html>", b"{}", b'{"errors":[]}', b'{"errors":null}', b"[]"],
)
def test_given_a_body_of_the_gateway_when_read_then_it_is_not_repeated(content: bytes) -> None:
    error = refusal(403, content)
    assert "no reason given" in str(error)
    assert "1010" not in str(error)
