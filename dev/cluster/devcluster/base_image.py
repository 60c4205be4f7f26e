"""The image every other one starts from: Python's official image, or an equivalent from Debian's packages.

Where no container registry answers, mmdebstrap installs the same Debian release from the mirrors this machine's apt
already uses, and a virtual environment at /usr/local gives python and pip the paths they have in the official image.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from devcluster import settings, toolchain
from devcluster.buildah import Buildah
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.progress import say, step

REGISTRY_TIMEOUT_SECONDS = 6.0
SUITE = "trixie"  # whose python3 is 3.13
SUITES_BY_LABEL = {"Debian": (SUITE, f"{SUITE}-updates"), "Debian-Security": (f"{SUITE}-security",)}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SUITE_KEYS = Path(f"/usr/share/keyrings/debian-archive-{SUITE}-stable.gpg")  # shows that KEYRING knows the suite
PACKAGES = "ca-certificates,netbase,tzdata,python3,python3-venv"
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
DOCKERFILE = """\
FROM scratch
ADD root.tar /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
CMD ["python3"]
"""


def provide(buildah: Buildah, cache: settings.Cache) -> None:
    """Put the base image into buildah's store unless it is there."""
    if buildah.has(settings.BASE_IMAGE):
        return
    with step(f"asking the registry for {settings.BASE_IMAGE}"):
        offered = buildah.registry_has(settings.BASE_IMAGE, REGISTRY_TIMEOUT_SECONDS)
    if offered:
        try:
            with step(f"pulling {settings.BASE_IMAGE}"):
                buildah.pull(settings.BASE_IMAGE)
            return
        except DevClusterError as error:  # a limit on pulls, a proxy that lets small answers through only
            say(f"  {error}")
    with step("no registry answers: building an equal base image from Debian's packages (about 30 seconds)"):
        _bootstrap(buildah, cache)


def _bootstrap(buildah: Buildah, cache: settings.Cache) -> None:
    if not SUITE_KEYS.exists():
        toolchain.install(["debian-archive-keyring"])
    scratch = cache.build / "base-image"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    apt_settings = scratch / "apt.conf"
    apt_settings.write_text(run(["apt-config", "dump", "--format", '%F "%v";%n', "Acquire::http", "Acquire::https"]))
    run(
        [
            "mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PACKAGES}",
            f"--keyring={KEYRING}", f"--aptopt={apt_settings}",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
            '--customize-hook=chroot "$1" python3 -m venv /usr/local',
            '--customize-hook=rm -rf "$1"/var/cache/apt "$1"/var/lib/apt/lists',
            SUITE, scratch / "root.tar", "-",
        ],
        stdin="\n".join(_sources()) + "\n",
        log=cache.root / "logs" / "base-image.log",
    )  # fmt: skip
    dockerfile = scratch / "Dockerfile"
    dockerfile.write_text(DOCKERFILE)
    buildah.build(settings.BASE_IMAGE, dockerfile, scratch)
    shutil.rmtree(scratch)


def _sources() -> list[str]:
    sources = sources_for_suite(_repositories())
    if not sources:
        with step("reading the package lists of this machine's apt"):
            run(["apt-get", "update"])
        sources = sources_for_suite(_repositories())
    if not sources:
        raise DevClusterError(
            f"{settings.BASE_IMAGE} cannot be made: no registry answers and this machine's apt has no Debian "
            "repository; add Debian's to /etc/apt/sources.list.d or make a registry reachable"
        )
    return sources


def _repositories() -> list[tuple[str, str]]:
    """(label, URI) of each Debian repository that apt uses; the label tells security updates from the rest."""
    lines = run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)", "Created-By: Packages"]
    ).splitlines()
    described = [line.split("\t") for line in lines]
    return [(label, uri) for origin, label, uri in described if origin == "Debian"]


def sources_for_suite(repositories: list[tuple[str, str]]) -> list[str]:
    """apt's one-line sources of the base image's suite from (label, URI) of the machine's own repositories."""
    return [
        f"deb {uri} {suite} main"
        for label, uri in dict.fromkeys(repositories)
        for suite in SUITES_BY_LABEL.get(label, ())
    ]
