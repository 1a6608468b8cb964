"""The demo account: funds in both forms, kill switches, and its registered address."""

from typing import Any, Final

from ticktick.emulator.answers import Refused, Request, Response, success

_RUPEES: Final = 1_000_000.0
_SEGMENTS: Final = (
    "BSE_EQ",
    "NSE_EQ",
    "NCD_FO",
    "BCD_FO",
    "NSE_FO",
    "BSE_FO",
    "MCX_FO",
    "NSE_COM",
)
_FUND_NAMES: Final = (
    "used_margin",
    "payin_amount",
    "span_margin",
    "adhoc_margin",
    "notional_cash",
    "available_margin",
    "exposure_margin",
)


def answer_funds(request: Request) -> Response:
    """`GET /v2/user/get-funds-and-margin`: everything counts as equity, commodity is zeros."""
    segment = request.query.get("segment")
    nothing = dict.fromkeys(_FUND_NAMES, 0.0)
    funds = {"equity": {**nothing, "available_margin": _RUPEES}, "commodity": nothing}
    names = {"SEC": "equity", "COM": "commodity"}
    if segment is None:
        return success(funds)
    if segment not in names:
        raise Refused("UDAPI1019", f"Invalid segment {segment}; write SEC or COM")
    return success({names[segment]: funds[names[segment]]})


def answer_funds_v3(_: Request) -> Response:
    """`GET /v3/user/get-funds-and-margin`: cash only, nothing used, nothing pledged."""
    cash = {
        "opening_balance": _RUPEES,
        "added_today": 0.0,
        "withdrawn_today": 0.0,
        "amount_from_stock_sale": 0.0,
        "unpaid_charges": 0.0,
    }
    loss = {"total": 0.0, "realised": 0.0, "unrealised": 0.0}
    pledge = {
        "total": 0.0,
        "margin_from_pledge": {"total": 0.0, "equity": 0.0, "mutual_funds": 0.0},
        "margin_used": _margin_used(),
    }
    return success(
        {
            "available_to_trade": {
                "total": _RUPEES,
                "cash_available_to_trade": {
                    "total": _RUPEES,
                    "cash": cash,
                    "margin_used": {**_margin_used(), "loss": loss},
                },
                "pledge_available_to_trade": pledge,
            },
            "unavailable_to_trade": {
                "cash_unavailable_to_trade": {
                    "unsettled_profit": {"todays_profit": 0.0, "previous_days": 0.0}
                },
                "pledge_unavailable_to_trade": {"equity": 0.0, "mutual_funds": 0.0},
            },
        }
    )


def answer_kill_switch(_: Request) -> Response:
    """`GET /v2/user/kill-switch`: every segment may trade."""
    return success(
        [
            {"segment": segment, "segment_status": "ACTIVE", "kill_switch_enabled": False}
            for segment in _SEGMENTS
        ]
    )


def answer_addresses(_: Request) -> Response:
    """`GET /v2/user/ip`: the one address from which the demo account may order."""
    return success(
        {
            "primary_ip": "203.0.113.10",
            "secondary_ip": None,
            "primary_ip_updated_at": "2026-04-03 17:17:50",
            "secondary_ip_updated_at": None,
        }
    )


def _margin_used() -> dict[str, Any]:
    return {
        "total": 0.0,
        "mtf": 0.0,
        "span_exposure": 0.0,
        "cash_margin_var_elm": 0.0,
        "premium_present": 0.0,
        "delivery_margin": {"total": 0.0, "equity": 0.0, "fo_settlement": 0.0},
    }
