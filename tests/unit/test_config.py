"""Settings: where each comes from, and the sentence for each that cannot be."""

import os
from pathlib import Path

import pytest
from msgspec.structs import asdict

from ticktick.config import EngineSection, Settings, credentials_of, load_settings
from ticktick.engine.ports import EngineSettings
from ticktick.errors import ConfigError
from ticktick.redact import redact


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("TICKTICK_", "REDIS_", "UPSTOX_")):
            monkeypatch.delenv(name)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "ticktick.toml"


def redis_url(settings: Settings) -> str | None:
    return settings.redis.url.get_secret_value() if settings.redis.url else None


def test_without_a_file_everything_has_a_default(toml: Path) -> None:
    settings = load_settings(toml)
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8080)
    assert (redis_url(settings), settings.redis.use_local, settings.redis.timeseries) == (
        None,
        False,
        True,
    )
    assert settings.recording.enabled
    assert settings.watch.canary == "NSE_INDEX|Nifty 50"
    assert settings.engine.for_engine() == EngineSettings()


def test_the_engine_section_knows_the_engine_s_settings_but_what_the_market_s_pace_decides() -> (
    None
):
    paced = ("ahead_limit_s", "silence_limit_s")
    all_of_them = asdict(EngineSettings())
    assert EngineSection().model_dump() | {n: all_of_them[n] for n in paced} == all_of_them


def test_the_file_wins_over_the_default_and_the_environment_over_the_file(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml.write_text("[web]\nport = 9000\n[engine]\nvwap_window_s = 60\nquiet_limit_s = 30\n")
    monkeypatch.setenv("TICKTICK_WEB_PORT", "9100")
    monkeypatch.setenv("TICKTICK_ENGINE_VWAP_WINDOW_S", "120")
    settings = load_settings(toml)
    assert settings.web.port == 9100
    assert settings.engine.for_engine() == EngineSettings(vwap_window_s=120, quiet_limit_s=30)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"REDIS_URL": "redis://a:1/0"}, "redis://a:1/0"),
        ({"REDIS_HOST": "a"}, "redis://a:6379"),
        ({"REDIS_PORT": "7000"}, "redis://127.0.0.1:7000"),
        ({"REDIS_HOST": "::1", "REDIS_PORT": "7000"}, "redis://[::1]:7000"),
        ({"REDIS_URL": "redis://a:1", "REDIS_HOST": "b"}, "redis://a:1"),
        ({"REDIS_URL": "redis://a:1", "TICKTICK_REDIS_URL": "redis://c:1"}, "redis://c:1"),
        ({"REDIS_URL": "  "}, "redis://file:1"),
        ({"REDIS_URL": "unix:///run/redis.sock"}, "unix:///run/redis.sock"),
    ],
)
def test_redis_is_named_by_the_usual_variables(
    toml: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], url: str
) -> None:
    toml.write_text('[redis]\nurl = "redis://file:1"\n')
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert redis_url(load_settings(toml)) == url


def test_timeseries_can_be_switched_off_by_the_environment(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKTICK_TIMESERIES", "off")
    assert not load_settings(toml).redis.timeseries


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[web]\nport = 'many'", "web.port is 'many', expected a port from 0 to 65535"),
        ("[web]\nport = 70000", "web.port is 70000, expected a port from 0 to 65535"),
        ("[web]\nport = true", "web.port is True, expected a port from 0 to 65535"),
        ("[web]\nport = []", "web.port is [], expected a port from 0 to 65535"),
        (
            "[web]\nhost = '0.0.0.0'",
            "web.host is '0.0.0.0', "
            "expected 127.0.0.1, localhost or ::1, the names of this machine",
        ),
        ("[web]\nprot = 1", "unknown setting 'web.prot', expected one of host, port"),
        ("web = 1", "web is 1, expected a section [web]"),
        (
            "[recording]\nmax_gb = -1",
            "recording.max_gb is -1, expected a number of gigabytes above 0",
        ),
        (
            "[recording]\nmax_gb = inf",
            "recording.max_gb is inf, expected a number of gigabytes above 0",
        ),
        ("[engine]\nfresh_limit_s = 0", "engine.fresh_limit_s is 0, expected whole seconds from 1"),
        (
            "[watch]\ncanary = 'Nifty'",
            "watch.canary is 'Nifty', expected an instrument key such as 'NSE_INDEX|Nifty 50'",
        ),
        (
            "[redis]\nurl = 'http://user:Qx7secret@host'",
            "redis.url is hidden (it may hold a password), "
            "expected an address such as redis://127.0.0.1:6379",
        ),
        ("[redis]\nuse_local = 'maybe'", "redis.use_local is 'maybe', expected true or false"),
        (
            "[upstox]\naccess_token = 'Qx7secret'",
            "unknown setting 'upstox', expected one of web, redis, engine, recording, watch, "
            "notify (`ticktick login` keeps the credentials)",
        ),
        (
            "_cli_parse_args = true",
            "unknown setting '_cli_parse_args', expected one of "
            "web, redis, engine, recording, watch, notify (`ticktick login` keeps the credentials)",
        ),
        (
            "[web\n",
            "this is not TOML: Expected ']' at the end of a table declaration (at line 1,",
        ),
        ("a = " + "[" * 9999, "this is not TOML: "),
    ],
)
def test_a_bad_file_is_explained_in_one_sentence(toml: Path, content: str, sentence: str) -> None:
    toml.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load_settings(toml)
    assert str(caught.value).startswith(f"{toml}: {sentence}")


