"""Whatever a secret looks like and wherever it stands, no log line shows it."""

import base64
import json
import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.redact import hide, redact, safe

secrets = st.text(string.ascii_letters + string.digits + "-_.~", min_size=8, max_size=60).map(
    lambda text: f"Qx7{text}"
)
odd_secrets = st.text(st.characters(blacklist_categories=["Cs"]), min_size=4, max_size=40).map(
    lambda text: f"Qx7{text}9zK"
)

SHAPES = [
    "GET /v2/user/profile Authorization: Bearer {}",
    "{{'Authorization': 'Bearer {}', 'Accept': 'application/json'}}",
    "{{'authorization': 'token {}'}}",
    "((b'Authorization', b'Bearer {}'), (b'Accept', b'*/*'))",
    "<CIMultiDictProxy('Authorization': 'Bearer {}', 'Host': 'x')>",
    "sent bearer {} to the broker",
    "https://127.0.0.1:8000/?code={}&state=5",
    "http://127.0.0.1:8080/#code={}",
    "redirect to http%3A%2F%2Flocalhost%3A8000%3Fcode%3D{}%26state%3D5",
    "wss://feed/market-data-feeder/v3?requestId={}&x=1",
    "wss://feed/market-data-feeder/v3?request_id={}&code={}",
    '{{"access_token": "{}", "user_id": "AB1234"}}',
    '{{\\"access_token\\": \\"{}\\"}}',
    "{{'access_token': '{}'}}",
    '{{"api_secret":"{}"}}',
    '{{"code": "{}"}}',
    '{{"csrf":"{}"}}',
    "access_token={}",
    "analytics_token={}",
    "UPSTOX_ACCESS_TOKEN={} REDIS_PORT=6379",
    "client_id=1&client_secret={}&grant_type=authorization_code",
    "Credentials(api_secret='{}', access_token='{}')",
    "('access_token', '{}')",
    "clientSecret: {}",
    "Cookie: ticktick_session={}; theme=dark",
    "Set-Cookie: ticktick_session={}; HttpOnly; Path=/",
    "{{'Cookie': 'a=1; ticktick_session={}'}}",
    "session=<Session ticktick_session={}>",
    "X-Ticktick-Csrf: {}",
    "redis://default:{}@127.0.0.1:6379/0",
    "start_code={}",
    "proxy answered Basic 1{}=",
    "wait for token={}",
    '{{"session": "{}"}}',
    'truncated {{"access_token": "{}',
]


@pytest.mark.parametrize("shape", SHAPES)
@given(secret=secrets)
def test_a_secret_is_masked_wherever_it_stands(shape: str, secret: str) -> None:
    assert secret not in safe(shape.format(secret, secret))


@given(secret=odd_secrets)
def test_a_secret_of_any_letters_is_masked_in_json_python_and_queries(secret: str) -> None:
    fields = {"access_token": secret, "user": "AB1234"}
    assert "Qx7" not in redact(json.dumps(fields))
    assert "Qx7" not in redact(repr(fields))
    assert "Qx7" not in redact(json.dumps(json.dumps(fields)))
    assert "Qx7" not in redact(urlencode(fields))


@given(claims=st.dictionaries(st.sampled_from(["sub", "exp", "iat"]), st.integers(0), min_size=1))
def test_a_token_of_the_broker_is_masked_without_any_name(claims: dict[str, int]) -> None:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"typ": "JWT", "alg": "HS256"}, claims)
    )
    line = redact(f"refused {head}.{body}.c2lnbmF0dXJl by the broker")
    assert line == "refused *** by the broker"


@given(secret=st.text(min_size=2).map(lambda text: f"hid{text}3n"))
def test_a_hidden_value_is_masked_in_any_text(secret: str) -> None:
    hide(secret)
    for text in (f"a {secret} b", repr({"x": secret}), quote(secret, safe="")):
        assert secret not in redact(text).replace("***", "")


@given(text=st.text())
def test_every_text_becomes_one_printable_line(text: str) -> None:
    line = safe(text)
    assert len(line.splitlines()) <= 1
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in line)


@given(text=st.text())
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize(
    "text",
    [
        "RELIANCE 5m closed 1412.30, volume 12000",
        "the socket closed with code=1006",
        "answer status_code=200 error_code=UDAPI100050",
        "instrument_token='NSE_EQ|INE002A01018'",
        "token=None, so no login yet",
        '"token":{"state":"valid"}',
        "wss://127.0.0.1:8080/ws",
        "a basic understanding of authorization",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert safe(text) == text


def test_a_long_hostile_text_is_handled_in_reasonable_time() -> None:
    for piece in ("a=\"'\\", "://", "bearer ", "access_token=\\", '"code": "\\', "eyJ", "cookie="):
        safe(piece * (200_000 // len(piece)))
