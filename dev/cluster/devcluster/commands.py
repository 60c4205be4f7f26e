"""Other programs, run to their end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devcluster.errors import DevClusterError

LOG_TAIL_LINES = 15


def run(
    command: Sequence[str | Path],
    *,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout_seconds: float | None = None,
) -> str:
    """Run `command` and return its stdout, or with `log` append all of its output to that file and return "".

    `env` adds to the caller's environment. Raises DevClusterError with the last lines of output if the command fails,
    cannot be started or exceeds `timeout_seconds`.
    """
    words = [str(word) for word in command]
    environment = {**os.environ, **(env or {})}
    try:
        if log is None:
            result = subprocess.run(
                words, env=environment, cwd=cwd, input=stdin, timeout=timeout_seconds,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if result.returncode == 0:
                return result.stdout
            evidence = result.stderr or result.stdout
            raise _failed(words, result.returncode, "", evidence)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as output:
            logged = subprocess.run(
                words, env=environment, cwd=cwd, input=stdin, timeout=timeout_seconds,
                stdout=output, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
        if logged.returncode != 0:
            raise _failed(words, logged.returncode, f"; the log is {log}", log.read_text(errors="replace"))
    except FileNotFoundError as error:
        raise DevClusterError(f"`{words[0]}` is not installed on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise DevClusterError(f"`{words[0]}` gave no answer within {timeout_seconds} seconds") from error
    return ""


def _failed(words: Sequence[str], code: int, where: str, output: str) -> DevClusterError:
    shown = " ".join(words[:4]) + (" ..." if len(words) > 4 else "")
    return DevClusterError(f"`{shown}` ended with code {code}{where}\n{tail(output)}")


def tail(text: str) -> str:
    """The last lines of a log, indented."""
    return "\n".join(f"    {line}" for line in text.splitlines()[-LOG_TAIL_LINES:])
