"""A model's API, and a warm agent that asks it: one of each per file, in the event loop of the file."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from component.agent.agent_process import AgentProcess, running
from component.agent.model_server import ModelServer, model_server
from component.agent.specs import assistant, spec


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The servers of a file's fixtures only turn while its loop does, so its tests run in that loop too."""
    for item in items:
        if "component/agent/" in item.path.as_posix():
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model_api() -> AsyncIterator[ModelServer]:
    async with model_server() as server:
        yield server


@pytest.fixture
def model(model_api: ModelServer) -> ModelServer:
    """The model's API with a clean record."""
    model_api.forget()
    return model_api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(model_api: ModelServer) -> AsyncIterator[AgentProcess]:
    async with running(spec(assistant(model_api.url))) as process:
        await process.warm()
        yield process
