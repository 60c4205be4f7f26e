"""What ends an act early."""

from __future__ import annotations


class DemoError(Exception):
    """The act cannot go on; one sentence says why and what to do."""
