"""What the looks have at hand: the broker over HTTP and on the feed, the time, the calendar."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Final

from ticktick.brokers.upstox.rest import read_master
from ticktick.brokers.upstox.survey.asking import Asker
from ticktick.brokers.upstox.survey.heard import Heard
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise
from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, MarketClock, ist_day
from ticktick.domain.sessions import Calendar, Phase, Session, SessionClass
from ticktick.errors import BrokerError

INDEX: Final = "NSE_INDEX|Nifty 50"
STOCKS: Final = (
    "NSE_EQ|INE002A01018",
    "NSE_EQ|INE467B01029",
    "NSE_EQ|INE009A01021",
    "NSE_EQ|INE040A01034",
    "NSE_EQ|INE062A01020",
    "NSE_EQ|INE585B01010",
)
STOCK: Final = STOCKS[0]
UNKNOWN: Final = "NSE_EQ|INE000A00000"
MASTER: Final = "/market-quote/instruments/exchange/NSE.json.gz"
_BOUNDARY_NS = 90 * NS_PER_S


class Subject:
    """The broker under survey.

    `claims` is what the token says of itself; `hear` listens to the feed when a look first needs
    that, and raises NotSeen where it cannot.
    """

    def __init__(
        self,
        asker: Asker,
        clock: MarketClock,
        claims: dict[str, Any],
        hear: Callable[["Subject"], Awaitable[Heard]],
        calendar: Calendar | None = None,
    ) -> None:
        self.asker = asker
        self.clock = clock
        self.claims = claims
        self.calendar = calendar or Calendar()
        self._hear = hear
        self._heard: Heard | NotSeen | Otherwise | None = None
        self._records: dict[str, MasterRecord] | None = None

    def now_s(self) -> float:
        """Real seconds, as answers count them."""
        return time.monotonic()

    @property
    def today(self) -> date:
        """The day in India."""
        return ist_day(self.clock.now_ns())

    def is_today(self, at_ms: int) -> bool:
        """Whether a moment lies on this day in India."""
        return ist_day(at_ms * NS_PER_MS) == self.today

    @property
    def slack_ns(self) -> int:
        """How late news may be of an exchange that runs faster than real time."""
        rate = self.clock.rate
        return round(2 * NS_PER_S * rate) if rate > 1 else 0

    @property
    def is_plus(self) -> bool:
        """Whether the account has the Plus plan."""
        return self.claims.get("isPlusPlan") is True

    async def heard(self) -> Heard:
        """What the feed told while it was listened to. Raises NotSeen if that was not possible."""
        if self._heard is None:
            try:
                self._heard = await self._hear(self)
            except (NotSeen, Otherwise) as reason:
                self._heard = reason
        if isinstance(self._heard, NotSeen | Otherwise):
            raise self._heard
        return self._heard

    async def records(self) -> dict[str, MasterRecord]:
        """The instrument master by key. Raises NotSeen if it cannot be read."""
        if self._records is None:
            answer = await self.asker.file(MASTER)
            if answer.status != 200:
                raise NotSeen(f"the instrument file was refused ({answer.refusal()})")
            try:
                records = await asyncio.to_thread(read_master, answer.body)
            except BrokerError as error:
                raise NotSeen(str(error)) from error
            self._records = {record.instrument_key: record for record in records}
        return self._records

    async def derivative(self, kind: str) -> MasterRecord:
        """The NIFTY contract of the kind (FUT, CE, PE) that ends first.

        Of options it is the one in the middle of the strikes. Raises NotSeen if there is none.
        """
        now_ms = self.clock.now_ns() // NS_PER_MS
        found = [
            record
            for record in (await self.records()).values()
            if record.segment == "NSE_FO"
            and record.underlying_symbol == "NIFTY"
            and record.instrument_type == kind
            and (record.expiry or 0) > now_ms
        ]
        if not found:
            raise NotSeen(f"the instrument file lists no NIFTY contract of the kind {kind}")
        first = min(record.expiry or 0 for record in found)
        strikes = sorted(
            (record for record in found if record.expiry == first),
            key=lambda record: record.strike_price or 0.0,
        )
        return strikes[len(strikes) // 2]

    def session(self, kind: SessionClass) -> Session | None:
        """Today's session of a class by our calendar."""
        return self.calendar.session(self.today, kind)

    def phase(self, kind: SessionClass) -> Phase:
        """What a class should be doing now by our calendar.

        Raises NotSeen within a minute and a half of a change, when either answer would be right.
        """
        now_ns, session = self.clock.now_ns(), self.session(kind)
        if session is None:
            return Phase.CLOSED
        near = [at for at in session.boundaries if abs(at - now_ns) < _BOUNDARY_NS]
        if near:
            raise NotSeen("the session changes about now; look again in two minutes")
        return session.phase(now_ns)

    def last_full_day(self) -> date:
        """The latest day whose session is over."""
        return self.calendar.trading_days_before(self.today, 1)[0]
