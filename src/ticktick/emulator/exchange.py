"""The built-in exchange, pure: requests in, answers out; time moves only by `advance`."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from ticktick.domain.clock import ist_day
from ticktick.emulator import account, auth
from ticktick.emulator.answers import Refused, Request, Response, failure, redirect, success
from ticktick.emulator.calendar import Hours, MovableCalendar, trading_day_after
from ticktick.emulator.catalogue import Reading, catalogue
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.limits import RequestLimits, check_hour, most_sockets
from ticktick.emulator.morning import Files
from ticktick.emulator.register import Holds, Register, Split
from ticktick.emulator.routes import Access, Answer, Route, found, route
from ticktick.emulator.source import Source, Update
from ticktick.emulator.switches import Switches
from ticktick.emulator.timetable import Status, Timetable, status_frame
from ticktick.emulator.token_request import TokenRequests
from ticktick.emulator.view import View

FEEDER_PATH: Final = "/market-data-feeder/v3/upstox-developer-api/feeds"
_MOST_CODES = 100
_PART = "([^/]+)"
_FILES = "/market-quote/instruments/exchange/(NSE|BSE|MCX|complete)[.]json[.]gz"


class Exchange:
    """Everything Upstox answers, for one demo account.

    `calendar` and `register` are those that `open_source` opens markets with; without a
    register single stocks cannot be changed, as in a recording.
    `open_source` makes the market as it is at a moment. `address` is the host and port that
    answers point clients to; whoever serves the exchange sets it.
    """

    def __init__(
        self,
        open_source: Callable[[int], Source],
        start_ns: int,
        *,
        seed: int,
        calendar: MovableCalendar | None = None,
        register: Register | None = None,
        app: auth.App = auth.DEMO_APP,
    ) -> None:
        self._open_source = open_source
        self.source = open_source(start_ns)
        self._files = Files(self.source, open_source)
        self.address = ""
        self.switches = Switches()
        self.login = auth.Login(seed, app, self.switches)
        self.token_requests = TokenRequests(self.login, app)
        self._calendar = calendar or MovableCalendar()
        self._register = register
        self._timetable = Timetable(self._calendar)
        self._told_status: dict[str, str] = {}
        self._forced: dict[str, Status] = {}
        self.is_halted = False
        self._limits = RequestLimits()
        self._codes: dict[str, None] = {}
        self.connections: list[FeedConnection] = []
        self._routes = self._route_table()

    @property
    def now_ns(self) -> int:
        """Market time up to which everything has happened."""
        return self.source.now_ns

    @property
    def has_listeners(self) -> bool:
        """Whether anybody gets updates."""
        return any(link.keys for link in self.connections)

    def handle(self, request: Request) -> Response:
        """Answer one request at the present moment."""
        try:
            return self._answer(request)
        except Refused as refused:
            return failure(refused)

    def advance(self, to_ns: int) -> Iterator[tuple[FeedConnection, bytes]]:
        """Let the market run to the moment; yields each connection's frames in order of time."""
        while self.now_ns < to_ns:
            change_ns = self._timetable.next_change_ns(self.now_ns)
            wanted = frozenset(key for link in self.connections for key in link.keys)
            deep = frozenset(key for link in self.connections for key in link.deep_keys)
            for update in self.source.advance(min(to_ns, change_ns), wanted, deep):
                if update.status:
                    yield from self._told_info(update, update.status)
                for link in self.connections:
                    frame = link.frame(update)
                    if frame is not None:
                        yield link, frame
            self._files.renew(self.source)
            if change_ns <= to_ns:
                self._told_status.clear()
                yield from self._market_info(change_ns)

    def jump(self, to_ns: int) -> None:
        """Set the market to a moment; the feed sees nothing of what lies between."""
        if to_ns >= self.now_ns and ist_day(to_ns) == ist_day(self.now_ns):
            for _ in self.source.advance(to_ns, frozenset()):
                continue
            self._files.renew(self.source)
        else:
            self.source = self._open_source(to_ns)
            self._files.open(self.source)
            if self.is_halted:
                self.source.halt(True)
        for link in self.connections:
            link.source = self.source

    def halt(self, halted: bool) -> None:
        """Stop trading from the next whole minute on, or let it go on.

        Raises LookupError if the market is a recording.
        """
        self.source.halt(halted)
        self.is_halted = halted

    def force_status(self, words: Mapping[str, str]) -> Iterator[tuple[FeedConnection, bytes]]:
        """Tell these states of segments whatever the calendar says; yields the news, if any."""
        if words == {segment: status.word for segment, status in self._forced.items()}:
            return
        self._forced = {segment: Status(word, self.now_ns) for segment, word in words.items()}
        yield from self._market_info(self.now_ns)

    def check_day(self, day: date) -> None:
        """Raise ValueError if the day is over, LookupError if the market is a recording."""
        if day < ist_day(self.now_ns):
            raise ValueError(f"{day} is over")
        self.source.replan()

    def set_hours(self, day: date, hours: Hours) -> Iterator[tuple[FeedConnection, bytes]]:
        """Let a day have these hours of trading, none for a holiday; yields the status."""
        self._calendar.set_hours(day, hours)
        self.source.replan()
        yield from self._market_info(self.now_ns)

    def symbol_of(self, text: str) -> str:
        """The stock named by its symbol or a key.

        Raises LookupError if there is none, or the market is a recording.
        """
        return self._changeable().symbol_of(text)

    def split(self, symbol: str, ratio: float, has_new_isin: bool) -> None:
        """Let one share become `ratio` shares on the next trading day.

        Raises ValueError if the stock's ISIN has no successor, LookupError if the market is a
        recording.
        """
        today = self._calendar.latest_trading_day(self.now_ns)
        day = trading_day_after(today, self._calendar)
        self._changeable().add(Split(symbol, ratio, day, has_new_isin))

    def hold(self, holds: Holds) -> None:
        """Hold this of single stocks from the next minute on, and nothing else."""
        if self._register is not None:
            self._register.hold(holds)

    def _changeable(self) -> Register:
        if self._register is None:
            raise LookupError("the stocks of a recording stay as they were")
        return self._register

    def feed_code(self) -> str:
        """A single-use code that opens the feed once; of unused ones the oldest are forgotten."""
        code = self.login.secret("feed")
        self._codes[code] = None
        while len(self._codes) > _MOST_CODES:
            del self._codes[next(iter(self._codes))]
        return code

    def connect(self, code: str) -> FeedConnection | None:
        """Open the feed with a single-use code; None if the exchange refuses."""
        if code not in self._codes or len(self.connections) >= most_sockets(self.switches):
            return None
        if not self.switches.is_on("feed.addresses_last"):
            del self._codes[code]
        link = FeedConnection(self.source, self.switches)
        self.connections.append(link)
        return link

    def greeting(self) -> bytes:
        """The first frame of every connection: the market status."""
        return self._market_info_frame(self.now_ns)

    def disconnect(self, link: FeedConnection) -> None:
        """Forget a connection and all it asked for."""
        self.connections.remove(link)

    def _market_info(self, at_ns: int) -> Iterator[tuple[FeedConnection, bytes]]:
        frame = self._market_info_frame(at_ns)
        for link in self.connections:
            yield link, frame

    def _told_info(
        self, update: Update, words: Mapping[str, str]
    ) -> Iterator[tuple[FeedConnection, bytes]]:
        """A status that the source tells, of those segments alone; later greetings know it."""
        self._told_status |= words
        forced = {name: status.word for name, status in self._forced.items() if name in words}
        sent_ns = update.at_ns if update.sent_ns is None else update.sent_ns
        frame = status_frame(sent_ns, {**words, **forced}).SerializeToString(deterministic=True)
        for link in self.connections:
            yield link, frame

    def _market_info_frame(self, at_ns: int) -> bytes:
        forced = {segment: status.word for segment, status in self._forced.items()}
        return self._timetable.market_info(at_ns, self._told_status, forced)

    def _answer(self, request: Request) -> Response:
        route, parts = found(self._routes, request)
        self._limits.check(route.path.pattern, request, self.now_ns)
        if route.access is not Access.ANYBODY or self._is_closed(request):
            self.login.check(request, self.now_ns, route.access is Access.OWNER)
        check_hour(request.path, self.now_ns)
        return route.answer(request, *parts)

    def _authorise(self, _: Request) -> Response:
        address = self._feed_address()
        return success({"authorized_redirect_uri": address, "authorizedRedirectUri": address})

    def _enter_feed(self, _: Request) -> Response:
        return redirect(self._feed_address())

    def _feed_address(self) -> str:
        request_id, code = self.login.secret("request"), self.feed_code()
        return f"ws://{self.address}{FEEDER_PATH}?requestId={request_id}&code={code}"

    def _route_table(self) -> list[Route]:
        login, timetable = self.login, self._timetable

        anybody, reader, owner = Access.ANYBODY, Access.READER, Access.OWNER
        dialog, feed = "/v2/login/authorization", "/v3/feed/market-data-feed"
        return [
            route("GET", f"{dialog}/dialog", anybody, login.dialog),
            route("GET", f"{dialog}/approve", anybody, login.approve),
            route("POST", f"{dialog}/token", anybody, self._exchange_code),
            route("DELETE", "/v2/logout", owner, lambda _: login.logout()),
            route("POST", f"/v3/login/auth/token/request/{_PART}", anybody, self._ask_token),
            route("GET", "/v2/user/profile", owner, lambda _: auth.profile()),
            route("GET", "/v2/user/get-funds-and-margin", owner, account.answer_funds),
            route("GET", "/v3/user/get-funds-and-margin", owner, account.answer_funds_v3),
            route("GET", "/v2/user/kill-switch", owner, account.answer_kill_switch),
            route("GET", "/v2/user/ip", owner, account.answer_addresses),
            route("GET", _FILES, anybody, self._files.answer),
            *(
                route("GET", path, reader if token else anybody, self._read(answer))
                for path, answer, token in catalogue()
            ),
            route("GET", f"/v2/market/status/{_PART}", reader, self._status),
            route("GET", f"/v2/market/timings/{_PART}", anybody, self._timings),
            route("GET", "/v2/market/holidays(?:/[^/]+)?", anybody, timetable.answer_holidays),
            route("GET", f"{feed}/authorize", reader, self._authorise),
            route("GET", feed, reader, self._enter_feed),
        ]

    def _is_closed(self, request: Request) -> bool:
        """Whether this exchange wants a token for candles, which the SDK reads without."""
        is_candles = "/historical-candle/" in request.path
        return is_candles and self.switches.is_on("candles.need_token")

    def _read(self, answer: Reading) -> Answer:
        def read(request: Request, *parts: str) -> Response:
            view = View(self.source, self._calendar, self.switches)
            return answer(request, view, *parts)

        return read

    def _ask_token(self, request: Request, client_id: str) -> Response:
        return self.token_requests.answer(request, client_id, self.now_ns)

    def _exchange_code(self, request: Request) -> Response:
        return self.login.exchange_code(request, self.now_ns)

    def _status(self, _: Request, exchange: str) -> Response:
        return self._timetable.answer_status(exchange, self.now_ns, self._forced)

    def _timings(self, request: Request, _: str) -> Response:
        return self._timetable.answer_timings(request)
