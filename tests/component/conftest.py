"""What component tests share."""

from collections.abc import Iterator

import apiserver
import pytest


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiserver.ApiServer]:
    """One API server for all tests of the session: tests tell their objects apart by name or namespace."""
    with apiserver.start(tmp_path_factory.mktemp("control-plane")) as server:
        yield server
