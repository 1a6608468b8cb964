"""The account: what the token says of itself, and the reads that concern its owner."""

from datetime import timedelta
from typing import Any, Final

from ticktick.brokers.upstox.survey.asking import Bearer
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise, listed, require
from ticktick.domain.clock import NS_PER_DAY, NS_PER_S, at_ist, ist, ist_day

_CLAIMS: Final = {"sub", "iss", "iat", "exp", "isPlusPlan", "isMultiClient"}
_PROFILE: Final = {
    "email",
    "exchanges",
    "products",
    "broker",
    "user_id",
    "user_name",
    "order_types",
    "user_type",
    "poa",
    "is_active",
}
_FUNDS: Final = {
    "used_margin",
    "payin_amount",
    "span_margin",
    "adhoc_margin",
    "notional_cash",
    "available_margin",
    "exposure_margin",
}
_IP: Final = {"primary_ip", "secondary_ip", "primary_ip_updated_at", "secondary_ip_updated_at"}
_STATES: Final = {"ACTIVE", "INACTIVE"}
_LONG_LIFE_NS: Final = 2 * NS_PER_DAY


async def _claims(subject: Subject) -> str:
    missing = _CLAIMS - subject.claims.keys()
    others = sorted(subject.claims.keys() - _CLAIMS)
    return require(not missing, f"missing {listed(missing)}; others {listed(others)}")


async def _token_end(subject: Subject) -> str:
    issued_ns, ends_ns = (subject.claims[name] * NS_PER_S for name in ("iat", "exp"))
    if _lives_long(subject):
        days = (ends_ns - issued_ns) // NS_PER_DAY
        return require(360 <= days <= 370, f"a long-lived token of {days} days")
    day = ist_day(issued_ns)
    end_ns = at_ist(day, 3, 30)
    expected_ns = end_ns if end_ns > issued_ns else at_ist(day + timedelta(days=1), 3, 30)
    return require(ends_ns == expected_ns, f"it ends at {ist(ends_ns):%H:%M:%S} IST")


async def _plan(subject: Subject) -> str:
    plan, many = subject.claims.get("isPlusPlan"), subject.claims.get("isMultiClient")
    if not isinstance(plan, bool):
        raise Otherwise(f"isPlusPlan is {plan!r}")
    return require(many is False, f"{'Plus' if plan else 'standard'} plan, isMultiClient {many}")


async def _profile(subject: Subject) -> str:
    data = await _of_the_owner(subject, "/v2/user/profile")
    missing = _PROFILE - data.keys()
    others = sorted(data.keys() - _PROFILE)
    active = "active" if data.get("is_active") is True else "not active"
    return require(not missing, f"missing {listed(missing)}; others {listed(others)}; {active}")


async def _funds(subject: Subject) -> str:
    answer = await _funds_answer(subject, "/v3/user/get-funds-and-margin")
    if isinstance(answer, str):
        return answer
    total = answer["available_to_trade"]["total"]
    parts = sorted(answer["available_to_trade"])
    return require(isinstance(total, int | float), f"available_to_trade holds {listed(parts)}")


async def _funds_v2(subject: Subject) -> str:
    answer = await _funds_answer(subject, "/v2/user/get-funds-and-margin")
    if isinstance(answer, str):
        return answer
    missing = _FUNDS - answer["equity"].keys()
    commodity = any(answer["commodity"].get(name) for name in _FUNDS)
    found = f"commodity is {'not ' if commodity else ''}all zeros; missing {listed(missing)}"
    return require(not missing and not commodity, found)


async def _funds_answer(subject: Subject, path: str) -> Any:
    """What the broker says of funds; a sentence if it is closed for the night, as it should be."""
    _require_owner(subject)
    now = ist(subject.clock.now_ns())
    answer = await subject.asker.get(path, Bearer.OWNER)
    is_night = now.hour * 60 + now.minute < 330
    if answer.status == 423 or is_night:
        found = f"at {now:%H:%M} IST {answer.refusal() if answer.status != 200 else 'an answer'}"
        return require(is_night and answer.status == 423, found)
    return answer.data()


async def _kill_switch(subject: Subject) -> str:
    rows = await _of_the_owner(subject, "/v2/user/kill-switch")
    words = {row["segment_status"] for row in rows}
    segments = sorted(row["segment"] for row in rows)
    found = f"{listed(sorted(words))} of {listed(segments)}"
    return require(words <= _STATES and bool(rows), found)


async def _static_ip(subject: Subject) -> str:
    data = await _of_the_owner(subject, "/v2/user/ip")
    registered = "is" if data.get("primary_ip") else "is not"
    missing = _IP - data.keys()
    return require(not missing, f"an address {registered} registered; missing {listed(missing)}")


async def _of_the_owner(subject: Subject, path: str) -> Any:
    _require_owner(subject)
    return (await subject.asker.get(path, Bearer.OWNER)).data()


def _require_owner(subject: Subject) -> None:
    if not subject.asker.owner:
        raise NotSeen("no daily login: an analytics token does not read the account")


def _lives_long(subject: Subject) -> bool:
    lifetime_ns = (subject.claims["exp"] - subject.claims["iat"]) * NS_PER_S
    return bool(lifetime_ns > _LONG_LIFE_NS)


ACCOUNT: Final = (
    Assumption("token.claims", "a token tells sub, iss, iat, exp and its plan", _claims),
    Assumption(
        "token.end", "it ends at the next 03:30 IST, a long-lived one in a year", _token_end
    ),
    Assumption("token.plan", "it tells the plan as a truth value, of one client", _plan),
    Assumption("account.profile", "the profile holds the documented fields", _profile),
    Assumption("account.funds", "funds v3 tell available_to_trade; HTTP 423 until 05:30", _funds),
    Assumption("account.funds_v2", "funds v2 count everything as equity", _funds_v2),
    Assumption("account.kill_switch", "each segment is ACTIVE or INACTIVE", _kill_switch),
    Assumption("account.static_ip", "the registered addresses can be read", _static_ip),
)
