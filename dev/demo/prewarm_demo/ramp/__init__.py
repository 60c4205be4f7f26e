"""Act 2's parts: a recorded load at speed, its history in a Prometheus, the reactive rule, and what comes of it."""
