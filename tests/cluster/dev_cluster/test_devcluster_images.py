"""Images are built when their inputs change, and only then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.buildah import Buildah
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.images import Image, ImageFactory
from devcluster.settings import Cache

IMAGE = Image("devcluster-test", "app/Dockerfile", ("app",))
DOCKERFILE = "FROM docker.io/library/python:3.13-slim\nCOPY app/version /version\n"


class Workshop:
    """A repository with one image, and the running cluster's containerd."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.cache = Cache.from_environment()
        self._ctr = ["ctr", "--address", str(self.cache.run / "containerd.sock"), "--namespace", "k8s.io", "images"]
        (repository / "app").mkdir()
        self.write("app/Dockerfile", DOCKERFILE)
        self.write("app/version", "1")

    def write(self, name: str, text: str) -> None:
        (self.repository / name).write_text(text)

    def provide(self) -> None:
        ImageFactory(self.cache, self.cache.run / "containerd.sock", self.repository).provide([IMAGE])

    def archives(self) -> dict[Path, int]:
        """Every archive of the image and when it was written."""
        return {file: file.stat().st_mtime_ns for file in self.cache.images.glob(f"{IMAGE.name}-*.tar")}

    def digest_in_containerd(self) -> str:
        rows = run([*self._ctr, "list", f"name=={IMAGE.reference}"]).splitlines()[1:]
        return rows[0].split()[2] if rows else ""

    def remove(self) -> None:
        for archive in self.archives():
            Buildah(self.cache).forget(IMAGE.version(archive.stem.removeprefix(f"{IMAGE.name}-")))
            archive.unlink()
        Buildah(self.cache).forget(IMAGE.reference)
        run([*self._ctr, "remove", IMAGE.reference])


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.remove()


def test_an_unchanged_image_is_not_built_again(workshop: Workshop) -> None:
    workshop.provide()
    first = workshop.archives()
    workshop.write("app/__pycache__", "a cache is no input")
    workshop.provide()
    assert workshop.archives() == first


def test_a_changed_input_reaches_the_cluster_and_two_archives_are_kept(workshop: Workshop) -> None:
    digests = []
    for version in ("1", "2", "3"):
        workshop.write("app/version", version)
        workshop.provide()
        digests.append(workshop.digest_in_containerd())
    assert len(set(digests)) == 3
    assert len(workshop.archives()) == 2


def test_going_back_to_the_version_before_needs_no_build(workshop: Workshop) -> None:
    workshop.provide()
    first = workshop.digest_in_containerd()
    workshop.write("app/version", "2")
    workshop.provide()
    archives = workshop.archives()
    workshop.write("app/version", "1")
    workshop.provide()
    assert workshop.archives() == archives
    assert workshop.digest_in_containerd() == first


def test_a_file_that_is_not_declared_as_input_is_not_there(workshop: Workshop) -> None:
    workshop.provide()
    workshop.write("undeclared", "not part of the fingerprint")
    workshop.write("app/Dockerfile", DOCKERFILE + "COPY undeclared /\n")
    with pytest.raises(DevClusterError, match="undeclared"):
        workshop.provide()
