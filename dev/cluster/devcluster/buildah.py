"""buildah with an image store of its own, so the host's images and containers are never touched."""

from __future__ import annotations

import configparser
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devcluster import settings
from devcluster.commands import run
from devcluster.errors import DevClusterError

CERTIFICATES = "/etc/ssl/certs"
PIP_KEYS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")


class Buildah:
    """Builds images and keeps them in the cache's store."""

    def __init__(self, cache: settings.Cache) -> None:
        self._store = ["--root", str(cache.buildah / "store"), "--runroot", str(cache.buildah / "run")]
        self._logs = cache.root / "logs"

    def has(self, name: str) -> bool:
        """Whether the store holds the image."""
        try:
            self._run("inspect", "--type", "image", name)
        except DevClusterError:
            return False
        return True

    def pull(self, name: str) -> None:
        """Fetch an image from its registry."""
        self._run("pull", name, log="pull")

    def registry_has(self, name: str, timeout_seconds: float) -> bool:
        """Whether the registry of an image that the store lacks answers for it within the time."""
        try:
            self._run("manifest", "inspect", name, timeout_seconds=timeout_seconds)
        except DevClusterError:
            return False
        return True

    def build(self, name: str, dockerfile: Path, context: Path, ignore_rules: str = "") -> None:
        """Build `dockerfile` as `name`. RUN steps share the host's network, certificates and settings of pip.

        `ignore_rules` takes the place of the context's .dockerignore.
        """
        self._run("rm", "--all")  # what an interrupted build left
        with tempfile.TemporaryDirectory(prefix="devcluster-") as folder:
            ignore_file = Path(folder) / "ignore"
            ignore_file.write_text(ignore_rules)
            pip = Path(folder) / "pip.conf"
            with pip.open("w") as handle:
                pip_settings([Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf"], os.environ).write(handle)
            self._run(
                "build", "--isolation", "chroot", "--network", "host", "--pull=never", "--layers", "--force-rm",
                # During the build only: some networks re-sign TLS with an authority of their own, which the host knows.
                "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro",
                "--volume", f"{pip}:/etc/pip.conf:ro",
                "--ignorefile", str(ignore_file),
                "--file", str(dockerfile), "--tag", name, str(context),
                log=f"image-{name.rpartition('/')[2].partition(':')[0]}",
            )  # fmt: skip

    def tag(self, name: str, other: str) -> None:
        """Give the image `name` another name."""
        self._run("tag", name, other)

    def forget(self, name: str) -> None:
        """Remove the image `name` if it is there, with every layer that no other image uses."""
        if self.has(name):
            self._run("rmi", name)

    def save(self, name: str, archive: Path) -> None:
        """Write the image as an archive that containerd imports; it stays uncompressed, since it never travels."""
        self._run("push", name, f"docker-archive:{archive}:{name}")

    def _run(self, command: str, *words: str, log: str | None = None, timeout_seconds: float | None = None) -> str:
        file = self._logs / f"{log}.log" if log else None
        if file is not None:
            file.unlink(missing_ok=True)
        return run(["buildah", *self._store, command, *words], log=file, timeout_seconds=timeout_seconds)


def pip_settings(files: list[Path], environment: Mapping[str, str]) -> configparser.RawConfigParser:
    """pip's settings on how packages are reached: later files win, the environment wins over files."""
    found = configparser.RawConfigParser()
    found.read(files)
    merged = configparser.RawConfigParser()
    merged.add_section("global")
    for key in PIP_KEYS:
        value = environment.get(f"PIP_{key.upper().replace('-', '_')}") or found.get("global", key, fallback=None)
        if value:
            merged.set("global", key, value)
    return merged
