"""What the process is told from outside: the command line first, then the environment, then the contract's defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SPEC_PATH = "/etc/prewarm/agent.json"
POOL_PATH = "/etc/prewarm/pool.json"
KEYS_PATH = "/etc/prewarm-keys/keys.json"
STATE_DIRECTORY = "/run/prewarm"
TERMINATION_LOG_PATH = "/dev/termination-log"
USER_PORT = 8080
PROBE_PORT = 8081
# Longer than any answer people wait for, shorter than the ten minutes an OpenAI client waits by default.
REQUEST_TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the spec is, where to listen (0 is any free port) and how long a request may take.

    With `pool_path` the process starts as a generic pod of that pool, without a spec. `keys_path` and `pod_uid` say
    whose orders are obeyed, and `state_directory` is where a generic pod keeps what it became. `accelerate` lets
    the imports take a shortcut. `api_token`, or what is in `api_token_file`, is what users must show.
    """

    spec_path: Path
    pool_path: Path | None
    port: int
    probe_port: int
    termination_log_path: Path
    request_timeout_seconds: float
    keys_path: Path
    pod_uid: str
    state_directory: Path
    accelerate: bool
    api_token: str | None
    api_token_file: Path | None

    @classmethod
    def resolve(
        cls,
        *,
        spec: str | None = None,
        pool: str | None = None,
        port: int | None = None,
        probe_port: int | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> "Settings":
        """Raises ValueError, one sentence that names the variable, when the environment holds no usable value."""
        timeout = environ.get("PREWARM_REQUEST_TIMEOUT_SECONDS", str(REQUEST_TIMEOUT_SECONDS))
        try:
            request_timeout_seconds = float(timeout)
        except ValueError:
            request_timeout_seconds = 0.0
        if not 0 < request_timeout_seconds < float("inf"):
            raise ValueError(f"PREWARM_REQUEST_TIMEOUT_SECONDS is {timeout!r}; set it to a number of seconds above 0.")
        accelerate = environ.get("PREWARM_ACCELERATE", "true")
        if accelerate not in ("true", "false"):
            raise ValueError(f"PREWARM_ACCELERATE is {accelerate!r}; set it to true or false.")
        return cls(
            spec_path=Path(spec or environ.get("PREWARM_SPEC", SPEC_PATH)),
            pool_path=Path(pool) if pool else None,
            port=USER_PORT if port is None else port,
            probe_port=PROBE_PORT if probe_port is None else probe_port,
            termination_log_path=Path(environ.get("PREWARM_TERMINATION_LOG", TERMINATION_LOG_PATH)),
            request_timeout_seconds=request_timeout_seconds,
            keys_path=Path(environ.get("PREWARM_KEYS", KEYS_PATH)),
            pod_uid=environ.get("PREWARM_POD_UID", ""),
            state_directory=Path(environ.get("PREWARM_STATE_DIR", STATE_DIRECTORY)),
            accelerate=accelerate == "true",
            api_token=_token(environ),
            api_token_file=Path(file) if (file := environ.get("PREWARM_API_TOKEN_FILE")) else None,
        )


def _token(environ: Mapping[str, str]) -> str | None:
    """A Secret without a value must not open the door. Raises ValueError."""
    token = environ.get("PREWARM_API_TOKEN")
    if token is not None and not token.strip():
        raise ValueError("PREWARM_API_TOKEN is set and empty; give it a value, or remove it to ask for none.")
    return token.strip() if token else None
