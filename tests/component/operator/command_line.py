"""The command line of `prewarm`, in processes of its own, and kubectl beside it."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from component.operator.replica import SOURCE

from devcluster.controlplane import ControlPlane
from devcluster.settings import Cache

Done = subprocess.CompletedProcess[str]
ESCAPE = "\x1b"


class Commands:
    """The command line of `prewarm` in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace

    async def run(self, *arguments: str, **environment: str) -> Done:
        place = ("--kubeconfig", str(self._kubeconfig), "-n", self._namespace)
        return await prewarm(*arguments, *place, **environment)

    async def text(self, *arguments: str) -> str:
        done = await self.run(*arguments)
        assert done.returncode == 0, done.stderr
        assert ESCAPE not in done.stdout + done.stderr
        return done.stdout


async def prewarm(*arguments: str, **environment: str) -> Done:
    command = [sys.executable, "-m", "prewarm_operator.commands.main", *arguments]
    known = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "KUBECONFIG")}
    found = known | {"PYTHONPATH": str(SOURCE)} | environment
    return await asyncio.to_thread(subprocess.run, command, env=found, capture_output=True, text=True, timeout=60)


def kubectl(api_server: ControlPlane, *arguments: str) -> str:
    program = Cache.from_environment().current / "kubectl"
    command = [program, f"--kubeconfig={api_server.kubeconfig}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
