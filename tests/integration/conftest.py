"""What several integration tests stand on: servers for the store, a broker for the client."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import stamina

from tests.store_stage import KINDS, Asking, serving
from tests.upstox_stage import TOKEN, Stub, self_signed_context, stub_broker
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.store.server import EmbeddedServer


@pytest.fixture(scope="module", params=KINDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedServer]:
    """A running Redis or Valkey, one kind after the other."""
    with serving(request.param, tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def ask(server: EmbeddedServer) -> Asking:
    """Questions to the server, which is empty."""
    ask = Asking(server.url)
    ask(0, "FLUSHALL")
    return ask


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A broker that answers what the test says."""
    async with stub_broker() as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session that ends with the test, at the latest after a minute."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        yield session


@pytest.fixture
def rest(stub: Stub, http: aiohttp.ClientSession) -> UpstoxRest:
    """The client of that broker."""
    return UpstoxRest(http, Hosts.loopback(stub.url), lambda: TOKEN)


@pytest.fixture
def retries_do_not_wait() -> Iterator[None]:
    """The client asks again at once."""
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    return self_signed_context(tmp_path_factory.mktemp("tls"))
