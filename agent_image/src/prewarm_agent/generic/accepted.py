"""What this pod was turned into, in a folder that outlives its container: a restarted one is that agent, or nothing."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

ACCEPTED = "accepted.json"
CANDIDATE = "candidate.json"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The agent that this pod is, and the hash of the body that made it so, in hex."""

    agent: str
    body_sha256: str

    @classmethod
    def of(cls, body: bytes) -> "Accepted":
        """Of a spec that was checked."""
        return cls(json.loads(body)["name"], hashlib.sha256(body).hexdigest())


class StateDirectory:
    """Holds the accepted spec, as it was sent. A spec is a candidate until it was checked; then, for good, accepted.

    Nothing is synced to a disk: the folder is memory, and only has to outlive the process.
    """

    def __init__(self, directory: Path) -> None:
        self.accepted_path = directory / ACCEPTED
        self.candidate_path = directory / CANDIDATE

    def propose(self, body: bytes) -> None:
        """Writes the candidate, for the eyes of this process's user only. Raises OSError."""
        self.candidate_path.unlink(missing_ok=True)
        descriptor = os.open(self.candidate_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)

    def accept(self) -> None:
        """Makes the candidate the accepted spec, in one step. Raises OSError."""
        self.candidate_path.rename(self.accepted_path)

    def accepted(self) -> Accepted | None:
        """What was accepted before this process began. Raises OSError or ValueError where that cannot be read."""
        try:
            return Accepted.of(self.accepted_path.read_bytes())
        except FileNotFoundError:
            return None
