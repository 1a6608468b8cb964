"""Settings: ticktick.toml and the environment, read once; the environment wins.

TICKTICK_<SECTION>_<NAME> overrides the setting of that name, such as TICKTICK_WEB_PORT.
REDIS_URL (or REDIS_HOST and REDIS_PORT) overrides `redis.url`, TICKTICK_TIMESERIES
`redis.timeseries`. UPSTOX_API_KEY, UPSTOX_API_SECRET, UPSTOX_ACCESS_TOKEN and
UPSTOX_ANALYTICS_TOKEN exist in the environment only: ticktick.toml holds no secret of a broker.
It may hold addresses of services, which are secrets: then only its owner may read it.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec.structs import replace
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ticktick.brokers.upstox.auth import Credentials, load_credentials
from ticktick.domain.watchlist import INSTRUMENT_KEY
from ticktick.engine.ports import EngineSettings
from ticktick.errors import ConfigError
from ticktick.redact import hide

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_REDIS_SCHEMES: Final = ("redis", "rediss", "unix")
_ENGINE: Final = EngineSettings()
_WELL_KNOWN: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("upstox", "api_key"): ("UPSTOX_API_KEY",),
    ("upstox", "api_secret"): ("UPSTOX_API_SECRET",),
    ("upstox", "access_token"): ("UPSTOX_ACCESS_TOKEN",),
    ("upstox", "analytics_token"): ("UPSTOX_ANALYTICS_TOKEN",),
    ("redis", "timeseries"): ("TICKTICK_TIMESERIES",),
    ("redis", "url"): ("REDIS_URL", "REDIS_HOST", "REDIS_PORT"),
}
_SECRET: Final = {"redis": "url", "notify": "services"}
"""By section the setting that is never shown: addresses with passwords and tokens."""


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a truth value is not a number")  # noqa: TRY004 (pydantic wants it)
    return value


def _loopback(host: str) -> str:
    if host not in _LOOPBACK:
        raise ValueError("other machines may not reach the page")
    return host


def _redis_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    named = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in _REDIS_SCHEMES or not named or parts.port == 0:
        raise ValueError("not an address of a Redis server")
    return url


def _instrument_key(key: str) -> str:
    if not INSTRUMENT_KEY.fullmatch(key):
        raise ValueError("not an instrument key")
    return key


def _addresses(value: Any) -> Any:
    """The addresses of one text, as the environment gives them, or the list of the file."""
    return value.split() if isinstance(value, str) else value


def _no_blanks(addresses: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any("://" not in address.get_secret_value() for address in addresses):
        raise ValueError("not an address of a service")
    return addresses


Whole = Annotated[int, BeforeValidator(_number)]
Real = Annotated[float, BeforeValidator(_number)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class WebSettings(_Section):
    """Where the page is served: this machine only. Port 0 takes a free one."""

    host: Annotated[str, AfterValidator(_loopback)] = Field(
        default="127.0.0.1", description="127.0.0.1, localhost or ::1, the names of this machine"
    )
    port: Whole = Field(default=8080, ge=0, le=65535, description="a port from 0 to 65535")


class RedisSettings(_Section):
    """Which Redis is written to: `url` as given, else a local one if `use_local`, else our own.

    `spool_mb` bounds what waits in memory while it is away.
    """

    url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        default=None, description="an address such as redis://127.0.0.1:6379"
    )
    use_local: bool = Field(default=False, description="true or false")
    timeseries: bool = Field(default=True, description="true or false")
    spool_mb: Whole = Field(default=64, ge=1, description="whole megabytes from 1")


class EngineSection(_Section):
    """What the engine's outputs depend on: limits in seconds, and the size of an order."""

    vwap_window_s: Whole = Field(
        default=_ENGINE.vwap_window_s, ge=1, description="whole seconds from 1"
    )
    fresh_limit_s: Whole = Field(
        default=_ENGINE.fresh_limit_s, ge=1, description="whole seconds from 1"
    )
    quiet_limit_s: Whole = Field(
        default=_ENGINE.quiet_limit_s, ge=1, description="whole seconds from 1"
    )
    quiet_derivative_limit_s: Whole = Field(
        default=_ENGINE.quiet_derivative_limit_s, ge=1, description="whole seconds from 1"
    )
    confirm_limit_s: Whole = Field(
        default=_ENGINE.confirm_limit_s, ge=1, description="whole seconds from 1"
    )
    close_grace_s: Whole = Field(
        default=_ENGINE.close_grace_s, ge=0, description="whole seconds from 0"
    )
    order_value_rupees: Whole = Field(
        default=_ENGINE.order_value_rupees, ge=1, description="whole rupees from 1"
    )

    def for_engine(self) -> EngineSettings:
        """The same values as the engine takes them."""
        return EngineSettings(**self.model_dump())


