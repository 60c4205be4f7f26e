"""The load of one side of the ramp."""

from __future__ import annotations

from dataclasses import dataclass

from prewarm_demo.ramp.replay import Replay, rates

ANSWER_SECONDS = 4.0
TIMEOUT_SECONDS = 20.0
SEED = 5


@dataclass(frozen=True)
class RampPlan:
    """The load of an agent from `begin_epoch_seconds` on. A client that is refused asks again twice, as SDKs do."""

    load: Replay
    agent: str
    begin_epoch_seconds: float

    def args(self, url: str) -> list[str]:
        """For the load generator."""
        steps = ",".join(f"{rate:.4f}" for rate in rates(self.load.load, ANSWER_SECONDS))
        return [
            "prewarm_demo.load",
            f"--url={url}",
            f"--rates={steps}",
            f"--step-seconds={self.load.step_seconds:g}",
            f"--begin={self.begin_epoch_seconds:.3f}",
            f"--seed={SEED}",
            "--clients=8",
            f"--timeout-seconds={TIMEOUT_SECONDS:g}",
            f"--model={self.agent}",
            "--retries=2",
        ]
