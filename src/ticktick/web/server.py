"""The web application: the page, the API and the socket behind one guard."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from ticktick.errors import BrokerError, ConfigError
from ticktick.web.alerts import Alerts
from ticktick.web.analysis import Analysis
from ticktick.web.answers import SECURITY_HEADERS, error_body, logged_path, new_error_id
from ticktick.web.changes import Changes
from ticktick.web.hub import Hub
from ticktick.web.live import LiveAnalysis
from ticktick.web.routes import Routes, router
from ticktick.web.security import Guard
from ticktick.web.sessions import Sessions
from ticktick.web.steering import Steering

_HERE = Path(__file__).parent
_log = logging.getLogger(__name__)


PLAIN_PAGE: Final = _HERE / "plain"


def create_app(
    hub: Hub,
    sessions: Sessions,
    steering: Steering,
    analysis: LiveAnalysis,
    alerts: Alerts,
    port: int,
    page: Path | None = None,
    figures: Callable[[], bytes] = bytes,
) -> FastAPI:
    """The application for a server that listens on `port` of this machine.

    `page` is the folder of the page's files, by default `page_folder()`; `figures` is what
    Prometheus reads, in its text format.
    """
    app = FastAPI(
        title="Tick-Tick",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        exception_handlers={
            HTTPException: _refused,
            RequestValidationError: _malformed,
            ConfigError: _impossible,
            BrokerError: _unanswered,
            Exception: _failed,
        },
    )
    analyses = Analysis(hub.overview, analysis, hub.news)
    app.include_router(router(Routes(hub, sessions), Changes(steering), analyses, alerts))
    app.add_route("/metrics", partial(_metrics, figures), methods=["GET"], include_in_schema=False)
    files = page or page_folder()
    app.mount("/", StaticFiles(directory=files, html=True))
    app.add_middleware(
        Guard,
        sessions=sessions,
        port=port,
        page_paths=_paths(files),
        stamp=lambda: _stamp(hub),
    )
    return app


def page_folder() -> Path:
    """The built dashboard, or the plain page where it was not built."""
    built = _HERE / "dist"
    return built if (built / "index.html").is_file() else PLAIN_PAGE


def _paths(page: Path) -> frozenset[str]:
    """The paths under which the page's files are served."""
    files = [file for file in page.rglob("*") if file.is_file()]
    return frozenset({"/", *(f"/{file.relative_to(page).as_posix()}" for file in files)})


def _stamp(hub: Hub) -> Mapping[str, str]:
    stamp = hub.overview.stamp()
    return {"x-ticktick-mode": stamp.mode, "x-ticktick-time-ms": str(stamp.now_ms)}


async def _metrics(figures: Callable[[], bytes], _: Request) -> Response:
    return Response(figures(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _sentence(request, error.status_code, error.detail)


async def _malformed(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _sentence(request, HTTPStatus.UNPROCESSABLE_ENTITY, f"{place}: {first['msg']}.")


async def _impossible(request: Request, error: Exception) -> Response:
    """The answer to a change that cannot be made."""
    return _sentence(request, HTTPStatus.CONFLICT, str(error))


async def _unanswered(request: Request, error: Exception) -> Response:
    """The answer where the broker's part of it is missing."""
    return _sentence(request, HTTPStatus.BAD_GATEWAY, str(error))


async def _failed(request: Request, error: Exception) -> Response:
    """The answer to our own fault; it is sent outside the guard, so it carries the headers."""
    error_id = new_error_id()
    _log.error("failed %s %r (error_id %s)", request.method, logged_path(request.scope), error_id)
    body = error_body("Something failed inside Tick-Tick: the log tells what.", error_id)
    headers = {**SECURITY_HEADERS, "cache-control": "no-store"}
    return Response(body, HTTPStatus.INTERNAL_SERVER_ERROR, headers, "application/json")


def _sentence(request: Request, status: int, sentence: str) -> Response:
    error_id = new_error_id()
    _log.info(
        "answered %d to %s %r: %s (error_id %s)",
        status,
        request.method,
        logged_path(request.scope),
        sentence,
        error_id,
    )
    return Response(error_body(sentence, error_id), status, media_type="application/json")