class RecordingSettings(_Section):
    """Whether every session is kept, and how much disk all recordings may take."""

    enabled: bool = Field(default=True, description="true or false")
    max_gb: Real = Field(
        default=10.0, gt=0, allow_inf_nan=False, description="a number of gigabytes above 0"
    )


class WatchSettings(_Section):
    """The instrument whose silence means that the feed is silent."""

    canary: Annotated[str, AfterValidator(_instrument_key)] = Field(
        default="NSE_INDEX|Nifty 50", description="an instrument key such as 'NSE_INDEX|Nifty 50'"
    )


class NotifySettings(_Section):
    """Where alerts are sent besides the page: addresses of apprise, which hold secrets."""

    services: Annotated[
        tuple[SecretStr, ...], NoDecode, BeforeValidator(_addresses), AfterValidator(_no_blanks)
    ] = Field(
        default=(), description='a list of addresses such as ["tgram://TOKEN/CHAT", "mailto://..."]'
    )


class UpstoxSettings(_Section):
    """Credentials from the environment; those not given there come from the workspace."""

    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    access_token: SecretStr | None = None
    analytics_token: SecretStr | None = None


class Settings(BaseSettings):
    """Every setting, valid and frozen; made by `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix="TICKTICK_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
    )

    web: WebSettings = WebSettings()
    redis: RedisSettings = RedisSettings()
    engine: EngineSection = EngineSection()
    recording: RecordingSettings = RecordingSettings()
    watch: WatchSettings = WatchSettings()
    notify: NotifySettings = NotifySettings()
    upstox: UpstoxSettings = UpstoxSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """First wins: TICKTICK_*, then the names everybody uses, then ticktick.toml."""
        return env_settings, _WellKnownVariables(settings_cls), init_settings


def load_settings(toml: Path) -> Settings:
    """Read the file, which may be absent, and the environment; its secrets are never logged.

    Raises ConfigError in one sentence: which setting, what was found, what is expected.
    """
    try:
        settings = Settings(**_read_toml(toml))
    except ValidationError as error:
        raise ConfigError(_sentence(error.errors()[0], toml, os.environ)) from None
    except SettingsError as error:
        raise ConfigError(
            f"{', '.join(_whole_sections(os.environ))}: this names a whole section, "
            "expected single settings such as TICKTICK_WEB_PORT"
        ) from error
    _hide_password(settings.redis.url)
    for address in settings.notify.services:
        _hide_address(address.get_secret_value())
    if settings.notify.services and not os.environ.get("TICKTICK_NOTIFY_SERVICES"):
        _check_private(toml)
    for _, secret in settings.upstox:
        if secret is not None:
            hide(secret.get_secret_value())
    return settings


def credentials_of(settings: Settings, path: Path) -> Credentials:
    """What the workspace keeps, under what the environment says; none of it is ever logged.

    Raises ConfigError if others may read the file, or it is no such file.
    """
    given = {name: secret.get_secret_value() for name, secret in settings.upstox if secret}
    credentials = replace(load_credentials(path), **given)
    for secret in (
        credentials.api_key,
        credentials.api_secret,
        credentials.access_token,
        credentials.analytics_token,
    ):
        hide(secret or "")
    return credentials


class _WellKnownVariables(PydanticBaseSettingsSource):
    """The variables with names of their own, most of them older than this program."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Unused: `__call__` gives every value at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        given = {name: value.strip() for name, value in os.environ.items() if value.strip()}
        if "REDIS_URL" not in given and given.keys() & {"REDIS_HOST", "REDIS_PORT"}:
            host, port = given.get("REDIS_HOST", "127.0.0.1"), given.get("REDIS_PORT", "6379")
            given["REDIS_URL"] = (
                f"redis://[{host}]:{port}" if ":" in host else f"redis://{host}:{port}"
            )
        found: dict[str, dict[str, str]] = {}
        for (section, field), (variable, *_) in _WELL_KNOWN.items():
            if variable in given:
                found.setdefault(section, {})[field] = given[variable]
        return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: found bytes that are no text, expected UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: this is not TOML: {error}") from error
    known = [name for name in Settings.model_fields if name != "upstox"]
    for name in content:
        if name not in known:
            raise ConfigError(
                f"{path}: unknown setting {name!r}, expected one of {', '.join(known)} "
                "(`ticktick login` keeps the credentials)"
            )
    return content


