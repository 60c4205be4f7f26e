from collections.abc import Iterator

import apiserver
import pytest
from helmcli import Object, render


@pytest.fixture(scope="session")
def rendered() -> list[Object]:
    """The objects that a release with default values consists of."""
    return render()


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiserver.ApiServer]:
    """An API server for each file: what is installed belongs to one release, and a cluster has it once."""
    with apiserver.start(tmp_path_factory.mktemp("control-plane")) as server:
        yield server
