"""The dashboard's server with all that only it needs.

Importing it takes longer than everything else a start does: the composition root imports it by
name when the feed is up.
"""

from fastapi import FastAPI

from ticktick.engine.engine import Engine
from ticktick.figures import Figures, exposition
from ticktick.measured import Measured
from ticktick.web.alerts import Alerts, AlertSteering, FixedAlerts
from ticktick.web.hub import Hub
from ticktick.web.server import create_app
from ticktick.web.serving import serve
from ticktick.web.sessions import Sessions
from ticktick.web.steering import Steering

__all__ = ["application", "serve"]

_NO_CHANGES = "this is a replay: its alerts are those that were recorded"


def application(
    hub: Hub,
    engine: Engine,
    measured: Measured,
    sessions: Sessions,
    steering: Steering,
    alerts: AlertSteering | None,
    port: int,
) -> FastAPI:
    """The application of a run, for `serve` on the port; without `alerts` none can be changed."""
    figures = Figures(measured)
    return create_app(
        hub,
        sessions,
        steering,
        engine.analytics,
        Alerts(hub, engine.alerts, alerts or FixedAlerts(_NO_CHANGES)),
        port,
        figures=lambda: exposition(figures),
    )
