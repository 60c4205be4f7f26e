"""What ends an act early."""

from __future__ import annotations


class DemoError(Exception):
    """The act cannot go on; one sentence says why and what to do."""


class NotOnThisCluster(DemoError):
    """The act needs a cluster of another kind; the demo goes on without it, unless it was asked for by number."""
