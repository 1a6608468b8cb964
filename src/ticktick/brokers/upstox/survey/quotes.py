"""Quotes over HTTP: how they are keyed, what is null, what a bad key does."""

from datetime import datetime, timedelta
from typing import Any, Final

from ticktick.brokers.upstox.survey.asking import Answer
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.subject import INDEX, STOCK, STOCKS, UNKNOWN, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise, require

_FULL: Final = "/v2/market-quote/quotes"
_KEYS: Final = ",".join((*STOCKS, INDEX))
_BAD_KEY: Final = {"UDAPI1011", "UDAPI100011", "UDAPI1087"}
_IST: Final = timedelta(hours=5, minutes=30)
_V3_FIELDS: Final = {"prev_close_price", "year_high", "year_low", "previous_oi", "cas_eligible"}
_BANDS: Final = ("lower_circuit_limit", "last_price", "upper_circuit_limit")


async def full_quotes(subject: Subject) -> dict[str, Any]:
    """Full quotes of the stocks and the index looked at, by key."""
    data = (await subject.asker.get(_FULL, instrument_key=_KEYS)).data()
    return {item["instrument_token"]: item for item in data.values()}


async def _keyed(subject: Subject) -> str:
    data = (await subject.asker.get(_FULL, instrument_key=_KEYS)).data()
    name = next((name for name, one in data.items() if one["instrument_token"] == STOCK), None)
    if name is None:
        raise Otherwise(f"{STOCK} is not among {', '.join(data) or 'no quotes'}")
    return require(name == "NSE_EQ:RELIANCE", f"{STOCK} under {name}")


async def _bad_key(subject: Subject) -> str:
    answer = await subject.asker.get(_FULL, instrument_key=f"{STOCK},{UNKNOWN}")
    found = answer.refusal() if answer.status != 200 else f"{len(answer.data())} quotes"
    return require(answer.status == 400 and answer.code() in _BAD_KEY, found)


async def _other_name(subject: Subject) -> str:
    answer = await subject.asker.get(_FULL, symbol=STOCK)
    found = answer.refusal() if answer.status != 200 else f"{len(answer.data())} quotes"
    return require(answer.status == 200 and len(answer.data()) == 1, found)


async def _close(subject: Subject) -> str:
    """The close of a v2 quote against the previous close of v3, while the session runs."""
    full = await full_quotes(subject)
    brief = (await subject.asker.get("/v3/market-quote/ltp", instrument_key=_KEYS)).data()
    before = {item["instrument_token"]: item["cp"] for item in brief.values()}
    if full[STOCK]["ohlc"]["close"] == full[STOCK]["last_price"] and not _is_today(subject, full):
        raise NotSeen("nothing has traded today")
    other = [key for key in STOCKS if key in full and full[key]["ohlc"]["close"] != before.get(key)]
    text = ", ".join(f"{key} {full[key]['ohlc']['close']} and {before.get(key)}" for key in other)
    return require(not other, text or "the same for every stock looked at")


async def _depth(subject: Subject) -> str:
    depth = (await full_quotes(subject))[STOCK]["depth"]
    sizes = {side: len(depth[side]) for side in ("buy", "sell")}
    fields = sorted({name for side in ("buy", "sell") for one in depth[side] for name in one})
    found = f"{sizes['buy']} and {sizes['sell']} levels of {', '.join(fields)}"
    return require(set(sizes.values()) == {5} and fields == ["orders", "price", "quantity"], found)


async def _moments(subject: Subject) -> str:
    quote = (await full_quotes(subject))[STOCK]
    traded, made = quote["last_trade_time"], quote["timestamp"]
    zone = datetime.fromisoformat(made).utcoffset()
    found = f"last_trade_time is a {type(traded).__name__}, timestamp like {made[-6:]}"
    is_ms = isinstance(traded, str) and traded.isdecimal() and len(traded) == 13
    return require(is_ms and zone == _IST, found)


async def _bands(subject: Subject) -> str:
    quotes = await full_quotes(subject)
    prices = {key: [quotes[key][name] for name in _BANDS] for key in STOCKS if key in quotes}
    bad = [key for key, (low, last, high) in prices.items() if not 0 < low <= last <= high]
    if not prices:
        raise NotSeen("no quote of any stock looked at")
    widest = max((high - low) / last / 2 for low, last, high in prices.values())
    return require(not bad, f"up to {widest:.0%} either way" + (f"; not {bad}" if bad else ""))


async def _previous_day(subject: Subject) -> str:
    data = await _bars(subject, "1d")
    told = data["prev_ohlc"]
    return require(told is None, "null" if told is None else "a bar")


async def _previous_minute(subject: Subject) -> str:
    data = await _bars(subject, "I1")
    live, before = data["live_ohlc"], data["prev_ohlc"]
    if live is None or before is None:
        raise NotSeen(f"live bar {_kind(live)}, previous bar {_kind(before)}")
    step_ms = live["ts"] - before["ts"]
    return require(
        step_ms > 0 and step_ms % 60_000 == 0, f"they begin {step_ms / 1000:.0f} s apart"
    )


async def _full_v3(subject: Subject) -> str:
    answer = await subject.asker.get("/v3/market-quote/quotes", instrument_key=STOCK)
    (item,) = answer.data().values()
    missing = _V3_FIELDS - item.keys()
    return require(not missing, f"missing {', '.join(sorted(missing)) or 'none'}")


async def _bars(subject: Subject, interval: str) -> Any:
    path = "/v3/market-quote/ohlc"
    answer: Answer = await subject.asker.get(path, instrument_key=STOCK, interval=interval)
    (item,) = answer.data().values()
    return item


def _is_today(subject: Subject, quotes: dict[str, Any]) -> bool:
    from_ms = int(quotes[STOCK]["last_trade_time"])
    return subject.is_today(from_ms)


def _kind(bar: Any) -> str:
    return "null" if bar is None else "told"


QUOTES: Final = (
    Assumption("quotes.keyed", "quotes are keyed SEGMENT:SYMBOL, the key stands inside", _keyed),
    Assumption("quotes.bad_key", "one bad key refuses the whole call", _bad_key),
    Assumption("quotes.symbol", "the keys may also be given as symbol", _other_name),
    Assumption("quotes.close", "ohlc.close of a v2 quote is the previous day's close", _close),
    Assumption("quotes.depth", "depth has five levels a side, with orders", _depth),
    Assumption("quotes.moments", "times are milliseconds as text, and ISO with +05:30", _moments),
    Assumption("quotes.bands", "the day's price bands lie around the last price", _bands),
    Assumption("quotes.previous_day", "prev_ohlc is null for 1d", _previous_day),
    Assumption("quotes.previous_minute", "prev_ohlc is the minute before for I1", _previous_minute),
    Assumption("quotes.v3", "the full quote v3 tells closes, year and auction", _full_v3),
)
