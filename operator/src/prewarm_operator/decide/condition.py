"""What one condition says, before it becomes part of a status."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Verdict:
    """What holds for one condition, and why.

    `is_of_this_generation` is not so while it holds by the pods of a generation before.
    """

    type: str
    status: Status
    reason: str
    message: str
    is_of_this_generation: bool = True
