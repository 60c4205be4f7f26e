"""By what places on nodes are kept free for pods to come."""

from dataclasses import dataclass
from enum import StrEnum

from prewarm_operator.render.headroom import NO_PLACEHOLDERS, Placeholders


class HeadroomMode(StrEnum):
    """The chart's nodeHeadroom.mode."""

    OFF = "Disabled"
    AUTO = "Auto"
    CAPACITY_BUFFER = "CapacityBuffer"
    PLACEHOLDER = "Placeholder"


@dataclass(frozen=True)
class NodeHeadroom:
    """What the administrator of the cluster wants."""

    mode: HeadroomMode = HeadroomMode.OFF
    placeholders: Placeholders = NO_PLACEHOLDERS

    @property
    def may_use_buffers(self) -> bool:
        return self.mode in (HeadroomMode.AUTO, HeadroomMode.CAPACITY_BUFFER)


@dataclass(frozen=True)
class Places:
    """What this cluster can do for it.

    Attributes:
        wanted: whether places are to be kept at all.
        by: CAPACITY_BUFFER, PLACEHOLDER, or None if the cluster lacks what they are to be kept by.
        placeholders: what placeholder pods are made of.
    """

    wanted: bool = False
    by: HeadroomMode | None = None
    placeholders: Placeholders = NO_PLACEHOLDERS


OFF = NodeHeadroom()
NO_PLACES = Places()


def places(headroom: NodeHeadroom, buffers_served: bool) -> Places:
    """How `headroom` is kept in a cluster that serves CapacityBuffers, or does not."""
    if headroom.mode is HeadroomMode.OFF:
        return Places(placeholders=headroom.placeholders)
    by: HeadroomMode | None = None
    if headroom.may_use_buffers and buffers_served:
        by = HeadroomMode.CAPACITY_BUFFER
    elif headroom.mode is not HeadroomMode.CAPACITY_BUFFER:
        by = HeadroomMode.PLACEHOLDER
    return Places(True, by, headroom.placeholders)
