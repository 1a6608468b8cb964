"""Which keys a connection is asked for, once and once more, and which are never told."""

import json
from random import Random
from typing import Any

import pytest

from ticktick.brokers.upstox.keys import CONFIRM_S, MOST_KEYS, Subscriptions
from ticktick.errors import ConfigError


def messages(subscriptions: Subscriptions, now_s: float) -> list[Any]:
    return [json.loads(message) for message in subscriptions.messages(now_s)]


def asked(subscriptions: Subscriptions, now_s: float) -> list[tuple[str, list[str]]]:
    return [
        (message["method"], message["data"]["instrumentKeys"])
        for message in messages(subscriptions, now_s)
    ]


def test_many_keys_are_asked_for_in_messages_of_at_most_five_hundred() -> None:
    keys = [f"NSE_EQ|K{number}" for number in range(1201)]
    found = messages(Subscriptions(keys, Random(1)), 0.0)
    assert [len(message["data"]["instrumentKeys"]) for message in found] == [500, 500, 201]
    assert [key for message in found for key in message["data"]["instrumentKeys"]] == keys
    assert {message["data"]["mode"] for message in found} == {"full"}
    assert len({message["guid"] for message in found}) == 3


def test_P05_a_key_is_asked_for_once_more_after_five_seconds_and_then_named() -> None:
    subscriptions = Subscriptions(["A", "B"], Random(1))
    assert asked(subscriptions, 0.0) == [("sub", ["A", "B"])]
    subscriptions.confirm(["A"])
    assert asked(subscriptions, CONFIRM_S - 0.1) == []
    assert asked(subscriptions, CONFIRM_S) == [("sub", ["B"])]
    assert subscriptions.unheard(2 * CONFIRM_S - 0.1) == []
    assert subscriptions.unheard(2 * CONFIRM_S) == ["B"]
    assert asked(subscriptions, 10 * CONFIRM_S) == []
    subscriptions.confirm(["B"])
    assert subscriptions.unheard(10 * CONFIRM_S) == []
    assert not subscriptions.is_waiting


def test_P05_a_new_connection_is_asked_for_everything_again() -> None:
    subscriptions = Subscriptions(["A", "B"], Random(1))
    subscriptions.messages(0.0)
    subscriptions.confirm(["A", "B"])
    subscriptions.restart()
    assert asked(subscriptions, 1.0) == [("sub", ["A", "B"])]


def test_when_the_list_changes_then_only_the_difference_is_sent() -> None:
    subscriptions = Subscriptions(["A", "B", "C"], Random(1))
    subscriptions.messages(0.0)
    subscriptions.confirm(["A", "B"])
    subscriptions.wish(["B", "D"])
    assert asked(subscriptions, 1.0) == [("unsub", ["C", "A"]), ("sub", ["D"])]
    assert asked(subscriptions, 2.0) == []
    assert "mode" not in messages_of_end(subscriptions)["data"]


def messages_of_end(subscriptions: Subscriptions) -> Any:
    subscriptions.wish([])
    return messages(subscriptions, 3.0)[0]


def test_more_keys_than_a_connection_may_ask_for_are_refused_in_words() -> None:
    subscriptions = Subscriptions(["A"], Random(1))
    with pytest.raises(ConfigError, match="take 3 off the list"):
        subscriptions.wish([f"K{number}" for number in range(MOST_KEYS + 3)])
    assert asked(subscriptions, 0.0) == [("sub", ["A"])]
