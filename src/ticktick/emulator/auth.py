"""Login: the dialog page, authorization codes, access tokens and what they prove."""

import base64
import hashlib
import hmac
from datetime import timedelta
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import msgspec
from msgspec import Struct

from ticktick.domain.clock import NS_PER_DAY, NS_PER_S, at_ist, ist
from ticktick.emulator.answers import Refused, Request, Response, bare, redirect, success
from ticktick.emulator.switches import Switches

USER_ID: Final = "TT0001"
_PROFILE: Final = {
    "email": "trader@example.in",
    "exchanges": ["NSE", "NFO", "BSE", "BFO"],
    "products": ["D", "I", "MTF"],
    "broker": "UPSTOX",
    "user_id": USER_ID,
    "user_name": "DEMO TRADER",
    "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
    "user_type": "individual",
    "poa": False,
    "is_active": True,
}
_LONG_DAYS: Final = 365
_TOKEN_FIELDS: Final = (
    ("client_id", "UDAPI1017", "API key is required"),
    ("redirect_uri", "UDAPI1018", "Redirect URI is required"),
    ("code", "UDAPI1022", "Authorization code is required"),
    ("grant_type", "UDAPI1023", "Grant type is required"),
    ("client_secret", "UDAPI1024", "API secret is required"),
)
_PAGE = """<!doctype html><html lang="en"><title>Demo exchange login</title>
<body style="font-family:sans-serif;max-width:30rem;margin:4rem auto">
<h1>Demo exchange</h1><p>The app <b>{client}</b> asks to use the demo account {user}.</p>
<form action="/v2/login/authorization/approve">{fields}<button>Approve</button></form></body></html>
"""


class App(Struct, frozen=True):
    """The API app that the demo account has registered."""

    client_id: str
    client_secret: str


DEMO_APP: Final = App("demo-api-key", "demo-api-secret")


