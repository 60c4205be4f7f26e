"""The last words of a process that can never serve its spec: one line of JSON that the operator reads from the pod."""

import json
from pathlib import Path

from prewarm_agent.spec.findings import PermanentError

EXIT_CODE = 78  # EX_CONFIG of sysexits.h
MAX_BYTES = 4096  # the kubelet keeps no more of a termination message


def message(error: PermanentError) -> str:
    """The line, with the sentences cut short where the kubelet would cut the JSON."""

    def line(text: str) -> str:
        return json.dumps({"reason": error.reason, "message": text, "path": error.path}, ensure_ascii=False)

    text = str(error)
    while len(line(text).encode()) > MAX_BYTES:
        text = text[: len(text) * 9 // 10 - 1] + "…"
    return line(text)


def write(path: Path, error: PermanentError) -> None:
    """Writes the line into the file that the kubelet put there. Raises OSError outside a pod, where there is none."""
    with path.open("r+", encoding="utf-8") as file:
        file.write(message(error) + "\n")
        file.truncate()
