"""The page's types are what the server sends."""

from pathlib import Path

from ticktick.web.messages import ENVELOPES
from ticktick.web.typescript import module

GENERATED = Path(__file__).parents[2] / "web" / "src" / "messages.gen.ts"


def test_the_committed_types_of_the_page_are_current() -> None:
    hint = "run: python -m ticktick.web.typescript > web/src/messages.gen.ts"
    assert GENERATED.read_text(encoding="utf-8") == module(), hint


def test_every_envelope_type_is_one_case_of_the_union() -> None:
    for name, data in ENVELOPES.items():
        assert f'| EnvelopeOf<"{name}", {data.__name__}>' in module()


def test_a_candle_is_a_labelled_tuple_in_the_order_of_its_fields() -> None:
    start = "export type CandleRow = readonly [start_ms: number, open: number | null"
    assert start in module()


def test_a_value_that_may_be_unknown_is_nullable_in_the_page() -> None:
    assert "readonly canary_age_ms: number | null;" in module()
