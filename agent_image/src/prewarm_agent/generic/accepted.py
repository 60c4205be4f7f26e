"""What this pod was turned into, in a folder that outlives its container: a restarted one is that agent, or nothing."""

import errno
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from prewarm_agent.spec.findings import Finding, PermanentError, Reason

ACCEPTED = "accepted.json"
CANDIDATE = "candidate.json"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The agent that this pod is, and the hash of the body that made it so, in hex."""

    agent: str
    body_sha256: str

    @classmethod
    def of(cls, agent: str, body: bytes) -> "Accepted":
        return cls(agent, hashlib.sha256(body).hexdigest())


class StateDirectory:
    """Holds the accepted spec, as it was sent. A spec is a candidate until it was checked; then, for good, accepted.

    Nothing is synced to a disk: the folder is memory, and only has to outlive the process.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.accepted_path = directory / ACCEPTED
        self.candidate_path = directory / CANDIDATE

    def create(self) -> None:
        """Makes the folder if need be. Raises PermanentError where nothing can be kept."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self._directory, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            text = (
                f"{self._directory} cannot keep what this pod becomes: {error.strerror}; "
                "mount a memory volume there, or name another folder in PREWARM_STATE_DIR."
            )
            raise PermanentError([Finding(Reason.INVALID_CONFIG, "", text)]) from error

    def propose(self, body: bytes) -> None:
        """Writes the candidate, for the eyes of this process's user only. Raises OSError."""
        self.candidate_path.unlink(missing_ok=True)
        descriptor = os.open(self.candidate_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)

    def accept(self) -> None:
        """Makes the candidate the accepted spec, in one step. Raises OSError."""
        self.candidate_path.rename(self.accepted_path)

    def accepted(self) -> bytes | None:
        """The spec that was accepted before this process began. Raises OSError where that cannot be known."""
        try:
            return self.accepted_path.read_bytes()
        except FileNotFoundError:
            return None
