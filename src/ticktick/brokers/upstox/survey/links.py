"""The feed's connections: addresses, sockets, pings, and how the server closes."""

from itertools import pairwise
from typing import Final

from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.heard import Connection
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, require

_REFUSED: Final = (401, 403)
_PONG_LIMIT_MS: Final = 5000.0
_PING_LIMIT_S: Final = 60.0


async def _address(subject: Subject) -> str:
    heard = await subject.heard()
    names = " and ".join(heard.address_names)
    return require(len(heard.address_names) == 2, f"{heard.address_scheme} under {names}")


async def _once(subject: Subject) -> str:
    heard = await subject.heard()
    return require(heard.again.status in _REFUSED, _outcome(heard.again))


async def _age(subject: Subject) -> str:
    heard = await subject.heard()
    found = f"{_outcome(heard.aged)} {heard.code_age_s:.0f} s after it was told"
    return require(heard.aged.status == 0, found)


async def _sockets(subject: Subject) -> str:
    """Two on the standard plan, at least three on Plus."""
    heard = await subject.heard()
    if heard.idle.status:
        return require(False, f"the second connection {_outcome(heard.idle)}")
    found = f"the third connection {_outcome(heard.third)}"
    return require((heard.third.status == 0) is subject.is_plus, found)


async def _pings(subject: Subject) -> str:
    """How often the server sends a ping to a connection that asked for nothing."""
    heard = await subject.heard()
    idle = heard.idle
    if idle.status:
        raise NotSeen(f"the second connection {_outcome(idle)}")
    lasted_s = idle.ended_s - idle.opened_s
    moments = [idle.opened_s, *idle.pings_s, idle.ended_s]
    longest_s = max(after - before for before, after in pairwise(moments))
    found = f"{len(idle.pings_s)} pings in {lasted_s:.0f} s, {longest_s:.1f} s apart at most"
    if not idle.pings_s and lasted_s < _PING_LIMIT_S:
        raise NotSeen(f"{found}: listen longer than {_PING_LIMIT_S:.0f} s")
    return require(longest_s <= _PING_LIMIT_S, found)


async def _pong(subject: Subject) -> str:
    pong_ms = (await subject.heard()).main.pong_ms
    found = "no pong" if pong_ms is None else f"a pong after {pong_ms:.0f} ms"
    return require(pong_ms is not None and pong_ms <= _PONG_LIMIT_MS, found)


async def _idle(subject: Subject) -> str:
    idle = (await subject.heard()).idle
    if idle.status:
        raise NotSeen(f"the second connection {_outcome(idle)}")
    lasted = f"after {idle.ended_s - idle.opened_s:.0f} s"
    found = f"open {lasted}" if idle.closed is None else f"closed with {idle.closed} {lasted}"
    return require(idle.closed is None, found)


async def _kept(subject: Subject) -> str:
    main = (await subject.heard()).main
    found = "open to the end" if main.closed is None else f"closed with {main.closed}"
    return require(main.closed is None, found)


async def _compressed(subject: Subject) -> str:
    main = (await subject.heard()).main
    return require(main.compressed, "accepted" if main.compressed else "not accepted")


async def _texts(subject: Subject) -> str:
    """Text frames and frames that cannot be read, in answer to nothing that is wrong."""
    heard = await subject.heard()
    texts = heard.main.texts[: len(heard.main.texts) - len(heard.unknown_texts)]
    found = f"{len(texts)} text frames, {heard.main.unreadable} that cannot be read"
    return require(not texts and not heard.main.unreadable, found + _quoted(texts))


async def _unknown_key(subject: Subject) -> str:
    heard = await subject.heard()
    texts = heard.unknown_texts
    end = f"closed with {heard.main.closed}" if heard.unknown_closed else "still open"
    found = f"{len(texts)} text frames, {end}{_quoted(texts)}"
    return require(not texts and not heard.unknown_closed, found)


def _outcome(connection: Connection) -> str:
    refused = connection.status
    return f"was refused (HTTP {refused})" if refused else "was let in"


def _quoted(texts: list[str]) -> str:
    return f"; the first says {texts[0]!r}" if texts else ""


LINKS: Final = (
    Assumption("feed.address", "the address is told under two names", _address),
    Assumption("feed.sockets", "two connections on the standard plan, more on Plus", _sockets),
    Assumption("feed.code_once", "an address opens the feed once", _once),
    Assumption("feed.code_age", "an address that is not used at once still opens it", _age),
    Assumption("feed.compression", "compression is accepted where it is offered", _compressed),
    Assumption("feed.pings", "an idle connection gets a ping at least every minute", _pings),
    Assumption("feed.idle", "a connection that asks for nothing stays open", _idle),
    Assumption("feed.pong", "a ping is answered within 5 s", _pong),
    Assumption("feed.kept", "the connection stays open while it is used", _kept),
    Assumption("feed.texts", "every frame is binary and can be read", _texts),
    Assumption("feed.unknown_key", "a key that nobody lists is ignored", _unknown_key),
)