def test_a_file_that_is_no_text_is_explained(toml: Path) -> None:
    toml.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="found bytes that are no text, expected UTF-8"):
        load_settings(toml)


def test_a_file_that_cannot_be_read_is_explained(toml: Path) -> None:
    toml.mkdir()
    with pytest.raises(ConfigError, match=r"ticktick\.toml cannot be read: Is a directory"):
        load_settings(toml)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TICKTICK_WEB_PORT", "x", "web.port is 'x', expected a port from 0 to 65535"),
        ("TICKTICK_WEB_PROT", "1", "unknown setting 'web.prot', expected one of host, port"),
        ("TICKTICK_TIMESERIES", "5", "redis.timeseries is '5', expected true or false"),
        (
            "TICKTICK_WEB",
            "x",
            "this names a whole section, expected single settings such as TICKTICK_WEB_PORT",
        ),
        (
            "REDIS_PORT",
            "Qx7",
            "redis.url is hidden (it may hold a password), "
            "expected an address such as redis://127.0.0.1:6379",
        ),
    ],
)
def test_a_bad_variable_is_named(
    toml: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings(toml)
    assert str(caught.value) == f"{name}: {sentence}"


def test_settings_cannot_be_changed(toml: Path) -> None:
    settings = load_settings(toml)
    with pytest.raises(ValueError, match="frozen"):
        settings.web.port = 1


def test_secrets_are_typed_and_masked_from_then_on(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTOX_API_SECRET", "Qx7apisecret\n")
    monkeypatch.setenv("UPSTOX_ACCESS_TOKEN", "Qx7accesstoken")
    monkeypatch.setenv("REDIS_URL", "redis://me:Qx7p%40ssword@127.0.0.1:6379")
    settings = load_settings(toml)
    assert "Qx7" not in repr(settings)
    assert "Qx7" not in repr(settings.model_dump())
    assert redact("Qx7apisecret Qx7accesstoken Qx7p%40ssword Qx7p@ssword") == "*** *** *** ***"


def test_credentials_come_from_the_file_and_the_environment_wins(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = toml.parent / "authentication" / "credentials.json"
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_text('{"api_key": "Qx7file", "api_secret": "Qx7kept", "access_token": "Qx7old"}')
    monkeypatch.setenv("UPSTOX_API_KEY", "Qx7environment")
    credentials = credentials_of(load_settings(toml), path)
    assert (credentials.api_key, credentials.api_secret) == ("Qx7environment", "Qx7kept")
    assert redact("Qx7kept Qx7old") == "*** ***"


def test_credentials_that_others_can_read_are_refused(toml: Path) -> None:
    path = toml.parent / "authentication" / "credentials.json"
    path.parent.mkdir(mode=0o700)
    path.write_text("{}")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=r"mode 644.*chmod 600"):
        credentials_of(load_settings(toml), path)


@pytest.mark.parametrize(
    "line",
    [
        'notify = "tgram://t0ps3cret/chat"',
        'notify = ["tgram://t0ps3cret/chat"]',
        'redis = "redis://:t0ps3cret@127.0.0.1"',
    ],
)
def test_an_address_in_place_of_its_section_is_not_shown(toml: Path, line: str) -> None:
    toml.write_text(line)
    with pytest.raises(ConfigError, match=r"is hidden .*, expected a section \[") as refusal:
        load_settings(toml)
    assert "t0ps3cret" not in str(refusal.value)


def test_an_address_that_only_its_service_understands_is_taken_and_never_logged(
    toml: Path,
) -> None:
    toml.write_text('[notify]\nservices = ["mailto://somebody:br[ackets@mail.example/inb0xes"]')
    toml.chmod(0o600)
    load_settings(toml)
    told = redact("somebody logs in with br[ackets and asks for inb0xes")
    assert told == "*** logs in with *** and asks for ***"


def test_services_of_a_variable_of_any_case_need_no_file(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ticktick_notify_services", "json://127.0.0.1/in")
    assert len(load_settings(toml).notify.services) == 1
