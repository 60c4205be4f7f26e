from collections.abc import Iterator

import apiserver
import pytest
from helmcli import Object, render


@pytest.fixture(scope="session")
def rendered() -> list[Object]:
    """The objects that a release with default values consists of."""
    return render()


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiserver.ApiServer]:
    """An API server of the chart's own: its CustomResourceDefinitions belong to the release."""
    with apiserver.start(tmp_path_factory.mktemp("control-plane")) as server:
        yield server
