from pathlib import Path

import pytest
from apiserver import ApiServer

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def api(control_plane: ApiServer) -> ApiServer:
    """An API server that knows our kinds."""
    crds = ("-f", str(REPOSITORY / "crds"))
    for command in (("apply", *crds), ("wait", "--for=condition=Established", "--timeout=30s", *crds)):
        done = control_plane.kubectl(*command)
        assert done.returncode == 0, done.stderr
    return control_plane
