from collections.abc import Iterator
from typing import Any

import apiserver
import pytest
import yaml
from helmcli import CHART, helm


@pytest.fixture(scope="session")
def rendered() -> list[dict[str, Any]]:
    """The objects that a release with default values consists of."""
    done = helm("template", "prewarm", str(CHART), "--namespace=prewarm-system")
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiserver.ApiServer]:
    """An API server of the chart's own: its CustomResourceDefinitions belong to the release."""
    with apiserver.start(tmp_path_factory.mktemp("control-plane")) as server:
        yield server
