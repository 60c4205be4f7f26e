"""HTTP: the port for users, the port for probes, and how both end."""
