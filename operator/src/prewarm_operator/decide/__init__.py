"""Pure decisions: from a snapshot to a plan, and from a plan's outcome to a status. No I/O, no clock of its own."""