class Login:
    """Codes and the one live token of the demo account, whose plan the switches tell."""

    def __init__(self, seed: int, app: App, switches: Switches | None = None) -> None:
        self._key = hashlib.sha256(f"signing {seed}".encode()).digest()
        self._app = app
        self._switches = switches or Switches()
        self._count = 0
        self._codes: dict[str, str] = {}
        self._token: str | None = None
        self._expires_ns = 0
        self._long_token: str | None = None
        self._long_expires_ns = 0
        self._revoked: set[str] = set()

    def secret(self, purpose: str) -> str:
        """A new value nobody can guess from the ones before, shaped like a UUID."""
        self._count += 1
        text = f"{purpose} {self._count}".encode()
        digits = hmac.new(self._key, text, hashlib.sha256).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    def dialog(self, request: Request) -> Response:
        """`GET /v2/login/authorization/dialog`: a page with one button."""
        query = self._checked_dialog(request)
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(query[name])}">'
            for name in ("client_id", "redirect_uri", "state")
            if name in query
        )
        page = _PAGE.format(client=escape(query["client_id"]), user=USER_ID, fields=fields)
        return Response(200, page.encode(), "text/html")

    def approve(self, request: Request) -> Response:
        """The button: send the browser back with a code."""
        query = self._checked_dialog(request)
        code = self.secret("login")
        self._codes[code] = query["redirect_uri"]
        answer = {"code": code} | ({"state": query["state"]} if "state" in query else {})
        joint = "&" if "?" in query["redirect_uri"] else "?"
        return redirect(query["redirect_uri"] + joint + urlencode(answer))

    def exchange_code(self, request: Request, at_ns: int) -> Response:
        """`POST /v2/login/authorization/token`: a code for a token, without envelope."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        for field, code, message in _TOKEN_FIELDS:
            if not form.get(field):
                raise Refused(code, message)
        redirect_uri = self._codes.pop(form["code"], None)
        genuine = (
            form["client_id"] == self._app.client_id
            and form["client_secret"] == self._app.client_secret
            and form["redirect_uri"] == redirect_uri
            and form["grant_type"] == "authorization_code"
        )
        if not genuine:
            raise Refused("UDAPI100016", "Invalid Credentials", 401)
        return bare({**_PROFILE, "access_token": self.mint(at_ns), "extended_token": None})

    def mint(self, at_ns: int) -> str:
        """A new access token; the one before is dead."""
        expires_ns = token_expiry_ns(at_ns)
        token = self._signed(at_ns, expires_ns)
        self._revoke()
        self._token, self._expires_ns = token, expires_ns
        return token

    def long_token(self, at_ns: int) -> str:
        """The analytics token: for a year it reads the market, but not the account."""
        if self._long_token is None or at_ns >= self._long_expires_ns:
            self._long_expires_ns = at_ns + _LONG_DAYS * NS_PER_DAY
            self._long_token = self._signed(at_ns, self._long_expires_ns)
        return self._long_token

    def _signed(self, at_ns: int, expires_ns: int) -> str:
        header = {"typ": "JWT", "key_id": "sk_v1.0", "alg": "HS256"}
        claims = {
            "sub": USER_ID,
            "jti": self.secret("token"),
            "isMultiClient": False,
            "isPlusPlan": self._switches.is_on("account.plus"),
            "iat": at_ns // NS_PER_S,
            "iss": "udapi-gateway-service",
            "exp": expires_ns // NS_PER_S,
        }
        signed = f"{_segment(header)}.{_segment(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def live_token(self, at_ns: int) -> str:
        """The token that is valid now, a new one if there is none."""
        if self._token is None or at_ns >= self._expires_ns:
            return self.mint(at_ns)
        return self._token

    def check(self, request: Request, at_ns: int, of_owner: bool) -> None:
        """Raise Refused unless the request carries a live token that may do this.

        What is `of_owner` needs the daily token. A restarted exchange knows none: the first
        genuine one of each kind that it sees is the live one.
        """
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = text.strip() if scheme.lower() == "bearer" else ""
        self._adopt(token)
        if token and token == self._long_token and at_ns < self._long_expires_ns:
            if of_owner:
                raise Refused("UDAPI1154", "Access to this API is restricted to static IPs", 403)
        elif not token or token != self._token or at_ns >= self._expires_ns:
            raise Refused("UDAPI100050", "Invalid token used to access API", 401)

    def expire(self) -> None:
        """The live token is dead before its time."""
        self._revoke()

    def logout(self) -> Response:
        """`DELETE /v2/logout`: the token is dead."""
        self._revoke()
        return success(True)

    def _revoke(self) -> None:
        if self._token is not None:
            self._revoked.add(self._token)
        self._token = None

    def _adopt(self, token: str) -> None:
        """Take a token for the live one if this exchange signed it and never revoked it."""
        signed, _, signature = token.rpartition(".")
        is_known = token in (self._token, self._long_token) or token in self._revoked
        if is_known or signature != self._signature(signed):
            return
        claims = msgspec.json.decode(_bytes(signed.partition(".")[2]))
        expires_ns = claims["exp"] * NS_PER_S
        if expires_ns - claims["iat"] * NS_PER_S > NS_PER_DAY:
            self._long_token, self._long_expires_ns = token, expires_ns
        elif self._token is None:
            self._token, self._expires_ns = token, expires_ns

    def _signature(self, signed: str) -> str:
        text = signed.encode(errors="replace")
        return _base64url(hmac.new(self._key, text, hashlib.sha256).digest())

    def _checked_dialog(self, request: Request) -> dict[str, str]:
        query = dict(request.query)
        if not query.get("redirect_uri"):
            raise Refused("UDAPI1018", "Redirect URI is required")
        if query.get("client_id") != self._app.client_id:
            raise Refused("UDAPI100016", "Invalid Credentials", 401)
        if query.get("response_type", "code") != "code":
            raise Refused("UDAPI100016", "Invalid Credentials", 401)
        return query


def profile() -> Response:
    """`GET /v2/user/profile`."""
    return success({**_PROFILE, "ddpi": False})


def token_expiry_ns(at_ns: int) -> int:
    """The first 03:30 in India strictly after the moment."""
    day = ist(at_ns).date()
    expiry = at_ist(day, 3, 30)
    return expiry if expiry > at_ns else at_ist(day + timedelta(days=1), 3, 30)


def _segment(content: dict[str, Any]) -> str:
    return _base64url(msgspec.json.encode(content))


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
