"""The gate in front of every route, asked over a real socket."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from tests.web_stage import CLI_TOKEN, MORNING_NS, Site, Stage, running
from ticktick.domain.clock import NS_PER_MS
from ticktick.web.answers import SECURITY_HEADERS
from ticktick.web.server import PLAIN_PAGE, page_folder


def _filled(path: str) -> str:
    """The path with what stands in braces, and the query it needs."""
    query = "?q=infy" if path.endswith("/search") else ""
    path = path.replace("{rule_id}", "1")
    return path.replace("{symbol}", "RELIANCE").replace("{minutes}", "1") + query


STAGE = Stage()
ROUTES = [
    (method, _filled(route.path))
    for route in STAGE.routes()
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
] + [("GET", "/"), ("GET", "/api/v1/openapi.json")]
CHANGES = [(method, path) for method, path in ROUTES if method != "GET"]
PUBLIC = {("GET", "/"), ("GET", "/healthz")}
RULE = {"symbol": "INFY", "source": "last_price", "comparison": "above", "threshold": 1500}
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/session": {"code": "none"},
    "/api/v1/symbols": {"what": "INFY"},
    "/api/v1/alerts": RULE,
    "/api/v1/alerts/1": RULE,
    "/api/v1/alerts/1/snooze": {"minutes": 5},
}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running(Stage()) as found:
        await found.log_in()
        yield found


def _bad_hosts(port: int) -> Iterator[str]:
    yield from ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", "")
    yield from (f"localhost.evil.example:{port}", f"127.0.0.2:{port}", f"LOCALHOST.:{port}")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_wrong_host_is_misdirected_before_any_handler(
    site: Site, method: str, path: str
) -> None:
    for host in _bad_hosts(site.port):
        answer = await site.ask(method, path, BODIES.get(path, {}), Host=host)
        assert answer.status == 421, host
        assert "x-ticktick-mode" not in answer.headers


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
async def test_each_own_name_is_answered(site: Site, name: str) -> None:
    host = f"{name}:{site.port}"
    answer = await site.ask("GET", "/api/v1/status", Host=host)
    assert answer.status == 200
    own = f"http://{host.lower()}"
    assert (await site.ask("POST", "/api/v1/socket-code", {}, Host=host, Origin=own)).status == 200
    alias = f"http://{'localhost' if name != 'localhost' else '127.0.0.1'}:{site.port}"
    other = await site.ask("POST", "/api/v1/socket-code", {}, Host=host, Origin=alias)
    assert other.status == (200 if alias == own else 403)


BAD_CHANGES: list[dict[str, str | None]] = [
    {"Origin": None},
    {"Origin": "null"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1:9"},
    {"Origin": "https://127.0.0.1"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Content_Type": None},
    {"Content_Type": "text/plain"},
    {"Content_Type": "application/x-www-form-urlencoded"},
    {"Content_Type": "multipart/form-data; boundary=x"},
    {"Content_Type": "application/jsonp"},
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_a_change_from_elsewhere_is_forbidden(site: Site, method: str, path: str) -> None:
    for wrong in BAD_CHANGES:
        answer = await site.ask(method, path, BODIES.get(path, {}), **wrong)
        assert answer.status == 403, wrong
        assert set(answer.json()) == {"error", "error_id"}
    assert (site.stage.steering.symbols, site.stage.steering.link) == (["RELIANCE"], [])


@pytest.mark.parametrize(("method", "path"), [r for r in CHANGES if r[1] != "/api/v1/session"])
async def test_a_change_without_the_csrf_of_its_session_is_forbidden(
    site: Site, method: str, path: str
) -> None:
    mine = site.csrf
    await site.log_in()
    for csrf in (None, "", "guess", mine):
        answer = await site.ask(method, path, BODIES.get(path, {}), X_Ticktick_Csrf=csrf)
        assert answer.status == 403
    assert (await site.ask(method, path, BODIES.get(path, {}))).status == 200


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if r[0] == "GET"])
async def test_another_site_may_not_read(site: Site, method: str, path: str) -> None:
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{site.port + 1}"):
        assert (await site.ask(method, path, Origin=origin)).status == 403
    if path.startswith("/api/"):
        for fetch_site in ("cross-site", "same-site"):
            assert (await site.ask(method, path, Sec_Fetch_Site=fetch_site)).status == 403
    assert (await site.ask(method, path, Sec_Fetch_Site="none")).status == 200


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_stranger_sees_only_the_page_and_the_door(method: str, path: str) -> None:
    async with running(Stage()) as site:
        for cookie in (None, "ticktick_session=guess", "ticktick_session="):
            answer = await site.ask(method, path, BODIES.get(path, {}), Cookie=cookie)
            assert answer.status == (200 if (method, path) in PUBLIC else 401)
            assert "x-ticktick-mode" not in answer.headers


ODD = ["/%00", "/" + "x" * 5000, "/%ff", "/index.html%00", "/api/v1/candles/%00/5", "/%0d%0aX:y"]
HIDDEN = (
    "/docs /redoc /openapi.json /api /api/v1 /.git/config /%2e%2e/ /../server.py "
    "/..%2fserver.py /assets/ /assets //etc/passwd /index.html/x /nothing"
)


async def test_a_crawl_without_session_finds_nothing() -> None:
    async with running(Stage()) as site:
        for path in ["/metrics", *HIDDEN.split(), *ODD]:
            answer = await site.ask("GET", path)
            assert answer.status == 401, path
            assert answer.json()["error"].startswith("No session: open the start link")


async def test_odd_paths_are_not_found_and_break_nothing(site: Site) -> None:
    for path in [*HIDDEN.split(), *ODD]:
        answer = await site.ask("GET", path)
        assert answer.status in (404, 405), path
        assert set(answer.json()) == {"error", "error_id"}


@pytest.mark.parametrize("page", [PLAIN_PAGE, page_folder()], ids=["plain", "served"])
async def test_the_files_of_the_page_are_public(page: Path) -> None:
    async with running(Stage(), page) as site:
        for path, content in _files(page).items():
            answer = await site.ask("GET", path)
            assert answer.status == 200
            assert answer.body == content


def _files(page: Path) -> dict[str, bytes]:
    found = [file for file in page.rglob("*") if file.is_file()]
    return {f"/{file.relative_to(page).as_posix()}": file.read_bytes() for file in found}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/api/v1/status", 200),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/status", 405),
        ("GET", "/api/v1/candles/NOSUCH/5", 404),
        ("GET", "/api/v1/candles/RELIANCE/five", 422),
        ("POST", "/api/v1/session", 401),
    ],
)
async def test_every_answer_carries_the_security_headers(
    site: Site, method: str, path: str, status: int
) -> None:
    answer = await site.ask(method, path, {"code": "x"} if method == "POST" else {})
    assert answer.status == status
    _has_security_headers(answer.headers)
    expected = "no-cache" if path == "/" else "no-store"
    assert answer.headers["cache-control"] == expected
    assert "server" not in answer.headers
    if status >= 400:
        assert set(answer.json()) == {"error", "error_id"}


def _has_security_headers(headers: Any) -> None:
    for name, value in SECURITY_HEADERS.items():
        assert headers.getall(name) == [value]


def test_the_policy_allows_nothing_but_ourselves() -> None:
    policy = SECURITY_HEADERS["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'self'; object-src 'none'"
    )
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_our_own_fault_tells_an_id_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(site.stage.overview, "answer", broken)
    answer = await site.ask("GET", "/api/v1/status")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    _has_security_headers(answer.headers)
    assert answer.json()["error_id"] in caplog.text


async def test_an_authenticated_answer_carries_mode_and_market_time(site: Site) -> None:
    answer = await site.ask("GET", "/api/v1/symbols")
    assert answer.headers["x-ticktick-mode"] == "DEMO"
    assert int(answer.headers["x-ticktick-time-ms"]) == MORNING_NS // NS_PER_MS
    assert answer.json()["mode"] == "DEMO"


async def test_the_cookie_is_kept_from_scripts_and_other_sites() -> None:
    async with running(Stage()) as site:
        code = site.stage.sessions.new_start_code()
        answer = await site.ask("POST", "/api/v1/session", {"code": code})
        cookie = {part.strip() for part in answer.headers["Set-Cookie"].split(";")}
        assert cookie >= {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={17 * 3600 + 1800}"}
        assert answer.headers["x-ticktick-mode"] == "DEMO"
        again = await site.ask("POST", "/api/v1/session", {"code": code})
        assert again.status == 401
        assert "ten minutes" in again.json()["error"]


async def test_a_reload_finds_its_session_and_an_ended_one_does_not(site: Site) -> None:
    assert (await site.ask("GET", "/api/v1/session")).json() == {"csrf": site.csrf}
    site.stage.now_ns += 18 * 3600 * 10**9
    assert (await site.ask("GET", "/api/v1/session")).status == 401


async def test_guessing_start_codes_ends_in_429() -> None:
    async with running(Stage()) as site:
        wrong = {"code": "x"}
        found = [(await site.ask("POST", "/api/v1/session", wrong)).status for _ in range(6)]
        assert found == [401] * 5 + [429]


async def test_more_than_a_hundred_requests_a_second_are_refused(site: Site) -> None:
    statuses = [(await site.ask("GET", "/api/v1/session")).status for _ in range(102)]
    assert statuses[-1] == 429
    assert statuses[0] == 200


async def test_the_command_line_may_do_with_its_token_what_it_needs_and_no_more() -> None:
    async with running(Stage()) as site:
        bearer = {"Authorization": f"Bearer {CLI_TOKEN}"}
        status = await site.ask("GET", "/api/v1/status", **bearer)
        assert status.status == 200
        assert status.headers["x-ticktick-mode"] == "DEMO"
        assert (await site.ask("POST", "/api/v1/socket-code", {}, **bearer)).status == 403
        add = ("POST", "/api/v1/symbols", {"what": "INFY"})
        assert (await site.ask(*add, Origin=None, **bearer)).status == 200
        assert site.stage.steering.symbols == ["RELIANCE", "INFY"]
        assert (await site.ask(*add, Authorization="Bearer no")).status == 401
        assert (await site.ask("GET", "/api/v1/status", Authorization="Bearer no")).status == 401
        assert (await site.ask("GET", "/api/v1/status", Authorization="Basic eA==")).status == 401
        assert (await site.ask("GET", "/api/v1/status", Host="evil:1", **bearer)).status == 421
        made = await site.ask("POST", "/api/v1/start-code", {}, Origin=None, **bearer)
        opened = await site.ask("POST", "/api/v1/session", made.json())
        assert opened.status == 200


async def test_bodies_above_64_kb_are_refused(site: Site) -> None:
    full = b'{"code":"' + b"x" * (64 * 1024) + b'"}'
    answer = await site.ask("POST", "/api/v1/session", full)
    assert answer.status == 413
    _has_security_headers(answer.headers)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"code":1}', b'{"code":"a","x":1}', b"\xff{"])
async def test_a_malformed_body_gets_a_sentence(body: bytes) -> None:
    async with running(Stage()) as site:
        answer = await site.ask("POST", "/api/v1/session", body)
        assert answer.status in (400, 422)
        assert set(answer.json()) == {"error", "error_id"}


def test_the_plain_page_has_no_inline_script_or_style() -> None:
    text = (PLAIN_PAGE / "index.html").read_text(encoding="utf-8")
    assert "<style" not in text
    assert "style=" not in text
    assert 'onclick="' not in text
    assert "<script src=" in text
    assert "<script>" not in text
