from typing import Any

from unit.operator.builders import agent_body

from prewarm_operator.apply.events import BURST_PER_OBJECT, REPEAT_AFTER_SECONDS, Recorder
from prewarm_operator.decide.plan import Event
from prewarm_operator.kube.errors import Unreachable
from prewarm_operator.world.snapshot import Object


class Posted:
    """Stands at our own interface: takes what the gateway would send."""

    def __init__(self) -> None:
        self.events: list[Object] = []
        self.fails = False

    async def post_event(self, event: Object) -> None:
        if self.fails:
            raise Unreachable("away")
        self.events.append(event)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def recorder() -> tuple[Recorder, Posted, Clock]:
    posted, clock = Posted(), Clock()
    stand_in: Any = posted
    return Recorder(stand_in, clock), posted, clock


async def test_the_same_sentence_is_said_once_in_two_minutes() -> None:
    record, posted, clock = recorder()
    event = Event(warning=True, reason="Stuck", message="m")
    for _ in range(3):
        await record.record(agent_body(), event)
    assert len(posted.events) == 1
    clock.now += REPEAT_AFTER_SECONDS
    await record.record(agent_body(), event)
    assert len(posted.events) == 2


async def test_a_flood_of_different_sentences_about_one_object_is_cut_and_other_objects_are_still_heard() -> None:
    record, posted, _ = recorder()
    for number in range(100):
        await record.record(agent_body(), Event(False, "Scaled", str(number)))
    assert len(posted.events) == BURST_PER_OBJECT
    other = agent_body()
    other["metadata"]["name"] = "other"
    await record.record(other, Event(False, "Scaled", "1"))
    assert len(posted.events) == BURST_PER_OBJECT + 1


async def test_an_event_that_cannot_be_posted_harms_nothing() -> None:
    record, posted, _ = recorder()
    posted.fails = True
    await record.record(agent_body(), Event(False, "Scaled", "1"))


async def test_the_event_points_at_the_object_and_keeps_within_the_note_limit() -> None:
    record, posted, _ = recorder()
    await record.record(agent_body(), Event(True, "UnknownKey", "x" * 5000))
    (event,) = posted.events
    assert event["regarding"]["uid"] == "uid-1"
    assert (event["type"], event["reason"], len(event["note"])) == ("Warning", "UnknownKey", 1024)
