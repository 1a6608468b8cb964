"""The engine: one event in, what it changed out; no input or output, no clock of its own."""

from typing import assert_never

from ticktick.analytics.board import AnalyticsBoard
from ticktick.analytics.microstructure.board import MicrostructureBoard
from ticktick.core.columns import NO_ROWS
from ticktick.domain.event import (
    BaselinesRead,
    CalendarRead,
    Event,
    FrameArrived,
    FramesArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    NoteTaken,
    QuotesRead,
    RulesRead,
    TimerFired,
    WorkGoesOn,
)
from ticktick.domain.sessions import Calendar
from ticktick.engine.alerts.board import AlertBoard
from ticktick.engine.desk_half import DeskHalf
from ticktick.engine.market_half import MarketHalf
from ticktick.engine.ports import Change, Decoder, EngineSettings, NoStopwatch, Outputs, Stopwatch
from ticktick.engine.turns import Turns


class Engine:
    """The market half turns events into facts, the boards read them, the desk half acts on them.

    The same events in the same order give the same outputs, whenever and wherever they run.
    """

    def __init__(self, decoder: Decoder, calendar: Calendar, settings: EngineSettings) -> None:
        self.market = MarketHalf(decoder, calendar, settings)
        self.analytics = AnalyticsBoard(self.market.candles, self.market.has_volume)
        self.alerts = AlertBoard(self.market)
        self.microstructure = MicrostructureBoard(
            self.market.ground, calendar, settings.order_value_rupees
        )
        self.desk = DeskHalf()
        self._turns = Turns()
        self._stopwatch: Stopwatch = NoStopwatch()

    def time_with(self, stopwatch: Stopwatch) -> None:
        """Tell this stopwatch of every stage from now on."""
        self._stopwatch = stopwatch
        self.market.time_with(stopwatch)

    def has_work(self, at_ns: int) -> bool:
        """Whether it has put off something that it could do now."""
        return self.market.has_work or self.analytics.has_work(at_ns)

    def process(self, event: Event) -> Outputs:
        """Let one event happen and return the touched rows and the facts, in order."""
        touched, facts = self._change(event)
        self._stopwatch.lap("market")
        at_ns = event.received_ns if isinstance(event, FrameArrived) else event.at_ns
        touched, facts = self.microstructure.hear(event, at_ns, touched, facts)
        may_work = self._turns.may_work(event)
        facts += self.analytics.hear(facts, may_step=may_work)
        facts += self.analytics.work(at_ns) if may_work else []
        self._stopwatch.lap("analytics")
        facts += self.alerts.hear(event, at_ns, touched, facts)
        outputs = Outputs(at_ns, touched, (*facts, *self.desk.hear(facts)))
        self._stopwatch.lap("alerts")
        return outputs

    def _change(self, event: Event) -> Change:
        match event:
            case FrameArrived():
                return self.market.frame(event)
            case FramesArrived():
                return self.market.frames(event)
            case TimerFired():
                return self.market.timer(event)
            case LinkChanged():
                return self.market.link(event)
            case InstrumentsResolved():
                return self.market.resolve(event)
            case CalendarRead():
                return self.market.calendar(event)
            case HistoryRead():
                return self.market.history(event)
            case QuotesRead():
                return self.market.quotes(event)
            case BaselinesRead():
                return self.microstructure.learn(event)
            case NoteTaken():
                return self.market.note(event)
            case WorkGoesOn():
                return self.market.go_on(event)
            case RulesRead():
                return NO_ROWS, []
            case _:
                assert_never(event)
