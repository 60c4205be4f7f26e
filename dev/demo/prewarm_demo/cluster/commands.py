"""kubectl and helm, run as a person would run them: each command is shown before it runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

from prewarm_demo.cluster.access import Access
from prewarm_demo.errors import DemoError
from prewarm_demo.narrator import Narrator


class Commands:
    """Runs in the repository's root, with the cluster's kubeconfig in the environment."""

    def __init__(self, access: Access, narrator: Narrator, cwd: Path) -> None:
        self._access = access
        self._narrator = narrator
        self._cwd = cwd
        self._environment = {**os.environ, "KUBECONFIG": str(access.kubeconfig)}

    async def kubectl(self, *args: str, stdin: str | None = None, shown: bool = True) -> str:
        """The command's stdout. Raises DemoError with its stderr where it fails."""
        return await self._run(self._access.kubectl, args, stdin, shown)

    async def helm(self, *args: str) -> str:
        """The command's stdout. Raises DemoError with its stderr where it fails."""
        return await self._run(self._access.helm, args, None, True)

    async def follow(self, *args: str) -> AsyncIterator[str]:
        """The lines of a kubectl command's stdout as they come, until it ends."""
        self._narrator.command(shlex.join(["kubectl", *args]))
        process = await self._start(self._access.kubectl, args)
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                yield line.decode().rstrip("\n")
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            raise
        finally:
            await process.wait()

    async def _run(self, program: Path, args: tuple[str, ...], stdin: str | None, shown: bool) -> str:
        line = shlex.join([program.name, *args])
        if shown:
            self._narrator.command(line)
        process = await self._start(program, args)
        try:
            stdout, stderr = await process.communicate(stdin.encode() if stdin is not None else None)
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            raise
        if process.returncode != 0:
            raise DemoError(f"`{line}` failed: {stderr.decode().strip()}")
        if shown:
            self._narrator.output(stdout.decode())
        return stdout.decode()

    async def _start(self, program: Path, args: tuple[str, ...]) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            program, *args, stdin=pipe, stdout=pipe, stderr=pipe, cwd=self._cwd, env=self._environment, limit=2**20
        )
