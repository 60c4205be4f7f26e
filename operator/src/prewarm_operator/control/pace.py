"""How often one agent is repaired: at once, but not again and again when somebody else keeps on changing it back."""

from collections.abc import Callable
from dataclasses import replace

from prewarm_operator.decide.plan import Apply, Plan, Relabel, TryApply, Write
from prewarm_operator.world.cache import Key

REPAIR_SECONDS = 3.0
"""Between two repairs of one agent: a second hand edit is still undone within five seconds, and another controller that
disagrees costs twenty writes a minute instead of as many as it makes."""


class RepairPace:
    """Takes repairs out of a plan that comes too soon after the last one. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._repaired_at: dict[Key, float] = {}
        self._tried: set[Key] = set()

    def keep(self, key: Key, plan: Plan) -> Plan:
        """`plan`, or the plan without its repairs and with the time after which they are due.

        An apply that has just been tried follows at once: the two are one repair.
        """
        if not any(map(_is_repair, plan.writes)):
            return plan
        now = self._clock()
        wait_seconds = self._repaired_at.get(key, now - REPAIR_SECONDS) + REPAIR_SECONDS - now
        if wait_seconds > 0 and key not in self._tried:
            writes = tuple(write for write in plan.writes if not _is_repair(write))
            return replace(plan, writes=writes, notices=(), again_after_seconds=wait_seconds)
        self._repaired_at[key] = now
        if any(isinstance(write, TryApply) for write in plan.writes):
            self._tried.add(key)
        else:
            self._tried.discard(key)
        return plan

    def forget(self, key: Key) -> None:
        """The AgentDeployment is gone."""
        self._repaired_at.pop(key, None)
        self._tried.discard(key)


def _is_repair(write: Write) -> bool:
    return isinstance(write, Relabel | TryApply) or (isinstance(write, Apply) and write.by_hand)