def _sentence(error: ErrorDetails, toml: Path, environ: Mapping[str, str]) -> str:
    section, *rest = [str(part) for part in error["loc"][:2]]
    fields = type(Settings.model_fields[section].default).model_fields
    origin = _origin(section, rest, environ) or toml
    place = ".".join([section, *rest])
    if error["type"] == "extra_forbidden":
        return f"{origin}: unknown setting {place!r}, expected one of {', '.join(fields)}"
    may_tell = section not in _SECRET if not rest else _SECRET.get(section) != rest[0]
    found = f"{error['input']!r:.80}" if may_tell else "hidden (it may hold a password)"
    if not rest:
        return f"{origin}: {section} is {found}, expected a section [{section}]"
    return f"{origin}: {place} is {found}, expected {fields[rest[0]].description}"


def _origin(section: str, rest: list[str], environ: Mapping[str, str]) -> str | None:
    """The environment variable that set it, if one did."""
    ours = "_".join(["TICKTICK", section, *rest]).upper()
    names = (ours, *_WELL_KNOWN.get((section, *rest), ()))
    return next((name for name in names if environ.get(name, "").strip()), None)


def _whole_sections(environ: Mapping[str, str]) -> list[str]:
    names = [f"TICKTICK_{section}".upper() for section in Settings.model_fields]
    return [name for name in names if name in environ]


def _hide_password(url: SecretStr | None) -> None:
    password = urlsplit(url.get_secret_value()).password if url is not None else None
    if password is not None:
        hide(password)
        hide(unquote(password))


def _hide_address(address: str) -> None:
    """Never log the address of a service, nor what of it may be a token; host names are none."""
    hide(address)
    try:
        parts = urlsplit(address)
    except ValueError:  # a bracket in a password: apprise may know better what it means
        _hide_each(re.split(r"[/@:?&=]+", address.partition("://")[2]))
        return
    host = parts.netloc.rpartition("@")[2]
    pieces = [parts.username, parts.password, *parts.path.split("/")]
    pieces += [value for _, value in parse_qsl(parts.query)]
    if "." not in host and not host.startswith("localhost"):
        pieces.append(host)
    _hide_each(pieces)


def _hide_each(pieces: Iterable[str | None]) -> None:
    for piece in pieces:
        hide(piece or "")
        hide(unquote(piece or ""))


def _check_private(toml: Path) -> None:
    """Refuse a file with secrets that others may read. Raises ConfigError."""
    if os.name == "posix" and toml.exists() and toml.stat().st_mode & 0o077:
        raise ConfigError(
            f"{toml} holds addresses of services, which are secrets, and others may read it: "
            f"chmod 600 {toml}"
        )
