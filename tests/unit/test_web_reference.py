"""The reference names every route, message, field and column there is."""

import dataclasses
import re
from dataclasses import is_dataclass
from pathlib import Path

from fastapi.routing import APIRoute
from msgspec.structs import fields

from tests.web_stage import Stage
from ticktick.web.blocks import COLUMNS
from ticktick.web.messages import ENVELOPES, CandleRow

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"
TEXT = REFERENCE.read_text(encoding="utf-8")


def test_every_route_is_described() -> None:
    stage = Stage()
    for route in stage.routes():
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                assert f"| `{method} {route.path}` |" in TEXT


def test_every_message_is_described_with_its_fields() -> None:
    for kind, data in ENVELOPES.items():
        parts = dataclasses.fields(data) if is_dataclass(data) else fields(data)
        names = " ".join(part.name for part in parts)
        assert f"| `{kind}` | `{names}` |" in TEXT


def test_the_columns_are_described_in_their_order() -> None:
    for dtype in ("f8", "i4", "f4"):
        names = [column.name for column in COLUMNS if column.dtype == dtype]
        assert f"| `{dtype}` each row | {', '.join(f'`{name}`' for name in names)} |" in TEXT
    order = [column.dtype for column in COLUMNS]
    assert order == sorted(order, key=("f8", "i4", "f4").index)


def test_the_candle_is_described_in_the_order_of_its_fields() -> None:
    assert f"`[{', '.join(field.name for field in fields(CandleRow))}]`" in TEXT


def test_no_status_is_described_twice() -> None:
    statuses = re.findall(r"^\| (\d{3})", TEXT, re.MULTILINE)
    assert len(statuses) == len(set(statuses))
