"""Credentials on disk, the token's own expiry, and the sign-in address."""

import base64
import json
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.upstox.auth import (
    Credentials,
    dialog_url,
    load_credentials,
    save_credentials,
    token_expiry_ns,
    with_token,
)
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.errors import AuthError, ConfigError
from ticktick.redact import redact

needs_modes = pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")


def token(**claims: object) -> str:
    parts = ({"typ": "JWT", "alg": "HS256"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*coded, b"c2lnbmF0dXJl"]).decode()


def test_given_a_token_when_asked_then_its_expiry_is_its_own_claim() -> None:
    issued = token(sub="AB1234", iat=1_750_222_674, exp=1_750_284_000, iss="udapi-gateway-service")
    assert token_expiry_ns(issued) == 1_750_284_000 * 10**9


@given(st.text(max_size=60) | st.just(token(exp="soon")) | st.just(token(sub="AB1234")))
def test_no_garbage_passes_for_a_token(text: str) -> None:
    with pytest.raises(AuthError, match="ticktick login"):
        token_expiry_ns(text)


@pytest.mark.parametrize("exp", [0, -5, 10**12, 1.5])
def test_given_an_expiry_out_of_this_world_when_asked_then_it_is_no_token(exp: float) -> None:
    with pytest.raises(AuthError):
        token_expiry_ns(token(exp=exp))


def test_given_saved_credentials_when_loaded_then_they_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "authentication" / "credentials.json"
    kept = with_token(Credentials("key", "secret"), token(exp=1_750_284_000))
    save_credentials(path, kept)
    assert load_credentials(path) == kept
    assert json.loads(path.read_text())["token_expires_at"] == "2025-06-19T03:30:00+05:30"


@needs_modes
def test_given_a_new_workspace_when_saved_then_only_the_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "authentication" / "credentials.json"
    mask = os.umask(0)
    try:
        save_credentials(path, Credentials("key", "secret"))
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["credentials.json"]


@needs_modes
@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o700, 0o644), (0o755, 0o600)])
def test_given_credentials_open_to_others_when_loaded_then_they_are_refused(
    tmp_path: Path, folder_mode: int, file_mode: int
) -> None:
    path = tmp_path / "authentication" / "credentials.json"
    save_credentials(path, Credentials("key", "secret"))
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)
    with pytest.raises(ConfigError, match=r"open to others .* run `chmod (600|700) "):
        load_credentials(path)


def test_given_no_file_when_loaded_then_nothing_is_held(tmp_path: Path) -> None:
    assert load_credentials(tmp_path / "credentials.json") == Credentials()


@pytest.mark.parametrize("content", ["", "[]", "not json", '{"api_key": 5}', '{"api_key": "a"'])
def test_given_a_broken_file_when_loaded_then_the_file_is_named(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "authentication" / "credentials.json"
    save_credentials(path, Credentials())
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"credentials\.json must be"):
        load_credentials(path)


def test_given_fields_of_other_programs_when_loaded_then_ours_are_read(tmp_path: Path) -> None:
    path = tmp_path / "authentication" / "credentials.json"
    save_credentials(path, Credentials())
    path.write_text('{"api_key": "k", "token_expires_at": 1750284000, "mobile": "x"}')
    loaded = load_credentials(path)
    assert (loaded.api_key, loaded.redirect_uri) == ("k", "http://localhost:8000")


def test_given_credentials_when_shown_then_no_value_is_told() -> None:
    shown = repr(Credentials("my-key", "my-secret", access_token="my-token"))
    assert "my-" not in shown
    assert "api_secret" in shown


def test_given_an_app_when_signing_in_then_the_address_carries_what_the_broker_needs() -> None:
    url = dialog_url(Hosts.upstox(), Credentials("key", "secret"), "state & more")
    parts = urlsplit(url)
    assert (parts.scheme, parts.hostname) == ("https", "api.upstox.com")
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["key"],
        "redirect_uri": ["http://localhost:8000"],
        "state": ["state & more"],
    }
    assert "secret" not in url


@pytest.mark.parametrize("credentials", [Credentials(), Credentials("key"), Credentials("", "s")])
def test_given_no_app_when_signing_in_then_one_sentence_says_how_to_get_one(
    credentials: Credentials,
) -> None:
    with pytest.raises(ConfigError) as caught:
        dialog_url(Hosts.upstox(), credentials, "state")
    sentence = str(caught.value)
    assert "UPSTOX_API_KEY" in sentence
    assert "developer/apps" in sentence
    assert redact(sentence) == sentence
