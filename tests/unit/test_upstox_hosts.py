"""The one rule about hosts: TLS to the broker, plain text to loopback only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.upstox.hosts import USER_AGENT, Hosts
from ticktick.errors import BrokerError, ConfigError


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8900",
        "http://127.0.0.1:8900/",
        "http://localhost:1",
        "http://[::1]:80",
        "https://127.0.0.1:8900",
    ],
)
def test_given_an_address_of_this_machine_when_asked_for_then_it_is_a_loopback_host(
    url: str,
) -> None:
    hosts = Hosts.loopback(url)
    assert hosts.is_loopback
    assert hosts.api == hosts.assets == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8900",
        "http://api.upstox.com",
        "https://api.upstox.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://user@127.0.0.1",
        "http://127.0.0.1:99999",
        "ftp://127.0.0.1",
        "127.0.0.1:8900",
        "",
        "http://",
        "http://[bad",
    ],
)
def test_given_any_other_address_when_asked_for_then_it_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="this machine"):
        Hosts.loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.upstox.com",
        "https://upstox.com.evil.example",
        "https://evilupstox.com",
        "http://127.0.0.1",
    ],
)
def test_given_the_broker_when_not_over_tls_on_its_domain_then_it_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        Hosts(url, "https://assets.upstox.com", is_loopback=False)
    with pytest.raises(ConfigError):
        Hosts("https://api.upstox.com", url, is_loopback=False)


def test_given_the_broker_when_it_sends_the_feed_to_its_own_then_it_is_dialled() -> None:
    url = "wss://wsfeeder-api.upstox.com/market-data-feeder/v3/feeds?requestId=a&code=b"
    assert Hosts.upstox().checked_feed(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "ws://wsfeeder-api.upstox.com/feeds?code=c0de",
        "wss://evil.example/feeds?code=c0de",
        "wss://upstox.com.evil.example/feeds?code=c0de",
        "ws://127.0.0.1:80/feeds?code=c0de",
        "wss://[bad/?code=c0de",
    ],
)
def test_given_the_broker_when_it_sends_the_feed_elsewhere_then_it_is_refused(url: str) -> None:
    with pytest.raises(BrokerError) as caught:
        Hosts.upstox().checked_feed(url)
    assert "c0de" not in str(caught.value)


@pytest.mark.parametrize("url", ["wss://api.upstox.com/feed", "ws://10.0.0.1/feed", "http://[::1]"])
def test_given_a_loopback_exchange_when_it_sends_the_feed_elsewhere_then_it_is_refused(
    url: str,
) -> None:
    with pytest.raises(BrokerError):
        Hosts.loopback("http://127.0.0.1:1").checked_feed(url)


@given(st.text(max_size=40))
def test_no_text_but_a_loopback_address_becomes_a_host(text: str) -> None:
    with pytest.raises(ConfigError):
        Hosts.loopback(f"http://{text}.example")


def test_the_program_names_itself_to_the_broker() -> None:
    assert USER_AGENT.startswith("TickTick/")
