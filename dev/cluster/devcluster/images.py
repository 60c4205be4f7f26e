"""The project's container images: built from Dockerfiles when their inputs change, imported into containerd."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from devcluster import base_image, manifests, settings
from devcluster.binaries import PAUSE
from devcluster.buildah import Buildah
from devcluster.containerd import Containerd
from devcluster.errors import DevClusterError
from devcluster.locks import exclusive
from devcluster.progress import step

ARCHIVES_KEPT = 2
NEVER_INPUT = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".venv", "build", "*.egg-info")


@dataclass(frozen=True)
class Image:
    """An image of this repository. The build context is the repository's root, of which a build sees `inputs` alone."""

    name: str
    dockerfile: str
    inputs: tuple[str, ...]
    base: str | None = None  # the image of this table that it starts from; None is the Python base image
    for_tests: bool = False  # built only where it is asked for by name

    @property
    def reference(self) -> str:
        """The name that pods use."""
        return f"localhost/{self.name}:dev"

    @property
    def ignore_rules(self) -> str:
        """What .dockerignore would say: nothing undeclared gets in, so the fingerprint speaks for the whole image."""
        return "\n".join(["*", *(f"!{name}" for name in self.inputs), *(f"**/{name}" for name in NEVER_INPUT), ""])

    def version(self, fingerprint: str) -> str:
        """The name of one build in buildah's store."""
        return f"localhost/{self.name}:{fingerprint}"


IMAGES = (
    Image(
        "prewarm-agent",
        "agent_image/Dockerfile",
        ("agent_image", "requirements/agent.txt", "requirements/build.txt"),
    ),
    Image(
        "prewarm-operator",
        "operator/Dockerfile",
        ("operator", "requirements/operator.txt", "requirements/build.txt"),
    ),
    Image("prewarm-demo", "dev/demo/Dockerfile", ("dev/demo",), base="prewarm-agent"),
    Image(
        "prewarm-example-python",
        "examples/python-agent/Dockerfile",
        ("examples/python-agent/orders.py",),
        base="prewarm-agent",
        for_tests=True,
    ),
    Image(
        "prewarm-example-foreign",
        "examples/foreign-image/Dockerfile",
        ("examples/foreign-image/server.py",),
        for_tests=True,
    ),
    Image(
        "prewarm-operator-another",
        "tests/cluster/another-operator.Dockerfile",
        (),
        base="prewarm-operator",
        for_tests=True,
    ),
)


def select(names: Sequence[str], images: Sequence[Image] = IMAGES) -> list[Image]:
    """The images called `names` (none: all but those for tests), each after its base."""
    by_name = {image.name: image for image in images}
    if unknown := [name for name in names if name not in by_name]:
        raise DevClusterError(f"no image is called {unknown[0]!r}; the images are {', '.join(by_name)}")
    chosen: dict[str, Image] = {}
    for name in names or [image.name for image in images if not image.for_tests]:
        image = by_name[name]
        if image.base is not None:
            chosen.setdefault(image.base, by_name[image.base])
        chosen.setdefault(name, image)
    return list(chosen.values())


class ImageFactory:
    """Builds images of `repository` into `cache` and imports them into the containerd behind `socket`."""

    def __init__(self, cache: settings.Cache, socket: Path, repository: Path = settings.REPOSITORY) -> None:
        self._cache = cache
        self._containerd = Containerd(socket)
        self._repository = repository
        self._buildah = Buildah(cache)

    def provide(self, images: Sequence[Image]) -> None:
        """Bring every image into containerd, building those whose inputs changed; a base comes before its users."""
        built: dict[str, tuple[Image, str]] = {}
        with self._lock():
            for image in images:
                base = built[image.base] if image.base is not None else None
                fingerprint = fingerprint_of(self._repository, image, base[1] if base else settings.BASE_IMAGE)
                built[image.name] = (image, fingerprint)
                self._provide(image, fingerprint, base)

    def provide_pause(self) -> None:
        """Bring in the image of the container that holds a pod's namespaces: no pod starts without it."""
        archive = self._cache.images / f"{PAUSE.folder}.tar"

        def build() -> None:
            self._buildah.build(
                settings.PAUSE_IMAGE, manifests.FOLDER / "pause.Dockerfile", self._cache.programs / PAUSE.folder
            )
            self._save(settings.PAUSE_IMAGE, archive)

        with self._lock():
            self._load(settings.PAUSE_IMAGE, archive, PAUSE.folder, build)

    def _lock(self) -> AbstractContextManager[None]:
        return exclusive(self._cache.root / "images.lock", "another build of images")

    def _provide(self, image: Image, fingerprint: str, base: tuple[Image, str] | None) -> None:
        archive = self._cache.images / f"{image.name}-{fingerprint}.tar"

        def build() -> None:
            if base is None:
                base_image.provide(self._buildah, self._cache)
            elif self._buildah.has(base[0].version(base[1])):
                self._buildah.tag(base[0].version(base[1]), base[0].reference)
            else:
                self._build(base[0], base[1])
            with step(f"building image {image.reference}"):
                self._build(image, fingerprint)
                self._save(image.reference, archive)
            self._forget_old(image)

        self._load(image.reference, archive, fingerprint, build)

    def _load(self, reference: str, archive: Path, fingerprint: str, build: Callable[[], None]) -> None:
        if not archive.exists():
            build()
        if not self._containerd.holds(reference, fingerprint):
            with step(f"importing image {reference}"):
                self._containerd.load(reference, archive, fingerprint)

    def _build(self, image: Image, fingerprint: str) -> None:
        dockerfile = self._repository / image.dockerfile
        if not dockerfile.is_file():
            raise DevClusterError(f"image {image.name} cannot be built: there is no {dockerfile}")
        self._buildah.build(image.reference, dockerfile, self._repository, image.ignore_rules)
        self._buildah.tag(image.reference, image.version(fingerprint))

    def _save(self, reference: str, archive: Path) -> None:
        self._cache.images.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        self._buildah.save(reference, fresh)
        fresh.rename(archive)

    def _forget_old(self, image: Image) -> None:
        """Keep the newest archives alone: one for this checkout, one to go back to."""
        archives = sorted(self._cache.images.glob(f"{image.name}-*.tar"), key=lambda file: file.stat().st_mtime)
        for archive in archives[:-ARCHIVES_KEPT]:
            archive.unlink()
            self._buildah.forget(image.version(archive.stem.removeprefix(f"{image.name}-")))


def fingerprint_of(repository: Path, image: Image, base: str) -> str:
    """A hash of everything that goes into `image`: names, modes and contents of its inputs, and its base."""
    digest = hashlib.sha256(f"{image.name} {base}".encode())
    for file in sorted(_files(repository, (image.dockerfile, *image.inputs))):
        executable = os.access(file, os.X_OK)
        digest.update(f"\0{file.relative_to(repository)}\0{executable}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files(repository: Path, inputs: Sequence[str]) -> Iterator[Path]:
    for name in dict.fromkeys(inputs):
        path = repository / name
        if path.is_dir():
            yield from (
                file for file in path.rglob("*") if file.is_file() and not _ignored(file.relative_to(repository))
            )
        elif path.is_file():
            yield path


def _ignored(file: Path) -> bool:
    return any(fnmatchcase(part, pattern) for part in file.parts for pattern in NEVER_INPUT)
