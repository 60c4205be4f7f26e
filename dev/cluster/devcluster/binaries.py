"""The cluster's programs, built from Go modules once per version into the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster import settings, toolchain
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.locks import exclusive
from devcluster.progress import step

STRIPPED = "-s -w"


@dataclass(frozen=True)
class Program:
    """One Go build: `source` is a folder of dev/cluster/go or a package to install, `links` the names it runs by."""

    name: str
    version: str
    source: str
    links: tuple[str, ...]
    duration: str
    variables: tuple[str, ...] = ()  # package variables to set: the versions that the programs report
    files: tuple[str, ...] = ()  # globs in an installed module whose files the program needs; kept beside it, flat

    @property
    def module(self) -> Path | None:
        """The folder with go.mod and main.go, or None for a package that is installed by its own module's go.mod."""
        folder = settings.GO_SOURCES / self.source
        return folder if folder.is_dir() else None

    @property
    def linker_flags(self) -> str:
        """For -ldflags."""
        return " ".join([STRIPPED, *(f"-X {variable}" for variable in self.variables)])

    @property
    def folder(self) -> str:
        """Its name in the cache: the version, and a hash of everything that goes into the build."""
        inputs = hashlib.sha256(f"{self.source} {self.version} {self.linker_flags}".encode())
        inputs.update("".join(self.files).encode())
        if self.module is not None:
            for file in sorted(self.module.iterdir()):
                inputs.update(file.name.encode() + b"\0" + file.read_bytes())
        return f"{self.name}-{self.version}-{inputs.hexdigest()[:12]}"


def _kubernetes_variables() -> tuple[str, ...]:
    major, minor, _ = settings.KUBERNETES_VERSION.split(".")
    values = {
        "gitVersion": f"v{settings.KUBERNETES_VERSION}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return tuple(f"{package}.{name}={value}" for package in packages for name, value in values.items())


KUBERNETES_LINKS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)
PAUSE = Program("pause", "1", "pause", ("pause",), "10 seconds")
PROGRAMS = (
    PAUSE,
    Program("etcd", settings.ETCD_VERSION, "etcd", ("etcd",), "20 seconds"),
    Program(
        "kubernetes",
        settings.KUBERNETES_VERSION,
        "kubernetes",
        KUBERNETES_LINKS,
        "5 minutes on 2 cores",
        _kubernetes_variables(),
    ),
    Program(
        "coredns",
        settings.COREDNS_VERSION,
        f"github.com/coredns/coredns@v{settings.COREDNS_VERSION}",
        ("coredns",),
        "2 minutes",
    ),
    Program(
        "helm",
        settings.HELM_VERSION,
        f"helm.sh/helm/v4/cmd/helm@v{settings.HELM_VERSION}",
        ("helm",),
        "1 minute",
        (f"helm.sh/helm/v4/internal/version.version=v{settings.HELM_VERSION}",),
    ),
)
# What stands in for a cloud that adds nodes: built only where it is asked for.
ADD_ONS = (
    Program(
        "karpenter",
        settings.KARPENTER_VERSION,
        f"sigs.k8s.io/karpenter/kwok@v{settings.KARPENTER_VERSION}",
        ("karpenter",),
        "3 minutes",
        files=("pkg/apis/crds/*.yaml", "kwok/apis/crds/*.yaml"),
    ),
    Program(
        "kwok",
        settings.KWOK_VERSION,
        f"sigs.k8s.io/kwok/cmd/kwok@v{settings.KWOK_VERSION}",
        ("kwok",),
        "1 minute",
        files=("kustomize/stage/node/*/*.yaml", "kustomize/stage/pod/fast/*.yaml"),
    ),
)


def select(names: Sequence[str]) -> tuple[Program, ...]:
    """The add-ons called `names`; without any, the programs that every cluster needs."""
    by_name = {program.name: program for program in ADD_ONS}
    if unknown := [name for name in names if name not in by_name]:
        raise DevClusterError(f"no add-on is called {unknown[0]!r}; the add-ons are {', '.join(by_name)}")
    return tuple(by_name[name] for name in names) or PROGRAMS


def ensure(cache: settings.Cache, programs: Sequence[Program] = PROGRAMS) -> None:
    """Build what the cache lacks of `programs` and point bin/current at this checkout's versions."""
    if all(_linked(cache, program) for program in programs):
        return
    cache.current.mkdir(parents=True, exist_ok=True)
    with exclusive(cache.root / "build.lock", "another build into this cache"):
        missing = [program for program in programs if not (cache.programs / program.folder).is_dir()]
        if missing:
            go = toolchain.go()
            for program in missing:
                _build(cache, program, go)
            # Gigabytes that nothing needs any more. After a failure they stay, so that the next build resumes there.
            shutil.rmtree(cache.build / "go")
        for program in programs:
            _link(cache, program)


def _build(cache: settings.Cache, program: Program, go: Path) -> None:
    """Build `program` in scratch space and move it to its place when it is complete."""
    environment = _go_environment(cache.build / "go")
    scratch = cache.build / "go" / program.folder
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    log = cache.root / "logs" / f"build-{program.name}.log"
    log.unlink(missing_ok=True)
    flags = ["-trimpath", "-ldflags", program.linker_flags]
    with step(f"building {program.name} {program.version} (about {program.duration})"):
        if program.module is not None:
            run([go, "build", *flags, "-o", scratch / program.name, "."], cwd=program.module, env=environment, log=log)
        else:
            run([go, "install", *flags, program.source], env={**environment, "GOBIN": str(scratch)}, log=log)
            (installed,) = scratch.iterdir()  # named after its package: two of them are called kwok
            installed.rename(scratch / program.name)
            _keep_files(program, cache.build / "go" / "modules", scratch)
    scratch.rename(cache.programs / program.folder)


def _keep_files(program: Program, modules: Path, target: Path) -> None:
    """Copy the program's files out of the module cache, which is deleted."""
    package, _, version = program.source.partition("@")
    homes = [modules / f"{parent}@{version}" for parent in Path(package).parents]
    for glob in program.files:
        found = [file for home in homes if home.is_dir() for file in home.glob(glob)]
        if not found:
            raise DevClusterError(f"{program.source} has no {glob}")
        for file in found:
            shutil.copyfile(file, target / "-".join(file.parts[-2:]))


def _go_environment(scratch: Path) -> dict[str, str]:
    return {
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false -modcacherw",
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "objects"),
        "GOWORK": "off",
    }


def _linked(cache: settings.Cache, program: Program) -> bool:
    return all(
        (cache.current / link).is_file() and (cache.current / link).readlink().parent.name == program.folder
        for link in program.links
    )


def _link(cache: settings.Cache, program: Program) -> None:
    for link in program.links:
        fresh = cache.current / f".{link}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path(os.pardir) / program.folder / program.name)
        fresh.rename(cache.current / link)  # replaces the old link in one step
